"""What a client sends, cut into its commands: their lines and their literals, as they come."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LITERAL = re.compile(rb"\{(\d+)([+-]?)\}\r\n\Z")
_RAW = (b"STARTTLS", b"COMPRESS")
"""Behind these come bytes that are no commands."""
_WITH_ANSWER = 4
"""Words of an AUTHENTICATE with its first answer: tag, verb, mechanism, answer."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its tag, and its first line with the line end."""

    tag: bytes
    line: bytes

    @property
    def verb(self) -> bytes:
        """`APPEND`, `UID FETCH`, …"""
        words = [word.upper() for word in self.line.split(None, 3)]
        return b" ".join(words[1:3] if words[1:2] == [b"UID"] else words[1:2])


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or as much of a literal as came. `at`: where in the client's stream it begins.

    `announced`: bytes of the literal that follows a line, None where none does; `waits`: the client waits for a go-ahead
    before it. `ends`: the command is over behind it. `command` None: bytes that are no commands.
    """

    data: bytes
    at: int
    command: Command | None = None
    literal: bool = False
    announced: int | None = None
    waits: bool = False
    ends: bool = False

    @property
    def begins(self) -> bool:
        """Whether it is the first line of its command."""
        return self.command is not None and not self.literal and self.data == self.command.line


class CommandReader:
    """Follows one client."""

    def __init__(self) -> None:
        self._at = 0
        self._left = 0
        self._line = b""
        self._command: Command | None = None
        self._waiting: Command | None = None
        self._raw = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are whole now; a line that has not come to its end is kept until it has."""
        if not self._at and data[:1] == b"\x16":  # a TLS handshake
            self._raw = True
        while data:
            if self._raw:
                yield self._piece(data)
                return
            if self._left:
                part, data = data[: self._left], data[self._left :]
                self._left -= len(part)
                self._waiting = None
                yield self._piece(part, literal=True)
                continue
            line, feed, data = data.partition(b"\n")
            self._line += line + feed
            if feed:
                yield self._whole_line()

    def answered(self, tag: bytes) -> None:
        """Note that the server has ended a command: a literal that waits for its go-ahead will not come then."""
        if self._waiting is not None and self._waiting.tag == tag:
            self._left, self._command, self._waiting = 0, None, None

    def _whole_line(self) -> Piece:
        line, self._line = self._line, b""
        if self._command is None:
            self._command = Command(line.split(b" ", 1)[0], line)
        literal = _LITERAL.search(line)
        if literal:
            self._left = int(literal[1])
            self._waiting = None if literal[2] else self._command
            return self._piece(line, announced=self._left, waits=not literal[2])
        piece = self._piece(line, ends=True)
        # With its first answer on the line (SASL-IR, RFC 4959) nothing is sent behind it.
        self._raw = self._command.verb in _RAW and len(line.split()) < _WITH_ANSWER
        self._command = None
        return piece

    def _piece(
        self,
        data: bytes,
        *,
        literal: bool = False,
        announced: int | None = None,
        waits: bool = False,
        ends: bool = False,
    ) -> Piece:
        at, self._at = self._at, self._at + len(data)
        return Piece(data, at, None if self._raw else self._command, literal, announced, waits, ends)
