"""Sets of UIDs agree with Python's sets, however a server writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.errors import ProtocolBroken
from hikkoshi.server.lexer import Framer
from hikkoshi.server.searches import Searches, flag_keys, flags_of, merged, ranges, size, vanished, within

pieces = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=8)


def as_set(some: list[tuple[int, int]]) -> set[int]:
    return {uid for low, high in some for uid in range(min(low, high), max(low, high) + 1)}


def text(some: list[tuple[int, int]]) -> bytes:
    return b",".join(b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in some)


@given(pieces)
def test_sets_are_read_whatever_their_order_and_overlaps(some: list[tuple[int, int]]) -> None:
    found = ranges(text(some))

    assert as_set(found) == as_set(some)
    assert size(found) == len(as_set(some))
    assert found == sorted(found) == merged(found)


@given(pieces, st.sets(st.integers(1, 60)))
def test_what_is_within(some: list[tuple[int, int]], uids: set[int]) -> None:
    assert within(sorted(uids), ranges(text(some))) == sorted(uids & as_set(some))


def test_what_is_within_a_huge_range_costs_nothing() -> None:
    assert within([5, 9], [(1, 4_294_967_295)]) == [5, 9]


@given(pieces, st.dictionaries(st.sampled_from(["\\Seen", "\\Flagged", "work", "x"]), pieces))
def test_flags_are_put_together_from_the_mails_that_have_them(
    present: list[tuple[int, int]], having: dict[str, list[tuple[int, int]]]
) -> None:
    found = flags_of(ranges(text(present)), {name: ranges(text(some)) for name, some in having.items()})

    assert found == {
        uid: frozenset(name for name, some in having.items() if uid in as_set(some)) for uid in as_set(present)
    }


@pytest.mark.parametrize("raw", [b"", b"*", b"1:*", b"1,,2", b"a", b"1:2:3", b"99999999999"])
def test_what_is_no_set_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        ranges(raw)


def test_keywords_that_no_search_can_name() -> None:
    keys = flag_keys(["$Forwarded", "work"])
    assert keys is not None
    assert keys["$Forwarded"] == b"KEYWORD $Forwarded"
    assert keys["\\Seen"] == b"SEEN"
    for odd in ("a b", "日本", 'x" DELETE', "", "a\r\nb"):
        assert flag_keys([odd]) is None


def test_vanished() -> None:
    assert vanished([b"* VANISHED (EARLIER) 4:5,9"]) == [(4, 5), (9, 9)]
    assert vanished([b"* vanished 3"]) == [(3, 3)]
    assert vanished([b"* 3 EXISTS"]) is None


def answered(data: bytes, *asked: tuple[bytes, str], exists: int = 5) -> Searches:
    searches = Searches(lambda: exists)
    for tag, name in asked:
        searches.task(name, b"ALL", lambda _parts: None, lambda: False).sent(tag)
    framer = Framer()
    framer.feed(data)
    for parts in framer:
        searches.hear(parts)
    return searches


def test_searches_are_told_apart_by_their_tags() -> None:
    data = (
        b'* ESEARCH (TAG "h9") UID ALL 1:3\r\n* ESEARCH (TAG "h8") UID\r\n* 4 EXISTS\r\n'
        b'* ESEARCH (TAG "x") UID ALL 1\r\n* ESEARCH UID ALL 2\r\n* SEARCH 1 2\r\n'
    )

    assert answered(data, (b"h8", "a"), (b"h9", "b"), (b"h7", "c")).found == {"a": [], "b": [(1, 3)]}


def test_more_mails_than_there_are_is_refused() -> None:
    with pytest.raises(ProtocolBroken):
        answered(b'* ESEARCH (TAG "h1") UID ALL 1:4294967295\r\n', (b"h1", ""))
