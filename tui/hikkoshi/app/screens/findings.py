"""What was found in mails before they are sent, and which repairs shall be made."""

from collections.abc import Sequence

from hikkoshi.advice.preflight import detail_text, finding_text, remedy_text, repair_text
from hikkoshi.app.screens.dialog import Line
from hikkoshi.app.screens.records import Choice, Records
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.record_list import Column, Record
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.remedies import REMEDIES
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.notes import Note
from hikkoshi.move.preflight import Noticed, Preflight
from hikkoshi.move.receipt import subject

TOGGLE = "toggle"


def found_lines(found: Preflight | None) -> list[Line]:
    """A line for each kind of finding, for the plan; nothing where all is well."""
    if found is None:
        return [("", ""), (_("Not all mails were looked at; the rest is looked at as it is sent."), "dim")]
    counts = found.counts()
    lines: list[Line] = []
    for finding in REMEDIES:
        if counts.get(finding):
            remedy = remedy_text(finding)
            what = finding_text(finding, counts[finding])
            text = "  " + _("{n:,} {what}").format(n=counts[finding], what=what)
            lines.append((text + (f" ({remedy})" if remedy else ""), ""))
    lines += [(f"  {sanitise(each.where)}: {sanitise(each.what)}", "bad") for each in found.problems]
    return [("", ""), (_("Found in these mails:"), "strong"), *lines] if lines else []


def findings_records(found: Preflight) -> Records:
    """Each mail of which there is something to say."""

    def detail(position: int) -> list[Line]:
        mail = found.mails[position]
        return [(subject(mail.fields), "strong"), *((f"  {_note_text(note)}", "") for note in mail.notes)]

    return Records(
        title=_("What was found before sending"),
        columns=(Column(), Column(20), Column()),
        count=len(found.mails),
        record=lambda position: _record(found.mails[position]),
        detail=detail,
        detail_height=6,
    )


def repairs_records(found: Preflight, chosen: frozenset[Repair], signs: Signs) -> Records:
    """The repairs that there are for these mails, and which of them are chosen."""
    offered = found.offered()
    repairs = offered_repairs(found)

    def detail(position: int) -> list[Line]:
        return [(repair_text(repairs[position]), "")]

    def record(position: int) -> Record:
        repair = repairs[position]
        count = offered[repair]
        mails = ngettext("{n:,} mail", "{n:,} mails", count).format(n=count)
        return Record(
            (signs.selected if repair in chosen else "", str(repair), mails), "good" if repair in chosen else ""
        )

    return Records(
        title=_("Which repairs shall be made?"),
        columns=(Column(2), Column(), Column(14, right=True)),
        count=len(repairs),
        record=record,
        detail=detail,
        choices=(Choice("space", _("Space"), _("Choose"), TOGGLE),),
        head=[(_("Each loses nothing. Without them nothing but line ends is changed."), "dim")],
        detail_height=2,
    )


def offered_repairs(found: Preflight) -> Sequence[Repair]:
    """The repairs that there are for any of the mails, in the order of the list."""
    offered = found.offered()
    return [repair for repair in Repair if offered.get(repair)]


def _record(mail: Noticed) -> Record:
    texts = "; ".join(finding_text(note.finding, 1) for note in mail.notes)
    return Record((subject(mail.fields), sanitise(mail.folder), texts))


def _note_text(note: Note) -> str:
    parts = [finding_text(note.finding, 1), detail_text(note), remedy_text(note.finding)]
    return "; ".join(part for part in parts if part)
