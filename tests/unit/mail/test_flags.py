import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.flags import (
    carried_over,
    comparable,
    folded,
    is_taken_away,
    maildir_flags,
    mbox_status_flags,
    mozilla_flags,
    pack,
    unpack,
)


@pytest.mark.parametrize(
    ("bits", "keywords", "flags"),
    [
        (0, "", set()),
        (0x0001, "", {"\\Seen"}),
        (0x1007, "", {"\\Seen", "\\Answered", "\\Flagged", "$Forwarded"}),
        (0x0080_0000, "", {"$MDNSent"}),
        (0x0408 | 0x1_0000, "", set()),
        (0x0200_0000, "", {"$label1"}),
        (0x0A00_0000, "", {"$label5"}),
        (0x0C00_0000, "", set()),
        (0x0200_0001, "$Label1 NonJunk  x", {"\\Seen", "$label1", "NonJunk", "x"}),
    ],
)
def test_thunderbirds_bits_and_keywords(bits: int, keywords: str, flags: set[str]) -> None:
    assert mozilla_flags(bits, keywords) == flags


def test_the_status_headers_of_mboxes() -> None:
    assert mbox_status_flags("RO", "AFTD") == {"\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted"}
    assert mbox_status_flags("O", "", "a, b c") == {"a", "b", "c"}
    assert mbox_status_flags("", "") == frozenset()


@pytest.mark.parametrize("own", ["Delivered", "Done", "D", "FAILED", "not Read"])
def test_what_a_sender_calls_status_is_no_flag(own: str) -> None:
    assert mbox_status_flags(own, "") == frozenset()
    assert mbox_status_flags("", own if own != "D" else "DONE") == frozenset()


def test_the_letters_of_maildir() -> None:
    letters = {"\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "$Forwarded"}
    assert maildir_flags("DFPRST") == letters
    assert maildir_flags("Sab") == {"\\Seen"}


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(st.frozensets(words))
def test_flags_are_unpacked_as_they_were_packed(flags: frozenset[str]) -> None:
    assert unpack(pack(flags)) == flags


def test_keywords_are_compared_without_case_and_seen_is_compared_for_itself() -> None:
    ours, theirs = frozenset({"\\Seen", "NonJunk", "$label1"}), frozenset({"nonjunk", "$Label1", "\\Recent"})
    assert comparable(ours) == comparable(theirs)
    assert comparable(ours) != comparable(theirs | {"\\Flagged"})


def test_what_a_server_notes_for_itself_is_not_compared() -> None:
    assert comparable(frozenset({"$HasAttachment", "$HasNoAttachment"})) == frozenset()


def test_draft_is_left_aside_only_among_drafts() -> None:
    assert comparable(frozenset({"\\Draft"}), drafts=True) == frozenset()
    assert comparable(frozenset({"\\Draft"})) == {"\\draft"}


@pytest.mark.parametrize(
    ("ours", "theirs", "carried"),
    [
        ("\\Seen \\Answered \\Flagged", "", "\\Seen \\Answered \\Flagged"),
        ("\\SEEN work", "\\Seen Work", ""),
        ("$Forwarded $MDNSent $label1 work", "$forwarded", "$MDNSent $label1 work"),
        ("\\Deleted \\Draft \\Recent $HasAttachment", "", ""),
        ("", "\\Seen", ""),
    ],
)
def test_what_is_carried_over(ours: str, theirs: str, carried: str) -> None:
    assert carried_over(unpack(ours), unpack(theirs)) == unpack(carried)


@pytest.mark.parametrize("flag", ["\\Deleted", "\\Draft", "\\Recent", "$MDNSent", "NonJunk", "$Junk", "$HasAttachment"])
def test_what_is_never_taken_away(flag: str) -> None:
    assert not is_taken_away(flag, forwarded=True, keywords=True)


def test_what_a_store_cannot_say_is_not_taken_away() -> None:
    said = {flag: is_taken_away(flag, forwarded=False, keywords=True) for flag in ("\\Seen", "$FORWARDED", "work")}
    assert said == {"\\Seen": True, "$FORWARDED": False, "work": True}
    assert is_taken_away("$Forwarded", forwarded=True, keywords=False)
    assert not is_taken_away("work", forwarded=True, keywords=False)


def test_what_a_server_notes_for_itself_is_no_change() -> None:
    assert folded(["\\Seen", "Work", "\\Recent", "$HasAttachment"]) == {"\\seen", "work"}
