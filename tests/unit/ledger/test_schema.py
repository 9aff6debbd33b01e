"""Opening the ledger: what is made, what is kept, what is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.schema import VERSION, open_ledger
from hikkoshi.ledger.store import Ledger


def test_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "ledger.sqlite")) as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert db.execute("PRAGMA fullfsync").fetchone()[0] == 1
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_it_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.sqlite"
    with closing(open_ledger(path)) as db:
        db.execute("INSERT INTO move (server, store, started, state) VALUES ('', '', 0, 'running')")
        files = list(path.parent.iterdir())
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert len(files) > 1, "the journal beside it too"
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_one_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(LedgerError, match="newer hikkoshi"):
        open_ledger(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database, and it is longer than a header of one" * 20, None])
def test_what_is_no_ledger_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ledger.sqlite"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    with pytest.raises(LedgerError, match="Nothing is sent"):
        open_ledger(path)
    assert content is None or path.read_bytes() == content


VERSION_1 = r"""
CREATE TABLE move (id INTEGER PRIMARY KEY, server TEXT NOT NULL, store TEXT NOT NULL, started INTEGER NOT NULL,
    ended INTEGER, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE item (id INTEGER PRIMARY KEY, move INTEGER NOT NULL REFERENCES move (id), folder TEXT NOT NULL,
    place TEXT NOT NULL, size INTEGER NOT NULL, fields BLOB NOT NULL, body BLOB, target TEXT NOT NULL,
    flags TEXT NOT NULL, date INTEGER, date_source TEXT NOT NULL DEFAULT '', state TEXT NOT NULL,
    uidvalidity INTEGER, uidnext INTEGER, uid INTEGER, reason TEXT NOT NULL DEFAULT '',
    verified TEXT NOT NULL DEFAULT '');
CREATE INDEX item_move ON item (move);
CREATE INDEX item_uid ON item (target, uidvalidity, uid);
INSERT INTO move VALUES (3, 'mei@example.jp', '/mail', 1700000000, 1700000060, 'done', '', 1);
INSERT INTO item VALUES (7, 3, 'Inbox', '0:90', 90, 'Subject: a', X'00ff', 'INBOX', '\Seen', 5, 'date', 'verified', 9, 4, 4,
    '', 'facts');
PRAGMA user_version = 1;
"""
"""As hikkoshi 0.1.0 wrote it."""


def test_one_of_an_earlier_version_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)

    with Ledger(path) as ledger:
        [kept] = ledger.uploads("mei@example.jp")
        assert (kept.id, kept.folder, kept.native, kept.body, kept.uid) == (7, "Inbox", "", b"\x00\xff", 4)
        assert ledger.sent_since("mei@example.jp", 0) == []
        ledger.learn("mei@example.jp", "refused-size", 5)
    with closing(open_ledger(path)) as db, closing(open_ledger(tmp_path / "new.sqlite")) as new:
        assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION
        for table in ("move", "item", "learnt"):
            columns = [
                {row[1:5] for row in each.execute(f"PRAGMA table_info({table})").fetchall()} for each in (db, new)
            ]
            assert columns[0] == columns[1], table


def test_two_first_starts_at_once_both_get_it(tmp_path: Path) -> None:
    barrier = Barrier(8)
    failures: list[BaseException] = []

    def start() -> None:
        barrier.wait()
        try:
            open_ledger(tmp_path / "ledger.sqlite").close()
        except LedgerError as error:
            failures.append(error)

    threads = [Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
