"""Header blocks as raw bytes: finding fields, unfolding, and decoding them late for people to read."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator

IDENTITY_FIELDS = (b"date", b"from", b"to", b"subject", b"message-id")
"""The fields that tell one mail from another, and that a row on the screen is made of."""

_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
# RFC 5322 section 2.2: a name of printable ASCII but colon; blanks before the colon are the obsolete syntax.
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_IDENTITY = re.compile(
    rb"^(?:" + b"|".join(IDENTITY_FIELDS) + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE | re.IGNORECASE
)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
# RFC 2047 section 2, a little lenient: blanks inside Q text are common in the wild.
_WORD = re.compile(rb"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(rb"(\?=)[ \t\r\n]+(?==\?)")
_Q_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")

# Names in the wild for what Python calls otherwise. cp932 and cp50221 are what Windows means by the standards' names.
_CHARSETS = {
    "iso-2022-jp": "iso2022_jp_ext", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "windows-31j": "cp932", "cp932": "cp932", "gb2312": "gb18030", "ks_c_5601-1987": "cp949", "unicode-1-1-utf-7": "utf-7",
}  # fmt: skip

# Everything that could move the cursor, change colours, turn the line round, or take no or unknown width.
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\u3164\u115f\u1160\uffa0\u00ad\u2028\u2029"
_BAD = re.compile("[\x00-\x1f\x7f-\x9f" + _BIDI + _NO_WIDTH + "\ud800-\udfff\ue000-\uf8ff]")
_MARKS_KEPT = 4  # combining marks on one character; Vietnamese needs 2, ten thousand would eat the line


def header_end(raw: bytes) -> int:
    """Where the last header line of `raw` (LF or CRLF) ends; all of it is header where there is no blank line."""
    blank = _BLANK_LINE.search(raw)
    if not blank:
        return len(raw)
    return blank.start() + 1 if blank.start() else 0


def header_block(raw: bytes) -> bytes:
    """The header of `raw` up to the end of its last line, without the blank line behind it."""
    return raw[: header_end(raw)]


def iter_fields(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(lower-case name, raw value behind the colon, folding kept, no line end at its end) of each field."""
    for match in _FIELD.finditer(block):
        yield match[1].lower(), match[2].removesuffix(b"\r")


def unfold(value: bytes) -> bytes:
    """A raw value on one line (RFC 5322 section 2.2.3), stripped."""
    return _FOLD.sub(b"", value).strip()


def field(block: bytes, name: bytes) -> bytes | None:
    """The first field called `name` (lower case), unfolded and stripped, or None."""
    for found, value in iter_fields(block):
        if found == name:
            return unfold(value)
    return None


def identity_fields(block: bytes) -> bytes:
    """The raw IDENTITY_FIELDS of a header block, in stored order and folding, line ends CRLF, none at the end."""
    found = (match[0].removesuffix(b"\r") for match in _IDENTITY.finditer(block))
    return b"\r\n".join(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for text in found)


def decode(value: bytes) -> str:
    """A raw header value as text for people: unfolded, RFC 2047 words and raw 8-bit text decoded, sanitised."""
    value = _BETWEEN_WORDS.sub(rb"\1", unfold(value))
    parts: list[str] = []
    pending, pending_charset, at = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        charset, content = word[1].decode("ascii", "replace").split("*")[0], _word_bytes(word[2], word[3])
        if between or charset != pending_charset:
            parts.append(_text(pending, pending_charset))
            pending = b""
        if between:
            parts.append(_raw_text(between))
        # Words of one charset are joined before decoding: many mailers split inside a character.
        pending, pending_charset, at = pending + content, charset, word.end()
    parts.append(_text(pending, pending_charset))
    parts.append(_raw_text(value[at:]))
    return sanitise("".join(parts))


def sanitise(text: str) -> str:
    """`text` with nothing left that a terminal, a log or a line of a table could act on."""
    text = _BAD.sub(_replace_bad, text)
    if text.isascii():
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MARKS_KEPT:
            out.append(char)
    return "".join(out)


def _replace_bad(match: re.Match[str]) -> str:
    char = match[0]
    if char in "\t\r\n\u2028\u2029":
        return " "
    return "" if char in _BIDI or char in _NO_WIDTH else "\ufffd"


def _word_bytes(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"bB":
        try:
            return base64.b64decode(content + b"=" * (-len(content) % 4))
        except binascii.Error:
            return content
    return _Q_HEX.sub(lambda hexa: bytes.fromhex(hexa[1].decode()), content.replace(b"_", b" "))


def _text(content: bytes, charset: str) -> str:
    if not content:
        return ""
    name = charset.lower()
    for codec in (_CHARSETS.get(name, name), "cp932" if name.startswith("iso-2022-jp") else "utf-8"):
        try:
            return content.decode(codec)
        except (LookupError, UnicodeError):
            continue
    return _raw_text(content)


def _raw_text(content: bytes) -> str:
    """Text whose charset nobody names: ISO-2022-JP by its escapes, else UTF-8, cp932, EUC-JP, Latin-1."""
    if b"\x1b$" in content or b"\x1b(" in content:
        return content.decode("iso2022_jp_ext", "replace")
    for codec in ("utf-8", "cp932", "euc_jp"):
        try:
            return content.decode(codec)
        except UnicodeError:
            continue
    return content.decode("latin-1")
