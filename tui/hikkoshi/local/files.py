"""Mails in files of their own: the flags in Maildir's names, and what is in a file."""

import os
import re
from functools import lru_cache
from pathlib import Path

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.local.mbox_folder import is_foreign
from hikkoshi.local.msf import Summary, read_summary, summary_stamp
from hikkoshi.local.source import Source
from hikkoshi.local.standing import Standing, standing_of_fields
from hikkoshi.mail.bookkeeping import bookkeeping_fields, crlf_size, dropped_size
from hikkoshi.mail.dates import internal_date
from hikkoshi.mail.flags import DELETED, maildir_flags
from hikkoshi.mail.headers import BLANK_LINE, header_end, identity_fields
from hikkoshi.mail.message import Message, Problem

INFO = re.compile(r"[:;!]2,([A-Za-z]*)$")
"""The flags at the end of a Maildir file's name."""

_THUNDERBIRD_SUFFIX = ".eml"
_CHUNK = 64 * 1024
"""Bytes asked for at once: a small file takes 12 us with up to 128 KiB, and 24 with 256 (2 KB each, in the page cache)."""
_PLAIN = Standing()
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def name_flags(place: str, keywords: dict[str, str]) -> frozenset[str] | None:
    """The flags in a Maildir file's name; None where it has no flags. `keywords`: by letter (Dovecot's)."""
    info = INFO.search(place)
    if not info:
        return None
    letters = info[1] if place.startswith("cur/") else ""
    flags = _flags(letters)
    return flags.union(keywords[letter] for letter in letters if letter in keywords) if keywords else flags


@lru_cache(maxsize=1024)
def _flags(letters: str) -> frozenset[str]:
    return maildir_flags(letters)


def read_file(source: Source, place: str, keywords: dict[str, str], problems: list[Problem]) -> Message | None:
    """The mail in a file; None if it waits to be deleted, is not ours, or cannot be read (then it is a problem).

    Raises `LocalChanged` where a Maildir's file was renamed since it was listed.
    """
    try:
        return _message(source, place, keywords)
    except FileNotFoundError as error:
        if not Path(source.native, place).is_symlink():
            if source.thunderbird:
                return None  # removed since the listing; the stamp has changed, so the next look sees it
            # Its flags changed: to pass over it would call it missing.
            text = _("The folder changed while it was read. Nothing of it was taken; refresh to read it again.")
            raise LocalChanged(text) from None
        problems.append(_unreadable(source, place, error))
    except OSError as error:
        problems.append(_unreadable(source, place, error))
    return None


def _unreadable(source: Source, place: str, error: OSError) -> Problem:
    text = _("A mail's file cannot be read ({reason}): {name}")
    return Problem(source.name, text.format(reason=error.strerror, name=place.rpartition("/")[2]))


def _message(source: Source, place: str, keywords: dict[str, str]) -> Message | None:
    flags = None if source.thunderbird else name_flags(place, keywords)
    if flags is not None and DELETED in flags:
        return None
    path = f"{source.native}/{place}"
    header, size = header_and_size(path)
    bookkeeping = bookkeeping_fields(header, mbox=False)
    if bookkeeping:
        size -= dropped_size(header, bookkeeping)
    if flags is not None:
        standing = Standing(flags)
    elif source.thunderbird or place.endswith(_THUNDERBIRD_SUFFIX):
        standing = _listed(source, place) or standing_of_fields(bookkeeping)
    else:
        standing = _PLAIN
    if not standing.live or (source.foreign and is_foreign(header, source.foreign)):
        return None
    dated = internal_date(header, sent=source.sent, from_line=None, mtime=None)
    when = dated.when if dated else _file_date(path)
    return Message(place, size, standing.flags, when, identity_fields(header), standing.partial)


def _file_date(path: str) -> int | None:
    dated = internal_date(b"", sent=False, from_line=None, mtime=os.stat(path).st_mtime)  # noqa: PTH116 - no Path for each
    return dated.when if dated else None


def _listed(source: Source, place: str) -> Standing | None:
    """What the summary of a Thunderbird folder says of a file. No size or time ties the two together."""
    if not source.summaries:
        return None
    summary = _summary(source.native, summary_stamp(source.path))
    return summary.standings.get(place.rpartition("/")[2]) if summary else None


@lru_cache(maxsize=1)
def _summary(native: str, _state: str) -> Summary | None:
    return read_summary(Path(native))


def header_and_size(path: str) -> tuple[bytes, int]:
    """(header block, bytes of the whole in CRLF form) of a file, of which only the header is held. Raises `OSError`."""
    file = os.open(path, _READ)
    try:
        piece = os.read(file, _CHUNK)
        return _large(file, piece) if len(piece) == _CHUNK else (piece[: header_end(piece)], crlf_size(piece))
    finally:
        os.close(file)


def _large(file: int, piece: bytes) -> tuple[bytes, int]:
    header, whole = b"", False
    size = 0
    last = b""
    while piece:
        size += crlf_size(piece)
        if last == b"\r" and piece.startswith(b"\n"):
            size -= 1
        if not whole:
            searched = max(0, len(header) - 2)
            header += piece
            whole = header.startswith((b"\n", b"\r\n")) or BLANK_LINE.search(header, searched) is not None
        last = piece[-1:]
        piece = os.read(file, _CHUNK)
    return header[: header_end(header)], size
