"""The quick readers agree with the lexer, and with imapclient's parser, on whatever they read themselves."""

from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response

from hikkoshi.mail.headers import identity_fields
from hikkoshi.mail.message import Message
from hikkoshi.server.fetch import FetchReader
from hikkoshi.server.lexer import Framer
from hikkoshi.server.mails import Readers
from hikkoshi.server.quick import QuickReader

NAMES = [b"Date", b"FROM", b"to", b"Subject", b"Message-ID", b"Message-Id"]
SECTION = b"BODY[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)]"


def field(name: bytes, value: bytes, folded: list[bytes]) -> bytes:
    return name + b":" + value + b"".join(b"\r\n " + more for more in folded) + b"\r\n"


text = st.binary(max_size=12).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
fields = st.lists(
    st.builds(field, st.sampled_from([*NAMES, b"Date \t"]), text, st.lists(text, max_size=2)), max_size=4
).map(b"".join)
# Now and then what no server should send: other fields, lone line ends, no blank line, a blank line in the middle.
odd_headers = st.lists(
    st.sampled_from([b"X: y\r\n", b"To: a\n", b"To: a\r", b"\r\n", b"to", b" x\r\n", b")\r\n"]), max_size=4
)
headers = st.one_of(fields.map(lambda some: some + b"\r\n"), st.tuples(fields, odd_headers.map(b"".join)).map(b"".join))
flags = st.lists(
    st.sampled_from([b"\\Seen", b"\\Recent", b"\\Answered", b"$Forwarded", b"work", b"NIL", b"\\recent"]), max_size=3
)
dates = st.one_of(
    st.datetimes().map(lambda when: when.strftime("%d-%b-%Y %H:%M:%S +0900").rjust(26, "0").encode()),
    st.sampled_from(
        [b" 1-Jan-2024 09:00:00 +0900", b"01-jan-2024 23:59:60 -1400", b"31-Feb-2024 00:00:00 +0000",
         b"01-Jan-2024 24:00:00 +0000", b"01-Foo-2024 00:00:00 +0000", b"01-Jan-0001 00:00:00 +0900",
         b"31-Dec-9999 23:00:00 -0900", b"01-Jan-2024 00:00:00 +9999"]
    ),
)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    header = draw(headers)
    uid = draw(st.integers(1, 4_294_967_295))
    items = draw(
        st.permutations(
            [
                b"UID %d" % uid,
                b"FLAGS (%b)" % b" ".join(draw(flags)),
                b"RFC822.SIZE %d" % draw(st.integers(0, 10**12)),
                b'INTERNALDATE "%b"' % draw(dates),
                draw(st.sampled_from([b"MODSEQ (9)", b"X-OTHER (a)", b"EMAILID (M1)", b"MODSEQ (7)"])),
            ]
        )
    )
    left_out = draw(st.integers(0, 12))
    items = [item for number, item in enumerate(items) if number != left_out]
    body = SECTION + b" {%d}\r\n" % len(header) + header
    at = draw(st.sampled_from([len(items), len(items), len(items), 0, 2]))
    return b"* 7 FETCH (" + b" ".join([*items[:at], body, *items[at:]]) + b")\r\n"


def by_lexer(data: bytes) -> list[Message]:
    framer, reader = Framer(), FetchReader()
    framer.feed(data)
    return [fetched.message() for parts in framer if (fetched := reader.read(parts)) and fetched.listed]


def quick_reader() -> QuickReader:
    return Readers().quick


def parts_for_imapclient(data: bytes) -> list[object]:
    """The response as imaplib would hand it over: text, then (text, literal) pairs."""
    framer = Framer()
    framer.feed(data)
    [parts] = list(framer)
    parts[0] = parts[0].removeprefix(b"* ").replace(b" FETCH ", b" ", 1)
    return [(parts[index], parts[index + 1]) for index in range(0, len(parts) - 1, 2)] + [parts[-1]]


@settings(max_examples=400, deadline=None)
@given(responses())
def test_what_is_read_quickly_is_what_the_lexer_reads(data: bytes) -> None:
    found, size, _cut = quick_reader().read(data)

    assert size in (0, len(data))
    if size:
        [(uid, message)] = found
        assert [message] == by_lexer(data)
        assert message.place == str(uid)


