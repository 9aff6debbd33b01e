"""What of a plan fits where the whole does not: newest first, smallest first, by folder, by year. Pure.

Every offer respects every room that its mails count in, STORAGE and MESSAGE, down to the reserve: `fits` of its plan is
true. A mail that is larger than a room would be if nothing else went there is passed over; so is a folder or a year.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from hikkoshi.mail.folders import Role
from hikkoshi.move.plan import FolderShare, Plan, PlanItem
from hikkoshi.move.room import MESSAGE, Load, Room, covers, listed_in, outlook

K = TypeVar("K", str, int)


class Kind(StrEnum):
    """How an offer chooses; the values are those of `--fit`."""

    NEWEST = "newest"
    SMALLEST = "smallest"
    FOLDER = "folder"
    YEAR = "year"


class Offer(msgspec.Struct, frozen=True):
    """A part of a plan that fits. `load`: of its items, `left`: of those left out, both in CRLF form.

    How far it goes: `since`, the date of its oldest mail (seconds since 1970 UTC; newest first); `largest`, the bytes of
    its largest mail (smallest first); `folders`, the local ones (by folder); `years`, newest first (by year). `since` is
    None where a mail without a date goes, too. `too_large`: mails passed over that would not fit even alone.
    """

    kind: Kind
    items: tuple[PlanItem, ...]
    load: Load
    left: Load
    since: int | None = None
    largest: int = 0
    folders: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    too_large: int = 0


def offers(plan: Plan, rooms: Iterable[Room]) -> list[Offer]:
    """One offer of each kind of which anything fits; none where all of the plan fits, or no limit is known."""
    if plan.fits is not False:
        return []
    rooms = list(rooms)
    return [offer for kind in Kind if (offer := make_offer(kind, plan.items, rooms)).items]


def make_offer(kind: Kind, items: Sequence[PlanItem], rooms: Iterable[Room]) -> Offer:
    """What fits of these mails, chosen in this way."""
    found = _CHOICES[kind](items, _Filling(rooms))
    load = _load(found.items)
    return replace(found, load=load, left=Load(_load(items).size - load.size, len(items) - load.messages))


def narrowed(plan: Plan, offer: Offer, rooms: Iterable[Room]) -> Plan:
    """The plan of an offer's mails alone, in the plan's order; the others are left out."""
    chosen = {item.row for item in offer.items}
    items = tuple(item for item in plan.items if item.row in chosen)
    left_out = tuple(item for item in plan.items if item.row not in chosen)
    loads: defaultdict[str, list[PlanItem]] = defaultdict(list)
    for item in items:
        loads[item.target].append(item)
    shares = tuple(replace(share, load=_load(loads[share.target])) for share in plan.shares if share.target in loads)
    return replace(
        plan,
        items=items,
        left_out=(*plan.left_out, *left_out),
        shares=shares,
        outlooks=tuple(outlook(rooms, _loads(shares))),
    )


class _Filling:
    """Rooms that are filled mail by mail."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        self._rooms = [room for room in rooms if room.free is not None]
        self._listed = listed_in(self._rooms)
        self._mails = [room.resource == MESSAGE for room in self._rooms]
        self._left = [room.free or 0 for room in self._rooms]
        self._most = list(self._left)
        self._closed: set[int] = set()
        self._under: dict[str, list[int]] = {}

    def take_in_order(self, items: Iterable[PlanItem]) -> tuple[list[PlanItem], int]:
        """Mails in their order; a room that cannot hold the next one takes no more, so that none behind it goes before it.

        And how many are passed over, since they would not fit even if nothing had gone before them.
        """
        taken: list[PlanItem] = []
        too_large = 0
        left, most, closed = self._left, self._most, self._closed
        for item in items:
            size = item.size
            # 100,000 mails: by `amount`, and a Load for each, it takes four times as long.
            needs = [(number, 1 if self._mails[number] else size) for number in self._of(item.target)]
            if any(need > most[number] for number, need in needs):
                too_large += 1
                continue
            closed.update(number for number, need in needs if need > left[number])
            if not any(number in closed for number, _need in needs):
                for number, need in needs:
                    left[number] -= need
                taken.append(item)
        return taken, too_large

    def take_whole(self, loads: Mapping[str, Load]) -> bool:
        """Put all of this in, or nothing of it if one of the rooms cannot hold it."""
        left = list(self._left)
        for target, load in loads.items():
            for number in self._of(target):
                left[number] -= self._rooms[number].amount(load)
        if any(now < min(0, was) for now, was in zip(left, self._left, strict=True)):
            return False
        self._left = left
        return True

    def _of(self, target: str) -> list[int]:
        found = self._under.get(target)
        if found is None:
            found = [number for number, room in enumerate(self._rooms) if covers(room, target, self._listed)]
            self._under[target] = found
        return found


