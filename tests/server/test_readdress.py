"""A folder gets a new UIDVALIDITY: what we uploaded is found again, also where the server had rewritten it."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.dovecot import Dovecot
from support.moving import Mover, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    return mover_to(dovecot, tmp_path)


def inbox_files(dovecot: Dovecot, mover: Mover) -> list[Path]:
    box = dovecot.mail_dir(user_of(mover))
    return sorted(path for name in ("cur", "new") for path in (box / name).iterdir())


def rewrite(dovecot: Dovecot, mover: Mover, old: bytes, new: bytes) -> None:
    """Change what the server holds, as a server does that puts a Message-ID of its own into what it takes."""
    assert len(old) == len(new)
    for path in inbox_files(dovecot, mover):
        when = path.stat()
        path.write_bytes(path.read_bytes().replace(old, new))
        os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))  # INTERNALDATE
    forget(dovecot, mover, "dovecot.index*")


def forget(dovecot: Dovecot, mover: Mover, *patterns: str) -> None:
    for pattern in patterns:
        for path in dovecot.mail_dir(user_of(mover)).glob(pattern):
            path.unlink()


def made_anew(dovecot: Dovecot, mover: Mover) -> None:
    """All UIDs are given again, under another UIDVALIDITY."""
    before = validities(mover)
    lines = (dovecot.mail_dir(user_of(mover)) / "dovecot-uidlist").read_text().splitlines()
    assert f"V{max(before)}" in lines[0]
    while time.time() <= max(before) + 1:  # Dovecot takes the second for it
        threading.Event().wait(0.05)
    forget(dovecot, mover, "dovecot.index*", "dovecot-uidlist", "dovecot-uidvalidity*")


def validities(mover: Mover) -> set[int]:
    """Every UIDVALIDITY under which the ledger has uploads."""
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        return {row[0] for row in ledger.execute("SELECT DISTINCT uidvalidity FROM item WHERE uid IS NOT NULL")}


def missing(mover: Mover) -> int:
    return int(json.loads(mover.run("check", "--json").stdout)["upload"]["messages"])


def test_uploads_that_the_server_rewrote_are_found_again(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 4))
    assert mover.run("upload", "--yes").returncode == 0
    rewrite(dovecot, mover, b"@example.com>", b"@rewritten.x>")
    # It knows them by UIDVALIDITY and UID, now as the server has them.
    assert missing(mover) == 0
    before = validities(mover)

    made_anew(dovecot, mover)
    assert missing(mover) == 0
    assert validities(mover).isdisjoint(before)
    assert missing(mover) == 0


def test_one_that_is_gone_meanwhile_is_missing_and_no_other_takes_its_place(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 4))
    assert mover.run("upload", "--yes").returncode == 0
    rewrite(dovecot, mover, b"@example.com>", b"@rewritten.x>")
    assert missing(mover) == 0
    before = validities(mover)

    made_anew(dovecot, mover)
    inbox_files(dovecot, mover)[1].unlink()
    assert missing(mover) == 1
    # What is not found stays where it was, and is found once it is there again.
    assert before < validities(mover)


def test_a_look_that_was_cut_in_between_loses_only_what_nothing_else_tells(
    dovecot: Dovecot, mover: Mover, index_of: Callable[[Mover], Path]
) -> None:
    """Without an index nobody knows what the server had made of a mail; what it left alone is found all the same."""
    mover.write(Inbox=mails("in", 3))
    assert mover.run("upload", "--yes").returncode == 0
    before = validities(mover)
    made_anew(dovecot, mover)
    index_of(mover).unlink()

    assert missing(mover) == 0
    assert validities(mover).isdisjoint(before)


@pytest.fixture
def index_of() -> Callable[[Mover], Path]:
    def find(mover: Mover) -> Path:
        [found] = [
            path for path in mover.folder.rglob("*.sqlite*") if "cache" in str(path) and path.suffix == ".sqlite"
        ]
        return found

    return find
