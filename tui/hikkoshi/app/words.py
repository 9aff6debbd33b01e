"""What the screen says of counts, selections and limits, as text. Pure."""

from collections.abc import Sequence

from hikkoshi.advice.report import size_text
from hikkoshi.app.selection import Selection
from hikkoshi.app.signs import KINDS, PENDING, Kind
from hikkoshi.i18n import N_, _, ngettext
from hikkoshi.index.compare import WHY_CUT
from hikkoshi.index.queries import Counts, Row
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.jobs.progress import Progress, Stage
from hikkoshi.mail.flags import comparable
from hikkoshi.move.room import MESSAGE, Outlook, Room, Source

_NUMBERS = {
    "sent-gap": lambda counts: counts.sent_gap,
    "only-local": lambda counts: counts.only_local,
    "doubt": lambda counts: counts.ambiguous,
    "only-server": lambda counts: counts.only_server,
    "elsewhere": lambda counts: counts.elsewhere,
    "read": lambda counts: counts.read_state,
    "flags": lambda counts: counts.flags,
    "duplicate": lambda counts: counts.duplicates_local + counts.duplicates_server,
    "left-out": lambda counts: counts.left_out,
}


def kind_counts(counts: Counts, pending: int = 0) -> list[tuple[Kind, int]]:
    """How many there are of each kind of row, those with none left away. `pending`: mails of which nothing is said yet."""
    found = [(PENDING, pending), *((kind, _NUMBERS[kind.name](counts)) for kind in KINDS if kind.name in _NUMBERS)]
    return [(kind, number) for kind, number in found if number]


def amount(room: Room, value: int) -> str:
    """A value of a limit in its unit."""
    if room.resource == MESSAGE:
        return ngettext("{n:,} mail", "{n:,} mails", value).format(n=value)
    return size_text(value)


def percent(part: int, whole: int) -> str:
    """A share, '-' of nothing."""
    return f"{part * 100 / whole:.0f} %" if whole else "-"


def room_name(room: Room) -> str:
    """What a gauge is called."""
    name = _("Mails") if room.resource == MESSAGE else _("Storage")
    if room.source is Source.USER:
        return _("{name} (your limit)").format(name=name)
    return f"{name} {room.root}" if room.root and not room.root.casefold().startswith("user") else name


def room_text(room: Room) -> str:
    """How full a limit is."""
    if room.limit is None:
        return _("{used} used, limit unknown: the server tells none").format(used=amount(room, room.used))
    return _("{used} of {limit}, {percent}").format(
        used=amount(room, room.used), limit=amount(room, room.limit), percent=percent(room.used, room.limit)
    )


def outlook_text(outlook: Outlook) -> str:
    """Where a load would take a limit."""
    room = outlook.room
    if room.limit is None:
        return _("then {after}, limit unknown").format(after=amount(room, outlook.after))
    if not outlook.fits:
        return _("DOES NOT FIT: {missing} too much").format(missing=amount(room, outlook.missing))
    return _("then {after}, {percent}").format(
        after=amount(room, outlook.after), percent=percent(outlook.after, room.limit)
    )


def selection_text(selection: Selection) -> str:
    """What is selected and how much of it would be uploaded."""
    text = ngettext("{n:,} selected", "{n:,} selected", selection.count).format(n=selection.count)
    if selection.sendable == selection.count:
        return _("{selected}: {size} to upload").format(selected=text, size=size_text(selection.size))
    if not selection.sendable:
        return _("{selected}: none of them can be uploaded").format(selected=text)
    return _("{selected}: {n:,} of {m:,} can be uploaded, {size}").format(
        selected=text, n=selection.sendable, m=selection.count, size=size_text(selection.size)
    )


def worst(outlooks: Sequence[Outlook]) -> Outlook | None:
    """The limit that matters most: one that does not hold, else an unknown one, else the fullest."""
    if not outlooks:
        return None
    order = {False: 0, None: 1, True: 2}

    def weight(outlook: Outlook) -> tuple[int, float]:
        return order[outlook.fits], -(outlook.after / outlook.room.limit if outlook.room.limit else 0)

    return min(outlooks, key=weight)


def row_text(row: Row, kinds: Sequence[Kind]) -> str:
    """What is said of one row, in words."""
    text = "; ".join(_(kind.meaning) for kind in kinds)
    if row.relation & Relation.ELSEWHERE and row.server_folder:
        text += " " + _("(here in {local}, there in {server})").format(local=row.local_folder, server=row.server_folder)
    if row.why == WHY_CUT and row.local and row.server:
        text += " " + _("(the server's copy is much smaller: {there} of {here})").format(
            there=size_text(row.server.message.size), here=size_text(row.local.message.size)
        )
    if row.relation & Relation.FLAGS and row.local and row.server:
        here, there = comparable(row.local.message.flags), comparable(row.server.message.flags)
        if here - there:
            text += "; " + _("here: {flags}").format(flags=", ".join(sorted(here - there)))
        if there - here:
            text += "; " + _("there: {flags}").format(flags=", ".join(sorted(there - here)))
    return text


_NEVER = (
    (
        Relation.PENDING,
        N_("The server was not listed to its end: it is not known yet whether it has this mail."),
    ),
    (
        Relation.LEFT_OUT,
        N_("This mail lies in a folder that is left out, or only its headers are here: it is not uploaded."),
    ),
    (
        Relation.AMBIGUOUS,
        N_("It is in doubt whether the server has this mail: it is never uploaded by itself."),
    ),
)
"""Why mail of which these facts are true is not uploaded."""


def why_not(row: Row | None) -> str:
    """Why the row under the cursor would not be uploaded, '' if it would."""
    if row is None:
        return _("There is no mail here.")
    if row.local is None:
        return _("This mail is not on this PC: there is nothing to upload.")
    for fact, text in _NEVER:
        if row.relation & fact:
            return _(text)
    if not row.relation & UPLOAD:
        return _("The server has this mail already.")
    return ""


_STAGES = {
    Stage.CONNECT: lambda: _("connecting"),
    Stage.SCAN: lambda: _("reading this PC"),
    Stage.LIST: lambda: _("listing the server"),
    Stage.COMPARE: lambda: _("comparing"),
    Stage.LOOK: lambda: _("looking at each mail"),
    Stage.UPLOAD: lambda: _("uploading"),
    Stage.VERIFY: lambda: _("reading back"),
    Stage.FLAGS: lambda: _("setting flags"),
    Stage.UNDO: lambda: _("removing from the server"),
}


def progress_text(progress: Progress) -> str:
    """What the work is doing, and how far it is."""
    text = _STAGES[progress.stage]()
    if progress.mails:
        # Before the folder: where the line is too short, that is what is cut.
        text += ": " + ngettext("{n:,} mail", "{n:,} mails", progress.mails).format(n=progress.mails)
        text += "," if progress.what or progress.total else ""
    if progress.what:
        text += f" {progress.what}"
    if progress.total:
        text += f" {progress.done:,}/{progress.total:,}"
    return text


def seconds_text(seconds: float) -> str:
    """A time span for people: '12 s', '3:05 min', '1:02:33 h'."""
    whole = round(seconds)
    if whole < 60:
        return _("{n} s").format(n=whole)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return _("{time} min").format(time=f"{minutes}:{rest:02}")
    hours, minutes = divmod(minutes, 60)
    return _("{time} h").format(time=f"{hours}:{minutes:02}:{rest:02}")
