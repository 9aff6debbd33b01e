"""How much room the server has, and where a load would take it. Arithmetic only.

STORAGE is counted in bytes here; servers answer and round in KiB (RFC 9208 section 5.1), so what is added is
rounded up to whole KiB.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from hikkoshi.server.quota import QuotaRoot

STORAGE, MESSAGE = "STORAGE", "MESSAGE"
KIB = 1024


class Source(StrEnum):
    """Who says what the limit is."""

    SERVER = "server"
    USER = "user"
    UNKNOWN = "unknown"


class Reserve(msgspec.Struct, frozen=True):
    """The part kept free for incoming mail: `size` in bytes (STORAGE only) or `percent` of each limit."""

    percent: float = 5.0
    size: int | None = None

    def of(self, resource: str, limit: int) -> int:
        """The reserve under `limit`, rounded up, in the resource's unit."""
        if self.size is not None:
            return self.size if resource == STORAGE else 0
        return -int(-limit * self.percent // 100)


class Room(msgspec.Struct, frozen=True):
    """One limit of the server: `used`, `limit` and `reserve` in bytes (STORAGE) or messages (MESSAGE).

    `limit` None: nobody knows it. `folders`: native names known to be under it, None for all.
    """

    root: str
    resource: str
    used: int
    limit: int | None
    source: Source
    reserve: int = 0
    folders: frozenset[str] | None = None


class Load(msgspec.Struct, frozen=True):
    """What would go into one folder: bytes in CRLF form, messages."""

    size: int = 0
    messages: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.size + other.size, self.messages + other.messages)


class Outlook(msgspec.Struct, frozen=True):
    """Where a load takes a room: `after` in its unit; `fits` None where no limit is known; `missing`: too much by."""

    room: Room
    after: int
    fits: bool | None
    missing: int


def rooms(roots: Iterable[QuotaRoot], reserve: Reserve, *, user_limit: int | None, used: int) -> list[Room]:
    """The limits that hold: the server's roots and the user's own limit (bytes).

    `used` is the sum of the sizes that the server lists; it stands in where the server tells no quota.
    """
    found = [
        Room(
            root=root.root,
            resource=root.resource,
            used=root.used,
            limit=root.limit,
            source=Source.SERVER,
            reserve=reserve.of(root.resource, root.limit),
            folders=root.folders,
        )
        for root in roots
    ]
    if user_limit is not None:
        storage = [room.used for room in found if room.resource == STORAGE]
        found.append(
            Room(
                root="",
                resource=STORAGE,
                used=max([used, *storage]),
                limit=user_limit,
                source=Source.USER,
                reserve=reserve.of(STORAGE, user_limit),
            )
        )
    if not any(room.resource == STORAGE for room in found):
        # A MESSAGE limit alone says nothing about bytes.
        found.append(Room(root="", resource=STORAGE, used=used, limit=None, source=Source.UNKNOWN))
    return found


def outlook(rooms: Iterable[Room], loads: Mapping[str, Load]) -> list[Outlook]:
    """Where each room would stand after `loads` (by native name of the target folder)."""
    rooms = list(rooms)
    listed = frozenset().union(*(room.folders for room in rooms if room.folders is not None))
    return [_outlook(room, _under(room, loads, listed)) for room in rooms]


def fits(outlooks: Iterable[Outlook]) -> bool | None:
    """True: all rooms hold it; False: one does not; None: no limit for bytes is known, and none is passed."""
    answers = [each.fits for each in outlooks]
    if False in answers:
        return False
    return None if None in answers else True


def _under(room: Room, loads: Mapping[str, Load], listed: frozenset[str]) -> Load:
    """What of the loads counts in this room; a folder that is not there yet counts in every one."""
    return sum(
        (
            load
            for native, load in loads.items()
            if room.folders is None or native in room.folders or native not in listed
        ),
        Load(),
    )


def _outlook(room: Room, load: Load) -> Outlook:
    added = load.messages if room.resource == MESSAGE else -(-load.size // KIB) * KIB
    after = room.used + added
    if room.limit is None:
        return Outlook(room, after, None, 0)
    missing = max(0, after - (room.limit - room.reserve)) if added else 0
    return Outlook(room, after, missing == 0, missing)
