"""Writes a Thunderbird profile with one POP account, as Thunderbird 153 leaves it: prefs.js, mbox files, summaries."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from hikkoshi.demo.mork_writer import Summary, folder_summary
from hikkoshi.mail.flags import ANSWERED, FLAGGED, FORWARDED, SEEN
from hikkoshi.mail.headers import field, header_block

_BITS = {SEEN: 0x1, ANSWERED: 0x2, FLAGGED: 0x4, FORWARDED: 0x1000}
_EXPUNGED = 0x8
_PARTIAL = 0x400
_FROM_LINE = re.compile(rb"^(?=>*From )", re.MULTILINE)
_KEYS_WIDTH = 80

_PREFS: dict[str, str | bool] = {
    "mail.accountmanager.accounts": "account1,account2",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.accountmanager.localfoldersserver": "server2",
    "mail.account.account1.identities": "id1",
    "mail.account.account1.server": "server1",
    "mail.account.account2.server": "server2",
    "mail.server.server1.type": "pop3",
    "mail.server.server1.leave_on_server": True,
    "mail.server.server1.storeContractID": "@mozilla.org/msgstore/berkeleystore;1",
    "mail.server.server2.type": "none",
    "mail.server.server2.name": "Local Folders",
    "mail.server.server2.hostname": "Local Folders",
    "mail.server.server2.userName": "nobody",
    "mail.server.server2.directory-rel": "[ProfD]Mail/Local Folders",
    "mail.server.server2.storeContractID": "@mozilla.org/msgstore/berkeleystore;1",
}


class SummaryFile(Enum):
    """What stands beside an mbox: no summary, one that agrees with it, or one of an earlier state."""

    NONE = "none"
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class LocalMail:
    """One mail of an mbox. `raw`: LF line ends, without Thunderbird's own fields; `flags` as IMAP spells them.

    `written`: the flags that X-Mozilla-Status tells, which may lag behind those of the summary. `expunged`:
    deleted, still there until the file is compacted. `partial`: only the headers were downloaded. `when`:
    seconds since 1970 UTC. `uidl`: '' for mail that was not downloaded by POP.
    """

    raw: bytes
    when: int
    flags: frozenset[str]
    written: frozenset[str]
    uidl: str = ""
    expunged: bool = False
    partial: bool = False


def write_profile(profile: Path, user: str, host: str, display_name: str) -> Path:
    """Make the profile folder with its settings; return the POP account's folder."""
    mail = profile / "Mail" / host
    mail.mkdir(parents=True)
    (profile / "Mail" / "Local Folders").mkdir()
    prefs = _PREFS | {
        "mail.identity.id1.fullName": display_name,
        "mail.identity.id1.useremail": user,
        "mail.server.server1.name": user,
        "mail.server.server1.hostname": host,
        "mail.server.server1.userName": user,
        "mail.server.server1.directory-rel": f"[ProfD]Mail/{host}",
    }
    lines = [f'user_pref("{name}", {_js(value)});\n' for name, value in sorted(prefs.items())]
    (profile / "prefs.js").write_text("// Mozilla User Preferences\n\n" + "".join(lines), encoding="utf-8")
    return mail


def _js(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def write_folder(folder: Path, mails: Sequence[LocalMail], summary: SummaryFile, modified: int) -> None:
    """Write the mbox `folder` and what belongs beside it; its time is set to `modified` (seconds since 1970 UTC)."""
    content = bytearray()
    summaries = []
    for mail in mails:
        offset = len(content)
        content += _stored(mail)
        if not mail.expunged:
            summaries.append(_summary(mail, offset, len(content) - offset))
    folder.write_bytes(content)
    os.utime(folder, (modified, modified))
    if summary is SummaryFile.FRESH:
        _write_summary(folder, len(content), modified, summaries)
    elif summary is SummaryFile.STALE:
        # As after a restored backup: the summary is of another file, and what it says of these mails is wrong.
        unread = [replace(each, flags=0) for each in summaries[:-1]]
        _write_summary(folder, len(content) - 1, modified - 86400, unread)


def write_popstate(folder: Path, host: str, user: str, uidls: Iterable[str], when: int) -> None:
    """Write the list of the mails that are still on the POP server."""
    lines = [f"k {uidl} {when}\n" for uidl in uidls]
    head = f"# POP3 State File\n# This is a generated file!  Do not edit.\n\n*{host} {user}\n"
    (folder / "popstate.dat").write_text(head + "".join(lines), encoding="ascii")


def _write_summary(folder: Path, size: int, date: int, summaries: Iterable[Summary]) -> None:
    folder.with_name(folder.name + ".msf").write_bytes(folder_summary(folder.name, size, date, summaries))


def _bits(mail: LocalMail, flags: frozenset[str]) -> int:
    bits = sum(bit for flag, bit in _BITS.items() if flag in flags)
    return bits | (_EXPUNGED if mail.expunged else 0) | (_PARTIAL if mail.partial else 0)


def _keywords(flags: frozenset[str]) -> str:
    return " ".join(sorted(flag for flag in flags if flag not in _BITS))


def _stored(mail: LocalMail) -> bytes:
    """From_ line, Thunderbird's fields (nsPop3Sink.cpp), the mail with its From lines quoted, a blank line."""
    bookkeeping = [b"From - Mon Jan  1 00:00:00 1965"]
    if mail.uidl:
        bookkeeping += [b"X-Account-Key: account1", b"X-UIDL: " + mail.uidl.encode()]
    bookkeeping += [
        b"X-Mozilla-Status: %04x" % _bits(mail, mail.written),
        b"X-Mozilla-Status2: 00000000",
        b"X-Mozilla-Keys: " + _keywords(mail.written).ljust(_KEYS_WIDTH).encode(),
    ]
    return b"\n".join(bookkeeping) + b"\n" + _FROM_LINE.sub(b">", mail.raw) + b"\n"


def _summary(mail: LocalMail, offset: int, size: int) -> Summary:
    header = header_block(mail.raw)
    return Summary(
        offset=offset,
        size=size,
        flags=_bits(mail, mail.flags),
        date=mail.when,
        subject=field(header, b"subject") or b"",
        sender=field(header, b"from") or b"",
        message_id=(field(header, b"message-id") or b"").strip(b"<>"),
        keywords=_keywords(mail.flags),
    )
