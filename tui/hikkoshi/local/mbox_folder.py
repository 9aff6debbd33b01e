"""An mbox file as a folder of mail: which of its mails are live, their flags and dates."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from hikkoshi.i18n import _
from hikkoshi.local.mbox import extent_batches
from hikkoshi.local.mbox_mail import Extent
from hikkoshi.local.mbox_reader import Starts
from hikkoshi.local.msf import Summary
from hikkoshi.local.standing import GONE, standing_of_fields
from hikkoshi.mail.dates import date_of_lines
from hikkoshi.mail.headers import decode, field, identity_of_lines
from hikkoshi.mail.message import Message, Problem


class Counts(msgspec.Struct):
    """What is counted while an mbox is read: bytes in front that belong to no mail."""

    garbage: int = 0

    def note_garbage(self, size: int) -> None:
        """Count bytes in front."""
        self.garbage += size


def file_state(path: Path) -> str:
    """A text that changes whenever a file is written to, as far as its size, time and inode tell. Raises `OSError`."""
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def mbox_batches(
    path: Path,
    name: str,
    problems: list[Problem],
    counts: Counts,
    starts: Starts,
    *,
    summary: Summary | None,
    sent: bool,
    foreign: frozenset[str],
    part: tuple[int, int | None] = (0, None),
    sure: bool = False,
) -> Iterator[list[Message]]:
    """The live mail of an mbox, or of a part of it, some at a time; `name` is its folder's, for problems.

    `summary` gives flags and liveness, else the headers do. See `hikkoshi.local.units` for the rest.
    """
    mtime = path.stat().st_mtime
    standings = summary.standings if summary else None
    for extents in extent_batches(path, counts.note_garbage, starts, part, sure=sure):
        messages = []
        for extent in extents:
            fields, lines = extent.bookkeeping, extent.lines
            standing = standings.get(str(extent.offset), GONE) if standings is not None else standing_of_fields(fields)
            if not standing.live or (foreign and is_foreign(extent.header, foreign)):
                continue
            if fields and _is_internal(extent):
                continue
            if extent.cut:
                problems.append(_cut_problem(name, extent))
            dated = date_of_lines(lines, sent, extent.from_line, mtime)
            messages.append(
                Message(
                    f"{extent.offset}:{extent.length}",
                    extent.size,
                    standing.flags,
                    dated.when if dated else None,
                    identity_of_lines(lines),
                    standing.partial or extent.cut,
                )
            )
        yield messages


def is_foreign(header: bytes, foreign: frozenset[str]) -> bool:
    """Whether a mail was delivered by one of the accounts whose mail is not ours (Thunderbird's X-Account-Key)."""
    return bool(foreign) and (field(header, b"x-account-key") or b"").decode("utf-8", "replace") in foreign


def _cut_problem(name: str, extent: Extent) -> Problem:
    text = _("The file ends in the middle of a mail ({subject}); that mail is left out, it may not be all there.")
    return Problem(name, text.format(subject=decode(field(extent.header, b"subject") or b"")))


def _is_internal(extent: Extent) -> bool:
    """The message that c-client and Dovecot keep their UIDs in (c-client's mbox driver, docs/formats.txt)."""
    for raw in extent.bookkeeping:
        if raw[:6].lower() == b"x-imap":
            break
    else:
        return False
    return field(extent.header, b"x-imap") is not None and b"DON'T DELETE" in (field(extent.header, b"subject") or b"")
