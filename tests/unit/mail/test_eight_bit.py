"""Encoded words for raw 8-bit headers: where RFC 2047 allows them, and decoded by others than us they are the same bytes."""

import re
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.headers import iter_fields, unfold

CHARSETS = ["utf-8", "cp932", "euc_jp", "latin-1"]
TEXTS = {
    "utf-8": ["見積", "ソ", "é", "表", "🏠"],
    "cp932": ["見積です", "ソ表能", "①です", "ｱｲｳ"],
    "euc_jp": ["見積をください", "のソ"],
    "latin-1": ["r\xe9sum\xe9", "na\xefve"],
}
ASCII = ["a", "Re:", "=?", "x=?y?=", "(c)", '"', "\\", "<a@b>", ";"]


def value_of(header: bytes) -> bytes:
    """The unfolded value of the only field."""
    [(_name, value)] = iter_fields(header)
    return unfold(value)


def decoded(header: bytes) -> bytes:
    """The bytes that Python's email package makes of the only field."""
    parts = decode_header(value_of(header).decode("ascii"))
    return b"".join(part if isinstance(part, bytes) else part.encode() for part, _charset in parts)


@st.composite
def subjects(draw: st.DrawFn) -> bytes:
    codec = draw(st.sampled_from(CHARSETS))
    words = draw(st.lists(st.sampled_from(TEXTS[codec] * 2 + ASCII), min_size=1, max_size=30))
    blanks = draw(st.lists(st.sampled_from([" ", "  ", "\t", "\r\n ", "\r\n\t "]), min_size=len(words)))
    return b"Subject: " + "".join(a + b for a, b in zip(words, blanks, strict=False)).strip().encode(codec) + b"\r\n"


@given(subjects())
def test_a_subject_decodes_to_the_same_bytes(header: bytes) -> None:
    after = encoded_header(header)

    assert after.isascii()
    assert decoded(after) == value_of(header)
    assert encoded_header(after) == after
    assert all(len(line) <= 76 for line in after.split(b"\r\n") if line.count(b"=?") == 1 and line.endswith(b"?="))


def test_white_space_beside_an_encoded_word_that_was_there_is_kept() -> None:
    before = "Subject: =?utf-8?B?6KaL?= 積 =?utf-8?B?6KaL?=\r\n".encode()

    assert decoded(encoded_header(before)) == "見 積 見".encode()


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "euc_jp"])
def test_no_character_is_split_between_two_words(codec: str) -> None:
    text = "見積書を送付します。ソ表①" if codec == "cp932" else "見積書を送付します。ソ表"
    header = b"Subject: " + (text * 20).encode(codec) + b"\r\n"

    words = re.findall(rb"=\?([^?]+)\?B\?[^?]+\?=", encoded_header(header))
    parts = [decode_header(word.decode()) for word in re.findall(rb"=\?[^?]+\?B\?[^?]+\?=", encoded_header(header))]

    assert len(words) > 5
    for [(raw, charset)] in parts:
        assert charset
        assert set(raw.decode({"windows-31j": "cp932"}.get(charset, charset))) <= set(text)


ADDRESSES = {
    "山田 太郎 <t@example.jp>": [("山田 太郎", "t@example.jp")],
    '"山田, 太郎" <t@example.jp>': [("山田, 太郎", "t@example.jp")],
    '"山 \\"田\\"" <t@example.jp>, Hanako <h@example.jp>': [('山 "田"', "t@example.jp"), ("Hanako", "h@example.jp")],
    "Yamada 太郎 (本社) <t@example.jp>": [("Yamada 太郎", "t@example.jp")],
    "山田<t@example.jp>": [("山田", "t@example.jp")],
    "営業: 山 <a@example.jp>, b@example.jp;": [("山", "a@example.jp"), ("", "b@example.jp")],
}


@pytest.mark.parametrize("value", ADDRESSES)
def test_names_in_addresses_are_the_same_to_pythons_parser(value: str) -> None:
    after = encoded_header(f"To: {value}\r\n".encode())
    message = cast("EmailMessage", message_from_bytes(after + b"\r\n", policy=policy.default))

    assert after.isascii()
    found = [(address.display_name, address.addr_spec) for address in message["To"].addresses]
    assert found == ADDRESSES[value]


@pytest.mark.parametrize("text", ["ソ表", "能ソ <"])
def test_the_second_byte_of_shift_jis_is_no_backslash(text: str) -> None:
    header = b'From: "' + text.encode("cp932") + b'" <a@example.jp>\r\n'

    [(word, charset), *_rest] = decode_header(value_of(encoded_header(header)).decode())

    assert (word, charset) == (text.encode("cp932"), "shift_jis")


@pytest.mark.parametrize(
    "field",
    [
        "To: 山@example.jp",
        "To: Taro <山@example.jp>",
        'Content-Type: text/plain; name="見積.txt"',
        "Message-ID: <見@example.jp>",
        "References: 見 <a@b>",
        "Received: from 山 by b; 1 Jan 2024 12:00:00 +0000",
        "X-見積: a",
        "見積",
    ],
)
def test_where_no_encoded_word_may_stand_nothing_is_changed(field: str) -> None:
    assert encoded_header(f"{field}\r\n".encode()) == f"{field}\r\n".encode()


def test_comments_are_encoded_in_every_structured_field() -> None:
    before = 'Received: from a (見積 (本社\\)) b) by "(見)"; 1 Jan 2024 12:00:00 +0000 (時)\r\n'.encode()

    after = encoded_header(before)

    words = [decode_header(word.decode())[0][0] for word in re.findall(rb"=\?[^ ()]+\?=", after)]
    assert words == ["見積".encode(), "本社)".encode(), "時".encode()]
    assert '"(見)"'.encode() in after


def test_other_fields_and_folds_stay_as_they_are() -> None:
    before = "A: 1\r\n 2\r\nTo: a@b,\r\n\t山 <c@d>,\r\n e@f\r\nSubject: x\r\n".encode()

    after = encoded_header(before)

    assert after == before.replace("山".encode(), b"=?utf-8?B?5bGx?=")


@given(st.binary(max_size=300))
def test_any_header_comes_out_with_its_fields(raw: bytes) -> None:
    header = (
        b"To: "
        + raw.replace(b"\n", b"").replace(b"\r", b"")
        + b"\r\nReceived: "
        + raw.replace(b"\n", b"")[:50]
        + b"\r\n"
    )

    assert [name for name, _value in iter_fields(encoded_header(header))] == [
        name for name, _value in iter_fields(header)
    ]


@pytest.mark.parametrize("junk", [b"(", b"<", b'"', b'"\\', b" (", b"()", b'"a" ', b"\xe8 ", b"@", b"=?a?B?", b","])
@pytest.mark.parametrize("name", [b"To", b"Received", b"Subject"])
def test_a_hostile_header_takes_no_time(name: bytes, junk: bytes) -> None:
    """A second for each would be quadratic."""
    encoded_header(name + b": \xe9 " + junk * (100_000 // len(junk)) + b"\r\n")
