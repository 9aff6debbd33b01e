"""Reading one mbox file: where its mails are, their sizes in CRLF form, and the bytes of one.

The file is read in chunks, never mapped (a client that compacts it would kill us with SIGBUS) and never as a
whole. hikkoshi.local.from_lines tells what starts a mail. One `>` of `>*From ` at the start of a line is quoting
(mboxrd; in mboxo and in Thunderbird's files `>From ` stands for `From `). A blank before `From ` is no quoting: it is
the space-stuffing of format=flowed (RFC 3676 section 4.4) that the mail was sent with, and Thunderbird itself reads
it as it is. Thunderbird 153 was seen to write mboxrd for mail from POP, copies and sent mail alike, and to read all
this so. hikkoshi.local.content_length tells when a Content-Length is believed.
"""

import os
from collections.abc import Container, Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.local.content_length import chained_mails
from hikkoshi.local.from_lines import LAST_BLANK
from hikkoshi.local.mbox_mail import Extent, unquoted
from hikkoshi.local.mbox_reader import Garbage, Reader, Starts
from hikkoshi.mail.headers import header_end


def starts_of(path: Path, known: Container[int] | None) -> Starts:
    """How it is decided where the mails of a file start; see `Starts` for `known`. Raises `OSError`."""
    return Starts(known, chained_mails(path) if known is None else None)


def scan_extents(
    path: Path,
    on_garbage: Garbage | None = None,
    starts: Starts | None = None,
    part: tuple[int, int | None] = (0, None),
    *,
    sure: bool = False,
) -> Iterator[Extent]:
    """The mails of `extent_batches`, one by one."""
    for batch in extent_batches(path, on_garbage, starts, part, sure=sure):
        yield from batch


def extent_batches(
    path: Path,
    on_garbage: Garbage | None = None,
    starts: Starts | None = None,
    part: tuple[int, int | None] = (0, None),
    *,
    sure: bool = False,
) -> Iterator[list[Extent]]:
    """The mails of a file, or of a `part` of it, in its order; see `Reader` for `part`, `sure` and `on_garbage`.

    Raises `OSError`; `LocalChanged` at the end if the file was changed meanwhile.
    """
    with path.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        starts = starts or starts_of(path, None)
        yield from Reader(file, before.st_size, starts, on_garbage, *part, sure=sure).batches()
        after = path.stat()
        if (before.st_size, before.st_mtime_ns, before.st_ino) != (after.st_size, after.st_mtime_ns, after.st_ino):
            raise LocalChanged(
                _("The file changed while it was read. Nothing of it was taken; refresh to read it again.")
            )


def read_extent(path: Path, place: str) -> bytes:
    """The stored bytes of one mail, its From_ line, its quoting and the blank line behind it taken off.

    Raises `LocalChanged` if no mail begins or ends there any more, `OSError` if the file cannot be read.
    """
    offset, length = map(int, place.split(":"))
    with path.open("rb") as file:
        file.seek(offset)
        raw = file.read(length + 5)
    whole, behind = raw[:length], raw[length:]
    if len(whole) < length or not whole.startswith(b"From ") or (behind and behind != b"From "):
        raise LocalChanged(_("it is no longer where it was in its file; refresh and try again"))
    stored = unquoted(whole.partition(b"\n")[2])
    blank = LAST_BLANK.search(stored)
    if blank and blank.start() + 1 > header_end(stored):
        return stored[: blank.start() + 1]
    return stored


def from_line(path: Path, place: str) -> bytes:
    """The From_ line of a mail, without its line end."""
    with path.open("rb") as file:
        file.seek(int(place.split(":", maxsplit=1)[0]))
        return file.readline(1000).rstrip(b"\r\n")
