"""One move at a time for an account: an exclusive SQLite transaction as the lock, the same on every system.

It goes away with the process, however that ends. Who holds it stands in a file beside it, which is only read and written
with that file locked: from trying the lock until the name of who got it is down nobody else may look. So a name that is
found while the lock is held is the holder's, never that of one who was killed.
"""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import time
from types import TracebackType

import msgspec

from hikkoshi.errors import AccountBusy, LedgerError
from hikkoshi.i18n import _
from hikkoshi.jobs.writable import is_forbidden

_PATIENCE = 5.0
"""Seconds for the file with the name: it is locked for some milliseconds."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock: `since` in seconds since 1970 UTC; `what`: the command, with the move's number if it has one."""

    user: str
    host: str
    process: int
    since: int
    what: str


class MoveLock:
    """Held while a move runs. Raises `AccountBusy` on entering if another hikkoshi holds it, else `LedgerError`."""

    def __init__(self, path: Path, what: str) -> None:
        """`what`: what it is held for, as others are told: 'upload', 'undo 12'."""
        self._path, self._what = path, what
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _names(self._path) as names:
                self._take(names)
        except (sqlite3.Error, OSError) as error:
            self._close()
            if _is_busy(error):
                raise AccountBusy(_sentence(None)) from error
            if is_forbidden(error, self._path):
                raise LedgerError(
                    _(
                        "The lock {path} cannot be written ({reason}). Nothing was sent; see that you may write in the "
                        "folder {folder}, and start again."
                    ).format(path=self._path, reason=error, folder=self._path.parent)
                ) from error
            raise LedgerError(
                _(
                    "The lock {path} cannot be taken ({reason}). Nothing was sent; see to the disk and start again."
                ).format(path=self._path, reason=error)
            ) from error
        except AccountBusy:
            self._close()
            raise

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    def _take(self, names: sqlite3.Connection) -> None:
        self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        self._path.chmod(0o600)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if _is_busy(error):
                row = names.execute("SELECT user, host, process, since, what FROM holder").fetchone()
                raise AccountBusy(_sentence(Holder(*row) if row else None)) from error
            raise
        try:
            names.execute("DELETE FROM holder")
            names.execute("INSERT INTO holder VALUES (?, ?, ?, ?, ?)", msgspec.structs.astuple(_me(self._what)))
            names.execute("COMMIT")
        except sqlite3.Error:
            self._close()  # before another may read the name that stands there
            raise

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def see_free(path: Path, what: str) -> None:
    """Raise `AccountBusy` if another hikkoshi holds the lock now; before looks that take long and would be for nothing."""
    with MoveLock(path, what):
        pass


@contextmanager
def _names(path: Path) -> Iterator[sqlite3.Connection]:
    """The file with the holder's name, locked until what was written into it is committed."""
    file = path.with_name(path.name + ".holder")
    with closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as names:
        file.chmod(0o600)
        names.execute("PRAGMA synchronous = OFF")  # of use only as long as processes live
        names.execute("BEGIN EXCLUSIVE")
        names.execute("CREATE TABLE IF NOT EXISTS holder (user TEXT, host TEXT, process INT, since INT, what TEXT)")
        yield names


def _me(what: str) -> Holder:
    import getpass  # a check takes no lock

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
    return Holder(user, socket.gethostname(), os.getpid(), int(time()), what)


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _sentence(holder: Holder | None) -> str:
    if holder is None:
        return _(
            "Another hikkoshi is at work on this account. Nothing was changed by this one; wait for the other to end and "
            "start again."
        )
    return _(
        "Another hikkoshi is at work on this account: {user}@{host}, process {process}, “{what}”, since {since}. Nothing "
        "was changed by this one; wait for the other to end and start again."
    ).format(
        user=holder.user,
        host=holder.host,
        process=holder.process,
        what=holder.what,
        since=datetime.fromtimestamp(holder.since, UTC).astimezone().strftime("%Y-%m-%d %H:%M"),
    )
