"""Telling a file that may not be written from one for which there is no room."""

import errno
import os
import sqlite3
from pathlib import Path

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_SQLITE_NOT_ALLOWED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


def is_forbidden(error: BaseException, path: Path) -> bool:
    """Whether an error at a file, the system's or SQLite's, is that the file or its folder may not be written."""
    if isinstance(error, OSError):
        return error.errno in _NOT_ALLOWED
    # The low byte is the primary code; SQLite says "unable to open" of much else, too (sqlite.org/rescode.html).
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _SQLITE_NOT_ALLOWED:
        return False
    return any(file.exists() and not os.access(file, os.W_OK) for file in (path, path.parent))
