"""What the ledger holds, as records."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How a move stands or ended."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    NO_ROOM = "no-room"
    CONNECTION_LOST = "connection-lost"
    THROTTLED = "throttled"  # the server asked for less, again and again; the rest goes later
    BUDGET_SPENT = "budget-spent"  # so many bytes may go in a day; the rest goes later
    FAILED = "failed"
    UNDONE = "undone"


class ItemState(StrEnum):
    """How one mail of a move stands. SENDING without a result is in doubt until it is settled.

    REFUSED: left out by the plan. UNDOING: there, and about to be removed by an undo; REMOVED: it was there, and an undo
    has removed it. VANISHED: it was there, and an undo found that others had deleted or moved it.
    """

    PLANNED = "planned"
    SENDING = "sending"
    LANDED = "landed"
    VERIFIED = "verified"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    UNDOING = "undoing"
    REMOVED = "removed"
    VANISHED = "vanished"


ARRIVED = (ItemState.LANDED, ItemState.VERIFIED, ItemState.UNDOING)
"""What is on the server by us."""


class Item(msgspec.Struct, frozen=True):
    """One mail of a move. `id` is 0 before it is in the ledger; other fields as the schema tells.

    Of a mail that was mended `size` and `body` are those of what was sent, `original_size` and `original_body` those of
    the mail on this PC.
    """

    folder: str
    place: str
    size: int
    fields: bytes
    target: str
    flags: str
    id: int = 0
    state: ItemState = ItemState.PLANNED
    body: bytes | None = None
    date: int | None = None
    date_source: str = ""
    uidvalidity: int | None = None
    uidnext: int | None = None
    uid: int | None = None
    reason: str = ""
    verified: str = ""
    native: str = ""
    sent_at: int | None = None
    repairs: str = ""
    notes: str = ""
    risky: bool | None = None
    there_size: int | None = None
    there_flags: str | None = None
    there_date: int | None = None
    source_size: int | None = None
    source_body: bytes | None = None
    sent_fields: bytes | None = None

    @property
    def fields_sent(self) -> bytes:
        """The identity fields that went up."""
        return self.fields if self.sent_fields is None else self.sent_fields

    @property
    def original_size(self) -> int:
        """Bytes of the mail on this PC in CRLF form."""
        return self.size if self.source_size is None else self.source_size

    @property
    def original_body(self) -> bytes | None:
        """Canonical digest of the mail on this PC, None where it was never read."""
        return self.body if self.source_body is None else self.source_body


class Mended(msgspec.Struct, frozen=True):
    """How a mended mail differs from its original: `size` and `fields` of what is sent, the original's size and digest."""

    size: int
    fields: bytes
    source_size: int
    source_body: bytes


class There(msgspec.Struct, frozen=True):
    """What the server said of a mail: RFC822.SIZE in bytes, flags, INTERNALDATE in seconds since 1970 UTC."""

    size: int
    flags: frozenset[str]
    date: int | None


class Sending(msgspec.Struct, frozen=True):
    """What is about to go: `body` its canonical digest, `date` the INTERNALDATE given; `uidnext`: see the schema."""

    item: int
    body: bytes
    flags: str
    date: int
    date_source: str
    uidvalidity: int
    uidnext: int
    repairs: str = ""
    notes: str = ""
    risky: bool | None = None
    mended: Mended | None = None


class Landing(msgspec.Struct, frozen=True):
    """Where an item came to lie on the server."""

    item: int
    uidvalidity: int
    uid: int


class Settling(msgspec.Struct, frozen=True):
    """An item that is PLANNED again (it never arrived), FAILED, DOUBTFUL or still SENDING, with the reason."""

    item: int
    state: ItemState
    reason: str = ""


class Move(msgspec.Struct, frozen=True):
    """One move: `started`, `ended` and, where it was undone, `undone` in seconds since 1970 UTC.

    `counts`: items by state, `sizes`: their bytes.
    """

    id: int
    server: str
    store: str
    started: int
    ended: int | None
    state: State
    reason: str
    counts: dict[ItemState, int]
    sizes: dict[ItemState, int] = msgspec.field(default_factory=dict)
    undone: int | None = None


class Learnt(msgspec.Struct, frozen=True):
    """Something that a server has shown of itself, and when that was, in seconds since 1970 UTC."""

    value: int
    at: int
