"""Raw 8-bit header text as encoded words (RFC 2047), which decode to the very same bytes.

Encoded words are put only where section 5 of the RFC allows them: in unstructured fields, in comments, and in the phrases
of address fields. What stands elsewhere (an address, a parameter, a field's name) is left as it is. Of a quoted string in
a phrase the text inside the quotes is what the encoded words stand for.
"""

import base64
import codecs
import re
from collections.abc import Iterator

import msgspec

from hikkoshi.mail.charsets import charset_of

_FIELD = re.compile(rb"^([!-9;-~]+)([ \t]*:)([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_ADDRESSES = frozenset(
    name.encode()
    for name in (
        "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-reply-to", "resent-to",
        "resent-cc", "resent-bcc", "disposition-notification-to", "return-receipt-to", "x-confirm-reading-to", "errors-to",
        "mail-followup-to", "mail-reply-to", "apparently-to", "list-id", "keywords",
    )
)  # fmt: skip
"""Fields of addresses, and those of phrases like them."""
_STRUCTURED = frozenset(
    name.encode()
    for name in (
        "received", "date", "resent-date", "message-id", "resent-message-id", "in-reply-to", "references", "return-path",
        "delivered-to", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
        "content-language", "content-location", "content-md5", "dkim-signature", "domainkey-signature", "arc-seal",
        "arc-message-signature", "arc-authentication-results", "authentication-results", "received-spf", "auto-submitted",
        "list-unsubscribe", "list-subscribe", "list-post", "list-help", "list-owner", "list-archive",
    )
)  # fmt: skip
"""Fields in whose comments alone an encoded word may stand."""

_WS = rb"(?:(?:\r\n)?[ \t]+)+"
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TEXT = re.compile(rb"(?P<ws>" + _WS + rb")|(?P<word>(?:(?!\r\n)[^ \t])+)", re.DOTALL)
_ADDRESS = re.compile(
    rb"(?P<ws>" + _WS + rb""")|(?P<open>["(<])|(?P<end>[,;:])|(?P<word>(?:(?!\r\n)[^ \t",;:<(])+|.)""",
    re.DOTALL,
)
_OUTSIDE_COMMENTS = re.compile(rb"""(?P<open>["(])|(?P<other>[^"(]+)""")
_COMMENT = re.compile(rb"(?P<ws>" + _WS + rb")|(?P<paren>[()])|(?P<word>(?:\\.|(?!\r\n)[^ \t()\\])+|.)", re.DOTALL)
_PARENS = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")

_SHIFT_JIS = ("shift_jis", "windows-31j")
_LINE = 76
"""RFC 2047 section 2: the longest line with an encoded word in it; a word is one shorter."""
_SHORTEST = 12  # bytes of text; with less room a word goes onto the next line


class _Piece(msgspec.Struct, frozen=True):
    """A part of a value: white space, a word, or what is left as it is ('other').

    `raw`: as it stands; `text`: what it says, without quotes, escapes and folds.
    """

    kind: str
    raw: bytes
    text: bytes = b""

    @property
    def eight_bit(self) -> bool:
        """Whether it is to be encoded."""
        return self.kind == "word" and not self.raw.isascii()

    @property
    def encoded(self) -> bool:
        """Whether it is an encoded word already: the white space between two of them is not shown."""
        return self.kind == "word" and bool(_ENCODED_WORD.search(self.raw))


class _Value(msgspec.Struct, frozen=True):
    """A field's value, raw, and the same with every byte of a character of several bytes as 0x80.

    In Shift_JIS the second byte may be a backslash, an @ or a bracket.
    """

    raw: bytes
    masked: bytes

    def part(self, start: int, end: int) -> "_Value":
        return _Value(self.raw[start:end], self.masked[start:end])

    def text(self) -> bytes:
        """Without escapes and folds."""
        at, parts = 0, []
        for escape in _ESCAPE.finditer(self.masked):
            parts.append(self.raw[at : escape.start()])
            at = escape.start() + 1
        return _FOLD.sub(b"", b"".join(parts) + self.raw[at:])


