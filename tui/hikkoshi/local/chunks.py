"""The stored bytes of one mail in pieces, so that a mail of any size costs a few hundred KiB of memory.

Joined, the pieces are what `LocalStore.read` gives for the same place.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.mail.headers import BLANK_LINE, header_block

CHUNK = 256 * 1024
HEAD = 8 * 1024
"""Pieces for reading a header alone."""

# One `>` of `>*From ` at the start of a line is quoting (see hikkoshi.local.mbox); a piece may begin inside a line.
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_QUOTED_INSIDE = re.compile(rb"(?<=\n)>(?=>*From )")
_PERHAPS_QUOTED = re.compile(rb">+(?:F|Fr|Fro|From)?\Z")
_LAST_BLANK = re.compile(rb"\n\r?\n\Z")
_LONGEST_BLANK = 3


def file_chunks(path: Path, chunk: int = CHUNK) -> Iterator[bytes]:
    """A file's bytes. Raises `OSError`."""
    with path.open("rb") as file:
        while piece := file.read(chunk):
            yield piece


def extent_chunks(path: Path, place: str, chunk: int = CHUNK) -> Iterator[bytes]:
    """One mail of an mbox: its From_ line, its quoting and the blank line behind it taken off.

    Raises `LocalChanged` if no mail begins there any more, and at the end if none ends there; `OSError`.
    """
    yield from _without_last_blank(_unquoted(_extent(path, place, chunk)))


def head(chunks: Iterator[bytes]) -> bytes:
    """The header block at the start of `chunks` (see `hikkoshi.mail.headers.header_block`)."""
    gathered = b""
    for piece in chunks:
        searched = max(0, len(gathered) - 2)
        gathered += piece
        if gathered.startswith((b"\n", b"\r\n")) or BLANK_LINE.search(gathered, searched):
            break
    return header_block(gathered)


def _extent(path: Path, place: str, chunk: int) -> Iterator[bytes]:
    """The bytes behind the From_ line."""
    offset, left = map(int, place.split(":"))
    moved = LocalChanged(_("it is no longer where it was in its file; refresh and try again"))
    with path.open("rb") as file:
        file.seek(offset)
        first = file.readline(left)
        if not first.startswith(b"From "):
            raise moved
        left -= len(first)
        while left:
            piece = file.read(min(left, chunk))
            if not piece:
                raise moved
            left -= len(piece)
            yield piece
        behind = file.read(5)
        if behind and behind != b"From ":
            raise moved


def _unquoted(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest, at_line = b"", True
    for piece in pieces:
        text = rest + piece
        last = text.rfind(b"\n") + 1
        # What may be the start of a quoted line waits for its end.
        cut = last if (last or at_line) and _PERHAPS_QUOTED.match(text, last) else len(text)
        whole, rest = text[:cut], text[cut:]
        if whole:
            yield (_QUOTED if at_line else _QUOTED_INSIDE).sub(b"", whole) if b">From " in whole else whole
            at_line = whole.endswith(b"\n")
    if rest:
        yield rest


def _without_last_blank(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held, given = b"", 0
    header: int | None = None  # where the header ends, once known
    searched = b""
    for piece in pieces:
        if header is None:
            searched = searched[-2:] + piece if given or held else piece
            header = _header_end(searched, given + len(held) - (len(searched) - len(piece)))
        text = held + piece
        keep = max(0, len(text) - _LONGEST_BLANK)
        if keep:
            yield text[:keep]
        held, given = text[keep:], given + keep
    blank = _LAST_BLANK.search(held)
    if blank and header is not None and given + blank.start() + 1 > header:
        held = held[: blank.start() + 1]
    if held:
        yield held


def _header_end(text: bytes, offset: int) -> int | None:
    """Where the header ends if that is in `text`, which stands at `offset` of the mail; None if it comes later."""
    if offset == 0 and text.startswith((b"\n", b"\r\n")):
        return 0
    blank = BLANK_LINE.search(text)
    return offset + blank.start() + 1 if blank else None
