"""What would go where, how many bytes that is, and whether it fits. Nothing here sends anything."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hikkoshi.i18n import _
from hikkoshi.index.compare import WHY_CUT
from hikkoshi.index.queries import Row, rows, upload_sums
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.limits import ANY_SIZE, SizeLimits
from hikkoshi.move.room import Load, Outlook, Room, fits, outlook

_WINDOW = 500  # rows asked of the index at a time


class PlanItem(msgspec.Struct, frozen=True):
    """One mail that would go: its row in the index, where it lies on this PC (`role`: that folder's), and where it would go.

    `repairs`: what is to be mended in it where it needs it, by choice; `growth`: bytes that it may grow by then, at most.
    """

    row: int
    local_folder: str
    local_native: str
    message: Message
    target: str
    target_name: str
    role: Role = Role.NONE
    repairs: frozenset[Repair] = frozenset()
    growth: int = 0

    @property
    def size(self) -> int:
        """Bytes in CRLF form that go up, at most."""
        return self.message.size + self.growth


class Refusal(msgspec.Struct, frozen=True):
    """A mail that was asked for and would not go, with the reason as a sentence."""

    item: PlanItem
    reason: str


class FolderShare(msgspec.Struct, frozen=True):
    """What of a plan goes into one server folder; `new`: it would be made; `role`: of the folder that is there."""

    target: str
    name: str
    new: bool
    load: Load
    role: Role = Role.NONE


class Outline(msgspec.Struct, frozen=True):
    """How much would go where, the mails refused, and where that takes each limit of the server."""

    refused: tuple[Refusal, ...]
    shares: tuple[FolderShare, ...]
    outlooks: tuple[Outlook, ...]

    @property
    def load(self) -> Load:
        """Bytes in CRLF form and number of all that would go."""
        return sum((share.load for share in self.shares), Load())

    @property
    def fits(self) -> bool | None:
        """None: no limit for bytes is known."""
        return fits(self.outlooks) if self.shares else True


class Plan(Outline, frozen=True):
    """An outline with each mail that would go. `left_out`: mails that were asked for and for which there is no room.

    These are apart from the refused ones since there may be a hundred thousand: they are summed up, not named, until the
    receipt names them.
    """

    items: tuple[PlanItem, ...]
    left_out: tuple[PlanItem, ...] = ()


def in_order(items: Iterable[PlanItem]) -> list[PlanItem]:
    """The mails of a plan in the order in which they go: folder by folder."""
    return sorted(items, key=lambda item: item.target)


def left_out_text() -> str:
    """The reason for a mail that was left out."""
    return _("it was left out for lack of room; another upload with more room sends it")


def make_plan(
    index: Index,
    ids: Iterable[int],
    rooms: Sequence[Room],
    *,
    limits: SizeLimits = ANY_SIZE,
    targets: Mapping[int, str] | None = None,
) -> Plan:
    """The plan for rows of the index. `limits`: how large a mail the server takes.

    `targets`: native names of the folders for rows that do not go where their folder is mapped to.
    """
    items: list[PlanItem] = []
    refused: list[Refusal] = []
    folders = {entry.id: entry for entry in index.folders()}
    there = {entry.folder.native: entry.folder for entry in folders.values() if entry.side}
    wanted = list(ids)
    for start in range(0, len(wanted), _WINDOW):
        for row in rows(index, wanted[start : start + _WINDOW]):
            if row.local is None:
                continue
            source = folders[row.local.folder]
            target = (targets or {}).get(row.id) or source.target or ""
            item = PlanItem(
                row=row.id,
                local_folder=source.folder.name,
                local_native=source.folder.native,
                message=row.local.message,
                target=target,
                target_name=there[target].name if target in there else target,
                role=source.folder.role,
            )
            if reason := _reason_against(row, target, limits):
                refused.append(Refusal(item, reason))
            else:
                items.append(item)
    loads: defaultdict[str, Load] = defaultdict(Load)
    for item in items:
        loads[item.target] += Load(item.size, 1)
    return Plan(tuple(refused), _shares(loads, there), tuple(outlook(rooms, loads)), tuple(items))


def make_outline(index: Index, rooms: Sequence[Room], *, limits: SizeLimits = ANY_SIZE) -> Outline:
    """The outline of the plan for all that is missing, without looking at each mail: what a report needs.

    A million mails that are missing are summed up in a second; their plan takes half a minute and a gigabyte.
    """
    going, special = upload_sums(index, limits.least)
    looked_at = make_plan(index, special, rooms, limits=limits)
    there = {entry.folder.native: entry.folder for entry in index.folders(SERVER)}
    loads = {target: Load(size, messages) for target, messages, size in going}
    for share in looked_at.shares:  # what another folder would not take
        loads[share.target] = loads.get(share.target, Load()) + share.load
    return Outline(looked_at.refused, _shares(loads, there), tuple(outlook(rooms, loads)))


def _reason_against(row: Row, target: str, limits: SizeLimits) -> str:
    """Why this mail would not go, '' if it would."""
    assert row.local is not None
    message = row.local.message
    reason = ""
    if message.partial:
        reason = _("only its headers were downloaded to this PC; let the mail client fetch all of it first")
    elif row.relation & Relation.LEFT_OUT:
        reason = _("it lies in a folder that is left out; move it to another folder in the mail client first")
    elif row.why == WHY_CUT and row.server is not None:
        reason = _(
            "the server's copy has only {there:,} of its {here:,} bytes, as if it had been cut; if it was, delete that copy "
            "and upload again"
        ).format(there=row.server.message.size, here=message.size)
    elif row.relation & Relation.AMBIGUOUS:
        reason = _("the evidence cannot settle whether the server has it; it is never sent by itself")
    elif row.relation & Relation.COPY:
        reason = _("it is a further copy of a mail that goes up once")
    elif not row.relation & UPLOAD:
        reason = _("the server has it already")
    elif message.size == 0:
        reason = _("it is empty, and servers refuse empty mail")
    else:
        reason = limits.reason_against(target, message.size)
    return reason


def _shares(loads: Mapping[str, Load], there: Mapping[str, Folder]) -> tuple[FolderShare, ...]:
    return tuple(
        FolderShare(target, there[target].name, False, load, there[target].role)
        if target in there
        else FolderShare(target, target, True, load)
        for target, load in sorted(loads.items())
    )
