"""Where mails begin and end in an mbox, their bytes, and their sizes."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hikkoshi.errors import LocalChanged
from hikkoshi.local import content_length, from_lines, mbox_reader
from hikkoshi.local.mbox import from_line, read_extent, scan_extents
from hikkoshi.local.mbox_mail import Extent
from hikkoshi.local.mbox_reader import Starts
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.headers import header_block
from support import slow_mbox

THUNDERBIRD = b"From - Tue Mar  5 10:00:00 2024\n"
CLASSIC = b"From a@example.jp  Tue Mar  5 10:00:00 2024\n"
HEAD = b"From: a@example.jp\nSubject: x\n\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mbox"


def mails(path: Path, content: bytes) -> list[bytes]:
    """The stored bytes of each mail of an mbox with `content`."""
    path.write_bytes(content)
    return [read_extent(path, extent.place) for extent in scan_extents(path)]


@pytest.mark.parametrize("separator", [THUNDERBIRD, CLASSIC, CLASSIC.replace(b"\n", b"\r\n")])
@pytest.mark.parametrize(
    "body",
    [
        b"text\n",
        b"",
        b"two blank lines\n\n\n",
        b">From me\n",
        b"From me to you\nA: only one header line\n",
        b"\nFrom - Mon Jan  1\n\nA: b\nC: d\n",
        b" From a blank\n",
        b"NUL \0 and CR \r.\n\0\n",
        b"\xc6\xfc\xcb\xdc\xb8\xec\n",
        b"a" * 100_000 + b"\n",
    ],
)
def test_the_mails_are_those_that_were_put_in(path: Path, separator: bytes, body: bytes) -> None:
    end = b"\r\n" if b"\r" in separator else b"\n"
    first, second = ((HEAD + text).replace(b"\n", end) for text in (body, b"second\n"))
    quoted = re.sub(rb"^(?=>*From .*\n)(?!From: )", b">", first, flags=re.MULTILINE)

    assert mails(path, separator + quoted + end + separator + second + end) == [first, second]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        # Thunderbird's rule: two header lines behind it, a blank line before it or not.
        (b"x\nFrom someone\nA: b\nC: d\n\ny\n", 2),
        (b"x\n\nFrom someone\nA: b\n folded\n\ny\n", 2),
        (b"x\n\nFrom someone\nA: b\n\ny\n", 1),
        (b"x\n\nFrom someone\nhttp://a b\nC: d\n", 2),
        (b"x\n\nFrom someone\nnot: a\nheader line\n", 1),
        # Everybody else's: a blank line before it, a sender and a date in it.
        (b"x\n\n" + CLASSIC + b"only text\n", 2),
        (b"x\n\nFrom a@b Tue Mar 5 10:00 JST 2024\nonly text\n", 2),
        (b"x\n" + CLASSIC + b"only text\n", 1),
        (b"x\n\nFrom a@b on Tuesday\nonly text\n", 1),
        (b"x\n\nFrom\ttab\nA: b\nC: d\n", 1),
    ],
)
def test_what_starts_a_mail(path: Path, body: bytes, found: int) -> None:
    assert len(mails(path, THUNDERBIRD + HEAD + body)) == found


def test_a_summary_says_where_mails_start(path: Path) -> None:
    content = THUNDERBIRD + HEAD + b"x\n\n" + CLASSIC + b"text\n\n" + THUNDERBIRD + b"no header\n"
    path.write_bytes(content)
    last = content.rindex(THUNDERBIRD)

    assert [extent.offset for extent in scan_extents(path, starts=Starts({0, last}))] == [0, last]


def test_one_level_of_quoting_is_taken_off(path: Path) -> None:
    body = b">From a\n>>From b\n From c\n> From d\n>From\n>Fromage\n"

    assert mails(path, THUNDERBIRD + HEAD + body) == [HEAD + b"From a\n>From b\n From c\n> From d\n>From\n>Fromage\n"]


def test_content_length_is_not_believed(path: Path) -> None:
    first = b"Content-Length: 9999\n" + HEAD + b"x\n"
    second = b"Content-Length: 1\n" + HEAD + b"longer than it says\n"

    assert mails(path, CLASSIC + first + b"\n" + CLASSIC + second + b"\n") == [first, second]


@pytest.mark.parametrize("stored", [b"", b"\n", b"\ntext\n", b"no header\n", b"A: b\n", b"A: b\n\n", b"\n\n\n"])
def test_mails_without_header_or_body(path: Path, stored: bytes) -> None:
    path.write_bytes(THUNDERBIRD + stored)

    (extent,) = scan_extents(path)

    assert extent.header == header_block(read_extent(path, extent.place))
    assert extent.size == len(upload_form(read_extent(path, extent.place), mbox=True))


def test_bookkeeping_and_quoting_are_not_counted(path: Path) -> None:
    path.write_bytes(
        THUNDERBIRD
        + b"X-Mozilla-Status: 0001\nStatus: RO\nContent-Length: 5\nA: b\nC: d\n\n>From x\r\ny\n\n"
        + THUNDERBIRD
    )

    (extent, *_rest) = scan_extents(path)

    assert extent.size == len(b"A: b\r\nC: d\r\n\r\nFrom x\r\ny\r\n")
    assert extent.from_line == THUNDERBIRD.rstrip()
    assert from_line(path, extent.place) == THUNDERBIRD.rstrip()


def test_a_file_that_ends_in_the_middle_of_a_mail(path: Path) -> None:
    path.write_bytes(THUNDERBIRD + HEAD + b"x\n\n" + THUNDERBIRD + HEAD + b"half a li")

    assert [extent.cut for extent in scan_extents(path)] == [False, True]


def test_bytes_in_front_that_belong_to_no_mail(path: Path) -> None:
    garbage: list[int] = []
    path.write_bytes(b"what is\nthis\n" + THUNDERBIRD + HEAD)

    assert [extent.offset for extent in scan_extents(path, garbage.append)] == [13]
    assert sum(garbage) == 13
    path.write_bytes(b"\n\r\n \0\n" + THUNDERBIRD + HEAD)
    assert len(list(scan_extents(path, garbage.append))) == 1
    assert sum(garbage) == 13


def test_an_empty_file_has_no_mail(path: Path) -> None:
    assert mails(path, b"") == []


@pytest.mark.parametrize("change", ["grow", "shrink", "replace", "rewrite"])
def test_a_file_that_changes_while_it_is_read(path: Path, change: str) -> None:
    content = THUNDERBIRD + HEAD + b"x\n\n" + THUNDERBIRD + HEAD + b"y\n\n"
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    scanning = scan_extents(path)
    next(scanning)
    if change == "grow":
        with path.open("ab") as file:
            file.write(THUNDERBIRD + HEAD)
    elif change == "shrink":
        os.truncate(path, 40)
    elif change == "replace":
        path.unlink()
        path.write_bytes(content)
    else:
        path.write_bytes(content.replace(b"x\n\n", b"z\n\n"))

    with pytest.raises(LocalChanged):
        list(scanning)


def test_a_mail_that_is_no_longer_where_it_was(path: Path) -> None:
    path.write_bytes(THUNDERBIRD + HEAD + b"x\n\n" + THUNDERBIRD + HEAD + b"y\n\n" + THUNDERBIRD + HEAD + b"z\n\n")
    first, second, third = (extent.place for extent in scan_extents(path))
    assert read_extent(path, second).endswith(b"y\n")

    path.write_bytes(path.read_bytes()[8:])
    for place in (first, second, third):
        with pytest.raises(LocalChanged):
            read_extent(path, place)

    path.write_bytes(THUNDERBIRD + HEAD + b"another\n\n" + THUNDERBIRD)
    for place in (first, second, third):
        with pytest.raises(LocalChanged):
            read_extent(path, place)
    path.unlink()
    with pytest.raises(OSError, match="mbox"):
        read_extent(path, first)


def test_a_hole_of_nuls_is_read_in_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash leaves holes as long as the file; neither buffer nor time may grow with the square of them."""
    cut_small(monkeypatch, 4096, ahead=256, longest_line=8192)
    hole = HEAD + b"\0" * 100_000
    path.write_bytes(THUNDERBIRD + hole + b"\n" + THUNDERBIRD + HEAD + b"y\n")

    first, second = scan_extents(path)

    assert read_extent(path, first.place) == hole + b"\n"
    assert first.size == len(hole) + 5
    assert read_extent(path, second.place) == HEAD + b"y\n"


