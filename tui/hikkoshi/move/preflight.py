"""Looking at each mail of a plan before anything is sent: what servers may refuse, change or act upon, and the remedies.

Mails are read from this PC as they would be packed. What was found is kept in the index, so that mail is read once.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from time import monotonic

import msgspec
from msgspec.structs import replace

from hikkoshi.errors import LocalError
from hikkoshi.index.looked import Looked, keep_looks, looked_at
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import LineEnds
from hikkoshi.mail.findings import Examined, Examiner, Finding
from hikkoshi.mail.flags import SEEN
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem
from hikkoshi.mail.remedies import growth, repairs_for
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.notes import Note, mail_notes
from hikkoshi.move.plan import Plan, PlanItem
from hikkoshi.move.room import Load, outlook
from hikkoshi.move.source import upload_pieces
from hikkoshi.server.writer import sendable_flags

_KEEP_EVERY = 2.0  # seconds
_TELL_EVERY = 0.1
_DATES = int(Finding.IMPOSSIBLE_DATE | Finding.ODD_DATE)
_NOT_LOOKED_AT = Looked(Examined(0))


class Noticed(msgspec.Struct, frozen=True):
    """A mail of which there is something to say: its row in the index, its local folder's name, its identity fields.

    `offered`: the repairs that there are for it.
    """

    row: int
    folder: str
    fields: bytes
    notes: tuple[Note, ...]
    offered: frozenset[Repair] = frozenset()


class Preflight(msgspec.Struct, frozen=True):
    """What was found in the mails of a plan, in its order, and the mails that could not be looked at."""

    mails: tuple[Noticed, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of_rows(self, rows: Container[int]) -> "Preflight":
        """The same of these rows alone."""
        return Preflight(tuple(mail for mail in self.mails if mail.row in rows), self.problems)

    def counts(self) -> dict[Finding, int]:
        """In how many mails each thing was found."""
        return Counter(note.finding for mail in self.mails for note in mail.notes)

    def offered(self) -> dict[Repair, int]:
        """For how many mails there is each repair."""
        return Counter(repair for mail in self.mails for repair in mail.offered)


def look_over(
    items: Iterable[PlanItem],
    *,
    store: LocalStore,
    folders: Mapping[str, Folder],
    index: Index,
    report: Report,
    cancel: Cancel,
) -> tuple[Problem, ...]:
    """Look at the mails that were not looked at yet; those that cannot be read are told.

    `folders`: the local ones by native name. Raises `Cancelled`; what was looked at until then is kept.
    """
    wanted = list(items)
    known = looked_at(index, (item.row for item in wanted))
    left = sorted((item for item in wanted if item.row not in known), key=_position)
    size, done, total = 0, 0, sum(item.message.size for item in left)
    problems: list[Problem] = []
    found: list[tuple[int, Message, Looked]] = []
    keep_at, tell_at = monotonic() + _KEEP_EVERY, 0.0
    try:
        for item in left:
            cancel.check()
            now = monotonic()
            if now >= tell_at:
                report(Progress(Stage.LOOK, item.local_folder, done, len(left), size, total))
                tell_at = now + _TELL_EVERY
            if now >= keep_at:
                keep_looks(index, found)
                found.clear()
                keep_at = now + _KEEP_EVERY
            try:
                found.append(
                    (item.row, item.message, _look_at(store, folders[item.local_native], item.message, cancel))
                )
            except (LocalError, OSError) as error:
                problems.append(Problem(item.local_folder, str(error)))
            done += 1
            size += item.message.size
    finally:
        if found:
            keep_looks(index, found)
    return tuple(problems)


def _position(item: PlanItem) -> tuple[str, int, str]:
    """In the order in which they lie on the disk, where that is known."""
    place = item.message.place
    offset = place.partition(":")[0]
    return item.local_native, int(offset) if offset.isdecimal() else 0, place


def _look_at(store: LocalStore, folder: Folder, message: Message, cancel: Cancel) -> Looked:
    ends = LineEnds()
    examiner = Examiner(ends)
    for piece in cancel.while_not(upload_pieces(store, folder, message.place, ends)):
        examiner.update(piece)
    found = examiner.end()
    dated = store.header_dates(folder, message.place) if found.findings & _DATES else None
    return Looked(found, dated.source if dated else "")


def make_preflight(
    plan: Plan,
    index: Index,
    permanent: Mapping[str, frozenset[str] | None],
    problems: Sequence[Problem] = (),
) -> Preflight:
    """What is known of the mails of a plan. `permanent`: PERMANENTFLAGS by native name of the target, where known."""
    known = looked_at(index, (item.row for item in plan.items))
    dropped: dict[tuple[frozenset[str], str], tuple[str, ...]] = {}
    mails = []
    for item in (*plan.items, *(refusal.item for refusal in plan.refused)):
        message, way = item.message, (item.message.flags, item.target)
        looked = known.get(item.row, _NOT_LOOKED_AT)
        if message.size == 0:
            looked = Looked(Examined(int(Finding.ZERO_BYTES)))
        if way not in dropped:
            dropped[way] = sendable_flags(message.flags, permanent.get(item.target))[1]
        if looked is _NOT_LOOKED_AT and not dropped[way] and not message.partial:
            continue
        if notes := mail_notes(looked.found, message, dropped[way], looked.date_source):
            offered = repairs_for(looked.found.findings, unread=SEEN not in message.flags)
            mails.append(Noticed(item.row, item.local_folder, message.fields, tuple(notes), offered))
    return Preflight(tuple(mails), tuple(problems))


def with_repairs(
    plan: Plan, index: Index, chosen: frozenset[Repair], of_rows: Mapping[int, frozenset[Repair]] | None = None
) -> Plan:
    """The plan with these repairs for the mails that need them, counted with what they grow by, at most.

    `of_rows`: further ones for some mails, by row. What a mail grows by that was not looked at is not counted; the room is
    watched while it goes.
    """
    of_rows = of_rows or {}
    if not chosen and not of_rows:
        return plan
    known = looked_at(index, (item.row for item in plan.items))
    items, grown = [], Counter[str]()
    for item in plan.items:
        needed, looked = chosen | item.repairs | of_rows.get(item.row, frozenset()), known.get(item.row)
        if looked is not None:
            needed &= repairs_for(looked.found.findings, unread=SEEN not in item.message.flags)
        if needed:
            more = growth(looked.found, needed) if looked else 0
            grown[item.target] += more - item.growth
            items.append(replace(item, repairs=needed, growth=more))
        else:
            items.append(item)
    shares = tuple(replace(share, load=share.load + Load(grown[share.target])) for share in plan.shares)
    loads = {share.target: share.load for share in shares}
    rooms = [each.room for each in plan.outlooks]
    return replace(plan, items=tuple(items), shares=shares, outlooks=tuple(outlook(rooms, loads)))
