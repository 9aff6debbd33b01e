"""One move at a time for an account: an exclusive SQLite transaction as the lock, the same on every system.

It goes away with the process, however that ends.
"""

import sqlite3
from pathlib import Path
from types import TracebackType

from hikkoshi.errors import LedgerError
from hikkoshi.i18n import _


class MoveLock:
    """Held while a move runs. Raises `LedgerError` on entering if another hikkoshi holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            self._path.chmod(0o600)
            self._connection.execute("BEGIN EXCLUSIVE")
        except (sqlite3.Error, OSError) as error:
            self._close()
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise LedgerError(
                    _(
                        "Another hikkoshi is uploading to this account. Nothing was sent by this one; wait for the other "
                        "to end and start again."
                    )
                ) from error
            raise LedgerError(
                _(
                    "The lock {path} cannot be taken ({reason}). Nothing was sent; see to the disk and start again."
                ).format(path=self._path, reason=error)
            ) from error

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
