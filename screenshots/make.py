"""Make the pictures in this folder from the running program on the demo: `make screenshots`.

The SVG needs nothing but the program. The PNG is made from it by rsvg-convert with the fonts named in svg.py;
both come from Debian's packages, which are installed here where root or sudo can.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from svg import picture
from textual.pilot import Pilot

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.app.main import HikkoshiApp
from hikkoshi.app.rows import Rows
from hikkoshi.app.signs import UNICODE
from hikkoshi.demo.connection import Pace
from hikkoshi.demo.start import start_demo

HERE = Path(__file__).resolve().parent
SIZE = (120, 36)
PACKAGES = ("librsvg2-bin", "fonts-noto-cjk", "fonts-dejavu-core")
SHOTS: dict[str, Sequence[str]] = {"main": ("m", *["down"] * 10)}
"""Name of each picture, and the keys pressed before it is taken."""


def main() -> int:
    """Take the pictures; 0 if all could be made."""
    os.environ.pop("NO_COLOR", None)
    demo = start_demo(pace=Pace())
    try:
        for name, keys in SHOTS.items():
            # A relative path: the folder's random name has no place in a picture.
            os.chdir(demo.local.parent)
            options = Options(local=Path(demo.local.name), address=parse_address(demo.url))
            store = AccountSession.open_store(options)
            session = AccountSession(options, store, demo.password, files_in(demo.folder / "files"))
            (HERE / f"{name}.svg").write_text(asyncio.run(shoot(session, keys)), "utf-8")
    finally:
        demo.close()
    return 0 if all(to_png(HERE / f"{name}.svg") for name in SHOTS) else 1


async def shoot(session: AccountSession, keys: Sequence[str]) -> str:
    """The program after its first look at both sides and these keys, as SVG."""
    rows = Rows(session.index_path)
    app = HikkoshiApp(session, rows, signs=UNICODE)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await settled(app, pilot)
            await pilot.press(*keys)
            await pilot.pause()
            lines = [list(strip) for strip in app.screen._compositor.render_strips()]
            return picture(lines, SIZE[0], app.theme_variables["background"], "hikkoshi")
    finally:
        rows.close()


async def settled(app: HikkoshiApp, pilot: Pilot[None]) -> None:
    """Wait until nothing runs any more."""
    while app.main.work.busy:
        await pilot.pause(0.05)
    await pilot.pause()


def to_png(svg: Path) -> bool:
    """The PNG beside the SVG; False, with a line that says why, where the tools cannot be had."""
    if not _have_tools():
        _install()
    if not _have_tools():
        sys.stderr.write(f"{svg.name}: no PNG was made; it needs the packages {' '.join(PACKAGES)}.\n")
        return False
    return _run("rsvg-convert", "-o", str(svg.with_suffix(".png")), str(svg)).returncode == 0


def _have_tools() -> bool:
    if not shutil.which("rsvg-convert") or not shutil.which("fc-list"):
        return False
    fonts = _run("fc-list", ":", "family").stdout
    return "Noto Sans Mono CJK JP" in fonts and "DejaVu Sans Mono" in fonts


def _install() -> None:
    apt = shutil.which("apt-get")
    if not apt:
        return
    root = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "-n"]
    if root and not shutil.which("sudo"):
        return
    for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *PACKAGES]):
        _run(*root, apt, *step)


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    sys.exit(main())
