"""Going on with a move that ended early: what is left of it, and where those mails lie on this PC now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from hikkoshi.i18n import _
from hikkoshi.index.queries import Row
from hikkoshi.index.relation import UPLOAD
from hikkoshi.ledger.records import Item, ItemState, Settling

LEFT = (ItemState.PLANNED, ItemState.FAILED)
"""What may be sent when a move is gone on with. SENDING and DOUBTFUL mails may be on the server."""

Evidence = tuple[bytes, int]
"""Identity fields and bytes in CRLF form: what a mail is found by where the client has moved it in its file."""


class Resumption(msgspec.Struct, frozen=True):
    """The earlier move that is gone on with: its number, its items by row of the index, and what became of others."""

    move: int
    items: Mapping[int, int]
    settled: tuple[Settling, ...] = ()


class Placed(msgspec.Struct, frozen=True):
    """A mail of this PC: its row in the index, the native name of its folder, and the row itself."""

    native: str
    row: Row


def evidence(item: Item) -> Evidence:
    """What an item is found by."""
    return item.fields, item.original_size


def find(items: Iterable[Item], there: Iterable[Placed]) -> dict[int, int]:
    """The row of each item that is found among the mails of this PC, by the item's number.

    First by folder, place, identity fields and size; then, since a client may have compacted its file, without the
    place, in the same folder before others. Of copies in a folder those that the server lacks are taken first, and none
    twice.
    """
    by_evidence: defaultdict[Evidence, list[Placed]] = defaultdict(list)
    for placed in there:
        local = placed.row.local
        if local is not None:
            by_evidence[local.message.fields, local.message.size].append(placed)
    wanted: defaultdict[Evidence, list[Item]] = defaultdict(list)
    for item in items:
        wanted[evidence(item)].append(item)
    found: dict[int, int] = {}
    for key, group in wanted.items():
        free = by_evidence.get(key, [])
        for likeness in (_lacking_in_place, _lacking_in_folder, _in_place, _in_folder, _lacking, _anywhere):
            for item in group:
                if item.id in found:
                    continue
                match = next((placed for placed in free if likeness(item, placed)), None)
                if match is not None:
                    found[item.id] = match.row.id
                    free.remove(match)
    return found


def gone(item: Item) -> Settling:
    """That a mail is no more on this PC."""
    return Settling(item.id, ItemState.FAILED, _("it is no longer on this PC as it was when the move was planned"))


def _in_folder(item: Item, placed: Placed) -> bool:
    # An earlier version kept the folder's name only.
    return placed.native == item.native or (not item.native and placed.row.local_folder == item.folder)


def _in_place(item: Item, placed: Placed) -> bool:
    return placed.row.local is not None and placed.row.local.message.place == item.place and _in_folder(item, placed)


def _lacks(placed: Placed) -> bool:
    return bool(placed.row.relation & UPLOAD)


def _lacking_in_place(item: Item, placed: Placed) -> bool:
    return _lacks(placed) and _in_place(item, placed)


def _lacking_in_folder(item: Item, placed: Placed) -> bool:
    return _lacks(placed) and _in_folder(item, placed)


def _lacking(_item: Item, placed: Placed) -> bool:
    return _lacks(placed)


def _anywhere(_item: Item, _placed: Placed) -> bool:
    return True
