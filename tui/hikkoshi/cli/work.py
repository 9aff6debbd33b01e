"""What the commands without a screen share: opening a session, being stopped, looking at both sides."""

from hikkoshi.accounts.options import Options
from hikkoshi.accounts.session import AccountSession, Snapshot
from hikkoshi.cli.login import get_password
from hikkoshi.cli.output import status_line
from hikkoshi.jobs.cancel import Cancel, cancel_on_signals
from hikkoshi.ledger.lock import see_free


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


def refresh(session: AccountSession, cancel: Cancel, *, keep: bool = False, alone: str = "") -> Snapshot:
    """Look at both sides, with one line of progress where a person sees it; `keep` as in `AccountSession.refresh`.

    `alone`: the command that changes something behind the look without asking. Where another hikkoshi is at work on the
    account that is said before the look, which may take minutes: raises `AccountBusy`.
    """
    if alone:
        see_free(session.files.lock, alone)
    report, clear = status_line()
    try:
        return session.refresh(report, cancel, keep=keep)
    finally:
        clear()
