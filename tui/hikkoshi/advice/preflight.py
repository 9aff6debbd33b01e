"""What was found in mails before they are sent, for people and as JSON."""

from collections.abc import Callable, Iterable
from typing import Any

from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.records import Item
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.remedies import REMEDIES
from hikkoshi.mail.repairs import Repair, as_repairs
from hikkoshi.move.notes import Note, unpack_notes
from hikkoshi.move.preflight import Noticed, Preflight
from hikkoshi.move.receipt import subject

_SHOWN = 3
"""Mails that are named of each kind; `--json` names all."""

_TEXTS: dict[Finding, Callable[[int], str]] = {
    Finding.BARE_CR: lambda n: ngettext("mail with a bare CR", "mails with bare CRs", n),
    Finding.BARE_CR_IN_HEADER: lambda n: ngettext(
        "mail with a bare CR in its header", "mails with a bare CR in their headers", n
    ),
    Finding.MIXED_LINE_ENDS: lambda n: ngettext(
        "mail in which some lines end in CRLF and some in LF: all go up as CRLF",
        "mails in which some lines end in CRLF and some in LF: all go up as CRLF",
        n,
    ),
    Finding.NUL: lambda n: ngettext("mail with a NUL", "mails with NULs", n),
    Finding.EIGHT_BIT_HEADER: lambda n: ngettext(
        "mail with raw 8-bit text in its header", "mails with raw 8-bit text in their headers", n
    ),
    Finding.EIGHT_BIT_STRUCTURE: lambda n: ngettext(
        "mail with 8-bit bytes in its header where nothing can stand for them",
        "mails with 8-bit bytes in their headers where nothing can stand for them",
        n,
    ),
    Finding.EMPTY_FIELD: lambda n: ngettext(
        "mail with a header field without a value", "mails with header fields without a value", n
    ),
    Finding.BAD_FIELD: lambda n: ngettext(
        "mail with a header line that is no field", "mails with header lines that are no fields", n
    ),
    Finding.LONG_LINE: lambda n: ngettext(
        "mail with a line over 998 bytes in its body", "mails with lines over 998 bytes in their bodies", n
    ),
    Finding.LONG_HEADER_LINE: lambda n: ngettext(
        "mail with a header line over 998 bytes", "mails with header lines over 998 bytes", n
    ),
    Finding.VERY_LONG_LINE: lambda n: ngettext(
        "mail with a line over 9,900 bytes", "mails with lines over 9,900 bytes", n
    ),
    Finding.NO_FINAL_LINE_END: lambda n: ngettext(
        "mail whose last line has no end", "mails whose last lines have no end", n
    ),
    Finding.NO_HEADERS: lambda n: ngettext("mail without a header", "mails without headers", n),
    Finding.ASKS_FOR_RECEIPT: lambda n: ngettext(
        "unread mail that asks for a read receipt: some servers and clients send it when it is opened",
        "unread mails that ask for a read receipt: some servers and clients send it when they are opened",
        n,
    ),
    Finding.IMPOSSIBLE_DATE: lambda n: ngettext(
        "mail without a possible date in its Date field: it gets one from elsewhere",
        "mails without a possible date in their Date fields: they get one from elsewhere",
        n,
    ),
    Finding.ODD_DATE: lambda n: ngettext(
        "mail whose date is written in an unusual way, and was read",
        "mails whose dates are written in unusual ways, and were read",
        n,
    ),
    Finding.FLAGS_DROPPED: lambda n: ngettext(
        "mail with flags that the server cannot keep", "mails with flags that the server cannot keep", n
    ),
    Finding.PARTIAL: lambda n: ngettext(
        "mail of which only the headers were downloaded", "mails of which only the headers were downloaded", n
    ),
    Finding.ZERO_BYTES: lambda n: ngettext("mail of zero bytes", "mails of zero bytes", n),
}


def finding_text(finding: Finding, count: int) -> str:
    """What was found in `count` mails, without the number."""
    return _TEXTS[finding](count)


def repair_text(repair: Repair) -> str:
    """What a repair does."""
    texts: dict[Repair, str] = {
        Repair.ENCODE_HEADERS: _("raw 8-bit header text as encoded words, which read the same"),
        Repair.DROP_EMPTY_FIELDS: _("header fields without a value left away"),
        Repair.BARE_RETURNS: _("bare CRs in the body made line ends"),
        Repair.FINAL_LINE_END: _("a line end added to the last line"),
        Repair.FOLD_HEADERS: _("header lines over 998 bytes folded"),
        Repair.HOLD_RECEIPTS: _("requests for read receipts of unread mail renamed to X-…"),
    }
    return texts[repair]


