"""The quick reading of Mork agrees with the slow one, on what Thunderbird writes and on what is only nearly that."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hikkoshi.local.mork import Mork, MorkError, parse_mork
from support import slow_mork

HEAD = b"""// <!-- <mdb:mork:z v="1.4"/> -->
< <(a=c)>
  (80=rows)(81=subject)(88=flags)(8A=date)(B3=storeToken)(96=kind)(180=size)>
"""
KEPT = frozenset((b"subject", b"flags", b"storeToken"))

NUMBERS = st.sampled_from(
    [b"1", b"2", b"A", b"2B", b"80", b"81", b"88", b"b3", b"B3", b"96", b"180", b"0088", b"0", b"EE"]
)
TEXTS = st.sampled_from(
    [
        b"",
        b"x",
        b"a b",
        b"$label1"[1:],
        rb"\$label1",
        rb"a\)b\\",
        b"$E8$A6",
        b"(^88=9",
        b"one \\\ntwo",
        b"// no",
        b"[1]",
        b"^81",
    ]
)
GAPS = st.sampled_from([b"", b"", b"", b" ", b"\n    ", b"// a comment\n", b"\r\n"])


def built(*parts: bytes | st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Strategies and bytes, one after the other."""
    return st.tuples(*(st.just(part) if isinstance(part, bytes) else part for part in parts)).map(b"".join)


def many(one: st.SearchStrategy[bytes], most: int) -> st.SearchStrategy[bytes]:
    return st.lists(one, max_size=most).map(b"".join)


CELL = st.one_of(
    built(GAPS, b"(^", NUMBERS, b"=", TEXTS, b")"),
    built(GAPS, b"(^", NUMBERS, b"^", NUMBERS, b")"),
    built(GAPS, b"(^", st.sampled_from([b"81", b"88", b"B3"]), b"=", TEXTS, b")"),
    built(
        GAPS,
        st.sampled_from(
            [b"-(^81)", b"(flags=7)", b"(^81 = x)", b"( ^81=x)", b"(^81^85:c)", b"(^81)", b"(^81^^80)", b"()"]
        ),
    ),
)
ROW = built(
    GAPS,
    b"[",
    st.sampled_from([b"", b"-"]),
    NUMBERS,
    st.sampled_from([b"", b":^80", b":m", b":^EE"]),
    many(CELL, 5),
    GAPS,
    b"]",
)
ALIASES = built(
    GAPS, b"<", st.sampled_from([b"", b"", b"<(a=c)>", b"<(a=v)>", b" <(f=utf-8)> "]),
    many(built(GAPS, b"(", NUMBERS, st.sampled_from([b"=", b"=", b"\n  ="]), TEXTS, b")"), 5), GAPS, b">",
)  # fmt: skip
THREAD = built(
    b"{", st.sampled_from([b"", b"", b"-"]), NUMBERS, st.sampled_from([b":^80", b":^81", b":m", b"", b":^EE"]),
    st.sampled_from([b" ", b"", b"\n"]), b"{(k^", NUMBERS, b":c)(s=9)", st.sampled_from([b"", b"2:m ", b"2:m"]), b"} ",
    many(built(NUMBERS, st.sampled_from([b" ", b" ", b"\n", b":m "])), 3), st.sampled_from([b"", b" ", b"-"]), b"}",
)  # fmt: skip
TABLE = built(
    b"{1:^80 {(k^96:c)(s=9)} ",
    many(st.one_of(ROW, ROW, built(b" ", NUMBERS), built(b" -", NUMBERS), st.just(b"-")), 4),
    GAPS,
    b"}",
)
PART = st.one_of(ROW, ALIASES, THREAD, TABLE)
FILE = many(st.one_of(PART, PART, built(b"@$${3{@", PART, b"@$$}3}@"), built(b"@$${4{@", PART, b"@$$}~~}@"), GAPS), 7)
DAMAGE = st.one_of(st.none(), st.none(), st.integers(0, 400))


def outcome(read: Callable[[bytes, frozenset[bytes]], Mork], data: bytes) -> Mork | str:
    try:
        return read(data, KEPT)
    except MorkError as error:
        return str(error)


@settings(max_examples=3000, deadline=None)
@example(body=b"<(85=x)>[1:^80(^81^85)(^88=0)(^8A=y)(^B3=590)]", cut=None)
@example(body=b"<<(a=c)>(EE=flags)>[1:^80(^EE=1)][2:^80(^ED=1)]", cut=None)
@given(body=FILE, cut=DAMAGE)
def test_both_read_the_same(body: bytes, cut: int | None) -> None:
    data = HEAD + (body if cut is None else body[:cut])

    assert outcome(parse_mork, data) == outcome(slow_mork.parse_mork, data)
