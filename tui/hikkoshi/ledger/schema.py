"""The ledger's tables and how its file is opened. It is never thrown away, and every commit is on the disk."""

import sqlite3
from pathlib import Path

from hikkoshi.errors import LedgerError
from hikkoshi.i18n import _
from hikkoshi.jobs.wal import use_wal
from hikkoshi.jobs.writable import is_forbidden

VERSION = 2

_SINCE_VERSION_2 = """
CREATE TABLE learnt (              -- what servers have shown of themselves
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    at INTEGER NOT NULL,           -- seconds since 1970 UTC
    PRIMARY KEY (server, name)
);
CREATE INDEX item_sent ON item (sent_at);
"""

_TABLES = """
CREATE TABLE move (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,          -- user@host
    store TEXT NOT NULL,           -- the local store's path
    started INTEGER NOT NULL,      -- seconds since 1970 UTC
    ended INTEGER,
    state TEXT NOT NULL,           -- State
    reason TEXT NOT NULL DEFAULT '',
    told INTEGER NOT NULL DEFAULT 0,
    runs INTEGER NOT NULL DEFAULT 1,  -- how often it was gone on with, or undone
    undone INTEGER                 -- when it was last undone, seconds since 1970 UTC
);
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    move INTEGER NOT NULL REFERENCES move (id),
    folder TEXT NOT NULL,          -- the local folder's name
    native TEXT NOT NULL DEFAULT '',  -- and its native name, '' if an earlier version wrote it
    place TEXT NOT NULL,
    size INTEGER NOT NULL,         -- bytes in CRLF form, of what was sent
    fields BLOB NOT NULL,          -- raw identity fields of the source
    body BLOB,                     -- canonical digest of what was sent
    target TEXT NOT NULL,          -- native name of the server folder
    flags TEXT NOT NULL,
    date INTEGER,                  -- the INTERNALDATE given, seconds since 1970 UTC
    date_source TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,           -- ItemState
    uidvalidity INTEGER,
    uidnext INTEGER,               -- saved before sending: a lower UID is not ours
    uid INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    verified TEXT NOT NULL DEFAULT '',
    sent_at INTEGER,               -- when it was last begun to be sent, seconds since 1970 UTC
    repairs TEXT NOT NULL DEFAULT '',  -- names of what was mended in it, by choice
    notes TEXT NOT NULL DEFAULT '',  -- what was found in it before it was sent
    risky INTEGER,                 -- 1: servers are known to change such bytes. NULL: not known
    there_size INTEGER,            -- what the server said of it when it was read back. NULL: it was not
    there_flags TEXT,
    there_date INTEGER,            -- seconds since 1970 UTC
    source_size INTEGER,           -- of a mended mail: bytes in CRLF form and canonical digest before that, where
    source_body BLOB,              -- `size` and `body` are of what was sent (NULL: it was not mended)
    sent_fields BLOB               -- and the identity fields that were sent
);
CREATE INDEX item_move ON item (move);
CREATE INDEX item_uid ON item (target, uidvalidity, uid);
"""

_FROM_VERSION_1 = """
ALTER TABLE item ADD COLUMN native TEXT NOT NULL DEFAULT '';
ALTER TABLE item ADD COLUMN sent_at INTEGER;
ALTER TABLE item ADD COLUMN repairs TEXT NOT NULL DEFAULT '';
ALTER TABLE item ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE item ADD COLUMN risky INTEGER;
ALTER TABLE item ADD COLUMN there_size INTEGER;
ALTER TABLE item ADD COLUMN there_flags TEXT;
ALTER TABLE item ADD COLUMN there_date INTEGER;
ALTER TABLE move ADD COLUMN runs INTEGER NOT NULL DEFAULT 1;
ALTER TABLE move ADD COLUMN undone INTEGER;
ALTER TABLE item ADD COLUMN source_size INTEGER;
ALTER TABLE item ADD COLUMN source_body BLOB;
ALTER TABLE item ADD COLUMN sent_fields BLOB;
"""


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open (or make) the ledger. Raises `LedgerError` where that fails or a newer hikkoshi wrote it."""
    connection = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        version = _prepare(connection)
    except (sqlite3.Error, OSError) as error:
        if connection:
            connection.close()
        if is_forbidden(error, path):
            raise LedgerError(
                _(
                    "The ledger {path} cannot be written ({reason}). Nothing is sent without it; see that you may write in "
                    "the folder {folder}, and start again."
                ).format(path=path, reason=error, folder=path.parent)
            ) from error
        raise LedgerError(
            _(
                "The ledger {path} cannot be used ({reason}). Nothing is sent without it; make room on the disk or "
                "mend the file's permissions, and start again."
            ).format(path=path, reason=error)
        ) from error
    if version > VERSION:
        connection.close()
        raise LedgerError(
            _("The ledger {path} was written by a newer hikkoshi. Nothing is sent; use that version.").format(path=path)
        )
    return connection


def _prepare(connection: sqlite3.Connection) -> int:
    """Make the tables where there are none; the file's version."""
    if (version := _version(connection)) > VERSION:
        return version
    use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    # macOS: fsync alone leaves it in the disk's own cache.
    connection.execute("PRAGMA fullfsync = ON")
    if version < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        # Another hikkoshi may have done it while this one waited.
        version = _version(connection)
        for statement in _statements(version):
            connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    return version


def _statements(version: int) -> list[str]:
    """What makes a ledger of this version one of today's; 0: there is none yet."""
    steps = {0: _TABLES + _SINCE_VERSION_2, 1: _FROM_VERSION_1 + _SINCE_VERSION_2}
    return steps[version].split(";") if version < VERSION else []


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
