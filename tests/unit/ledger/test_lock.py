"""One move at a time for an account."""

import subprocess
import sys
from pathlib import Path

import pytest

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.lock import MoveLock

HOLD = """
import sys
from pathlib import Path
from hikkoshi.ledger.lock import MoveLock
with MoveLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_is_told_that_another_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "lock"
    with MoveLock(path), pytest.raises(LedgerError, match="Another hikkoshi"), MoveLock(path):
        pass
    with MoveLock(path):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LedgerError, match="Another hikkoshi"), MoveLock(path):
            pass
        process.kill()
        process.wait()
    with MoveLock(path):
        pass


def test_a_lock_that_cannot_be_made_is_another_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be taken"), MoveLock(tmp_path / "file" / "lock"):
        pass
