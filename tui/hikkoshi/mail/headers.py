"""Header blocks as raw bytes: finding fields, unfolding, and decoding them late for people to read."""

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator

from hikkoshi.mail.charsets import guess, text_of

IDENTITY_FIELDS = (b"date", b"from", b"to", b"subject", b"message-id")
"""The fields that tell one mail from another, and that a row on the screen is made of."""

# Begins with a literal, so that the search skips to line ends: 0.6 us a header, 5.6 with `\A|` in it.
BLANK_LINE = re.compile(rb"\n\r?\n")
"""The end of the last header line and the blank line behind it."""
# RFC 5322 section 2.2: a name of printable ASCII but colon; blanks before the colon are the obsolete syntax.
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)", re.MULTILINE)


def fields_pattern(names: Iterable[str]) -> re.Pattern[bytes]:
    """A pattern whose group 1 is each field called one of `names`, folds kept, its last line end not.

    To be used on a line end and the header block behind it. Each name begins with a set of its two cases, which the
    engine looks at before it tries a name (3 us less for each header than IGNORECASE).
    """
    by_letter: dict[str, list[str]] = {}
    for name in names:
        by_letter.setdefault(name[0].lower(), []).append(_either_case(name[1:]))
    starts = (f"[{first.upper()}{first}](?:{'|'.join(rest)})" for first, rest in by_letter.items())
    return re.compile(rf"\n((?:{'|'.join(starts)})[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*)".encode())


def _either_case(text: str) -> str:
    return "".join(f"[{char.upper()}{char.lower()}]" if char.isalpha() else re.escape(char) for char in text)


_IDENTITY = fields_pattern(name.decode() for name in IDENTITY_FIELDS)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
# RFC 2047 section 2, a little lenient: blanks inside Q text are common in the wild.
_WORD = re.compile(rb"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(rb"(\?=)[ \t\r\n]+(?==\?)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_Q_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")

# Everything that could move the cursor, change colours, turn the line round, or take no or unknown width, by
# Unicode's general category; and what is drawn as nothing although its category is that of a letter or a mark.
_SPACES = frozenset("\t\r\n\u2028\u2029")
_REPLACED = frozenset({"Cc", "Cs", "Co", "Cn"})
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
_MARKS = frozenset({"Mn", "Me"})
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MARKS_KEPT = 4  # combining marks on one character; Vietnamese needs 2, ten thousand would eat the line


def header_end(raw: bytes) -> int:
    """Where the last header line of `raw` (LF or CRLF) ends; all of it is header where there is no blank line."""
    if raw.startswith((b"\n", b"\r\n")):
        return 0
    blank = BLANK_LINE.search(raw)
    return blank.start() + 1 if blank else len(raw)


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
    return identity_of_lines(b"\n" + block)


def identity_of_lines(lines: bytes) -> bytes:
    """`identity_fields` of a header block that has a line end in front of it."""
    found: list[bytes] = _IDENTITY.findall(lines)
    text = b"\n".join(found)
    if b"\r" in text:
        text = b"\n".join([one.rstrip(b"\r") for one in found]).replace(b"\r\n", b"\n")
    return text.replace(b"\n", b"\r\n")


def decode(value: bytes) -> str:
    """A raw header value as text for people: unfolded, RFC 2047 words and raw 8-bit text decoded, sanitised."""
    value = _BETWEEN_WORDS.sub(rb"\1", unfold(value))
    parts: list[str] = []
    pending, pending_charset, at = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        charset, content = word[1].decode("ascii", "replace").split("*")[0], _word_bytes(word[2], word[3])
        if between or charset != pending_charset:
            parts.append(text_of(pending, pending_charset))
            pending = b""
        if between:
            parts.append(guess(between))
        # Words of one charset are joined before decoding: many mailers split inside a character.
        pending, pending_charset, at = pending + content, charset, word.end()
    parts.append(text_of(pending, pending_charset))
    parts.append(guess(value[at:]))
    return sanitise("".join(parts))


def sanitise(text: str) -> str:
    """`text` with nothing left that a terminal, a log or a line of a table could act on."""
    if text.isascii():
        return _CONTROL.sub(lambda control: _visible(control[0]), text)
    out: list[str] = []
    marks = 0
    for char in _INVISIBLE.sub("", text):
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        if marks <= _MARKS_KEPT:
            out.append(_visible(char))
    return "".join(out)


def _visible(char: str) -> str:
    if char in _SPACES:
        return " "
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return "\ufffd" if category in _REPLACED else char


def _word_bytes(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"bB":
        letters = _NOT_BASE64.sub(b"", content)
        # One letter alone in the last group of four is no byte; what stands before it is whole.
        letters = letters[:-1] if len(letters) % 4 == 1 else letters
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    return _Q_HEX.sub(lambda hexa: bytes.fromhex(hexa[1].decode()), content.replace(b"_", b" "))