PARTS = (
    THUNDERBIRD, CLASSIC.replace(b"\n", b"\r\n"), b"From me\n", b">From x\n", b">>From y\n", b" From z\n", b"A: b\n",
    b"Subject: c\r\n", b"X-Mozilla-Status: 0001\n", b"Content-Length: 12\n", b" fold\n", b"\n", b"\r\n", b"text\n",
    b"x\r", b"\0\0", b"y", b"Status: RO\n", b"\xe3\x81\x82\n", b"From ",
)  # fmt: skip


STARTS = st.sampled_from([None, frozenset[int](), frozenset({0}), frozenset({0, 32, 37, 64, 80})])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(parts=[THUNDERBIRD, b"A: b\n", b"\n", b"\n"], chunk=1, known=None)
@example(parts=[THUNDERBIRD, b"x\r", b"\n", b"\n", b"From "], chunk=3, known=None)
@example(parts=[b">From x\n", b"\n", b">From x\n"], chunk=1, known=frozenset())
@given(parts=st.lists(st.sampled_from(PARTS), max_size=16), chunk=st.integers(1, 80), known=STARTS)
def test_wherever_the_chunks_are_cut_the_slow_twin_finds_the_same(
    path: Path, parts: list[bytes], chunk: int, known: frozenset[int] | None
) -> None:
    content = THUNDERBIRD + b"".join(parts)
    if known is None:
        content = content.replace(b"Content-Length", b"Content-Width")  # the twin never believes it
    path.write_bytes(content)
    slow = [as_slow(extent) for extent in slow_mbox.scan_extents(path, known=known)]
    starts = Starts(known)
    whole = list(scan_extents(path, starts=starts))

    assert [as_slow(extent) for extent in whole] == slow
    assert in_chunks(path, starts, chunk) == whole
    if slow:
        assert (
            b"".join(content[extent.offset : extent.offset + extent.length] for extent in whole)
            == (content[slow[0][0] :])
        )
    for extent in whole:
        stored = read_extent(path, extent.place)
        assert extent.size == len(upload_form(stored, mbox=True))
        assert extent.header == header_block(stored)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=24),
    chunk=st.integers(1, 80),
    cuts=st.lists(st.integers(1, 600), max_size=4, unique=True).map(sorted),
)
def test_parts_of_a_file_find_together_what_the_whole_has(
    path: Path, parts: list[bytes], chunk: int, cuts: list[int]
) -> None:
    path.write_bytes(THUNDERBIRD + b"".join(parts))
    starts = Starts(None)
    bounds = [0, *cuts]
    found = []
    for start, stop in zip(bounds, [*cuts, None], strict=True):
        found += in_chunks(path, starts, chunk, (start, stop))

    assert found == list(scan_extents(path, starts=starts))


def as_slow(extent: Extent | slow_mbox.Extent) -> tuple[object, ...]:
    return (
        extent.offset,
        extent.length,
        extent.from_line,
        extent.header,
        extent.size,
        extent.cut,
    )


def in_chunks(path: Path, starts: Starts, size: int, part: tuple[int, int | None] = (0, None)) -> list[Extent]:
    with pytest.MonkeyPatch.context() as patch:
        cut_small(patch, size, ahead=100, longest_line=10_000)  # 100: all of PARTS' From_ lines and what is behind
        return list(scan_extents(path, starts=starts, part=part))


def cut_small(patch: pytest.MonkeyPatch, chunk: int, *, ahead: int, longest_line: int) -> None:
    patch.setattr(mbox_reader, "CHUNK", chunk)
    patch.setattr(mbox_reader, "_LONGEST_LINE", longest_line)
    for module in (from_lines, mbox_reader, content_length):
        patch.setattr(module, "AHEAD", ahead)
    patch.setattr(from_lines, "_BLOCK", 7)
