"""What the commands without a screen print: sentences, one line of progress, JSON."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import click

from hikkoshi.i18n import _
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.mail.headers import sanitise

_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def say(text: str) -> None:
    """Tell the user something beside the command's own output, line by line, with nothing a terminal could act on.

    A terminal that is gone is no reason to stop: SIGHUP says so too, and the work ends as it should.
    """
    with suppress(OSError):
        click.echo("\n".join(map(sanitise, text.split("\n"))), err=True)


def status_line() -> tuple[Report, Callable[[], None]]:
    """A `Report` that keeps one line of standard error up to date, and how to take that line away."""
    if not sys.stderr.isatty():
        return (lambda _progress: None), (lambda: None)

    def show(text: str) -> None:
        with suppress(OSError):
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    def report(progress: Progress) -> None:
        number = f" {progress.done + 1}/{progress.total}" if 0 < progress.total != progress.done else ""
        show(f"{_stage(progress.stage)}{number} {sanitise(progress.what)}"[:200])

    return report, lambda: show("")


def _stage(stage: Stage) -> str:
    texts: dict[Stage, str] = {
        Stage.CONNECT: _("Connecting to"),
        Stage.SCAN: _("Reading this PC:"),
        Stage.LIST: _("Listing the server:"),
        Stage.COMPARE: _("Comparing"),
        Stage.LOOK: _("Looking at each mail of"),
        Stage.UPLOAD: _("Uploading to"),
        Stage.VERIFY: _("Reading back"),
        Stage.FLAGS: _("Setting flags in"),
        Stage.UNDO: _("Removing from"),
    }
    return texts[stage]


def print_json(value: dict[str, Any]) -> None:
    """One object to standard output, and nothing else: UTF-8 whatever the locale (RFC 8259 section 8.1)."""
    _print_safe(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_json_list(head: dict[str, Any], name: str, values: Iterable[dict[str, Any]]) -> None:
    """The same for an object whose last key `name` has a list of any length, which is never held: one line for each."""
    start = json.dumps({**head, name: []}, ensure_ascii=False, indent=2)
    _print_safe(start.removesuffix("]\n}"))
    separator = "\n"
    for value in values:
        _print_safe(f"{separator}    {json.dumps(value, ensure_ascii=False)}")
        separator = ",\n"
    _print_safe("\n  ]\n}\n")


def _print_safe(text: str) -> None:
    # Controls and bidi overrides, and what a file name has that is no text, as JSON's own escapes.
    safe = _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    click.echo(safe.encode(), nl=False)
