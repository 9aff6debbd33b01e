"""Mork as it is written: the samples are cut from Thunderbird 153's own files."""

import time

import pytest

from hikkoshi.local.mork import Mork, MorkError, parse_mork

HEAD = b"""\
// <!-- <mdb:mork:z v="1.4"/> -->
< <(a=c)> // (f=iso-8859-1)
  (80=rows)(81=subject)(88=flags)(B3=storeToken)(96=ns:msg:db:table:kind:msgs)(97=thread)>
"""
KEPT = frozenset((b"subject", b"flags", b"storeToken"))


def parse(body: bytes) -> Mork:
    return parse_mork(HEAD + body, KEPT)


def rows(body: bytes) -> dict[int, dict[bytes, bytes]]:
    """The rows of scope `rows`, by number."""
    return {number: cells for (number, scope), cells in parse(body).rows.items() if scope == b"rows"}


def test_a_table_with_its_kind_rows_and_cells() -> None:
    mork = parse(
        b"<(85=Hello)>\n{1:^80 {(k^96:c)(s=9)} \n  [1(^88=0)(^81^85)]\n  [A(^88^85)\n    (^B3=590)(^97=left)] 2:^80 }"
    )

    table = mork.tables[1, b"rows"]
    assert table.kind == b"ns:msg:db:table:kind:msgs"
    assert list(table.rows) == [(1, b"rows"), (10, b"rows"), (2, b"rows")]
    assert mork.rows[1, b"rows"] == {b"flags": b"0", b"subject": b"Hello"}
    assert mork.rows[10, b"rows"] == {b"flags": b"Hello", b"storeToken": b"590"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"=\$label1 work", b"$label1 work"),
        (rb"=a\)b\\c", rb"a)b\c"),
        (b"=$E8$A6$8B$E7$A9$8d", "見積".encode()),
        (b"=one \\\ntwo \\\r\nthree", b"one two three"),
        (b"=$E3$81\\\n$82", "あ".encode()),
        (b"=a // no comment @ [1:^80] <x>", b"a // no comment @ [1:^80] <x>"),
        (b"=", b""),
    ],
)
def test_texts(written: bytes, meant: bytes) -> None:
    assert rows(b"[1:^80(^81" + written + b")]")[1] == {b"subject": meant}
    assert rows(b"<(100" + written + b")>[1:^80(^81^100)]")[1] == {b"subject": meant}


def test_an_alias_may_stand_on_a_line_of_its_own() -> None:
    assert rows(b"<(B8\n    =m006@example.jp)\n  (F0\n    =plain 5)>[1:^80(^81^F0)]")[1] == {b"subject": b"plain 5"}


def test_later_changes_win() -> None:
    body = b"[1:^80(^81=a)(^88=0)]\n@$${2C{@\n[1:^80(^88=1)]\n@$$}2C}@\n@$${2D{@\n[1:^80(^88=5)]@$$}2D}@\n"

    assert rows(body)[1] == {b"subject": b"a", b"flags": b"5"}


def test_a_cut_row_begins_again_and_a_cut_cell_is_gone() -> None:
    body = b"[1:^80(^81=a)(^88=0)]\n[-1:^80(^88=4)]\n[2:^80(^81=a)(^88=0)][2:^80-(^81)(^88=1)]"

    assert rows(body) == {1: {b"flags": b"4"}, 2: {b"flags": b"1"}}


def test_rows_leave_a_table() -> None:
    body = (
        b"{1:^80 {(k^96:c)} [1(^88=0)] [2(^88=1)] 3 }\n@$${1{@{1:^80 {(k^96:c)} -2 -3 [-4(^88=0)] -[1(^88=7)] }@$$}1}@"
    )

    mork = parse(body)

    assert list(mork.tables[1, b"rows"].rows) == [(4, b"rows")]


def test_rows_that_leave_as_thunderbird_writes_it() -> None:
    body = (
        b"{1:^80 {(k^96:c)} [7(^88=0)] [8(^88=0)] [9] }\n@$${22{@\n"
        b"{1:^80 {(k^96:c)(s=9)} \n  [-28(^88=0)\n    (^B3=x)]-\n  [-8]-\n  [-7]}\n@$$}22}@"
    )

    assert list(parse(body).tables[1, b"rows"].rows) == [(9, b"rows"), (0x28, b"rows")]


def test_a_table_that_is_cut_begins_again() -> None:
    assert list(parse(b"{1:^80 [1] }{-1:^80 2 }").tables[1, b"rows"].rows) == [(2, b"rows")]


def test_scopes_keep_rows_apart() -> None:
    mork = parse(b"[1:^80(^88=1)][1:m(^88=2)]{2:^80 {(k^97:c)(s=9)2:m } 1:m 1 }")

    assert mork.rows == {(1, b"rows"): {b"flags": b"1"}, (1, b"m"): {b"flags": b"2"}}
    assert list(mork.tables[2, b"rows"].rows) == [(1, b"m"), (1, b"rows")]


@pytest.mark.parametrize("end", [b"@$$}~abort~3}@", b"@$$}~~}@", b"", b"@$$}4}@", b"[1:^80(^88="])
def test_an_unfinished_or_aborted_group_does_not_count(end: bytes) -> None:
    assert rows(b"[1:^80(^88=0)]\n@$${3{@\n[1:^80(^88=8)]\n" + end)[1] == {b"flags": b"0"}


def test_what_follows_an_aborted_group_counts() -> None:
    body = b"@$${3{@[1:^80(^88=8)]@$$}~abort~3}@\n[2:^80(^88=1)]\n@$${4{@[3:^80(^88=2)]@$$}4}@"

    assert rows(body) == {2: {b"flags": b"1"}, 3: {b"flags": b"2"}}


@pytest.mark.parametrize(
    "body",
    [
        b"{1:^80 [1(^88=0)]",  # cut in a table
        b"<(80=a)",
        b"[1:^80(^88=0",
        b"[1:^80(^88^FFF)]",  # an alias for nothing
        b"[1:^EE(^88=0)]",
        b"]",
        b"\x00\x00\x00",
    ],
)
def test_damage_is_an_error(body: bytes) -> None:
    with pytest.raises(MorkError):
        parse(body)


def test_other_files_are_an_error() -> None:
    with pytest.raises(MorkError):
        parse_mork(b"SQLite format 3\0", KEPT)
    with pytest.raises(MorkError):
        parse_mork(b"", KEPT)


@pytest.mark.parametrize(
    "junk", [b" " * 100_000 + b"!", b"[1:^80" + b" " * 100_000, b"(" * 20_000, b"[1:^80" + b"(^88=0)" * 20_000]
)
def test_damage_costs_no_more_than_its_length(junk: bytes) -> None:
    started = time.process_time()
    with pytest.raises(MorkError):
        parse(junk)

    assert time.process_time() - started < 2
