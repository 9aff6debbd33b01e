import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.demo.parser import LITERAL_END, Atom, Literal, Quoted, parse, quote, tag_of
from hikkoshi.demo.replies import Bad


def test_words_strings_lists_and_sections_are_told_apart() -> None:
    command = parse([rb'a1 uid fetch 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (DATE "TO")]<0.5>) "a \"b\" \\"'], [])

    assert (command.tag, command.name) == ("a1", "UID FETCH")
    assert command.arguments == [
        Atom(b"1:*"),
        [Atom(b"FLAGS"), Atom(b'BODY.PEEK[HEADER.FIELDS (DATE "TO")]<0.5>')],
        Quoted(b'a "b" \\'),
    ]


def test_literals_stand_where_they_were_sent() -> None:
    mail, second = Literal(b"x\x00)\r\n y"), Literal(b"")
    command = parse([b"a APPEND INBOX (\\Seen) ", b" ()  "[:4], b""], [mail, second])

    assert command.arguments == [Atom(b"INBOX"), [Atom(b"\\Seen")], mail, [], second]
    assert [type(value) for value in command.arguments] == [Atom, list, Literal, list, Literal]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"a", b"a ", b" NOOP", b"a NO*OP", b"a LIST  x", b"a LIST x ", b"a LIST (x", b"a LIST x)", b'a LIST "x',
        b"a LIST (x  y)", b"a UID", b"a UID ", b"a LIST x\x00y", b"a LIST " + b"(" * 50 + b")" * 50, b"a LIST \xe9",
    ],
)  # fmt: skip
def test_what_is_no_command_is_bad(line: bytes) -> None:
    with pytest.raises(Bad):
        parse([line], [])


@given(st.binary(max_size=60))
def test_no_line_makes_it_raise_anything_else(line: bytes) -> None:
    with contextlib.suppress(Bad):
        parse([b"a LIST " + line.replace(b"\n", b"")], [])


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_what_is_quoted_reads_back(text: str) -> None:
    assert parse([b"a LIST " + quote(text.encode())], []).arguments == [Quoted(text.encode())]


def test_text_that_cannot_be_quoted_is_a_literal() -> None:
    assert quote("見".encode()) == b"{3}\r\n\xe8\xa6\x8b"


def test_a_literals_announcement() -> None:
    waiting, unasked = LITERAL_END.search(b"a b {12}"), LITERAL_END.search(b"a b {3+}")

    assert waiting
    assert waiting.groups() == (b"12", b"")
    assert unasked
    assert unasked.groups() == (b"3", b"+")
    assert not LITERAL_END.search(b"a b {3} ")
    assert not LITERAL_END.search(b"a b {-3}")


def test_an_unreadable_tag_is_answered_with_a_star() -> None:
    assert tag_of(b"a1 NOOP") == "a1"
    assert tag_of(b"(x NOOP") == "*"
