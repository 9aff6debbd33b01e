"""The mbox reader as it was before speed counted: the slow twin that hikkoshi.local.mbox must agree with."""

import os
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path
from typing import BinaryIO

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.mail.bookkeeping import crlf_size, upload_size

CHUNK = 4 * 1024 * 1024
_AHEAD = 64 * 1024
"""Bytes behind a From_ line that are in the buffer before it is judged: its own line and two header lines."""

_LONGEST_LINE = 4 * CHUNK

_HEADER_LINE = rb"[!-9;-~]+[ \t]*:[^\n]*\n"
_CLASSIC = re.compile(
    rb"From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d +\d{1,2}:\d{2}(?::\d{2})? (?:[A-Z]{3,4} )?\d{4}(?: [+-]\d{4})?\r?\n"
)
_TWO_HEADERS = re.compile(rb"From [^\n]*\n" + _HEADER_LINE + rb"(?:" + _HEADER_LINE + rb"|[ \t]+\S[^\n]*\n)")
_FILE_START = b"\n\n"
"""What stands in front of the first byte, as far as boundaries are concerned."""
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LAST_BLANK = re.compile(rb"\n\r?\n\Z")


@dataclass(slots=True)
class Extent:
    """One mail in the file: from its From_ line at `offset` (bytes) over `length` bytes to the next one's.

    `header` is its header block as stored, unquoted; `size` its bytes in CRLF form without bookkeeping headers;
    `from_line` the separator without its line end; `cut`: the file ends in the middle of it.
    """

    offset: int
    length: int
    from_line: bytes
    header: bytes
    size: int
    cut: bool = False

    @property
    def place(self) -> str:
        """Where it is, for `read_extent`."""
        return f"{self.offset}:{self.length}"


@dataclass(slots=True)
class _Gathered:
    """What is known of the mail that is being read: its header behind a line end, and sums over its body."""

    offset: int
    from_line: bytes = b""
    header: bytearray = field(default_factory=lambda: bytearray(b"\n"))
    in_header: bool = True
    body_size: int = 0
    length: int = 0
    tail: bytes = b""

    def feed(self, piece: bytes) -> None:
        """Take a piece that ends at a line's end, but for the last one of the file."""
        if not self.length:
            line, newline, rest = piece.partition(b"\n")
            self.from_line, self.length = line.removesuffix(b"\r"), len(line) + len(newline)
            piece = rest
        self.length += len(piece)
        self.tail = (self.tail + piece)[-4:]
        if b">From " in piece:
            piece = _QUOTED.sub(b"", piece)
        if self.in_header:
            # Only what is new is searched: a header may be a hole of NULs as long as the file.
            searched = max(0, len(self.header) - 2)
            self.header += piece
            blank = _BLANK_LINE.search(self.header, searched)
            if not blank:
                return
            end = blank.start() + 1
            piece = bytes(self.header[end:])
            del self.header[end:]
            self.in_header = False
        self.body_size += crlf_size(piece)

    def extent(self, *, cut: bool) -> Extent:
        """The mail, once all of it has been fed."""
        header = bytes(self.header[1:])
        size = upload_size(header, mbox=True) + self.body_size
        # The blank line that ends a header stands in `body_size`; it is no separator.
        if _LAST_BLANK.search(self.tail) and self.body_size > 2:
            size -= 2
        return Extent(self.offset, self.length, self.from_line, header, size, cut)


def scan_extents(
    path: Path, on_garbage: Callable[[int], None] | None = None, known: Container[int] | None = None
) -> Iterator[Extent]:
    """The mails of a file, in its order. `on_garbage` hears how many bytes in front belong to no mail.

    `known`: offsets at which a mail starts for certain, from a summary of the file; elsewhere only Thunderbird's
    own rule counts then, for it would have seen a mail there too.

    Raises `OSError`; `LocalChanged` at the end if the file was changed meanwhile.
    """
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        mail: _Gathered | None = None
        last = b"\n"
        for offset, piece, starts in _pieces(file, known):
            if starts:
                if mail:
                    yield mail.extent(cut=False)
                mail = _Gathered(offset)
            if mail:
                mail.feed(piece)
            elif on_garbage and piece.strip(b"\r\n \t\0"):
                on_garbage(len(piece))
            last = piece[-1:]
        if mail:
            yield mail.extent(cut=last != b"\n")
        after = path.stat()
        if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
            raise LocalChanged(
                _("The file changed while it was read. Nothing of it was taken; refresh to read it again.")
            )


def _pieces(file: BinaryIO, known: Container[int] | None) -> Iterator[tuple[int, bytes, bool]]:
    """(offset, bytes, whether a mail starts here): the file cut at mail boundaries, and between lines otherwise."""
    buffer, at, context = b"", 0, _FILE_START
    end_of_file = False
    while not end_of_file:
        chunk = file.read(CHUNK)
        end_of_file = not chunk
        buffer += chunk
        safe = len(buffer) if end_of_file else len(buffer) - _AHEAD
        if safe <= 0:
            continue
        done = 0
        starts = False
        for position in _boundaries(buffer, context, safe, at, known):
            if position > done:
                yield at + done, buffer[done:position], starts
            done, starts = position, True
        # What is handed on ends at a line's end; a line longer than the buffer waits for its end.
        cut = len(buffer) if end_of_file else buffer.rfind(b"\n", done, safe) + 1
        if not cut and len(buffer) > _LONGEST_LINE:
            # No text: a hole of NULs that a crash left, for example. It is handed on in pieces.
            cut = safe - (buffer[safe - 1 : safe] == b"\r")
        if cut > done:
            yield at + done, buffer[done:cut], starts
            done = cut
        context = (context + buffer[:done])[-3:]
        buffer, at = buffer[done:], at + done


def _boundaries(buffer: bytes, context: bytes, safe: int, at: int, known: Container[int] | None) -> Iterator[int]:
    """Where mails start in `buffer`, before `safe`; `context`: the three bytes in front of it, at offset `at`."""
    for position in merge(_at_lines(buffer, context, safe), _behind_holes(buffer, context, safe)):
        if known is None:
            found = _starts_mail(buffer, context, position)
        else:
            found = at + position in known or bool(_TWO_HEADERS.match(buffer, position))
        if found:
            yield position


def _at_lines(buffer: bytes, context: bytes, safe: int) -> Iterator[int]:
    """Where a line begins with `From `."""
    start = 0
    while (position := _next_from(buffer, context, start)) is not None and position < safe:
        yield position
        start = position + 5


def _behind_holes(buffer: bytes, context: bytes, safe: int) -> Iterator[int]:
    """Where `From ` stands right behind NULs: a crash may have left a hole where the line end was."""
    if context.endswith(b"\0") and buffer.startswith(b"From ") and safe > 0:
        yield 0
    position = buffer.find(b"\0From ")
    while 0 <= position < safe - 1:
        yield position + 1
        position = buffer.find(b"\0From ", position + 1)


def _next_from(buffer: bytes, context: bytes, start: int) -> int | None:
    if start == 0 and context.endswith(b"\n") and buffer.startswith(b"From "):
        return 0
    found = buffer.find(b"\nFrom ", max(0, start - 1))
    return found + 1 if found >= 0 else None


def _starts_mail(buffer: bytes, context: bytes, position: int) -> bool:
    if context == _FILE_START and position == 0:
        return True
    if _TWO_HEADERS.match(buffer, position):
        return True
    before = (context + buffer[max(0, position - 3) : position])[-3:]
    blank = before.endswith((b"\n\n", b"\n\r\n", b"\0"))
    return blank and bool(_CLASSIC.match(buffer, position))
