"""A file that somebody else holds at the moment when it is opened."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from hikkoshi.jobs import wal


def test_it_waits_for_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE x (y)")
    other.execute("BEGIN EXCLUSIVE")
    Timer(0.1, other.execute, ["COMMIT"]).start()

    with closing(other), closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        wal.use_wal(connection)

        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_TRIES", 3)
    path = tmp_path / "file.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE x (y)")
    other.execute("BEGIN EXCLUSIVE")

    with (
        closing(other),
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        wal.use_wal(connection)
