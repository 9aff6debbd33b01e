"""What was found in a mail before it was sent, as the ledger keeps it: a line for each finding, its code and a detail."""

from collections.abc import Iterable

import msgspec

from hikkoshi.mail.findings import Examined, Finding
from hikkoshi.mail.flags import SEEN
from hikkoshi.mail.message import Message
from hikkoshi.move.source import Parcel

_BY_CODE = {finding.code: finding for finding in Finding}
_DATES = Finding.IMPOSSIBLE_DATE | Finding.ODD_DATE


class Note(msgspec.Struct, frozen=True):
    """One finding. `detail`: names of empty fields or of dropped flags, blank-separated; the source of a date."""

    finding: Finding
    detail: str = ""


def parcel_notes(parcel: Parcel, message: Message, dropped_flags: tuple[str, ...]) -> list[Note]:
    """What is to be noted of a mail that is about to be sent."""
    return mail_notes(parcel.found, message, dropped_flags, parcel.dated.source)


def mail_notes(found: Examined, message: Message, dropped_flags: tuple[str, ...], date_source: str) -> list[Note]:
    """What is to be noted of a mail; what nobody has to know of is left away (a receipt asked for by read mail)."""
    findings = found.findings
    if SEEN in message.flags:
        findings &= ~Finding.ASKS_FOR_RECEIPT
    if dropped_flags:
        findings |= Finding.FLAGS_DROPPED
    if message.partial:
        findings |= Finding.PARTIAL
    return [Note(finding, _detail(finding, found, dropped_flags, date_source)) for finding in Finding(findings)]


def _detail(finding: Finding, found: Examined, dropped_flags: tuple[str, ...], date_source: str) -> str:
    if finding is Finding.EMPTY_FIELD:
        return " ".join(found.empty_fields)
    if finding is Finding.FLAGS_DROPPED:
        return " ".join(dropped_flags)
    return date_source if finding & _DATES else ""


def pack_notes(notes: Iterable[Note]) -> str:
    """Notes as one text; a flag or a name has no line end in it, or it is taken out."""
    return "\n".join(f"{note.finding.code} {' '.join(note.detail.split())}".rstrip() for note in notes)


def unpack_notes(text: str) -> list[Note]:
    """The notes that `pack_notes` made into `text`; of findings that a later version knows nothing is said."""
    lines = (line.partition(" ") for line in text.splitlines())
    return [Note(_BY_CODE[code], detail) for code, _blank, detail in lines if code in _BY_CODE]
