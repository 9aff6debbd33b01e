"""The lexer reads every form that servers use, from any chunks, and refuses what would eat the memory."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.errors import ProtocolBroken
from hikkoshi.server.failures import response_code
from hikkoshi.server.lexer import Framer, Parts, number, status, tokens


def frames(data: bytes, chunk: int = 1 << 16, **limits: int) -> list[Parts]:
    framer = Framer(**limits)
    found: list[Parts] = []
    for start in range(0, len(data), chunk):
        framer.feed(data[start : start + chunk])
        found += framer
    return found


def test_lines_and_literals_make_one_response() -> None:
    data = b'* LIST () "/" {5}\r\na\r\nb"\r\n* 1 FETCH (BODY[] {3}\r\nxyz UID 7 X {0}\r\n)\r\nA1 OK done\r\n'

    assert frames(data) == [
        [b'* LIST () "/" {5}', b'a\r\nb"', b""],
        [b"* 1 FETCH (BODY[] {3}", b"xyz", b" UID 7 X {0}", b"", b")"],
        [b"A1 OK done"],
    ]


@given(st.integers(1, 40))
def test_chunks_make_no_difference(chunk: int) -> None:
    data = b"* 1 FETCH (UID 5 BODY[] {12}\r\nab\r\n* 2 {3}\r)\r\n* OK {9}\r\n+ go {4}\r\nA1 NO [X] no {2}\r\n"

    assert frames(data, chunk) == frames(data)
    assert len(frames(data)) == 4


@pytest.mark.parametrize("line", [b"* OK see {5}", b"* BYE {5}", b"+ idling {5}", b"h1 NO over {5}", b"* no {5}"])
def test_text_for_people_may_look_like_a_literal(line: bytes) -> None:
    assert frames(line + b"\r\n* 1 EXISTS\r\n") == [[line], [b"* 1 EXISTS"]]


def test_a_bare_line_feed_ends_nothing() -> None:
    assert frames(b"* OK a\nb\r\n") == [[b"* OK a\nb"]]


@pytest.mark.parametrize(
    "data",
    [
        b"* " + b"x" * 200,
        b"* " + b"x" * 200 + b"\r\n",
        b"* 1 FETCH (BODY[] {999999999}\r\n",
        b"* 1 FETCH (BODY[] {150}\r\n",
        b"".join(b"{50}\r\n" + b"x" * 50 for _ in range(3)).join([b"* LIST ", b""]),
    ],
)
def test_lengths_are_limited_before_they_are_read(data: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        frames(data, max_response=100, max_line=100)


@given(st.binary(max_size=300), st.integers(1, 64))
def test_no_bytes_make_it_do_anything_but_answer_or_refuse(data: bytes, chunk: int) -> None:
    try:
        for parts in frames(data + b"\r\n", chunk):
            tokens(parts)
            status(parts[0])
    except ProtocolBroken:
        pass


@given(st.lists(st.sampled_from([b"(", b")", b'"', b"\\", b"[", b"]", b"{3}\r\n", b" ", b"NIL", b"a", b"\r\n"])))
def test_no_order_of_its_own_signs_confuses_it(pieces: list[bytes]) -> None:
    try:
        for parts in frames(b"* X " + b"".join(pieces) + b"\r\n"):
            tokens(parts)
    except ProtocolBroken:
        pass


WORDS = st.recursive(
    st.none() | st.binary(max_size=8), lambda inner: st.lists(inner, max_size=4), max_leaves=12
)  # fmt: skip


def written(value: object) -> bytes:
    if value is None:
        return b"NIL"
    if isinstance(value, list):
        return b"(" + b" ".join(map(written, value)) + b")"
    assert isinstance(value, bytes)
    if len(value) % 2 and not {0, 10, 13} & set(value):
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n" % len(value) + value


@given(st.lists(WORDS, max_size=4))
def test_what_is_written_is_read_again(values: list[object]) -> None:
    [parts] = frames(b"* X" + b"".join(b" " + written(value) for value in values) + b"\r\n")

    assert tokens(parts) == [b"*", b"X", *values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'BODY[HEADER.FIELDS ("DATE" "FROM")] x', [b'BODY[HEADER.FIELDS ("DATE" "FROM")]', b"x"]),
        (b"BODY[]<0> NIL nil NILS", [b"BODY[]<0>", None, None, b"NILS"]),
        (b"[Gmail]/All &Zi0- foo] [open \\* \\Seen", [b"[Gmail]/All", b"&Zi0-", b"foo]", b"[open", b"\\*", b"\\Seen"]),
        (rb'"a\"b\\c" "" ()', [b'a"b\\c', b"", []]),
        (b"  (a(b)c) ", [[b"a", [b"b"], b"c"]]),
    ],
)
def test_tokens(text: bytes, expected: list[object]) -> None:
    assert tokens([text]) == expected


@pytest.mark.parametrize("text", [b"(", b")", b'"open', b"{5}", b"a {5} b", b"(" * 100 + b")" * 100, b"a\x00b"])
def test_what_is_no_imap_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        tokens([text])


@pytest.mark.parametrize("sign", [b"(", b"[", b'"', b"\\", b'["', b"(a", b"[a]", b" ", b"{1", b"a", b'""', b'[""'])
def test_hostile_lines_take_no_time(sign: bytes) -> None:
    start = time.monotonic()
    with contextlib.suppress(ProtocolBroken):
        tokens([b"* X " + sign * 200_000])
    status(b"h1 OK [" + sign * 200_000)
    response_code(b"[" + sign * 200_000)

    assert time.monotonic() - start < 2


def test_status_responses() -> None:
    refused = status(b"h1 NO [OVERQUOTA] Quota exceeded (x)")
    appended = status(b"h2 ok [APPENDUID 1 2] done")
    flags = status(b"* OK [PERMANENTFLAGS (\\Seen \\*)] Limited")

    assert refused
    assert (refused.kind, refused.code, refused.words) == ("NO", "OVERQUOTA", b"Quota exceeded (x)")
    assert appended
    assert (appended.tag, appended.kind, appended.argument) == (b"h2", "OK", b"1 2")
    assert flags
    assert flags.argument == b"(\\Seen \\*)"
    assert status(b"* BYE") is not None
    assert status(b"* 5 EXISTS") is None
    assert status(b"+ OK") is None


@pytest.mark.parametrize(
    ("token", "value"), [(b"0", 0), (b"4294967295", 4294967295), (b"-1", None), (b"1" * 30, None), (None, None), ([], None)]
)  # fmt: skip
def test_numbers(token: bytes | None, value: int | None) -> None:
    assert number(token) == value