@settings(max_examples=200, deadline=None)
@given(responses())
def test_what_is_read_quickly_is_what_imapclient_reads(data: bytes) -> None:
    found, _size, _cut = quick_reader().read(data)
    if not found:
        return
    [(uid, message)] = found
    parsed = parse_fetch_response(parts_for_imapclient(data), normalise_times=False)[uid]

    assert parsed[b"RFC822.SIZE"] == message.size
    named = {flag.decode() for flag in parsed[b"FLAGS"] if isinstance(flag, bytes)}
    assert {flag for flag in named if flag.lower() != "\\recent"} == message.flags
    assert identity_fields(parsed[SECTION]) == message.fields
    if b":60 " not in data and b"9999" not in data:
        assert int(parsed[b"INTERNALDATE"].astimezone(UTC).timestamp()) == message.date


USUAL = (
    b'* 3 FETCH (UID 7 FLAGS (\\Seen \\Recent work) INTERNALDATE " 1-Jan-2024 09:00:00 +0900" RFC822.SIZE 99 '
    + SECTION
    + b" {53}\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: \xff \r\n\r\n)\r\n"
)
EXPECTED = Message(
    "7", 99, frozenset({"\\Seen", "work"}), 1704067200, b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: \xff "
)


def test_the_usual_answers_are_read_quickly() -> None:
    """As Dovecot, Cyrus and Courier write them."""
    cyrus = USUAL.replace(b"UID 7 FLAGS (\\Seen \\Recent work)", b"FLAGS (\\Recent \\Seen work) UID 7")
    courier = USUAL.replace(b"(DATE FROM TO SUBJECT MESSAGE-ID)", b'("DATE" "FROM" "TO" "SUBJECT" "MESSAGE-ID")')
    modseq = USUAL.replace(b"RFC822.SIZE", b"MODSEQ (12) RFC822.SIZE")
    no_header = USUAL.split(b"{53}")[0] + b"{2}\r\n\r\n)\r\n"

    found, size, cut = quick_reader().read(USUAL + cyrus + courier + modseq + no_header)
    assert [message for _uid, message in found[:4]] == [EXPECTED] * 4
    assert found[4][1].fields == b""
    assert size == len(USUAL + cyrus + courier + modseq + no_header)
    assert not cut


def test_cut_anywhere_nothing_is_made_up() -> None:
    for at in range(len(USUAL)):
        found, size, cut = quick_reader().read(USUAL + USUAL[:at])
        assert (len(found), size) == (1, len(USUAL))
        assert cut == (USUAL.index(b"}") + 3 <= at < len(USUAL) - 3)


def test_a_literal_that_looks_like_the_end_is_no_end() -> None:
    inside = b"Subject: x\r\n\r\n)\r\n* 4 FETCH (UID 8)\r\n\r\n"
    data = USUAL.split(b"{53}")[0] + b"{%d}\r\n%b)\r\n" % (len(inside), inside)

    assert quick_reader().read(data) == ([], 0, False)
    assert by_lexer(data)[0].fields == b"Subject: x"


def test_other_responses_stop_the_quick_reading() -> None:
    found, size, cut = quick_reader().read(USUAL + b"* 4 EXISTS\r\n" + USUAL)

    assert (len(found), size, cut) == (1, len(USUAL), False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 99), flags, st.integers(0, 5)), max_size=5))
def test_flags_are_read_as_the_lexer_reads_them(mails: list[tuple[int, list[bytes], int]]) -> None:
    orders = [
        b"UID %d FLAGS (%b)", b"UID %d FLAGS (%b) MODSEQ (3)", b"UID %d MODSEQ (3) FLAGS (%b)",
        b"UID %d FLAGS (%b) RFC822.SIZE 3", b"UID %d FLAGS (%b \xff)", b"UID %d X (%b)",
    ]  # fmt: skip
    data = b"".join(b"* 1 FETCH (" + orders[how] % (uid, b" ".join(words)) + b")\r\n" for uid, words, how in mails)
    framer, reader = Framer(), FetchReader()
    framer.feed(data)
    expected = [(fetched.uid, fetched.flags) for parts in framer if (fetched := reader.read(parts))]
    found: dict[int, frozenset[str]] = {}
    count, size = quick_reader().read_flags(data, found)

    assert found == dict(expected[:count])
    assert data[:size].count(b"FETCH") == count
    # What is left to the lexer is what has other items in it.
    usual = next((n for n, (_uid, _words, how) in enumerate(mails) if how in (3, 5)), len(mails))
    assert count == usual
