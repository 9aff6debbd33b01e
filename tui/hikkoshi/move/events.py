"""What a running move tells: plain messages for screens and command lines."""

from collections.abc import Callable
from dataclasses import dataclass

from hikkoshi.jobs.progress import Progress
from hikkoshi.move.room import Room


@dataclass(frozen=True, slots=True)
class Landed:
    """A mail arrived: the pair with row id `row` has its server copy in the index now."""

    row: int
    target: str


@dataclass(frozen=True, slots=True)
class NotMoved:
    """A mail was not moved; `reason` is a sentence."""

    row: int
    subject: str
    folder: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rooms:
    """The server's limits, read again."""

    rooms: tuple[Room, ...]


UploadEvent = Progress | Landed | NotMoved | Rooms
Tell = Callable[[UploadEvent], None]