def notes_json(notes: Iterable[Note]) -> list[dict[str, str]]:
    """What was found in one mail: `kind` as `findings.counts` has it, and its detail."""
    return [{"kind": note.finding.code, "detail": sanitise(note.detail)} for note in notes]


def remedy_text(finding: Finding) -> str:
    """Which servers refuse or change mail with this finding, '' if none are known."""
    remedy = REMEDIES[finding]
    parts = []
    if remedy.refused_by:
        parts.append(_("refused by {servers}").format(servers=", ".join(remedy.refused_by)))
    if remedy.changed_by:
        parts.append(_("changed by {servers}").format(servers=", ".join(remedy.changed_by)))
    return ", ".join(parts)


def detail_text(note: Note) -> str:
    """The detail of a note for people: names of fields or flags, where a date comes from."""
    if note.finding & (Finding.IMPOSSIBLE_DATE | Finding.ODD_DATE) and note.detail:
        return date_source_text(note.detail)
    return sanitise(note.detail)


def date_source_text(source: str) -> str:
    """Where the date that a mail is given comes from."""
    texts = {
        "received": _("date from Received"),
        "date": _("date from Date"),
        "from-line": _("date from the From_ line"),
        "file": _("date from the file's time"),
    }
    return texts.get(source, sanitise(source))


def preflight_lines(found: Preflight, chosen: Iterable[Repair] = ()) -> list[str]:
    """A line for each kind with how many mails and what can be done, and the first few of them; nothing where all is well."""
    counts, lines = found.counts(), []
    for finding in REMEDIES:
        if not counts.get(finding):
            continue
        text = f"{counts[finding]:>9,}  {finding_text(finding, counts[finding])}"
        notes = [note for note in (remedy_text(finding), _offer(finding, found, frozenset(chosen))) if note]
        lines.append(text + (f" ({'; '.join(notes)})" if notes else ""))
        lines += _named(found, finding)
    if lines:
        lines.insert(0, _("Before sending:"))
    for problem in found.problems:
        lines.append(_("Could not be looked at: {folder}: {reason}").format(folder=problem.where, reason=problem.what))
    return [sanitise(line) for line in lines]


def _offer(finding: Finding, found: Preflight, chosen: frozenset[Repair]) -> str:
    repair = REMEDIES[finding].repair
    if repair is None or not found.offered().get(repair):
        return ""
    if repair in chosen:
        return _("mended: {what}").format(what=repair_text(repair))
    return f"--repair {repair}"


def _named(found: Preflight, finding: Finding) -> list[str]:
    named = [(mail, note) for mail in found.mails for note in mail.notes if note.finding is finding]
    lines = []
    for mail, note in named[:_SHOWN]:
        detail = detail_text(note)
        lines.append(f"             {mail.folder}: {subject(mail.fields)}" + (f" [{detail}]" if detail else ""))
    if len(named) > _SHOWN:
        rest = len(named) - _SHOWN
        text = ngettext("and {n:,} more; --json names all", "and {n:,} more; --json names all", rest)
        lines.append("             " + text.format(n=rest))
    return lines


def findings_json(mails: Iterable[Noticed]) -> dict[str, Any]:
    """Counts by kind, and each mail with what was found in it. `repairs`: those that there are for it, or were made."""
    counts: dict[str, int] = {}
    listed = []
    for mail in mails:
        for note in mail.notes:
            counts[note.finding.code] = counts.get(note.finding.code, 0) + 1
        listed.append(
            {
                "folder": mail.folder,
                "subject": subject(mail.fields),
                "found": notes_json(mail.notes),
                "repairs": sorted(mail.offered),
            }
        )
    return {"counts": counts, "mails": listed}


def noted(items: Iterable[Item]) -> list[Noticed]:
    """The mails of a move in which something was found as they were sent; `offered`: the repairs that were made."""
    return [
        Noticed(item.id, item.folder, item.fields, tuple(unpack_notes(item.notes)), as_repairs(item.repairs))
        for item in items
        if item.notes
    ]
