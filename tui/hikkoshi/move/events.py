"""What a running move tells: plain messages for screens and command lines."""

from collections.abc import Callable

import msgspec

from hikkoshi.jobs.progress import Progress
from hikkoshi.move.room import Room


class Landed(msgspec.Struct, frozen=True):
    """A mail arrived: the pair with row id `row` has its server copy in the index now."""

    row: int
    target: str


class NotMoved(msgspec.Struct, frozen=True):
    """A mail was not moved; `reason` is a sentence."""

    row: int
    subject: str
    folder: str
    reason: str


class Rooms(msgspec.Struct, frozen=True):
    """The server's limits, read again."""

    rooms: tuple[Room, ...]


class Waiting(msgspec.Struct, frozen=True):
    """Nothing is sent until then (seconds since 1970 UTC), since the server asked for it; `answer`: in its own words.

    The wait is over with the next event of another kind, and at once where the work is cancelled.
    """

    until: float
    answer: str


UploadEvent = Progress | Landed | NotMoved | Rooms | Waiting
Tell = Callable[[UploadEvent], None]
