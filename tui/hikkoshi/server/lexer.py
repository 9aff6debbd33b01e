"""Reading IMAP without sockets: bytes in, whole responses and their tokens out (RFC 3501 section 9).

Untrusted input: every length is limited, so that a hostile server cannot eat the memory, and whatever is
no IMAP raises ProtocolBroken.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from hikkoshi.errors import ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.mail.headers import sanitise

MAX_LINE = 1 << 20
"""Bytes of one line; FLAGS and LIST lines have some hundred."""
MAX_RESPONSE = 16 << 20
"""Bytes of one response with its literals, unless a whole mail was asked for."""
_MAX_DEPTH = 32

Parts: TypeAlias = list[bytes]
"""One response: text, literal, text, literal, …, text; without line ends."""
Token: TypeAlias = "bytes | list[Token] | None"  # noqa: S105 - of a grammar
"""An atom, a string (quoted or literal, decoded), NIL, or a parenthesised list."""

# Text in these answers is for people and may end in what looks like a literal.
_FREE_TEXT = re.compile(rb"\* (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)
_LITERAL = re.compile(rb"~?\{(\d{1,12})\}\Z")
_STATUS = re.compile(
    rb"([^\s+]+) (OK|NO|BAD|BYE|PREAUTH)(?: ++\[([^\s\]]++)(?: ++([^\]]*+))?\])?+ *+(.*+)\Z", re.IGNORECASE | re.DOTALL
)
# An atom may hold a section, `BODY[HEADER.FIELDS ("DATE" "FROM")]<0>`, which Courier fills with quotes and blanks.
# Possessive throughout, and no "[" within a section: no input can make it read the same bytes many times.
_TOKEN = re.compile(
    rb" *+(?:"
    rb'(?P<atom>(?:[^ ()"{\[\x00-\x1f]++|\[(?:"[^"]*+"|[^\]\["])*+\]|\[)++)'
    rb'|"(?P<quoted>(?:[^"\\]++|\\.)*+)"'
    rb"|(?P<open>\()|(?P<close>\))"
    rb"|(?P<literal>~?\{\d{1,12}\})\Z)",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def malformed(words: bytes) -> ProtocolBroken:
    """The error for bytes that are no IMAP."""
    return ProtocolBroken(
        _("The server sent something that is no IMAP: {answer}. The connection was closed; please try again.").format(
            answer=sanitise(words[:100].decode("utf-8", "replace")).rstrip(".")
        )
    )


class Framer:
    """Cuts a stream of bytes into responses. `max_response` and `max_line` (bytes) may be changed between them."""

    def __init__(self, max_response: int = MAX_RESPONSE, max_line: int = MAX_LINE) -> None:
        self.max_response = max_response
        self.max_line = max_line
        self._buffer = bytearray()
        self._start = 0  # of what has not been taken yet
        self._searched = 0  # no line end before this
        self._parts: Parts = []
        self._size = 0  # of the parts so far
        self._literal: int | None = None  # bytes of the literal that comes next

    def feed(self, data: bytes) -> None:
        """Take bytes from the server."""
        if self._start:
            del self._buffer[: self._start]
            self._searched -= self._start
            self._start = 0
        self._buffer += data

    def __iter__(self) -> Iterator[Parts]:
        """Every response that is complete by now."""
        while (parts := self.next()) is not None:
            yield parts

    @property
    def partway(self) -> bool:
        """Whether the last bytes taken were the start of a response."""
        return bool(self._parts)

    def rest(self) -> bytes:
        """What was fed and not taken yet, where a response begins; b"" in the middle of one."""
        return b"" if self._parts else bytes(memoryview(self._buffer)[self._start :])

    def skip(self, size: int) -> None:
        """Take `size` bytes of what `rest` gave, whole responses that somebody else has read."""
        self._start += size
        self._searched = self._start

    def next(self) -> Parts | None:
        """The next complete response, None when more bytes are needed."""
        while True:
            if self._literal is not None and not self._take_literal():
                return None
            line = self._take_line()
            if line is None:
                return None
            free_text = not self._parts and (line[:2] != b"* " or _FREE_TEXT.match(line) is not None)
            self._parts.append(line)
            self._size += len(line)
            if line.endswith(b"}") and not free_text and (match := _LITERAL.search(line, max(0, len(line) - 16))):
                self._literal = int(match[1])
            if self._size + (self._literal or 0) > self.max_response:
                raise malformed(line)
            if self._literal is None:
                parts, self._parts, self._size = self._parts, [], 0
                return parts

    def _take_literal(self) -> bool:
        length = self._literal or 0
        end = self._start + length
        if len(self._buffer) < end:
            return False
        with memoryview(self._buffer) as view:
            self._parts.append(bytes(view[self._start : end]))
        self._size += length
        self._start = self._searched = end
        self._literal = None
        return True

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._searched)
        if (len(self._buffer) if end < 0 else end) - self._start > self.max_line:
            raise malformed(bytes(self._buffer[self._start : self._start + 100]))
        if end < 0:
            # The last byte may be the CR of a line end that is still on its way.
            self._searched = max(self._start, len(self._buffer) - 1)
            return None
        line = bytes(self._buffer[self._start : end])
        self._start = self._searched = end + 2
        return line


def tokens(parts: Parts) -> list[Token]:
    """The tokens of a response, its `*` first."""
    top: list[Token] = []
    stack = [top]
    for index in range(0, len(parts), 2):
        text = parts[index]
        at, end = 0, len(text)
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                if text[at:].strip(b" "):
                    raise malformed(text[at:])
                break
            at = match.end()
            _take_token(match, stack, parts, index)
    if len(stack) != 1:
        raise malformed(parts[0])
    return top


def _take_token(match: re.Match[bytes], stack: list[list[Token]], parts: Parts, index: int) -> None:
    kind = match.lastgroup
    if kind == "atom":
        atom = match["atom"]
        stack[-1].append(None if atom.upper() == b"NIL" else atom)
    elif kind == "quoted":
        quoted = match["quoted"]
        stack[-1].append(_ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
    elif kind == "literal":
        if index + 1 >= len(parts):
            raise malformed(parts[index])
        stack[-1].append(parts[index + 1])
    elif kind == "open":
        inner: list[Token] = []
        stack[-1].append(inner)
        stack.append(inner)
        if len(stack) > _MAX_DEPTH:
            raise malformed(parts[0])
    else:
        stack.pop()
        if not stack:
            raise malformed(parts[0])


class Status(msgspec.Struct, frozen=True):
    """OK, NO, BAD, BYE or PREAUTH (RFC 3501 section 7.1).

    `tag`: b"*" where untagged. `kind` and `code` (without brackets, '' for none) are upper case; `argument`
    is what follows the code inside the brackets; `words` is the text for people.
    """

    tag: bytes
    kind: str
    code: str
    argument: bytes
    words: bytes


def status(line: bytes) -> Status | None:
    """The status response in `line`, None if it is none."""
    match = _STATUS.match(line)
    if match is None:
        return None
    tag, kind, code, argument, words = match.groups()
    return Status(
        tag,
        kind.decode("ascii").upper(),
        (code or b"").decode("ascii", "replace").upper(),
        argument or b"",
        (words or b"").strip(),
    )


def number(token: Token) -> int | None:
    """The number that a token stands for (RFC 3501 `number`, RFC 9051 `number64`: of 63 bits), None if it is none."""
    if isinstance(token, bytes) and token.isdigit() and len(token) < 20:
        value = int(token)
        return value if value < 1 << 63 else None
    return None
