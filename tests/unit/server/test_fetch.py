"""FETCH responses are read in any order and form."""

import pytest

from hikkoshi.errors import ProtocolBroken
from hikkoshi.mail.message import Message
from hikkoshi.server.fetch import FetchReader
from hikkoshi.server.lexer import Framer

HEADER = b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: x\r\n\r\n"
EXPECTED = Message("7", 99, frozenset({"\\Seen", "work"}), 1704067200, HEADER[:-4])


def read(data: bytes):
    framer = Framer()
    framer.feed(data)
    [parts] = framer
    return FetchReader().read(parts)


ITEMS = {
    "uid": b"UID 7",
    "flags": b"FLAGS (\\Seen \\Recent work)",
    "size": b"RFC822.SIZE 99",
    "date": b'INTERNALDATE " 1-Jan-2024 09:00:00 +0900"',
    "header": b"BODY[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)] {%d}\r\n%b" % (len(HEADER), HEADER),
}


@pytest.mark.parametrize("first", range(5))
def test_items_come_in_any_order(first: int) -> None:
    items = list(ITEMS.values())
    fetched = read(b"* 3 FETCH (" + b" ".join(items[first:] + items[:first]) + b")\r\n")

    assert fetched.listed
    assert fetched.message() == EXPECTED


def test_courier_quotes_the_names_of_the_fields() -> None:
    header = ITEMS["header"].replace(
        b"(DATE FROM TO SUBJECT MESSAGE-ID)", b'("DATE" "FROM" "TO" "SUBJECT" "MESSAGE-ID")'
    )
    fetched = read(b"* 3 FETCH (" + b" ".join([*list(ITEMS.values())[:4], header]) + b")\r\n")

    assert fetched.message() == EXPECTED


def test_names_in_other_case_and_unknown_items() -> None:
    fetched = read(
        b"* 3 fetch (uid 7 MODSEQ (12) X-GM-LABELS (a (b)) flags (\\Seen) rfc822.size 5 "
        b'body[header.fields (Date "Subject")] "Subject: q")\r\n'
    )

    assert (fetched.uid, fetched.size, fetched.flags, fetched.header) == (7, 5, {"\\Seen"}, b"Subject: q")


def test_what_is_nil_or_missing_is_empty() -> None:
    fetched = read(b"* 3 FETCH (UID 7 FLAGS () INTERNALDATE NIL BODY[HEADER.FIELDS (DATE)] NIL BODY[] NIL)\r\n")

    assert not fetched.listed
    assert fetched.whole == b""
    assert fetched.message() == Message("7", 0, frozenset(), None, b"")


def test_a_mail_told_in_two_responses_is_merged() -> None:
    one, two = read(b"* 3 FETCH (UID 7 FLAGS (a))\r\n"), read(b"* 3 FETCH (FLAGS (b) UID 7 RFC822.SIZE 4)\r\n")
    one.merge(two)

    assert one.facts().flags == {"b"}
    assert one.facts().size == 4


def test_other_responses_are_not_taken_for_mail() -> None:
    for line in (b"* 5 EXISTS", b"* 5 EXPUNGE", b"* OK FETCH me", b"* FLAGS (a)", b"*"):
        assert FetchReader().read([line]) is None


@pytest.mark.parametrize("line", [b"* 1 FETCH", b"* 1 FETCH UID", b"* 1 FETCH (UID)", b"* 1 FETCH ((a) b)"])
def test_a_fetch_response_that_makes_no_sense_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        FetchReader().read([line])
