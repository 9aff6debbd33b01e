"""Opening a SQLite file that several programs of ours may open at the same moment."""

import sqlite3
from threading import Event

_TRIES = 200
_PAUSE = 0.02  # seconds


def use_wal(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, so that readers go on beside a writer. Raises `sqlite3.Error`.

    Changing the mode needs the file for oneself, and SQLite does not wait for that as it does for a lock
    (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode"): of two first starts one is refused.
    """
    for number in range(1, _TRIES + 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or number == _TRIES:
                raise
            Event().wait(_PAUSE)
        else:
            return
