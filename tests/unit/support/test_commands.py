"""What a client sends, cut into commands, however it comes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.commands import CommandReader, Piece

SENT = (
    b"h1 LOGIN a b\r\n"
    b'h2 APPEND INBOX (\\Seen) {12}\r\nA2 DELETE\r\nx {5}\r\nabcde\r\nh3 APPEND "a {3}" {3+}\r\n{4}\r\n'
    b"h4 NOOP\r\n"
)
# (verb, lines and literals)
COMMANDS = [
    (b"LOGIN", [b"h1 LOGIN a b\r\n"]),
    (b"APPEND", [b"h2 APPEND INBOX (\\Seen) {12}\r\n", b"A2 DELETE\r\nx", b" {5}\r\n", b"abcde", b"\r\n"]),
    (b"APPEND", [b'h3 APPEND "a {3}" {3+}\r\n', b"{4}", b"\r\n"]),
    (b"NOOP", [b"h4 NOOP\r\n"]),
]


def commands(pieces: list[Piece]) -> list[tuple[bytes, bytes]]:
    found: dict[bytes, tuple[bytes, bytes]] = {}
    for piece in pieces:
        assert piece.command is not None
        verb, before = found.get(piece.command.tag, (piece.command.verb, b""))
        found[piece.command.tag] = verb, before + piece.data
    return list(found.values())


@given(st.lists(st.integers(0, len(SENT))))
def test_however_it_comes(cuts: list[int]) -> None:
    reader = CommandReader()
    edges = [0, *sorted(cuts), len(SENT)]
    pieces = [piece for start, end in pairwise(edges) for piece in reader.feed(SENT[start:end])]

    assert commands(pieces) == [(verb, b"".join(parts)) for verb, parts in COMMANDS]
    assert [piece.at for piece in pieces] == [sum(len(one.data) for one in pieces[:n]) for n in range(len(pieces))]
    assert [(p.announced, p.waits) for p in pieces if p.announced is not None] == [(12, True), (5, True), (3, False)]
    assert [piece.command and piece.command.tag for piece in pieces if piece.ends] == [b"h1", b"h2", b"h3", b"h4"]


def test_a_literal_that_is_refused_does_not_come() -> None:
    reader = CommandReader()
    [line] = reader.feed(b"h1 APPEND Gone {12}\r\n")
    reader.answered(b"h1")
    [after] = reader.feed(b"h2 NOOP\r\n")

    assert line.waits
    assert after.begins
    assert after.ends


@pytest.mark.parametrize("start", [b"\x16\x03\x01h1 {5}\r\n", b"h1 STARTTLS\r\n", b"h1 COMPRESS DEFLATE\r\n"])
def test_what_is_no_command_goes_on_as_it_is(start: bytes) -> None:
    reader = CommandReader()
    seen = b"".join(piece.data for piece in reader.feed(start)) + b"".join(
        piece.data for part in (b"\x00{9}\r\n", b"half", b"\n") for piece in reader.feed(part)
    )

    assert seen == start + b"\x00{9}\r\nhalf\n"
