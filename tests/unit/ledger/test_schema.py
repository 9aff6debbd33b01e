"""Opening the ledger: what is made, what is kept, what is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.schema import VERSION, open_ledger


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
