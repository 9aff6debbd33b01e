"""One move at a time for an account."""

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from hikkoshi.errors import AccountBusy, LedgerError
from hikkoshi.ledger import lock
from hikkoshi.ledger.lock import Holder, MoveLock

HOLD = """
import sys
from pathlib import Path
from hikkoshi.ledger.lock import MoveLock
with MoveLock(Path(sys.argv[1]), "undo 12"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_is_told_that_another_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "lock"
    with MoveLock(path, "upload"), pytest.raises(AccountBusy, match="Another hikkoshi"), MoveLock(path, "upload"):
        pass
    with MoveLock(path, "upload"):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(AccountBusy, match=f"@{socket.gethostname()}, process {process.pid}, “undo 12”, since 20"):
            MoveLock(path, "upload").__enter__()
        process.kill()
        process.wait()
    with MoveLock(path, "upload"):
        pass


def test_a_lock_that_cannot_be_made_is_another_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be taken"), MoveLock(tmp_path / "file" / "lock", "upload"):
        pass


def test_a_name_that_a_killed_process_left_is_never_told(tmp_path: Path) -> None:
    """Between getting the lock and writing the name down a second one waits, and learns the right name."""
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.wait()
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(AccountBusy) as caught:
            MoveLock(path, "upload").__enter__()
        told.append(str(caught.value))

    asking = Thread(target=ask)
    with pytest.MonkeyPatch.context() as patched:

        def slow(what: str) -> Holder:
            asking.start()
            asking.join(0.3)
            return Holder("mei", "here", os.getpid(), 1, what)

        patched.setattr(lock, "_me", slow)
        with MoveLock(path, "resume 3"):
            asking.join(10)

    assert len(told) == 1
    assert "mei@here" in told[0]
    assert "“resume 3”" in told[0]
    assert str(process.pid) not in told[0]


def test_a_lock_without_a_name_is_still_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AccountBusy, match=r"^Another hikkoshi is at work on this account\. Nothing"):
            MoveLock(path, "upload").__enter__()
    other.close()
    with MoveLock(path, "upload"):
        pass


def test_the_name_is_for_the_user_alone(tmp_path: Path) -> None:
    with MoveLock(tmp_path / "data" / "lock", "upload"):
        assert {each.stat().st_mode & 0o777 for each in (tmp_path / "data").iterdir()} == {0o600}
