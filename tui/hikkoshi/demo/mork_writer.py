"""Writes a Thunderbird folder summary (.msf), in Mork, as Thunderbird 153 lays one out.

Columns and tables are those of nsMsgDatabase.cpp and nsDBFolderInfo.cpp; the syntax is that of Mozilla's
"Mork Structure". Only what says which mails are live, where, and with which flags; no threads.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Number (hexadecimal) -> column, kind or scope name.
_COLUMNS = {
    0x80: "ns:msg:db:row:scope:msgs:all", 0x81: "subject", 0x82: "sender", 0x83: "message-id", 0x86: "date",
    0x87: "size", 0x88: "flags", 0x96: "ns:msg:db:table:kind:msgs", 0x9F: "ns:msg:db:row:scope:dbfolderinfo:all",
    0xA0: "ns:msg:db:table:kind:dbfolderinfo", 0xA1: "numMsgs", 0xA2: "numNewMsgs", 0xA3: "folderSize",
    0xA5: "folderDate", 0xA7: "mailboxName", 0xAB: "version", 0xB3: "storeToken", 0xB7: "keywords",
}  # fmt: skip
_NUMBER = {name: number for number, name in _COLUMNS.items()}
_ESCAPED = re.compile(rb"[\\)$]")
_ENCODED = re.compile(rb"[\x00-\x1f\x7f-\xff]")


@dataclass(frozen=True, slots=True)
class Summary:
    """One live mail: its From_ line's byte `offset` in the mbox, its 32 status bits `flags`, its keywords.

    `size` in bytes as stored; `date` in seconds since 1970 UTC; header values raw.
    """

    offset: int
    size: int
    flags: int
    date: int
    subject: bytes
    sender: bytes
    message_id: bytes
    keywords: str = ""


def folder_summary(name: str, folder_size: int, folder_date: int, mails: Iterable[Summary]) -> bytes:
    """The .msf of a folder whose mbox has `folder_size` bytes and was changed at `folder_date` (seconds, UTC).

    Thunderbird believes a summary only while both agree with the file.
    """
    rows = [_row(key, mail) for key, mail in enumerate(mails, 1)]
    unread = sum(1 for row in rows if b"(^88=0)" in row)
    columns = b"".join(b"\n  (%X=%s)" % (number, text.encode()) for number, text in _COLUMNS.items())
    facts = {
        "version": b"1",
        "flags": b"1004",
        "mailboxName": _escape(name.encode()),
        "folderSize": b"%x" % folder_size,
        "folderDate": b"%x" % folder_date,
        "numMsgs": b"%x" % len(rows),
        "numNewMsgs": b"%x" % unread,
    }
    return (
        b'// <!-- <mdb:mork:z v="1.4"/> -->\n< <(a=c)> // (f=iso-8859-1)'
        + columns
        + b">\n\n{1:^80 {(k^96:c)(s=9)} "
        + b"".join(rows)
        + b"}\n\n{1:^9F {(k^A0:c)(s=9)} \n  [1"
        + _cells(facts)
        + b"]}\n"
    )


def _row(key: int, mail: Summary) -> bytes:
    cells = {
        "flags": b"%x" % mail.flags,
        "sender": _escape(mail.sender),
        "subject": _escape(mail.subject),
        "message-id": _escape(mail.message_id),
        "date": b"%x" % mail.date,
        "storeToken": b"%d" % mail.offset,
        "size": b"%x" % mail.size,
    }
    if mail.keywords:
        cells["keywords"] = _escape(mail.keywords.encode())
    return b"\n  [%X" % key + _cells(cells) + b"]"


def _cells(cells: dict[str, bytes]) -> bytes:
    return b"".join(b"(^%X=%s)" % (_NUMBER[name], value) for name, value in cells.items())


def _escape(value: bytes) -> bytes:
    """Mork's value syntax: `)`, `\\` and `$` behind a backslash, bytes that are no printable ASCII as $XX."""
    return _ENCODED.sub(lambda byte: b"$%02X" % byte[0][0], _ESCAPED.sub(rb"\\\g<0>", value))
