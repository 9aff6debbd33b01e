"""How much room the server has, and where a load would take it. Arithmetic only.

STORAGE is counted in bytes here. Servers answer in KiB (RFC 9208 section 5.1), but all that were measured sum up bytes
and round only what they tell: Dovecot 2.3 and Courier 5.0 both the use and the limit up, Cyrus 3.6 the use down. So what
is sent counts to the byte, and by `_ROUNDED` a server may have less room than it says. Dovecot with `quota_vsizes` and
Cyrus count a mail in CRLF form; Courier, and Dovecot's drivers without it, what their files hold: that form or less.
"""

import math
from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from fractions import Fraction

import msgspec

from hikkoshi.server.quota import QuotaRoot

STORAGE, MESSAGE = "STORAGE", "MESSAGE"
KIB = 1024
_ROUNDED = 2 * (KIB - 1)
"""Bytes: the use told up to 1,023 too low, the limit up to 1,023 too high."""


class Source(StrEnum):
    """Who says what the limit is."""

    SERVER = "server"
    USER = "user"
    UNKNOWN = "unknown"


class Load(msgspec.Struct, frozen=True):
    """What would go into one folder: bytes in CRLF form, messages."""

    size: int = 0
    messages: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.size + other.size, self.messages + other.messages)


class Decided(StrEnum):
    """What a reserve comes from."""

    PERCENT = "percent"
    """A share of the limit."""
    SIZE = "size"
    """The user's own figure."""
    INCOMING = "incoming"
    """The incoming mail of the last 30 days."""


class Reserve(msgspec.Struct, frozen=True):
    """The part kept free for incoming mail: `size` in bytes (STORAGE only), else `percent` of each limit.

    `automatic`: the larger of `percent` and `incoming`, the mail that came within 30 days (None: not counted).
    """

    percent: float = 5.0
    size: int | None = None
    automatic: bool = False
    incoming: Load | None = None

    def of(self, resource: str, limit: int) -> int:
        """The reserve under `limit`, rounded up, in the resource's unit."""
        return self.decide(resource, limit)[0]

    def decide(self, resource: str, limit: int) -> tuple[int, Decided]:
        """The same, and what it comes from."""
        if self.size is not None:
            return (self.size if resource == STORAGE else 0), Decided.SIZE
        share = math.ceil(Fraction(self.percent) * limit / 100)
        if self.automatic and self.incoming is not None:
            came = self.incoming.messages if resource == MESSAGE else self.incoming.size
            if came > share:
                return came, Decided.INCOMING
        return share, Decided.PERCENT


AUTOMATIC = Reserve(automatic=True)
"""The default: the larger of 5 % and the incoming mail of the last 30 days."""


class Room(msgspec.Struct, frozen=True):
    """One limit of the server: `used`, `limit` and `reserve` in bytes (STORAGE) or messages (MESSAGE).

    `limit` None: nobody knows it. `folders`: native names known to be under it, None for all. `decided`: what the
    reserve comes from. `doubt`: there may be less room by so much than was told.
    """

    root: str
    resource: str
    used: int
    limit: int | None
    source: Source
    reserve: int = 0
    folders: frozenset[str] | None = None
    decided: Decided = Decided.PERCENT
    doubt: int = 0

    @property
    def free(self) -> int | None:
        """How much more may go into it before the reserve, in its unit; below 0: it is over; None: nobody knows."""
        return None if self.limit is None else self.limit - self.reserve - self.used - self.doubt

    def amount(self, load: Load) -> int:
        """What of a load counts here, in its unit."""
        return load.messages if self.resource == MESSAGE else load.size


class Outlook(msgspec.Struct, frozen=True):
    """Where a load takes a room: `after` in its unit, in whole KiB as servers tell it; `fits` None where no limit is known.

    `missing`: too much by so much, exactly.
    """

    room: Room
    after: int
    fits: bool | None
    missing: int


def rooms(roots: Iterable[QuotaRoot], reserve: Reserve, *, user_limit: int | None, used: int) -> list[Room]:
    """The limits that hold: the server's roots and the user's own limit (bytes).

    `used` is the sum of the sizes that the server lists; it stands in where the server tells no quota.
    """
    found = [_of_server(root, reserve) for root in roots]
    if user_limit is not None:
        storage = [room.used for room in found if room.resource == STORAGE]
        kept, decided = reserve.decide(STORAGE, user_limit)
        found.append(Room("", STORAGE, max([used, *storage]), user_limit, Source.USER, reserve=kept, decided=decided))
    if not any(room.resource == STORAGE for room in found):
        # A MESSAGE limit alone says nothing about bytes.
        found.append(Room(root="", resource=STORAGE, used=used, limit=None, source=Source.UNKNOWN))
    return found


def outlook(rooms: Iterable[Room], loads: Mapping[str, Load]) -> list[Outlook]:
    """Where each room would stand after `loads` (by native name of the target folder)."""
    rooms = list(rooms)
    listed = listed_in(rooms)
    return [_outlook(room, _under(room, loads, listed)) for room in rooms]


def fits(outlooks: Iterable[Outlook]) -> bool | None:
    """True: all rooms hold it; False: one does not; None: no limit for bytes is known, and none is passed."""
    answers = [each.fits for each in outlooks]
    if False in answers:
        return False
    return None if None in answers else True


def covers(room: Room, native: str, listed: Container[str]) -> bool:
    """Whether a folder's mail counts in this room; of one that is not among those `listed_in` all rooms: in every one."""
    return room.folders is None or native in room.folders or native not in listed


def listed_in(rooms: Iterable[Room]) -> frozenset[str]:
    """The folders of which it is known which rooms they are in."""
    return frozenset().union(*(room.folders for room in rooms if room.folders is not None))


def _of_server(root: QuotaRoot, reserve: Reserve) -> Room:
    kept, decided = reserve.decide(root.resource, root.limit)
    return Room(
        root=root.root,
        resource=root.resource,
        used=root.used,
        limit=root.limit,
        source=Source.SERVER,
        reserve=kept,
        folders=root.folders,
        decided=decided,
        doubt=_ROUNDED if root.resource == STORAGE else 0,
    )


def _under(room: Room, loads: Mapping[str, Load], listed: frozenset[str]) -> Load:
    """What of the loads counts in this room."""
    return sum((load for native, load in loads.items() if covers(room, native, listed)), Load())


def _outlook(room: Room, load: Load) -> Outlook:
    added = room.amount(load)
    after = room.used + (added if room.resource == MESSAGE else -(-added // KIB) * KIB)
    if room.free is None:
        return Outlook(room, after, None, 0)
    missing = max(0, added - room.free) if added else 0
    return Outlook(room, after, missing == 0, missing)
