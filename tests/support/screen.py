"""Driving the program in a test: press, wait for a condition, read what is painted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from hikkoshi.app.main import HikkoshiApp
from hikkoshi.app.rows import Rows
from hikkoshi.app.screens.main import MainScreen
from hikkoshi.app.signs import UNICODE, Signs
from hikkoshi.app.widgets.lines import Lines
from support.fake_session import FakeSession


@dataclass
class Opened:
    """A running program."""

    app: HikkoshiApp
    session: FakeSession
    pilot: Pilot[None]

    @property
    def main(self) -> MainScreen:
        return self.app.main

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Wait until something is true; fails after ten seconds."""
        end = monotonic() + 10
        while not condition():
            assert monotonic() < end, f"it never came: {what}\n{self.text}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def idle(self) -> None:
        """Wait until no job runs."""
        await self.until(lambda: not self.main.work.busy, "the end of the work")

    async def dialog(self, wanted: str = "") -> str:
        """Wait for a dialog that hears keys and has `wanted` in its title; its title and text."""
        await self.until(lambda: self.app.screen is not self.main and self.app.screen.is_mounted, "a dialog")
        await self.until(lambda: wanted in getattr(self.app.screen, "heading", ""), wanted)
        screen = self.app.screen
        return "\n".join([getattr(screen, "heading", ""), *(line for line, _style in getattr(screen, "lines", []))])

    async def closed(self) -> None:
        """Wait until the main screen is the only one."""
        await self.until(lambda: self.app.screen is self.main, "the main screen")

    @property
    def lines(self) -> list[str]:
        """What is painted, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def shown(self, widget: str) -> str:
        """The text of the title, the status, the gauges or another line."""
        return self.main.query_one(widget, Lines).text

    async def folder(self, name: str) -> None:
        """Go to the folder pair of this local name."""
        number = [pair.local for pair in self.main.folders.pairs].index(name) + 1
        self.main.folders.move_to(number)
        await self.pilot.pause()


@asynccontextmanager
async def open_screen(
    index: Path, *, size: tuple[int, int] = (120, 36), signs: Signs = UNICODE, wait: bool = True, **options: object
) -> AsyncIterator[Opened]:
    """The program on a made account; `options` are those of `FakeSession`."""
    session = FakeSession(index, **options)  # type: ignore[arg-type]
    rows = Rows(index)
    try:
        app = HikkoshiApp(session, rows, signs=signs)
        async with app.run_test(size=size) as pilot:
            screen = Opened(app, session, pilot)
            if wait:
                await screen.idle()
            yield screen
            if session.pause is not None:
                session.pause.set()
            app.main.work.cancel.set("user")
        app.main.work.join(10)
    finally:
        rows.close()
