"""What a move did, for screens, JSON and the next start. Made from the ledger, never from memory."""

from collections.abc import Iterable

import msgspec

from hikkoshi.i18n import _
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.headers import decode, field
from hikkoshi.move.plan import Refusal
from hikkoshi.move.verify import BYTES, FACTS, STORED_AGAIN


class Failure(msgspec.Struct, frozen=True):
    """A mail that was not moved, or of which the server's answer is not known, with the reason as a sentence."""

    subject: str
    folder: str
    reason: str


class Receipt(msgspec.Struct, frozen=True):
    """The end of a move: `landed` mails of `bytes` (CRLF form) arrived, `read_back` of them as they were sent.

    `goes_on_at`: from when on the server takes the rest, in seconds since 1970 UTC, where that is known.
    `changed`: arrived, but the server has them otherwise than sent. `unread`: arrived, and could not be read back.
    `waiting`: planned and never begun. `flags_stored`: how many had lost flags on the way, which were stored again.
    """

    move: int
    state: State
    landed: int
    bytes: int
    read_back: int
    failed: tuple[Failure, ...] = ()
    doubtful: tuple[Failure, ...] = ()
    changed: tuple[Failure, ...] = ()
    waiting: tuple[Failure, ...] = ()
    problem: str = ""
    goes_on_at: float | None = None
    unread: tuple[Failure, ...] = ()
    flags_stored: int = 0

    @property
    def not_sent(self) -> int:
        """How many mails were planned and never begun."""
        return len(self.waiting)

    @property
    def complete(self) -> bool:
        """Whether every mail of the plan is on the server."""
        return self.state is State.DONE and not self.failed and not self.doubtful and not self.not_sent


READ_BACK = (FACTS, BYTES, *STORED_AGAIN.values())
"""How a mail was read back without a difference: UID, size, flags and date, or the whole of it."""


def make_receipt(ledger: Ledger, move: int, state: State, problem: str = "") -> Receipt:
    """The receipt of a move from what the ledger has of it."""
    # What a plan leaves out may be ten times what it moves, and is in none of these.
    items = [item for item in ledger.each_item(move) if item.state is not ItemState.REFUSED]
    arrived = [item for item in items if item.state in ARRIVED]
    return Receipt(
        move=move,
        state=state,
        landed=len(arrived),
        bytes=sum(item.size for item in arrived),
        read_back=sum(1 for item in arrived if item.verified in READ_BACK),
        failed=_failures(items, ItemState.FAILED),
        doubtful=_failures(items, ItemState.DOUBTFUL)
        + _failures(items, ItemState.SENDING, _("the server's answer did not come")),
        changed=tuple(
            Failure(subject(item.fields), item.folder, item.verified)
            for item in arrived
            if item.verified and item.verified not in READ_BACK
        ),
        waiting=_failures(items, ItemState.PLANNED, _("the upload ended before it")),
        problem=problem,
        unread=_failures(items, ItemState.LANDED, _("it was not read back")),
        flags_stored=sum(1 for item in arrived if item.verified in STORED_AGAIN.values()),
    )


def refused(refusal: Refusal) -> Failure:
    """A mail that a plan has left out, as a receipt names it."""
    item = refusal.item
    return Failure(subject(item.message.fields), item.local_folder, refusal.reason)


def subject(fields: bytes) -> str:
    """The subject of a mail from its raw identity fields, for naming it; '(no subject)' where it has none."""
    return decode(field(fields, b"subject") or b"") or _("(no subject)")


def _failures(items: Iterable[Item], state: ItemState, reason: str = "") -> tuple[Failure, ...]:
    return tuple(
        Failure(subject(item.fields), item.folder, item.reason or reason) for item in items if item.state is state
    )