def _newest(items: Sequence[PlanItem], filling: _Filling) -> Offer:
    taken, too_large = filling.take_in_order(sorted(items, key=_newest_first))
    dates = [item.message.date for item in taken]
    since = min((date for date in dates if date is not None), default=None) if None not in dates else None
    return _offer(Kind.NEWEST, taken, since=since, too_large=too_large)


def _smallest(items: Sequence[PlanItem], filling: _Filling) -> Offer:
    taken, too_large = filling.take_in_order(sorted(items, key=lambda item: (item.size, *_newest_first(item))))
    largest = max((item.size for item in taken), default=0)
    return _offer(Kind.SMALLEST, taken, largest=largest, too_large=too_large)


def _folder(items: Sequence[PlanItem], filling: _Filling) -> Offer:
    """Whole local folders, sent mail first since no other folder's mail is nowhere else, then in the plan's order."""
    groups = _grouped(items, lambda item: item.local_native)
    ordered = sorted(groups.values(), key=lambda group: group[0].role is not Role.SENT)
    whole = list(_whole(ordered, filling))
    names = tuple(group[0].local_folder for group in whole)
    return _offer(Kind.FOLDER, [item for group in whole for item in group], folders=names)


def _year(items: Sequence[PlanItem], filling: _Filling) -> Offer:
    """Whole years, newest first. Mail without a date is of none."""
    groups = _grouped(
        (item for item in items if item.message.date is not None), lambda item: year_of(item.message.date)
    )
    whole = list(_whole((groups[year] for year in sorted(groups, reverse=True)), filling))
    years = tuple(year_of(group[0].message.date) for group in whole)
    return _offer(Kind.YEAR, [item for group in whole for item in group], years=years)


_CHOICES: dict[Kind, Callable[[Sequence[PlanItem], _Filling], Offer]] = {
    Kind.NEWEST: _newest,
    Kind.SMALLEST: _smallest,
    Kind.FOLDER: _folder,
    Kind.YEAR: _year,
}


def year_of(date: int | None) -> int:
    """The year of a date (seconds since 1970 UTC), in UTC so that it is the same on every PC."""
    return datetime.fromtimestamp(date or 0, UTC).year


def _whole(groups: Iterable[list[PlanItem]], filling: _Filling) -> Iterator[list[PlanItem]]:
    for group in groups:
        parts = _grouped(group, lambda item: item.target)
        if filling.take_whole({target: _load(part) for target, part in parts.items()}):
            yield group


def _grouped(items: Iterable[PlanItem], key: Callable[[PlanItem], K]) -> dict[K, list[PlanItem]]:
    groups: defaultdict[K, list[PlanItem]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def _offer(kind: Kind, items: Sequence[PlanItem], **how_far: object) -> Offer:
    return Offer(kind, tuple(items), Load(), Load(), **how_far)  # type: ignore[arg-type]


def _newest_first(item: PlanItem) -> tuple[bool, int, int]:
    date = item.message.date
    return date is None, -(date or 0), item.row


def _load(items: Iterable[PlanItem]) -> Load:
    sizes = [item.size for item in items]
    return Load(sum(sizes), len(sizes))


def _loads(shares: Iterable[FolderShare]) -> dict[str, Load]:
    return {share.target: share.load for share in shares}
