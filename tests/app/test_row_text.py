"""Text of an exact width in cells, whatever the mail says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hikkoshi.app.row_text import (
    absent_text,
    columns,
    correspondent,
    cut,
    cut_start,
    date_text,
    flag_signs,
    head_text,
    short_size,
    side_text,
)
from hikkoshi.app.signs import ASCII, KINDS, SAME, UNICODE
from hikkoshi.index.store import IndexedMessage
from hikkoshi.mail.message import Message

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

odd = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="あア漢ｱﾞが①※…㈱ＡＢ a→", max_size=40),
    st.sampled_from(
        [
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "e" + "́" * 30,
            "葛\U000e0100城市",
            "✔\ufe0f ok",
            "עברית",
            "\x1b]0;x\x07",
            "\x9b31m",
            "\u202etxt",
        ]
    ),
)


@given(sender=odd, subject=odd, width=st.integers(1, 140), sent=st.booleans(), mark=st.booleans(), place=odd)
def test_a_side_is_exactly_as_wide_as_it_shall_be(
    sender: str, subject: str, width: int, sent: bool, mark: bool, place: str
) -> None:
    fields = f"From: {sender} <a@b>\r\nTo: {sender}\r\nSubject: {subject}".encode("utf-8", "surrogatepass")
    message = IndexedMessage(1, 1, Message("1", 123_456, frozenset(), 1_700_000_000, fields))
    from hikkoshi.mail.headers import sanitise

    text = side_text(message, columns(width), UNICODE, NOW, sent=sent, mark=mark, place=sanitise(place))

    assert cell_len(text) == width
    assert not any(
        ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202a\u202b\u202c\u202d\u202e" for char in text
    )


@given(text=odd, width=st.integers(0, 80))
def test_cutting_gives_the_width_at_either_end(text: str, width: int) -> None:
    assert cell_len(cut(text, width, UNICODE.more)) == width
    if width:
        assert cell_len(cut_start(text, width, UNICODE.more)) == width


@given(width=st.integers(1, 200))
def test_heads_and_empty_sides_are_as_wide_as_the_rows(width: int) -> None:
    shape = columns(width)

    assert cell_len(head_text(shape, UNICODE, sent=False)) == width
    assert cell_len(absent_text(shape, UNICODE, mark=True)) == width


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert cut("日本語", 4, "~") == "日 ~"
    assert cut_start("日本語", 4, "~") == "~語 "


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0K"),
        (10_200, "10K"),
        (1_022_000, "998K"),
        (1_048_576, "1.0M"),
        (10**10, "9.3G"),
    ],
)
def test_a_size_takes_four_characters(size: int, text: str) -> None:
    assert short_size(size) == text


@given(st.integers(0, 10**15))
def test_no_size_takes_more_than_four(size: int) -> None:
    assert len(short_size(size)) <= 4


def test_dates_by_the_room_there_is() -> None:
    when = int(datetime(2025, 7, 17, 2, 44, tzinfo=UTC).timestamp())

    assert date_text(when, 16, NOW) == "2025-07-17 02:44"
    assert date_text(when, 8, NOW) == "25-07-17"
    assert date_text(when, 5, NOW) == "2025"
    assert date_text(int(NOW.timestamp()), 5, NOW) == "11-24"
    assert date_text(None, 16, NOW) == ""
    assert date_text(10**15, 16, NOW) == "?"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Alice <alice@example.com>", "Alice"),
        (b'"Tanaka, Taro" <taro@example.jp>', "Tanaka, Taro"),
        (b"<only@example.com>", "only@example.com"),
        (b"plain@example.com, other@example.com", "plain@example.com"),
        (b"=?UTF-8?B?55Sw5LitIOWkqumDjg==?= <t@example.jp>", "田中 太郎"),
        (b"", ""),
    ],
)
def test_who_a_mail_is_from(raw: bytes, name: str) -> None:
    assert correspondent(b"From: " + raw, sent=False) == name


def test_unread_and_the_weightiest_flag_have_a_sign() -> None:
    assert flag_signs(frozenset(), UNICODE) == UNICODE.unread + " "
    assert flag_signs(frozenset({"\\Seen", "\\Answered", "\\Flagged"}), UNICODE) == " " + UNICODE.flagged
    assert flag_signs(frozenset({"\\Seen", "$Forwarded"}), UNICODE) == " " + UNICODE.forwarded


def test_signs_are_one_cell_wide_even_where_ambiguous_ones_take_two() -> None:
    import unicodedata

    signs = [kind.sign for kind in (*KINDS, SAME)] + [
        sign for name in UNICODE.__slots__ if name != "ascii" for sign in [getattr(UNICODE, name)]
    ]

    assert all(cell_len(sign) == 1 and unicodedata.east_asian_width(sign) in ("N", "Na") for sign in signs)


def test_ascii_signs_are_ascii_and_differ() -> None:
    kinds = [kind.ascii for kind in (*KINDS, SAME)]

    assert len(set(kinds)) == len(kinds)
    assert all(sign.isascii() for sign in kinds)
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__slots__ if name != "ascii")
