"""Programs that are not ours look at an account that a move has filled: they find no difference that its receipt does not
name."""

import json
from collections import Counter
from pathlib import Path

import pytest

from support import tools
from support.dovecot import Dovecot
from support.letters_at_risk import LETTERS, There, there, write_letters
from support.mbsync import KNOWN, pulled
from support.moving import mail, mover_to, user_of, write_mbox
from support.witnesses import fetched, received

pytestmark = pytest.mark.dovecot

ODD = mail("nul", day=20, body="a\0b\n")
"""Dovecot tells its clients of NUL as 0x80 (measured)."""


class Moved:
    """A store that was moved: what it holds, and what the move's receipt says is otherwise on the server."""

    def __init__(self, dovecot: Dovecot, folder: Path) -> None:
        mover = mover_to(dovecot, folder)
        write_letters(mover.store)
        write_mbox(mover.store / "Odd", [ODD, mail("even", day=21)])
        done = mover.run("upload", "--yes", "--json")
        self.user = user_of(mover)
        self.receipt = json.loads(done.stdout)
        self.named = {each["subject"] for each in self.receipt["changed"]}
        # The second of two twins in one folder stays on this PC.
        self.source = Counter({there(letter) for letter in LETTERS})
        for name, content in (("nul", ODD), ("even", mail("even", day=21))):
            when = 1_704_110_400 + (19 if name == "nul" else 20) * 86_400
            self.source[There("Odd", content.replace(b"\n", b"\r\n"), when, frozenset())] = 1


@pytest.fixture
def moved(dovecot: Dovecot, tmp_path: Path) -> Moved:
    return Moved(dovecot, tmp_path)


def subjects(mails: Counter[There]) -> set[str]:
    return {each.content.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for each in mails}


def test_mbsync_pulls_what_the_store_had(dovecot: Dovecot, moved: Moved, tmp_path: Path) -> None:
    """Bytes, dates, and the flags that mbsync knows."""
    try:
        tools.mbsync()
    except tools.NotHad as reason:
        pytest.skip(f"mbsync does not look: {reason}")
    wanted = Counter(There(each.folder, each.content, each.when, each.flags & KNOWN) for each in moved.source)
    found = pulled(dovecot, moved.user, tmp_path / "mbsync")

    assert found.total() == wanted.total() == moved.receipt["moved"]["messages"]
    assert subjects(wanted - found) == subjects(found - wanted) == moved.named == {"nul"}


def test_doveadm_finds_what_the_store_had(dovecot: Dovecot, moved: Moved) -> None:
    """Bytes, dates, all flags and keywords, and a GUID of its own for each mail.

    It reads the files themselves, in which NUL still is NUL.
    """
    mails = fetched(dovecot, moved.user)
    found = Counter(
        There(
            each["mailbox"],
            each["text"].encode("utf-8", "surrogateescape").replace(b"\n", b"\r\n"),
            received(each),
            frozenset(each["flags"].split()) - {"\\Recent"},
        )
        for each in mails
    )

    assert len({each["guid"] for each in mails}) == len(mails) == moved.receipt["moved"]["messages"]
    assert (moved.source - found, found - moved.source) == (Counter(), Counter())