def encoded_header(header: bytes) -> bytes:
    """A header block (CRLF) with its raw 8-bit text as encoded words, where these may stand; the rest as it is."""
    return header if header.isascii() else _FIELD.sub(_encoded_field, header)


def _encoded_field(field: re.Match[bytes]) -> bytes:
    name, colon, value = field[1], field[2], field[3]
    if value.isascii():
        return field[0]
    end = b"\r" if value.endswith(b"\r") else b""
    value = value.removesuffix(b"\r")
    charset = charset_of(value)
    whole = _Value(value, _masked(value, charset))
    if name.lower() in _ADDRESSES:
        pieces = list(_address_pieces(whole))
    elif name.lower() in _STRUCTURED:
        pieces = list(_structured_pieces(whole))
    else:
        pieces = list(_text_pieces(whole))
    return name + colon + _written(pieces, charset, len(name + colon)) + end


def _text_pieces(value: _Value) -> Iterator[_Piece]:
    for match in _TEXT.finditer(value.masked):
        raw = value.raw[match.start() : match.end()]
        yield _Piece(str(match.lastgroup), raw, raw)


def _structured_pieces(value: _Value) -> Iterator[_Piece]:
    closing = _Closing(value.masked)
    at = 0
    while match := _OUTSIDE_COMMENTS.match(value.masked, at):
        start, at = match.span()
        end = closing.of(start) if match.lastgroup == "open" else 0
        at = end or at
        if end and match[0] == b"(":
            yield from _comment_pieces(value.part(start, end))
        else:
            yield _Piece("other", value.raw[start:at])


class _Closing:
    """Where comments, quoted strings and angle addresses end.

    Once one is not closed no further one of its kind is looked for: a row of opening brackets would take forever.
    """

    def __init__(self, masked: bytes) -> None:
        self._masked = masked
        self._unclosed: set[bytes] = set()

    def of(self, start: int) -> int:
        """Behind what is opened at `start`; 0 where it is not closed."""
        opened = self._masked[start : start + 1]
        if opened in self._unclosed:
            return 0
        if opened == b'"':
            quoted = _QUOTED.match(self._masked, start)
            end = quoted.end() if quoted else 0
        elif opened == b"<":
            end = self._masked.find(b">", start) + 1
        else:
            end = _comment_end(self._masked, start)
        if not end:
            self._unclosed.add(opened)
        return end


def _comment_end(masked: bytes, start: int) -> int:
    depth = 0
    for match in _PARENS.finditer(masked, start):
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    return 0


def _comment_pieces(value: _Value) -> Iterator[_Piece]:
    for match in _COMMENT.finditer(value.masked):
        part = value.part(match.start(), match.end())
        kind = "other" if match.lastgroup == "paren" else str(match.lastgroup)
        yield _Piece(kind, part.raw, part.text())


def _address_pieces(value: _Value) -> Iterator[_Piece]:
    """The pieces of a list of addresses; the words that are no part of a phrase are 'other'."""
    segment: list[_Piece] = []
    closing = _Closing(value.masked)
    at = 0
    while match := _ADDRESS.match(value.masked, at):
        (start, at), kind = match.span(), str(match.lastgroup)
        end = closing.of(start) if kind == "open" else 0
        at = end or at
        part = value.part(start, at)
        if kind == "end":
            yield from _segment_pieces(segment)
            yield _Piece("other", part.raw)
            segment = []
        elif not end:
            segment.append(_Piece("ws" if kind == "ws" else "phrase", part.raw, part.raw))
        elif match[0] == b"(":
            segment += _comment_pieces(part)
        elif match[0] == b"<":
            segment.append(_Piece("angle", part.raw))
        else:
            segment.append(_Piece("phrase", part.raw, value.part(start + 1, at - 1).text()))
    yield from _segment_pieces(segment)


def _segment_pieces(segment: list[_Piece]) -> Iterator[_Piece]:
    """One address, or the name of a group: its phrase is what stands before the <…>, or all where it has no @."""
    angle = next((number for number, piece in enumerate(segment) if piece.kind == "angle"), None)
    if angle is None:
        angle = 0 if any(piece.kind == "phrase" and b"@" in piece.raw for piece in segment) else len(segment)
    for number, piece in enumerate(segment):
        if piece.kind == "phrase":
            yield _Piece("word" if number < angle else "other", piece.raw, piece.text)
        else:
            yield _Piece("other", piece.raw) if piece.kind == "angle" else piece


