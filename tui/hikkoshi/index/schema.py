"""The index's tables and how its file is opened.

One file for each account, one writer at a time, readers beside it (WAL). It holds nothing that cannot be made
again from the two sides and the ledger: a file with another schema version is thrown away and built anew.
"""

import sqlite3
from pathlib import Path

from hikkoshi.errors import IndexUnusable
from hikkoshi.i18n import _

VERSION = 2
LOCAL, SERVER = 0, 1
"""The two sides, as the column `side` has them."""

# Statements are told apart by their semicolons, so comments have none.
_TABLES = """
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    side INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,            -- JSON array of the levels
    role TEXT NOT NULL,
    native TEXT NOT NULL,
    account TEXT NOT NULL,
    position INTEGER NOT NULL,     -- in the order in which the side lists its folders
    stamp TEXT,                    -- local: LocalStore.stamp(), server: UIDVALIDITY. NULL: contents not known
    target TEXT,                   -- local: native name of the server folder it is mapped to
    UNIQUE (side, native)
);
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    size INTEGER NOT NULL,         -- bytes in CRLF form
    flags TEXT NOT NULL,           -- mail.flags.pack()
    date INTEGER,                  -- seconds since 1970 UTC: INTERNALDATE, on the PC the one it would be given
    fields BLOB NOT NULL,          -- raw identity fields, decoded late
    partial INTEGER NOT NULL,
    message_id BLOB,
    digest BLOB NOT NULL,
    strong INTEGER NOT NULL,
    body BLOB                      -- canonical digest, read only where headers alone cannot tell copies apart
);
CREATE UNIQUE INDEX message_place ON message (folder, place);
CREATE TABLE view (                -- one line of the folder list: a folder pair
    id INTEGER PRIMARY KEY,
    local INTEGER,                 -- folder.id
    server INTEGER,                -- folder.id, NULL: it is not there yet, or nothing is mapped
    target TEXT,                   -- native name of the server folder, there or not
    role TEXT NOT NULL
);
CREATE TABLE pair (
    id INTEGER PRIMARY KEY,
    view INTEGER NOT NULL,
    local INTEGER,                 -- message.id
    server INTEGER,                -- message.id
    mail INTEGER NOT NULL,         -- the same number for all rows of one mail
    relation INTEGER NOT NULL,     -- Relation
    lead INTEGER NOT NULL,         -- 1: this row counts the mail's facts, 0: a further copy
    why TEXT NOT NULL,             -- WHY_ code of compare.py
    date INTEGER
);
CREATE INDEX pair_view ON pair (view, date);
"""


def open_index(path: Path) -> sqlite3.Connection:
    """Open (or make) the index file. Raises `IndexUnusable` where it cannot be opened."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = _connect(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            connection.close()
            _remove(path)
            connection = _connect(path)
            version = 0
        if version == 0:
            _make_tables(connection)
        path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise IndexUnusable(
            _(
                "The index {path} cannot be used ({reason}). No mail is concerned: delete the file, or make room "
                "on the disk, and start again."
            ).format(path=path, reason=error)
        ) from error
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another hikkoshi may have made them while this one waited.
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
