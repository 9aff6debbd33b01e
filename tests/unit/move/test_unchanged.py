"""Whether a mail on the server still is what a move has put there."""

import pytest
from msgspec.structs import replace

from hikkoshi.errors import CommandRefused
from hikkoshi.ledger.records import Item, ItemState
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.move.unchanged import against, difference, is_ours, same_flags
from hikkoshi.server.readback import Found
from hikkoshi.server.records import Facts, FolderStatus

BODY = canonical_digest(b"Subject: x\r\n\r\nbody\r\n")
ITEM = Item(
    "Inbox", "0:90", 90, b"Subject: x", "INBOX", "\\Seen work", 4, ItemState.VERIFIED, BODY, 1000, "date", 7, 20, 21,
    there_size=92, there_flags="\\Seen", there_date=1000,
)  # fmt: skip
STATUS = FolderStatus(messages=30, uidvalidity=7, uidnext=31)
FACTS = Facts(92, frozenset({"\\Seen", "\\Recent"}), 1000)


def found(facts: Facts | None = FACTS, digest: bytes | CommandRefused | None = BODY) -> Found:
    return Found({21: facts} if facts else {}, {21: digest} if digest else {})


def test_a_mail_as_it_was_read_back_is_unchanged() -> None:
    assert is_ours(ITEM, STATUS)
    assert against(ITEM, STATUS, dry_run=False) == ""
    assert difference(ITEM, found()) == ""


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (replace(ITEM, uidvalidity=6), "made anew or restored"),
        (replace(ITEM, uidvalidity=None), "made anew or restored"),
        (replace(ITEM, uidnext=None), "made anew or restored"),
        (replace(ITEM, uidnext=22), "there before the move"),
    ],
)
def test_a_number_that_is_not_certainly_ours(item: Item, words: str) -> None:
    assert not is_ours(item, STATUS)
    assert words in against(item, STATUS, dry_run=False)


def test_a_folder_that_may_only_be_read() -> None:
    status = replace(STATUS, read_only=True)

    assert "only be read" in against(ITEM, status, dry_run=False)
    assert against(ITEM, status, dry_run=True) == ""


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (found(None), "deleted or moved"),
        (found(replace(FACTS, size=90)), "size"),
        (found(replace(FACTS, date=1060)), "date"),
        (found(replace(FACTS, date=None)), "date"),
        (found(replace(FACTS, flags=frozenset())), "flags"),
        (found(replace(FACTS, flags=frozenset({"\\Seen", "work"}))), "flags"),
        (found(replace(FACTS, flags=frozenset({"\\Seen", "\\Deleted"}))), "flags"),
        (found(digest=None), "read whole"),
        (found(digest=CommandRefused("no")), "read whole"),
        (found(digest=b"x" * 32), "other bytes"),
    ],
)
def test_what_has_changed_is_said(there: Found, words: str) -> None:
    assert words in difference(ITEM, there)


def test_where_it_was_not_read_back_what_was_sent_counts() -> None:
    item = replace(ITEM, there_size=None, there_flags=None, there_date=None)

    assert difference(item, found(Facts(90, frozenset({"\\Seen", "Work"}), 1000))) == ""
    assert "size" in difference(item, found())
    assert "flags" in difference(item, found(Facts(90, frozenset({"\\Seen"}), 1000)))
    assert "bytes" in difference(replace(item, body=None), found(Facts(90, frozenset({"\\Seen", "work"}), 1000)))


def test_the_mark_is_ours_only_once_it_is_written_down() -> None:
    marked = frozenset({"\\Seen", "\\Deleted"})

    assert not same_flags(ITEM, marked)
    assert same_flags(ITEM, marked, marked=True)
    assert same_flags(replace(ITEM, state=ItemState.UNDOING), marked)
    assert not same_flags(replace(ITEM, state=ItemState.UNDOING), marked | {"\\Flagged"})
