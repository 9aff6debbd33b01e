"""What the commands without a screen share: opening a session, showing progress, ending."""

import sys
from collections.abc import Callable
from typing import Any

import click

from hikkoshi.accounts.options import Options
from hikkoshi.accounts.session import AccountSession, Snapshot
from hikkoshi.cli.login import get_password
from hikkoshi.i18n import _
from hikkoshi.jobs.cancel import Cancel, cancel_on_signals
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.mail.headers import sanitise


def open_session(options: Options, password_command: str | None) -> AccountSession:
    """The session for a command: the store is looked at first, so that a wrong path costs no password."""
    store = AccountSession.open_store(options)
    password, _typed = get_password(options.address, password_command)
    return AccountSession(options, store, password)


def new_cancel() -> Cancel:
    """A `Cancel` that the terminal's and the system's signals set."""
    cancel = Cancel()
    cancel_on_signals(cancel)
    return cancel


def refresh(session: AccountSession, cancel: Cancel) -> Snapshot:
    """Look at both sides, with one line of progress where a person sees it."""
    report, clear = status_line()
    try:
        return session.refresh(report, cancel)
    finally:
        clear()


def say(text: str) -> None:
    """Tell the user something beside the command's own output."""
    click.echo(text, err=True)


def status_line() -> tuple[Report, Callable[[], None]]:
    """A `Report` that keeps one line of standard error up to date, and how to take that line away."""
    if not sys.stderr.isatty():
        return (lambda _progress: None), (lambda: None)

    def report(progress: Progress) -> None:
        number = f" {progress.done + 1}/{progress.total}" if 0 < progress.total != progress.done else ""
        click.echo(f"\r\x1b[K{_stage(progress.stage)}{number} {sanitise(progress.what)}"[:200], nl=False, err=True)

    return report, lambda: click.echo("\r\x1b[K", nl=False, err=True)


def _stage(stage: Stage) -> str:
    texts: dict[Stage, str] = {
        Stage.CONNECT: _("Connecting to"),
        Stage.SCAN: _("Reading this PC:"),
        Stage.LIST: _("Listing the server:"),
        Stage.COMPARE: _("Comparing"),
        Stage.UPLOAD: _("Uploading to"),
        Stage.VERIFY: _("Reading back"),
    }
    return texts[stage]


def print_json(value: dict[str, Any]) -> None:
    """One object to standard output, and nothing else."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
