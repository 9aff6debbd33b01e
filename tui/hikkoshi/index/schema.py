"""The index's tables and how its file is opened.

One file for each account, one writer at a time, readers beside it (WAL). It holds nothing that cannot be made
again from the two sides and the ledger: a file with another schema version is thrown away and built anew.
"""

import sqlite3
from pathlib import Path

from hikkoshi.errors import IndexUnusable
from hikkoshi.i18n import _
from hikkoshi.index.relation import UPLOAD
from hikkoshi.jobs.wal import use_wal
from hikkoshi.jobs.writable import is_forbidden

VERSION = 5
LOCAL, SERVER = 0, 1
"""The two sides, as the column `side` has them."""

SERVER_ROW = 1 << 40
"""The row id of a pair is its local message's, or, where it has none, SERVER_ROW more than its server message's.

So a row keeps its id from one comparison to the next, and the rows of a message are found without an index.
"""

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
    uidnext INTEGER,               -- server: what the last look left, see ServerState
    exist INTEGER,
    modseq INTEGER,
    complete INTEGER NOT NULL DEFAULT 1,
    messages INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (side, native)
);
CREATE TABLE flagset (             -- a mailbox has few different ones
    id INTEGER PRIMARY KEY,
    flags TEXT NOT NULL UNIQUE     -- mail.flags.pack()
);
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    side INTEGER NOT NULL,
    place NOT NULL,                -- server: the UID as a number, local: text
    size INTEGER NOT NULL,         -- bytes in CRLF form
    flags INTEGER NOT NULL,        -- flagset.id
    date INTEGER,                  -- seconds since 1970 UTC: INTERNALDATE, on the PC the one it would be given
    partial INTEGER NOT NULL,
    proved INTEGER NOT NULL,       -- 1: our upload, key and evidence are its source's
    key INTEGER NOT NULL,          -- mail.identity.keys()
    evidence INTEGER NOT NULL,
    fields BLOB NOT NULL,          -- raw identity fields, decoded late
    body BLOB                      -- canonical digest, read only where headers alone cannot tell copies apart
);
CREATE UNIQUE INDEX message_place ON message (folder, place);
CREATE TABLE view (                -- one line of the folder list: a folder pair
    id INTEGER PRIMARY KEY,        -- folder.id of its local folder, or of the server folder where it has none
    local INTEGER,                 -- folder.id
    server INTEGER,                -- folder.id, NULL: it is not there yet, or nothing is mapped
    target TEXT,                   -- native name of the server folder, there or not
    role TEXT NOT NULL,
    position INTEGER NOT NULL
);
CREATE TABLE pair (
    id INTEGER PRIMARY KEY,        -- see SERVER_ROW
    view INTEGER NOT NULL,
    local INTEGER,                 -- message.id
    server INTEGER,                -- message.id
    mail INTEGER NOT NULL,         -- the same number for all rows of one mail
    relation INTEGER NOT NULL,     -- Relation
    lead INTEGER NOT NULL,         -- 1: this row counts the mail's facts, 0: a further copy
    why INTEGER NOT NULL,          -- place in compare.WHYS
    date INTEGER
);
CREATE TABLE tally (               -- how many rows of a view say the same
    view INTEGER NOT NULL,
    relation INTEGER NOT NULL,
    lead INTEGER NOT NULL,
    here INTEGER NOT NULL,         -- 1: with a local message
    rows INTEGER NOT NULL,
    PRIMARY KEY (view, relation, lead, here)
) WITHOUT ROWID;
CREATE TABLE standing (            -- what the last comparison knew of each folder, see standing.py
    folder INTEGER PRIMARY KEY,
    view INTEGER NOT NULL,
    role TEXT NOT NULL,
    target INTEGER,
    sent INTEGER NOT NULL,
    known INTEGER NOT NULL
);
CREATE TABLE proof (               -- the sources of our uploads, where the ledger knows a server's message as one
    message INTEGER PRIMARY KEY,   -- message.id
    fields BLOB NOT NULL,
    size INTEGER NOT NULL,
    body BLOB
);
CREATE TABLE looked (              -- what was found in mails of this PC whose bytes were looked at, see looked.py
    message INTEGER PRIMARY KEY,   -- message.id
    findings INTEGER NOT NULL,     -- mail.findings.Finding
    examined BLOB,                 -- mail.findings.Examined as JSON, NULL where nothing was found
    date_source TEXT NOT NULL      -- where its date comes from, '' where nothing was found about it
);
CREATE TABLE touched (key INTEGER PRIMARY KEY);    -- mails that changed since the last comparison
CREATE TABLE gone (pair INTEGER PRIMARY KEY);      -- rows whose message is no more
CREATE TABLE state (
    compared INTEGER NOT NULL,     -- 0: nothing was compared yet, so nothing is noted in `touched`
    whole INTEGER NOT NULL,        -- 0: the last comparison was made while the server was still being listed
    ledger TEXT NOT NULL,          -- the ledger's mark when its uploads were last looked up
    looked_up INTEGER NOT NULL,    -- the highest message.id looked up in it
    searched INTEGER NOT NULL      -- the highest message.id in `words`
);
INSERT INTO state VALUES (0, 1, '', 0, 0);
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'trigram');   -- by message.id, see search.py
"""
_LATE_INDEXES = f"""
CREATE INDEX IF NOT EXISTS message_key ON message (key, side, folder, evidence, flags, date, size, partial, proved);
CREATE INDEX IF NOT EXISTS pair_view ON pair (view, date);
CREATE INDEX IF NOT EXISTS pair_missing ON pair (id, local) WHERE lead AND relation & {int(UPLOAD)} != 0;
"""
"""Made by the first comparison: filling them row by row while a million mails are listed takes three times as long.

By `pair_missing` every check finds what an upload would send without a walk over all pairs.
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
        if is_forbidden(error, path):
            raise IndexUnusable(
                _(
                    "The index {path} cannot be written ({reason}). No mail is concerned: see that you may write in the "
                    "folder {folder}, and start again."
                ).format(path=path, reason=error, folder=path.parent)
            ) from error
        raise IndexUnusable(
            _(
                "The index {path} cannot be used ({reason}). No mail is concerned: delete the file, or make room "
                "on the disk, and start again."
            ).format(path=path, reason=error)
        ) from error
    return connection


def make_late_indexes(connection: sqlite3.Connection) -> None:
    """Make the indexes that comparing and sorting need, where they are not there yet."""
    for statement in _LATE_INDEXES.split(";"):
        connection.execute(statement)


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
    use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    # 64 MiB: with the 2 MiB that SQLite takes by default, comparing a million mails reads the file over and over.
    connection.execute("PRAGMA cache_size = -65536")
    # Pages, 16 MiB: with 1,000 a listing of 200,000 mails writes its index pages over and over, for 5 % of its time.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
