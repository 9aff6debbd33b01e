"""Repairs: nothing unless it was chosen, and then nothing that cannot be read back."""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.header import decode_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hikkoshi.mail.bookkeeping import upload_chunks, upload_form
from hikkoshi.mail.findings import Examined, Examiner
from hikkoshi.mail.headers import header_end, iter_fields, unfold
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.mail.mending import Mending, folded_header
from hikkoshi.mail.remedies import growth, repairs_for
from hikkoshi.mail.repairs import Repair

MAIL = b"Subject: x\r\nDate: Sat, 9 Mar 2024 21:30:05 +0900\r\n\r\nbody\r\n"
FIELDS = [
    b"Subject: x\n", b"X-Keys:\n", b"X-Keys: \r\n", b" \n", b" folded\n", b"From - x\n", b"X: a\ry\n",
    "X: 見積 a\n".encode(), "To: 山 <山@x>\n".encode(), b"Return-Receipt-To: a\n", b"Disposition-Notification-To: b\r\n",
    b"References:" + b" <abc@def>" * 120 + b"\n", b"X: " + b"z" * 1200 + b"\n", b"X-Mozilla-Keys: \n", b"a",
]  # fmt: skip
BODIES = [b"a", b"\n", b"\r\n", b"\n\n", b"\r", b"\r\r", b"\0", "見".encode(), b"b" * 1200, b"X-Keys:\n"]
STORED = st.tuples(
    st.lists(st.sampled_from(FIELDS), max_size=6).map(b"".join), st.lists(st.sampled_from(BODIES), max_size=12)
).map(lambda parts: parts[0] + b"\n" + b"".join(parts[1]))
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=4)
REPAIRS = st.sets(st.sampled_from(Repair))