def _written(pieces: list[_Piece], charset: str, column: int) -> bytes:
    """The value with each run of 8-bit words, and the white space between these, as encoded words."""
    pieces = _glued(pieces)
    out = bytearray()
    number = 0
    while number < len(pieces):
        if not pieces[number].eight_bit:
            out += pieces[number].raw
            number += 1
            continue
        last = number
        while _follows(pieces, last, eight_bit=True):
            last += 2
        text = b"".join(_FOLD.sub(b"", piece.text) for piece in pieces[number : last + 1])
        before, after = _taken(pieces, number), b""
        if _follows(pieces, last, eight_bit=False) and pieces[last + 2].encoded:
            after = _FOLD.sub(b"", pieces[last + 1].raw)
        _write_words(out, before + text + after, charset, column)
        number = last + 1
        if number < len(pieces) and pieces[number].kind != "ws" and not pieces[number].raw.startswith(b")"):
            out += b" "
    return bytes(out)


def _glued(pieces: list[_Piece]) -> list[_Piece]:
    """Words with nothing between them as one, where one of them is to be encoded."""
    out: list[_Piece] = []
    for piece in pieces:
        if out and piece.kind == "word" == out[-1].kind and (piece.eight_bit or out[-1].eight_bit):
            out[-1] = _Piece("word", out[-1].raw + piece.raw, out[-1].text + piece.text)
        else:
            out.append(piece)
    return out


def _follows(pieces: list[_Piece], number: int, *, eight_bit: bool) -> bool:
    """Whether white space and another word follow."""
    if number + 2 >= len(pieces) or pieces[number + 1].kind != "ws" or pieces[number + 2].kind != "word":
        return False
    return pieces[number + 2].eight_bit or not eight_bit


def _taken(pieces: list[_Piece], number: int) -> bytes:
    """The white space before a word, which has to be encoded with it where an encoded word stands before that."""
    if number >= 2 and pieces[number - 1].kind == "ws" and pieces[number - 2].encoded:
        return _FOLD.sub(b"", pieces[number - 1].raw)
    return b""


def _write_words(out: bytearray, text: bytes, charset: str, column: int) -> None:
    """Add encoded words to a value that begins at `column` of its line, folding where a line would get too long."""
    if not out or out[-1:] not in b" \t(":
        out += b" "
    used = len(out) - out.rfind(b"\n") - 1 + (0 if b"\n" in out else column)
    overhead = len(f"=?{charset}?B??=")
    if used + overhead + 4 * _SHORTEST // 3 > _LINE:
        _fold_at_end(out)
        used = len(out) - out.rfind(b"\n") - 1 + (0 if b"\n" in out else column)
    word = b""
    room = max(_SHORTEST, (_LINE - used - overhead) // 4 * 3)
    for unit in _units(text, charset):
        if word and len(word) + len(unit) > room:
            out += b"=?%s?B?%s?=\r\n " % (charset.encode(), base64.b64encode(word))
            word, room = b"", (_LINE - 1 - overhead) // 4 * 3
        word += unit
    out += b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(word))


def _fold_at_end(out: bytearray) -> None:
    """Begin a new line with the white space at the end of `out`, unless it begins one already."""
    text = bytes(out)
    kept = text.rstrip(b" \t")
    if len(kept) < len(text) and not kept.endswith(b"\n"):
        out[len(kept) :] = b"\r\n" + text[len(kept) :]


def _units(text: bytes, charset: str) -> Iterator[bytes]:
    """The characters of a text; RFC 2047 section 5: none may be split between two words."""
    decoder = codecs.getincrementaldecoder("cp932" if charset in _SHIFT_JIS else charset)()
    start = 0
    for at in range(1, len(text) + 1):
        if decoder.decode(text[at - 1 : at]):
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


def _masked(value: bytes, charset: str) -> bytes:
    if charset not in _SHIFT_JIS:
        return value
    return b"".join(unit if len(unit) == 1 else b"\x80" * len(unit) for unit in _units(value, charset))
