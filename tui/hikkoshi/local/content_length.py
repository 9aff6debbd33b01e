"""Content-Length in an mbox: when it is believed.

Mboxes of the kinds mboxcl and mboxcl2 say in each mail how long its body is, so that a `From ` at the start of a
body line may stay as it is. But many clients keep the Content-Length that the sender wrote, and a sender may write
one that swallows the mails behind his own. So it is believed only where it proves true: it leads exactly to a
From_ line by one of the two rules, with or without a blank line in front of it, or to the end of the file. And then:

- Within one mail it makes body text of From_ lines by the classic rule alone (what stands behind them is no header).
  A real mail has two header lines, so none can be hidden that way. If a From_ line by Thunderbird's rule lies
  before its end, it is not believed.
- Over From_ lines by Thunderbird's rule it is believed only if the whole file shows itself as mboxcl: from its first
  byte to its last, each mail leads by its own Content-Length exactly to the next one, and none has Thunderbird's
  X-Mozilla-Status. To hide a mail in a file of another kind, a sender would have to have written every mail of it
  that is not hidden.
"""

import os
import re
from array import array
from pathlib import Path

from hikkoshi.local.from_lines import AHEAD, FILE_START, from_words, has_two_headers, is_classic
from hikkoshi.mail.headers import BLANK_LINE, fields_pattern

_FIRST = 4096  # bytes that hold nearly every header; more are read where they do not
_LENGTH = fields_pattern(("Content-Length",))
_MOZILLA = fields_pattern(("X-Mozilla-Status",))
_NUMBER = re.compile(rb"\s*(\d{1,15})\s*\Z")
_LINE_ENDS = (b"", b"\n", b"\r\n")


def content_length(header: bytes) -> int | None:
    """The bytes of the body by the header's only Content-Length; None where there is none, or several."""
    found = _LENGTH.findall(b"\n" + header)
    number = _NUMBER.match(found[0].partition(b":")[2]) if len(found) == 1 else None
    return int(number[1]) if number else None


def next_mail(file: int, size: int, end: int) -> int | None:
    """Where the next mail begins if a body ends exactly at `end`: `size` at the end of the file, None if it does not.

    `file`: a descriptor; `size` of the file in bytes. Raises `OSError`.
    """
    if end > size:
        return None
    start = max(0, end - 3)
    text = _read_at(file, AHEAD + 8, start)
    at = end - start
    for line_end in _LINE_ENDS:
        position = at + len(line_end)
        if not text.startswith(line_end, at):
            continue
        if start + position == size:
            return size
        if text[position - 1 : position + 5] == b"\nFrom " and (
            has_two_headers(text, position) or is_classic(text, b"", position)
        ):
            return start + position
    return None


def believed_end(file: int, size: int, header: bytes, body: int, found: int) -> int:
    """Where the mail ends that has a classic From_ line at `found`, if its Content-Length makes that body text, else 0.

    `body`: where its body begins, behind the blank line. Raises `OSError`.
    """
    length = content_length(header)
    end = None if length is None or body + length <= found else next_mail(file, size, body + length)
    if end is None:
        return 0
    at, context = found, FILE_START
    while at < end:
        text = _read_at(file, 1024 * 1024, at)
        if not text:
            return 0
        safe = min(len(text) if at + len(text) >= size else len(text) - AHEAD, end - at)
        for position in from_words(text, 0, safe):
            before = text[position - 1 : position] or context[-1:]
            if before in (b"\n", b"\0") and has_two_headers(text, position):
                return 0
        context = text[max(0, safe - 3) : safe]
        at += safe
    return end


def chained_mails(path: Path) -> "array[int] | None":
    """The offsets of all mails, if the file shows itself as mboxcl by the rule above; else None. Raises `OSError`.

    It is given up at the first mail that does not fit: a file of another kind costs the reading of one header.
    """
    offsets = array("Q")
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()
        size = os.fstat(descriptor).st_size
        at = 0
        while at < size:
            end = _end_of_mail(descriptor, size, at)
            if end is None:
                return None
            offsets.append(at)
            at = end
    return offsets if len(offsets) else None


def first_is_chained(path: Path) -> bool:
    """Whether the first mail of a file leads to the next one as in an mboxcl. Raises `OSError`."""
    with path.open("rb", buffering=0) as file:
        return _end_of_mail(file.fileno(), os.fstat(file.fileno()).st_size, 0) is not None


def _end_of_mail(file: int, size: int, at: int) -> int | None:
    wanted = _FIRST
    while True:
        text = _read_at(file, wanted, at)
        blank = BLANK_LINE.search(text)
        if blank or len(text) < wanted or wanted > AHEAD:
            break
        wanted *= 4
    if not blank or not text.startswith(b"From "):
        return None
    header = text[text.find(b"\n") + 1 : blank.start() + 1]
    length = content_length(header)
    if length is None or _MOZILLA.search(b"\n" + header):
        return None
    return next_mail(file, size, at + blank.end() + length)


def _read_at(file: int, count: int, offset: int) -> bytes:
    """Up to `count` bytes at `offset`; where the file is read on meanwhile by others does not change."""
    if hasattr(os, "pread"):
        return os.pread(file, count, offset)
    before = os.lseek(file, 0, os.SEEK_CUR)
    try:
        os.lseek(file, offset, os.SEEK_SET)
        return os.read(file, count)
    finally:
        os.lseek(file, before, os.SEEK_SET)
