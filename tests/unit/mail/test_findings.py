"""What is out of the ordinary in a mail, found piece by piece, and what one pattern after the other finds in the whole."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hikkoshi.mail import findings as module
from hikkoshi.mail.bookkeeping import LineEnds, upload_chunks, upload_form
from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.findings import AT_RISK, Examined, Examiner, Finding
from hikkoshi.mail.headers import header_end
from support.slow_findings import slow_findings

DATE = b"Date: Sat, 9 Mar 2024 21:30:05 +0900\r\n"
HEADER = b"Subject: x\r\n" + DATE
MAIL = HEADER + b"\r\nbody\r\n"

EXAMPLES = {
    "nothing": (MAIL, Finding(0)),
    "eight-bit body": (HEADER + "\r\n見積\r\n".encode(), Finding(0)),
    "no body": (HEADER, Finding(0)),
    "bare CR": (MAIL + b"a \r b\r\n", Finding.BARE_CR),
    "CR CR LF": (MAIL + b"a\r\r\n", Finding.BARE_CR),
    "bare CR at the end": (MAIL + b"a\r", Finding.BARE_CR | Finding.NO_FINAL_LINE_END),
    "bare CR in the header": (b"X: a\rb\r\n" + MAIL, Finding.BARE_CR_IN_HEADER),
    "NUL": (MAIL + b"a\0b\r\n", Finding.NUL),
    "8-bit subject": ("X: 見積\r\n".encode() + MAIL, Finding.EIGHT_BIT_HEADER),
    "8-bit address": ("X-Errors: x\r\nTo: 山@example.jp\r\n".encode() + MAIL, Finding.EIGHT_BIT_STRUCTURE),
    "8-bit both": ("To: 山 <山@example.jp>\r\n".encode() + MAIL, Finding.EIGHT_BIT_HEADER | Finding.EIGHT_BIT_STRUCTURE),
    "empty": (b"X-Keys:\r\n" + MAIL, Finding.EMPTY_FIELD),
    "empty with blanks": (b"X-Keys: \t \r\n" + MAIL, Finding.EMPTY_FIELD),
    "empty and folded": (b"X-Keys: \r\n \r\n\t\r\n" + MAIL, Finding.EMPTY_FIELD),
    "empty at the end": (HEADER + b"X-Keys:\r\n\r\nbody\r\n", Finding.EMPTY_FIELD),
    "folded, not empty": (b"X-Keys:\r\n a\r\n" + MAIL, Finding(0)),
    "a value that ends in a colon": (b"X-Keys: see below:\r\n" + MAIL, Finding(0)),
    "no field": (b"From - Mon Jan  1 2024\r\n" + MAIL, Finding.BAD_FIELD),
    "blank before the colon": (b"X-Keys : a\r\n" + MAIL, Finding.BAD_FIELD),
    "begins with a blank": (b" x\r\n" + MAIL, Finding.BAD_FIELD),
    "998 bytes": (MAIL + b"x" * 998 + b"\r\n", Finding(0)),
    "999 bytes": (MAIL + b"x" * 999 + b"\r\n", Finding.LONG_LINE),
    "999 bytes in the middle": (MAIL + b"x\r\n" * 900 + b"x" * 999 + b"\r\n" + b"x\r\n" * 900, Finding.LONG_LINE),
    "9,900 bytes": (MAIL + b"x" * 9900 + b"\r\n", Finding.LONG_LINE),
    "9,901 bytes": (MAIL + b"x" * 9901 + b"\r\n", Finding.LONG_LINE | Finding.VERY_LONG_LINE),
    "a long header line": (b"X: " + b"x" * 996 + b"\r\n" + MAIL, Finding.LONG_HEADER_LINE),
    "a very long header line": (
        b"X: " + b"x" * 9900 + b"\r\n" + MAIL,
        Finding.LONG_HEADER_LINE | Finding.VERY_LONG_LINE,
    ),
    "no final line end": (MAIL + b"end", Finding.NO_FINAL_LINE_END),
    "no headers": (b"\r\nbody\r\n", Finding.NO_HEADERS),
    "no header field": (b"hello\r\nworld\r\n\r\nbody\r\n", Finding.NO_HEADERS | Finding.BAD_FIELD),
    "receipt": (b"Disposition-Notification-To: a@b\r\n" + MAIL, Finding.ASKS_FOR_RECEIPT),
    "old receipts": (b"return-receipt-TO: a@b\r\nX-Confirm-Reading-To: a@b\r\n" + MAIL, Finding.ASKS_FOR_RECEIPT),
    "receipt in the body": (MAIL + b"Disposition-Notification-To: a@b\r\n", Finding(0)),
    "no date": (b"Subject: x\r\n\r\nbody\r\n", Finding.IMPOSSIBLE_DATE),
    "no day": (b"Date: Fri, 30 Feb 2024 10:00:00 +0000\r\n\r\nbody\r\n", Finding.IMPOSSIBLE_DATE),
    "1900": (b"Date: Mon, 1 Jan 1900 00:00:00 +0000\r\n\r\nbody\r\n", Finding.IMPOSSIBLE_DATE),
    "2099": (b"Date: Thu, 1 Jan 2099 00:00:00 +0000\r\n\r\nbody\r\n", Finding.IMPOSSIBLE_DATE),
    "odd date": (b"Date: 2024-03-09 21:30:05 +0900\r\n\r\nbody\r\n", Finding.ODD_DATE),
    "named zone": (b"Date: Sat, 9 Mar 2024 21:30:05 JST\r\n\r\nbody\r\n", Finding.ODD_DATE),
    "without seconds": (b"Date: Sat, 9 Mar 2024 21:30 +0900 (JST)\r\n\r\nbody\r\n", Finding(0)),
    "zero bytes": (b"", Finding.ZERO_BYTES),
}  # fmt: skip


def examined(message: bytes, *sizes: int) -> Examined:
    """Found in pieces: the header with its blank line, then pieces of these sizes in turn."""
    looks = Examiner()
    at = header_end(message) + 2
    looks.update(message[:at])
    for size in sizes * (len(message) + 1):
        if at >= len(message):
            break
        looks.update(message[at : at + size])
        at += size
    return looks.end()


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_out_of_the_ordinary_is_found(name: str) -> None:
    content, expected = EXAMPLES[name]

    assert Finding(examined(content, 1 << 20).findings) == expected
    assert Finding(examined(content, 7).findings) == expected
    assert slow_findings(content) == expected


def test_every_kind_that_a_mails_bytes_show_has_an_example() -> None:
    shown = Finding(0)
    for _content, expected in EXAMPLES.values():
        shown |= expected

    by_other_means = Finding.MIXED_LINE_ENDS | Finding.FLAGS_DROPPED | Finding.PARTIAL
    assert shown | by_other_means == ~Finding(0)


FIELDS = [
    b"Subject: x\r\n", DATE, b"X-Keys:\r\n", b"X-Keys: \r\n", b" \r\n", b" folded\r\n", b"From - x\r\n", b"X: \r y\r\n",
    "X: 見\r\n".encode(), "To: 山@x\r\n".encode(), b"Return-Receipt-To: a\r\n", b"X: " + b"y " * 600 + b"\r\n", b"X: \0\r\n",
    b"Date: 2024-03-09 21:30:05 +0900\r\n", b"Date: never\r\n", b"X: " + b"z" * 9999 + b"\r\n", b"a", b":", b"\r",
]  # fmt: skip
BODIES = [b"a" * 333, b"a", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\0", "見".encode(), b"b" * 5000, b"X-Keys:\r\n"]


@given(
    st.lists(st.sampled_from(FIELDS), max_size=6).map(b"".join),
    st.lists(st.sampled_from(BODIES), max_size=12).map(b"".join),
    st.lists(st.integers(1, 900), min_size=1, max_size=4),
)
def test_it_finds_what_patterns_find_in_the_whole(header: bytes, body: bytes, sizes: list[int]) -> None:
    message = upload_form(header + b"\r\n" + body, mbox=False)

    assert Finding(examined(message, *sizes).findings) == slow_findings(message)
    assert module.LINE == 998


STORED = [b"a", b"\n", b"\r\n", b"\r", b"\n\n", b"Status: R\r\n", b"X: y\n"]


@given(st.lists(st.sampled_from(STORED), max_size=12), st.booleans())
@example([b"\n", b"a\r", b"\n", b"b\n"], False)  # a line end in two pieces
def test_mixed_line_ends_are_seen_in_what_is_stored(pieces: list[bytes], mbox: bool) -> None:
    """The client's own lines may end as they like."""
    stored = b"".join(pieces)
    end = header_end(stored)
    kept = re.sub(rb"^Status:[^\n]*(?:\n[ \t][^\n]*)*\n", b"", stored[:end], flags=re.MULTILINE) + stored[end:]
    kinds = set(re.findall(rb"\r?\n", kept))

    ends = LineEnds()
    looks = Examiner(ends)
    for piece in upload_chunks(pieces, mbox=mbox, ends=ends):
        looks.update(piece)

    assert bool(looks.end().findings & Finding.MIXED_LINE_ENDS) == (len(kinds) == 2)


def test_what_is_at_risk_of_being_changed() -> None:
    risky = {name for name, (_content, found) in EXAMPLES.items() if found & AT_RISK}

    assert {"NUL", "bare CR", "8-bit subject", "8-bit address", "999 bytes", "a long header line"} <= risky
    assert not risky & {"nothing", "eight-bit body", "998 bytes", "empty", "no final line end", "receipt", "no date"}


def test_what_repairs_may_add_is_counted() -> None:
    header = "X: 見積\r\nX-Keys:\r\nX-Other: \r\nReturn-Receipt-To: a\r\nDisposition-Notification-To: a\r\n".encode()
    found = examined(header + MAIL + b"a\rb\r\r\n", 3)

    assert found.empty_fields == ("X-Keys", "X-Other")
    assert (found.bare_returns, found.receipt_fields) == (2, 2)
    assert found.encoding == len(encoded_header(header)) - len(header)
    assert found.header_size == len(header + HEADER)


def test_the_codes_are_the_names() -> None:
    assert Finding.BARE_CR_IN_HEADER.code == "bare-cr-in-header"
    assert len({finding.code for finding in Finding}) == len(list(Finding))
