"""The fast ways through a header agree with the slow ones that they stand for, on any header."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hikkoshi.local.standing import header_standing, standing_of_fields
from hikkoshi.mail.bookkeeping import bookkeeping_fields, upload_form, upload_size
from hikkoshi.mail.dates import internal_date, parse_date
from hikkoshi.mail.headers import identity_fields
from support import slow_dates, slow_headers

NAMES = st.sampled_from(
    [b"Date", b"From", b"to", b"SUBJECT", b"Message-ID", b"message-id ", b"Received", b"received", b"X-Mozilla-Status",
     b"X-Mozilla-Status2", b"x-mozilla-keys", b"Status", b"STATUS", b"X-Status", b"X-Keywords", b"X-UID", b"X-UIDL",
     b"X-IMAPbase", b"X-IMAP", b"Content-Length", b"content-length", b"X-Account-Key", b"Datex", b"Resent-Date", b" Date",
     b"X-Foo-Status", b"Statu", b"T", b""]
)  # fmt: skip
DAYS = ["Tue, ", "Tue,  ", "", "tue, ", "Tuesday, ", "Tue ", "Die,", "(x) "]
DATES = st.builds(
    "{}{} {} {} {}:{}:{} {}{}".format,
    st.sampled_from(DAYS),
    st.sampled_from(["5", "05", "31", "32", "0", "29", "１"]),
    st.sampled_from(["Mar", "mar", "FEB", "Foo", "March", "Sept"]),
    st.sampled_from(["2024", "2023", "24", "1024", "2999", "0001", "9999", "124"]),
    st.sampled_from(["10", "00", "23", "24", "99", "7"]),
    st.sampled_from(["00", "59", "60", "5"]),
    st.sampled_from(["00", "60", "61", "99", "5"]),
    st.sampled_from(["+0900", "-0500", "+1400", "+9999", "-9999", "+09:00", "GMT", "JST", "", "+09001", "+090"]),
    st.sampled_from(["", " (JST)", "\t", "x", " AM", " \r\n", "\x00", "\x1c"]),
).map(lambda text: text.encode())
VALUES = st.one_of(
    DATES,
    st.sampled_from(
        [b"0001", b"RO", b"D", b"AFD", b"0x9", b"zz", b"", b"DON'T DELETE", b"a\n b", b"a\r\n\tb", b"\xff", b"x\r", b"\r\r",
         b"$label1 work", b"from a by b; Tue, 5 Mar 2024 10:00:00 +0900", b"no date",
         b"from a; x;\n Tue, 5 Mar 2024 10:00:00 +0900",
         b"\0", b"12"]
    ),
)  # fmt: skip
ENDS = st.sampled_from([b"\n", b"\r\n", b"\n", b"\n"])
HEADERS = st.lists(
    st.tuples(NAMES, st.sampled_from([b":", b": ", b" :", b""]), VALUES, ENDS).map(b"".join), max_size=9
).map(b"".join)
LAST = st.sampled_from([b"", b"X-Status: D", b"Status", b"Foo-Status: RO", b"Content-Length: 3\r"])


@settings(max_examples=1500, deadline=None)
@example(value=b"Tue, 29 Feb 2023 10:00:00 +0900")
@example(value=b" Tue, 5 Mar 2024 23:59:60 -1400\r")
@given(value=st.one_of(DATES, VALUES))
def test_dates(value: bytes) -> None:
    assert parse_date(value) == slow_dates.parse_date(value)
    assert parse_date(value) == slow_dates.parse_date(value), "what is remembered says the same"


COMMON = st.builds(
    "{} {} {} {}:{}:{} {}".format,
    st.sampled_from(["05", "31", "29", "5"]),
    st.sampled_from(["Mar", "FEB", "Foo"]),
    st.sampled_from(["2024", "2023", "1024"]),
    st.sampled_from(["10", "00", "24"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "30", "61"]),
    st.sampled_from(["+0900", "-0530", "+1400", "-9999"]),
)


@settings(max_examples=1000, deadline=None)
@given(
    date=COMMON,
    before=st.sampled_from(
        ["from a by b; Tue, ", "; Tue, ", ";Tue, ", "x; y; Mon, ", "; y Tue, ", "; Tue,  ", ";\n Sun, "]
    ),
    behind=st.sampled_from(["", "", "\r", " (JST)", "; x"]),
)
def test_dates_at_the_end_of_received_fields(date: str, before: str, behind: str) -> None:
    # A mail of the plain form in front of it: its parts are remembered, and looked up for this one.
    parse_date(date.encode())
    header = f"Received: {before}{date}{behind}\n".encode()
    assert internal_date(header, sent=False, from_line=None, mtime=None) == (
        slow_dates.internal_date(header, sent=False, from_line=None, mtime=None)
    )


@settings(max_examples=600, deadline=None)
@given(header=HEADERS, sent=st.booleans(), line=st.sampled_from([None, b"From - Tue Mar  5 10:00:00 2024", b"From x"]),
       mtime=st.sampled_from([None, 0.0, 1_700_000_000.5, 9e12]))  # fmt: skip
def test_internal_dates(header: bytes, sent: bool, line: bytes | None, mtime: float | None) -> None:
    assert internal_date(header, sent=sent, from_line=line, mtime=mtime) == (
        slow_dates.internal_date(header, sent=sent, from_line=line, mtime=mtime)
    )


@settings(max_examples=600, deadline=None)
@given(header=HEADERS, last=LAST)
def test_identity_fields_and_standings(header: bytes, last: bytes) -> None:
    header += last
    assert identity_fields(header) == slow_headers.identity_fields(header)
    standing = slow_headers.header_standing(header)
    assert header_standing(header) == standing
    assert standing_of_fields(bookkeeping_fields(header, mbox=True)) == standing


@settings(max_examples=600, deadline=None)
@given(
    header=HEADERS,
    last=LAST,
    body=st.sampled_from([b"", b"\n", b"\nx\n", b"\r\nx\r\ny", b"\n\r\n\n"]),
    mbox=st.booleans(),
)
def test_sizes(header: bytes, last: bytes, body: bytes, mbox: bool) -> None:
    stored = header + last + body
    assert upload_size(stored, mbox=mbox) == slow_headers.upload_size(stored, mbox=mbox)
    assert upload_size(stored, mbox=mbox) == len(upload_form(stored, mbox=mbox))
