"""The records that scanners and listers make of a mail: one `Message` for each stored copy."""

from collections.abc import Iterable

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One stored copy of a mail in one folder of one side.

    `place`: where in its folder; 'offset:length' in an mbox (bytes), the file's path below the folder in a
    Maildir, the UID in decimal on a server.
    `size`: bytes in CRLF form, without the client's bookkeeping headers.
    `flags`: IMAP system flags and keywords as `hikkoshi.mail.flags` spells them.
    `date`: seconds since 1970 UTC. On this PC the INTERNALDATE that the mail would be given (None: no source
    for one); on the server its INTERNALDATE.
    `fields`: the raw header fields of `hikkoshi.mail.headers.IDENTITY_FIELDS`, in stored order and folding,
    line ends CRLF, no blank line at the end.
    `partial`: only the headers were downloaded (X-Mozilla-Status 0x0400): never uploaded as a whole mail.

    A msgspec struct, since a million of them are made: 0.2 us each, 1.7 us as a frozen dataclass; as an array it goes
    from a child process to its parent.
    """

    place: str
    size: int
    flags: frozenset[str]
    date: int | None
    fields: bytes
    partial: bool = False


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be read or compared: `where` names it, `what` is a sentence.

    `remark`: all is as it should be and nothing is to be done, as with mail that is marked as deleted; it is told, and
    counts in no exit status.
    """

    where: str
    what: str
    remark: bool = False


def without_remarks(problems: Iterable[Problem]) -> list[Problem]:
    """The problems for which a look at both sides is not whole."""
    return [problem for problem in problems if not problem.remark]
