import base64
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hikkoshi.mail.headers import decode, field, header_block, identity_fields, iter_fields, sanitise, unfold

HEADERS = (
    b"Received: from a\r\n\tby b; Sat, 9 Mar 2024 21:30:05 +0900\r\n"
    b"Subject: one\r\n two\r\n"
    b"no field at all\r\n"
    b"SUBJECT : three\r\n"
    b"From: taro@example.jp\r\n"
)


def word(charset: str, raw: bytes) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(raw) + b"?="


@pytest.mark.parametrize(
    ("raw", "block"),
    [
        (b"A: 1\nB: 2\n\nbody\n\nmore", b"A: 1\nB: 2\n"),
        (b"A: 1\r\nB: 2\r\n\r\nbody", b"A: 1\r\nB: 2\r\n"),
        (b"A: 1\n\r\nbody", b"A: 1\n"),
        (b"A: 1\r\n\nbody", b"A: 1\r\n"),
        (b"\nbody", b""),
        (b"\r\nbody", b""),
        (b"", b""),
        (b"A: 1", b"A: 1"),
        (b"A: 1\n", b"A: 1\n"),
        (b"A: 1\n \nB: 2\n\nbody", b"A: 1\n \nB: 2\n"),
    ],
)
def test_the_header_ends_with_its_last_line(raw: bytes, block: bytes) -> None:
    assert header_block(raw) == block


def test_fields_keep_their_folding_and_lines_that_are_none_are_skipped() -> None:
    assert list(iter_fields(HEADERS)) == [
        (b"received", b" from a\r\n\tby b; Sat, 9 Mar 2024 21:30:05 +0900"),
        (b"subject", b" one\r\n two"),
        (b"subject", b" three"),
        (b"from", b" taro@example.jp"),
    ]


def test_a_field_is_the_first_of_its_name_unfolded() -> None:
    assert field(HEADERS, b"subject") == b"one two"
    assert field(HEADERS, b"to") is None
    assert unfold(b" a\n b\r\n\tc ") == b"a b\tc"


def test_identity_fields_are_the_same_for_lf_and_crlf() -> None:
    fields = b"Subject: one\r\n two\r\nSUBJECT : three\r\nFrom: taro@example.jp"
    assert identity_fields(HEADERS) == fields
    assert identity_fields(HEADERS.replace(b"\r\n", b"\n")) == fields


header_bytes = st.lists(
    st.sampled_from([b"Subject:", b"Date :", b"to", b":", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b"\xe6", b"x"])
).map(b"".join)


@given(header_bytes)
def test_identity_fields_of_identity_fields_are_themselves(raw: bytes) -> None:
    fields = identity_fields(header_block(raw))
    assert identity_fields(fields) == fields
    assert b"\n" not in fields.replace(b"\r\n", b"")


JAPANESE = [
    (word("ISO-2022-JP", "見積書の件".encode("iso2022_jp")), "見積書の件"),
    (word("iso-2022-jp", b"\x1b$B-j;3ED|b\x1b(B"), "㈱山田髙"),
    (word("ISO-2022-JP", b"\x1b$B-!\x1b(B 1"), "① 1"),
    (word("ISO-2022-JP", b"\x1b(I4J\x1b(B"), "\uff74\uff8a"),
    (word("Shift_JIS", "㈱髙橋①".encode("cp932")), "㈱髙橋①"),
    (word("UTF-8", "引っ越し".encode()), "引っ越し"),
    (word("utf-8*ja", "引っ越し".encode()), "引っ越し"),
    (word("euc-jp", "引っ越し".encode("euc_jp")), "引っ越し"),
    (b"=?utf-8?q?caf=C3=A9_=3d?=", "café ="),
    (word("iso-8859-1", b"\x93Z\xfcrich\x94"), "“Zürich”"),
    ("引っ越し".encode(), "引っ越し"),
    ("引っ越しの件".encode("cp932"), "引っ越しの件"),
    ("引っ越しの件".encode("euc_jp"), "引っ越しの件"),
    ("引っ越しの件".encode("iso2022_jp"), "引っ越しの件"),
    ("Zürich".encode("latin-1"), "Zürich"),
    ("再送: ".encode() + word("UTF-8", "件".encode()), "再送: 件"),
    (word("UTF-8", b"a") + b"\r\n " + word("UTF-8", b"b"), "ab"),
    (word("UTF-8", "件名".encode()[:4]) + b" " + word("UTF-8", "件名".encode()[4:]), "件名"),
    (word("UTF-8", b"a") + b" b " + word("UTF-8", b"c"), "a b c"),
    (b"=?UTF-8?B?5Lu2x?= x", "件 x"),
    (b"=?utf-8?B?bad", "=?utf-8?B?bad"),
]


@pytest.mark.parametrize(("raw", "text"), JAPANESE)
def test_decodes_what_mailers_write(raw: bytes, text: str) -> None:
    assert decode(raw) == text


@pytest.mark.parametrize(
    "charset",
    ["", "x", "no-such", "\0", "a\0b", "../x", "idna", "punycode", "unicode_escape", "unicode-escape", "rot13", "hex",
     "zlib", "undefined", "mbcs", "oem", "__init__", "utf-7", "utf-16", "utf-32", "ISO-2022-JP-3", "\u65e5"],
)  # fmt: skip
def test_no_name_of_a_charset_makes_it_raise_or_hides_plain_text(charset: str) -> None:
    decode(word(charset, b"\\x \xff\xfe\x1b$B!"))
    if charset not in ("utf-7", "utf-16", "utf-32"):
        assert "plain" in decode(b"=?" + charset.encode() + b"?Q?plain?=")


HARMLESS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str) -> bool:
    kinds = [unicodedata.category(char) for char in text]
    return all(char == "\ufffd" or kind not in HARMLESS for char, kind in zip(text, kinds, strict=True))


pieces = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b"=?", b"?=", b"?B?", b"?Q?", b"=?iso-2022-jp?B?", b"=?utf-7?Q?", b"\x1b$B", b"\x1b(B", b"\r\n "]
        ),
        st.text(max_size=10).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
).map(b"".join)


@given(pieces)
@example("a\u202eb\u2066c\x9bd".encode())
@example(word("utf-7", b"+2AA-"))
@example(word("utf-32-le", b"\x2e\x20\x00\x00"))
def test_nothing_decoded_can_act_on_a_terminal(raw: bytes) -> None:
    assert harmless(decode(raw))


@given(st.text())
def test_sanitising_twice_is_sanitising_once(text: str) -> None:
    once = sanitise(text)
    assert harmless(once)
    assert sanitise(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("a\tb\r\nc\u2028d", "a b  c d"),
        ("cs\x9b1m", "cs\ufffd1m"),
        ("\u202egpj.exe", "gpj.exe"),
        ("zero\u200b\u2060\ufeff\u2063\U000e0041width", "zerowidth"),
        ("葛\U000e0100城", "葛城"),
        ("\u115f\u3164\uffa0x", "x"),
        ("\ue000\U000f0000", "\ufffd\ufffd"),
        ("が", "が"),
        ("a" + "\u0301" * 9, "a" + "\u0301" * 4),
        ("a" + "\u20dd" * 9, "a" + "\u20dd" * 4),
    ],
)
def test_what_a_terminal_could_act_on_is_gone(text: str, shown: str) -> None:
    assert sanitise(text) == shown
