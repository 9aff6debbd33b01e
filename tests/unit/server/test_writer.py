"""Nothing gets into a command that a server could take for something else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.flags import DELETED, FLAGGED, FORWARDED, RECENT, SEEN
from hikkoshi.server.lexer import tokens
from hikkoshi.server.writer import (
    append_arguments,
    mailbox,
    native_name,
    quoted,
    sendable_flags,
    shown_name,
    uid_sets,
)


@pytest.mark.parametrize(
    ("native", "wire"),
    [
        ("INBOX", b'"INBOX"'),
        ("見積/2024", b'"&iYt6TQ-/2024"'),
        ('a "b" \\c', rb'"a \"b\" \\c"'),
        ("R&D", b'"R&-D"'),
        ("a\r\nb", b'"a&AA0ACg-b"'),
        ("🐈", b'"&2D3cCA-"'),
    ],
)
def test_folder_names_are_modified_utf7_and_quoted(native: str, wire: bytes) -> None:
    assert mailbox(native) == wire


@given(st.binary(max_size=40))
def test_every_name_that_can_be_sent_comes_back_the_same(raw: bytes) -> None:
    native = native_name(raw)
    try:
        wire = mailbox(native)
    except ValueError:
        assert re.search(rb"[\0\r\n]", raw)
    else:
        assert tokens([wire]) == [raw]


@given(st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_text_is_a_name(name: str) -> None:
    [raw] = tokens([mailbox(name)])
    assert isinstance(raw, bytes)

    assert native_name(raw) == name
    assert not re.search(rb"[\0\r\n]", mailbox(name))


def test_names_that_are_no_modified_utf7_are_kept_as_they_are() -> None:
    for raw, shown in ((b"R&D", "R&D"), ("見積".encode(), "見積"), (b"caf\xe9", "café"), (b"&-&AOk", "&-&AOk")):
        assert shown_name(native_name(raw)) == shown
        assert mailbox(native_name(raw)) == b'"' + raw + b'"'


@pytest.mark.parametrize("raw", [b"a\rb", b"a\nb", b"a\0b"])
def test_line_ends_cannot_be_quoted(raw: bytes) -> None:
    with pytest.raises(ValueError, match="quoted"):
        quoted(raw)


def test_flags_that_may_be_sent() -> None:
    assert sendable_flags(["\\seen", SEEN, "$Forwarded", "$forwarded", "work"]) == (("$Forwarded", SEEN, "work"), ())
    refused = [RECENT, "\\Foo", "\\*", "", "a b", "a(b", "a{3}", "a\r\nb", 'a"', "a\\b", "日本", "a%", "a*", "a]"]
    assert sendable_flags(refused) == ((), tuple(sorted(refused)))
    assert sendable_flags(["k" * 50, "k" * 51]) == (("k" * 50,), ("k" * 51,))


def test_flags_that_the_folder_keeps() -> None:
    flags = [SEEN, FLAGGED, FORWARDED, "work"]

    assert sendable_flags(flags, frozenset({SEEN, "\\flagged", "\\*"})) == ((FORWARDED, FLAGGED, SEEN, "work"), ())
    assert sendable_flags(flags, frozenset({SEEN, "$forwarded"})) == ((FORWARDED, SEEN), (FLAGGED, "work"))
    assert sendable_flags(flags, frozenset()) == ((), tuple(sorted(flags)))


@given(st.lists(st.text(max_size=6)))
def test_sent_flags_are_atoms_whatever_a_store_holds(flags: list[str]) -> None:
    sent, dropped = sendable_flags(flags)

    assert all(re.fullmatch(r'\\?[^\x00-\x20(){%*"\\\]\x7f-\U0010ffff]+', flag) for flag in sent)
    assert {flag.casefold() for flag in (*sent, *dropped)} == {flag.casefold() for flag in flags}


def test_append_lines() -> None:
    assert append_arguments("送信", [SEEN, "work"], 837571465) == (
        b'APPEND "&kAFP4Q-" (\\Seen work) "17-Jul-1996 02:44:25 +0000" '
    )  # fmt: skip
    assert append_arguments("INBOX", [], None) == b'APPEND "INBOX" () '


@pytest.mark.parametrize("flags", [["a b"], [RECENT], ["x)\r\nx DELETE INBOX"], [SEEN, SEEN], ["\\Foo"]])
def test_an_append_with_other_flags_is_never_written(flags: list[str]) -> None:
    with pytest.raises(ValueError, match="flags"):
        append_arguments("INBOX", flags, None)


@pytest.mark.parametrize("date", [10**12, -(10**12), 10**30])
def test_an_append_with_an_impossible_date_is_never_written(date: int) -> None:
    with pytest.raises(ValueError, match=r"date|year|range"):
        append_arguments("INBOX", [], date)


@given(st.integers(-(10**11), 10**12), st.lists(st.sampled_from([SEEN, DELETED, "a", "b"]), unique=True), st.text())
def test_an_append_line_is_one_line_of_five_words(date: int, flags: list[str], native: str) -> None:
    try:
        line = append_arguments(native, flags, date)
    except ValueError:
        return
    assert b"\r" not in line
    assert b"\n" not in line
    assert len(tokens([line])) == 4


def test_uid_sets_are_ranges_of_limited_length() -> None:
    assert list(uid_sets([5, 1, 2, 3, 9, 9])) == [b"1:3,5,9"]
    assert list(uid_sets([])) == []
    odd = range(1, 20_000, 2)
    sets = list(uid_sets(odd))
    assert max(map(len, sets)) < 5000
    assert [int(uid) for one in sets for uid in one.split(b",")] == list(odd)
    with pytest.raises(ValueError, match="UID"):
        list(uid_sets([0]))
