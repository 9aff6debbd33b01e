import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail import dates
from hikkoshi.mail.dates import (
    Dated,
    date_field_of_lines,
    imap_date,
    internal_date,
    parse_date,
    parse_from_line,
    parse_imap_date,
)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


NOON = at(2024, 3, 9, 12, 30, 5)

SHAPES = {
    "Sat, 9 Mar 2024 21:30:05 +0900": NOON,
    "Sat,  09 Mar 2024 21:30:05 +0900 (JST)": NOON,
    "9 Mar 2024 12:30:05 GMT": NOON,
    "9 Mar 2024 12:30:05 UT": NOON,
    "9 Mar 2024 12:30:05 Z": NOON,
    "Sat, 9 Mar 2024 21:30:05 JST": NOON,
    "Sat, 9 Mar 2024 21:30:05 (JST)": NOON,
    "Sat, 9 Mar 2024 07:30:05 EST": NOON,
    "Sat, 9 Mar 2024 08:30:05 EDT": NOON,
    "Sat, 9 Mar 2024 04:30:05 PST": NOON,
    "Sat, 9 Mar 2024 13:30:05 CET": NOON,
    "Sat, 9 Mar 2024 12:30:05 -0000": NOON,
    "Sat, 9 Mar 2024 12:30:05": NOON,
    "Sat, 9 Mar 2024 12:30:05 QQQ": NOON,
    "Sat, 9 Mar 2024 12:30:05 +9959": NOON,
    "Sat, 9 Mar 2024 21:30:05 +09:00": NOON,
    "Sat, 9 Mar 2024 21:30:05 GMT+0900": NOON,
    "Sat, 9 Mar 2024 21:30:05 UTC+9": NOON,
    "Sat, 9 Mar 2024 21:30:05 +900": NOON,
    'Sat, 9 Mar 2024 21:30:05 "+0900"': NOON,
    "Sat, 9 Mar 24 21:30:05 +0900": NOON,
    "Sat, 9 Mar 124 21:30:05 +0900": NOON,
    "Sat, 9-Mar-2024 21:30:05 +0900": NOON,
    "9 March 2024 21.30.05 +0900": NOON,
    "Sat, 9 Mar 2024 09:30:05 PM +0900": NOON,
    "Sat, 9 Mar 2024 12:30:05 AM +0900": NOON - 21 * 3600,
    "Sat, 9 Mar 2024 21:30:05.123 +0900": NOON,
    "Sat, 9 Mar 2024 21:30 +0900": NOON - 5,
    "Sat, 9 Mar 2024 9:30:05 -0300": NOON,
    "Sat, 9 Mar 2024\r\n\t21:30:05 +0900": NOON,
    "Sat (Saturday), 9 Mar 2024 21:30:05 +0900": NOON,
    "9 sept 2024 21:30:05 +0900": at(2024, 9, 9, 12, 30, 5),
    "Sat Mar  9 12:30:05 2024": NOON,
    "Sat Mar  9 21:30:05 JST 2024": NOON,
    "Sat Mar  9 21:30:05 2024 +0900": NOON,
    "Sat Mar 09 2024 21:30:05 GMT+0900 (Japan Standard Time)": NOON,
    "March 9, 2024 21:30:05 +0900": NOON,
    "2024-03-09 21:30:05 +0900": NOON,
    "2024-03-09T12:30:05Z": NOON,
    "2024-03-09T21:30:05+09:00": NOON,
    "2024/03/09 21:30:05 +0900": NOON,
    "Sat,9 Mar 2024 21:30:05 +0900": NOON,
    "Sat, 9 Mar 2024 21:30:05+0900": NOON,
    "Sat, 9 Mar 2024, 21:30:05 +0900": NOON,
    "Sa., 9. Mar. 2024 21:30:05 +0900": NOON,
    "9/Mar/2024:21:30:05 +0900": NOON,
    "Sat, 9 Mar 2024 at 21:30:05 +0900": NOON,
    "Sat, 9 Mar 2024 T21:30:05 +0900": NOON,
    "Sat, 9 Mar 2024 21:30:5 +0900": NOON,
    "Sat, 9 Mar 2024 21:3:05 +0900": NOON - 27 * 60,
    "Sat, 9 Mar 2024 21:30:05 +09:00:00": NOON,
    "Sat, 9 Mar 2024 21:30:05 KST": NOON,
    "Sat, 9 Mar 2024 22:30:05 AEST": NOON,
    "Sat, 9 Mar 2024 13:30:05 MEZ": NOON,
    "Saturday, March 09, 2024 9:30:05 PM +0900": NOON,
    "Sat Mar  9 21:30:05 +0900 2024": NOON,
    "2024/3/9 21:30:05 (JST)": NOON,
    "Date: Sat, 9 Mar 2024 21:30:05 +0900": NOON,
    "Sat, 31 Dec 2016 23:59:60 +0000": at(2016, 12, 31, 23, 59, 59),
    "Sat, 1 Jan 50 00:00:00 +0000": at(1950, 1, 1),
    "Sat, 1 Jan 99 00:00:00 +0000": at(1999, 1, 1),
    "Sat, 1 Jan 49 00:00:00 +0000": at(2049, 1, 1),
    "Mon, 1 Jan 1900 00:00:00 +0000": at(1900, 1, 1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reads_the_dates_that_mailers_write(shape: str) -> None:
    assert parse_date(shape.encode()) == SHAPES[shape]


def test_which_dates_are_called_odd() -> None:
    """Those that are in RFC 5322's form, folded and with a comment or not; all others were repaired."""
    states = {shape: date_field_of_lines(b"\nDate: " + shape.encode() + b"\r\n") for shape in SHAPES}

    impossible = {shape for shape, state in states.items() if not state.possible}
    assert impossible == {shape for shape, when in SHAPES.items() if not at(1971, 1, 1) <= when <= time.time()}
    proper = {shape for shape, state in states.items() if state.possible and not state.odd}
    assert proper == {
        "Sat, 9 Mar 2024 21:30:05 +0900",
        "Sat,  09 Mar 2024 21:30:05 +0900 (JST)",
        "Sat, 9 Mar 2024 12:30:05 -0000",
        "Sat, 9 Mar 2024 12:30:05 +9959",
        "Sat, 9 Mar 2024 21:30 +0900",
        "Sat, 9 Mar 2024\r\n\t21:30:05 +0900",
        "Sat, 31 Dec 2016 23:59:60 +0000",
    }
    assert len(SHAPES) - len(proper) - len(impossible) >= 28


@pytest.mark.parametrize(
    "garbage",
    [b"", b"today", b"30 Feb 2024 10:00:00 +0000", b"1 Foo 2024 10:00:00 +0000", b"1 Jan 2024", b"\xff\xfe\x00",
     b"1 Jan 2024 25:00:00 +0000", b"2024-13-01 00:00:00", b"99 Jan 2024 10:00:00", "平成24年1月1日".encode()],
)  # fmt: skip
def test_a_date_that_is_none_is_none(garbage: bytes) -> None:
    assert parse_date(garbage) is None


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parsers_raise(raw: bytes) -> None:
    parse_date(raw)
    parse_from_line(raw)
    parse_imap_date(raw.decode("latin-1"))
    internal_date(raw, sent=False, from_line=raw, mtime=0)


def test_the_top_received_field_is_the_date_of_received_mail() -> None:
    block = (
        b"Received: from b by a; Sat, 9 Mar 2024 21:30:05 +0900 (JST)\r\n"
        b"Received: from c by b; Fri, 8 Mar 2024 21:30:05 +0900\r\n"
        b"Date: Thu, 7 Mar 2024 21:30:05 +0900\r\n"
    )
    assert internal_date(block, sent=False, from_line=None, mtime=1.0e9) == Dated(NOON, "received")


def test_date_is_the_date_of_sent_mail_although_it_was_received_too() -> None:
    block = b"Received: from b by a; Fri, 8 Mar 2024 21:30:05 +0900\nDate: Sat, 9 Mar 2024 21:30:05 +0900\n"
    assert internal_date(block, sent=True, from_line=None, mtime=None) == Dated(NOON, "date")


def test_a_received_field_without_a_readable_date_leaves_it_to_date() -> None:
    block = b"Received: by a; yesterday\r\nDate: Sat, 9 Mar 2024 21:30:05 +0900\r\n"
    assert internal_date(block, sent=False, from_line=None, mtime=None) == Dated(NOON, "date")


@pytest.mark.parametrize("date", [b"garbage", b"Mon, 1 Jan 1900 00:00:00 +0000", b"Thu, 1 Jan 1970 00:00:00 +0000"])
def test_a_date_of_no_use_leaves_it_to_the_from_line_and_then_to_the_file(date: bytes) -> None:
    block = b"Date: " + date + b"\n"
    line = b"From taro@example.jp Sat Mar  9 12:30:05 2024"
    assert internal_date(block, sent=False, from_line=line, mtime=1.0e9) == Dated(NOON, "from-line")
    assert internal_date(block, sent=False, from_line=b"From - ", mtime=1.0e9) == Dated(10**9, "file")


def test_without_any_source_there_is_no_date_and_never_today() -> None:
    assert internal_date(b"Subject: x\n", sent=False, from_line=b"From ???", mtime=None) is None
    assert internal_date(b"", sent=True, from_line=None, mtime=0.0) is None


def test_a_date_of_the_future_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dates, "time", lambda: float(NOON))
    near, far = imap_shape(NOON + 3600), imap_shape(NOON + 3 * 3600)
    assert internal_date(b"Date: " + near, sent=True, from_line=None, mtime=1.0e9) == Dated(NOON + 3600, "date")
    assert internal_date(b"Date: " + far, sent=True, from_line=None, mtime=1.0e9) == Dated(10**9, "file")


def imap_shape(when: int) -> bytes:
    return datetime.fromtimestamp(when, UTC).strftime("%d %b %Y %H:%M:%S +0000").encode()


@pytest.mark.parametrize(
    ("line", "when"),
    [
        (b"From - Sat Mar  9 12:30:05 2024", NOON),
        (b"From taro@example.jp Sat Mar  9 12:30 2024", NOON - 5),
        (b"From taro@example.jp Sat Mar  9 21:30:05 JST 2024", NOON),
        (b"From taro@example.jp Sat Mar  9 21:30:05 2024 +0900", NOON),
        (b"From \xe5\xb1\xb1 Sat Mar  9 12:30:05 2024\r\n", NOON),
        (b"From somebody", None),
    ],
)
def test_reads_the_from_lines_of_mboxes(line: bytes, when: int | None) -> None:
    assert parse_from_line(line) == when


@given(st.integers(0, at(2100, 1, 1)))
def test_imap_dates_come_back_as_they_went(when: int) -> None:
    assert parse_imap_date(imap_date(when)) == when


def test_an_internaldate_in_another_zone_is_the_same_instant() -> None:
    assert imap_date(NOON) == "09-Mar-2024 12:30:05 +0000"
    assert parse_imap_date(" 9-Mar-2024 21:30:05 +0900") == NOON
    assert parse_imap_date("9 Mar 2024") is None


def test_a_long_row_of_blanks_or_digits_takes_no_time() -> None:
    for hostile in (b" " * 50_000, b"1 " * 50_000, b"1 Jan" + b" " * 50_000, b"Jan " * 20_000, b"1-" * 50_000):
        assert parse_date(hostile) is None
