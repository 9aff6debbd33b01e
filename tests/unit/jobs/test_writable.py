"""What is said where a file may not be written, and where there is no room for it."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hikkoshi.errors import HikkoshiError
from hikkoshi.index.schema import open_index
from hikkoshi.jobs import writable
from hikkoshi.jobs.writable import is_forbidden
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.schema import open_ledger


def take(path: Path) -> None:
    with MoveLock(path, "upload"):
        pass


@pytest.mark.parametrize("opened", [open_index, open_ledger, take])
@pytest.mark.parametrize(("number", "said"), [(errno.EACCES, True), (errno.EROFS, True), (errno.ENOSPC, False)])
def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[[Path], object], number: int, said: bool
) -> None:
    def refuse(self: Path, *_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(HikkoshiError) as caught:
        opened(tmp_path / "folder" / "file")

    assert (f"you may write in the folder {tmp_path / 'folder'}" in str(caught.value)) is said
    assert ("make room" in str(caught.value) or "see to the disk" in str(caught.value)) is not said


def test_sqlite_is_believed_where_the_folder_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path / "directory")

    assert not is_forbidden(caught.value, tmp_path / "directory"), "it is no file, but all may be written there"
    monkeypatch.setattr(writable.os, "access", lambda path, mode: not (path == tmp_path and mode == os.W_OK))
    assert is_forbidden(caught.value, tmp_path / "directory")
    assert not is_forbidden(sqlite3.OperationalError("database is locked"), tmp_path / "directory")
