"""Commands that change something, of which another is at work on the same account."""

from pathlib import Path

import pytest

from hikkoshi.ledger.lock import MoveLock
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Mover, mails, mover_to

pytestmark = pytest.mark.dovecot

COMMANDS = [("upload",), ("resume", "1"), ("resume",), ("undo", "1"), ("sync-flags",)]


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """An account to which one move went."""
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    mover.write(Inbox=mails("in", 2))
    assert mover.run("upload", "--yes").returncode == 0
    return mover


def test_it_is_said_before_anything_is_looked_at(proxy: FaultProxy, mover: Mover) -> None:
    [lock] = mover.ledger.parent.glob("*.lock")
    lines: list[bytes] = []

    def note(line: bytes) -> bytes:
        lines.append(line)
        return line

    proxy.change = note
    with MoveLock(lock, "upload"):
        done = [mover.run(*command, "--yes") for command in COMMANDS]
        heard = len(lines)
        dry = mover.run("sync-flags", "--dry-run")

    assert heard == 0
    for each in done:
        assert each.returncode == 2
        assert each.stderr.startswith("hikkoshi: Another hikkoshi is at work on this account: ")
    assert dry.returncode == 0, "it changes nothing, so it waits for nobody"
    assert lines