def pieces(stored: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes * (len(stored) + 1):
        if at >= len(stored):
            return
        yield stored[at : at + size]
        at += size


def mended(content: bytes | Iterable[bytes], *repairs: Repair) -> tuple[bytes, Mending]:
    mending = Mending(repairs)
    return b"".join(mending.chunks([content] if isinstance(content, bytes) else content)), mending


def examined(content: bytes) -> Examined:
    looks = Examiner()
    looks.update(content)
    return looks.end()


@given(STORED, SIZES)
def test_without_a_choice_a_mail_goes_up_as_it_is(stored: bytes, sizes: list[int]) -> None:
    out, mending = mended(upload_chunks(pieces(stored, sizes), mbox=False))

    assert out == upload_form(stored, mbox=False)
    assert (mending.applied, mending.dropped) == (set(), ())


@given(STORED, SIZES, REPAIRS)
@example(b"A: b\n\nx\r\ny\rz\r", [1], {Repair.BARE_RETURNS})  # a line end in two pieces
def test_in_pieces_and_as_a_whole_it_is_the_same(stored: bytes, sizes: list[int], repairs: set[Repair]) -> None:
    whole, one = mended(upload_form(stored, mbox=False), *repairs)
    out, other = mended(upload_chunks(pieces(stored, sizes), mbox=False), *repairs)

    assert out == whole
    assert (one.applied, one.dropped) == (other.applied, other.dropped)


@given(STORED)
def test_what_was_mended_is_found_no_more(stored: bytes) -> None:
    before = upload_form(stored, mbox=False)
    found = examined(before)
    after, mending = mended(before, *Repair)

    left = repairs_for(examined(after).findings, unread=True)
    # One long word cannot be folded, and a header that is empty fields alone stays; a renamed field may be both.
    assert left <= {Repair.FOLD_HEADERS, Repair.DROP_EMPTY_FIELDS}
    if Repair.DROP_EMPTY_FIELDS in left:
        assert not mending.dropped
    assert mending.applied <= repairs_for(found.findings, unread=True)
    assert len(after) <= len(before) + growth(found, Repair)


@given(STORED, REPAIRS)
def test_what_was_mended_reads_as_its_original(stored: bytes, repairs: set[Repair]) -> None:
    """Python's email package as the twin: the same fields in the same order, their text and the body the same."""
    before = upload_form(stored, mbox=False)
    after, mending = mended(before, *repairs)

    assert texts(after) == [
        (name, value)
        for name, value in texts(before, renamed=Repair.HOLD_RECEIPTS in repairs)
        if value or not mending.dropped
    ]
    assert canonical_digest(body(after)) == canonical_digest(body(before))
    if not repairs & {Repair.BARE_RETURNS, Repair.FINAL_LINE_END}:
        assert body(after) == body(before)


def body(message: bytes) -> bytes:
    return message[header_end(message) :]


def texts(message: bytes, *, renamed: bool = False) -> list[tuple[bytes, bytes]]:
    """Name and text of each field, encoded words decoded; what is no text is not looked at twice."""
    out = []
    for name, value in iter_fields(message[: header_end(message)]):
        asking = name in (b"return-receipt-to", b"disposition-notification-to")
        out.append((b"x-" + name if renamed and asking else name, decoded(unfold(value))))
    return out


def decoded(value: bytes) -> bytes:
    if b"=?" not in value:
        return value
    # As Latin-1, since an address that no repair touches may have 8-bit bytes beside the encoded words.
    parts = decode_header(value.decode("latin-1"))
    return b"".join(part if isinstance(part, bytes) else part.encode("latin-1") for part, _charset in parts)


def test_empty_fields_go_with_their_folds_and_are_named() -> None:
    before = b"A:\r\nB: \r\n \r\n\t\r\n" + MAIL.replace(b"\r\n\r\n", b"\r\nC:\r\n\r\n", 1)

    assert (mended(before, Repair.DROP_EMPTY_FIELDS)[0]) == MAIL
    assert mended(before, Repair.DROP_EMPTY_FIELDS)[1].dropped == ("A", "B", "C")
    assert mended(b"A:\r\n\r\nbody\r\n", Repair.DROP_EMPTY_FIELDS)[0] == b"A:\r\n\r\nbody\r\n"
    assert mended(b"B: b\r\nA:", Repair.DROP_EMPTY_FIELDS)[0] == b"B: b\r\n"


def test_bare_returns_are_made_line_ends_in_the_body_alone() -> None:
    """In the header a line end would make a field of what follows, or end it."""
    before = b"X: a\rb\r\n" + MAIL + b"\rone\rtwo\r\r\nthree\r"

    after, mending = mended(before, Repair.BARE_RETURNS)

    assert after == b"X: a\rb\r\n" + MAIL + b"\r\none\r\ntwo\r\n\r\nthree\r\n"
    assert mending.applied == {Repair.BARE_RETURNS}
    assert canonical_digest(after) == canonical_digest(before)


@pytest.mark.parametrize(("end", "added"), [(b"", b""), (b"x", b"\r\n"), (b"x\r", b"\n")])
def test_a_missing_final_line_end_is_added(end: bytes, added: bytes) -> None:
    after, mending = mended(MAIL + end, Repair.FINAL_LINE_END)

    assert after == MAIL + end + added
    assert mending.applied == ({Repair.FINAL_LINE_END} if added else set())
    assert canonical_digest(after) == canonical_digest(MAIL + end)


def test_long_header_lines_are_folded_at_white_space() -> None:
    header = b"References:" + b" <0123456789@example.com>" * 200 + b"\r\nX: " + b"x" * 1500 + b"\r\nS: a\tb\r\n"

    after = folded_header(header)

    assert after.replace(b"\r\n ", b" ") == header
    assert [len(line) <= 998 for line in after.split(b"\r\n")].count(False) == 1  # the word that is too long itself
    assert not re.search(rb"\r\n[ \t]*\r\n", after)
    assert after.count(b"\r\n ") == 5


def test_blanks_alone_make_no_line() -> None:
    header = (
        b"X: " + b"a" * 900 + b" " * 500 + b"\r\nY: a" + b" " * 2000 + b"b\r\nZ: " + b" " * 900 + b"b" * 500 + b"\r\n"
    )

    assert folded_header(header) == header


def test_a_receipt_is_asked_for_no_more() -> None:
    before = b"disposition-notification-to: a@b\r\nX-Confirm-Reading-To: a@b\r\n" + MAIL

    after, _mending = mended(before, Repair.HOLD_RECEIPTS)

    assert after == b"X-disposition-notification-to: a@b\r\nX-X-Confirm-Reading-To: a@b\r\n" + MAIL
    assert message_from_bytes(after)["Disposition-Notification-To"] is None
