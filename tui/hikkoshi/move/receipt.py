"""What a move did, for screens, JSON and the next start. Made from the ledger, never from memory."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, Move, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.headers import decode, field
from hikkoshi.move.plan import Refusal
from hikkoshi.move.settle import Settled


class Failure(msgspec.Struct, frozen=True):
    """A mail that was not moved, or of which the server's answer is not known, with the reason as a sentence."""

    subject: str
    folder: str
    reason: str


class Receipt(msgspec.Struct, frozen=True):
    """The end of a move: `landed` mails of `bytes` (CRLF form) arrived, `read_back` of them as they were sent.

    `changed`: arrived, but the server has them otherwise than sent. `unread`: arrived, and could not be read back.
    `waiting`: planned and never begun.
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
    unread: tuple[Failure, ...] = ()

    @property
    def not_sent(self) -> int:
        """How many mails were planned and never begun."""
        return len(self.waiting)

    @property
    def complete(self) -> bool:
        """Whether every mail of the plan is on the server."""
        return self.state is State.DONE and not self.failed and not self.doubtful and not self.not_sent


READ_BACK = "facts", "bytes"
"""How a mail was read back without a difference: UID, size, flags and date, or the whole of it."""


def make_receipt(ledger: Ledger, move: int, state: State, problem: str = "") -> Receipt:
    """The receipt of a move from what the ledger has of it."""
    items = ledger.items(move)
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
    )


def refused(refusal: Refusal) -> Failure:
    """A mail that a plan has left out, as a receipt names it."""
    item = refusal.item
    return Failure(subject(item.message.fields), item.local_folder, refusal.reason)


def subject(fields: bytes) -> str:
    """The subject of a mail from its raw identity fields, for naming it; '(no subject)' where it has none."""
    return decode(field(fields, b"subject") or b"") or _("(no subject)")


def tell_settled(settled: Settled) -> str:
    """Sentences on what became of mails that were in doubt, '' if there were none."""
    told = []
    if n := settled.arrived:
        text = ngettext(
            "{n:,} mail whose answer had not come has arrived.",
            "{n:,} mails whose answer had not come have arrived.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.missing:
        text = ngettext(
            "{n:,} mail whose answer had not come has not arrived, and can be sent again.",
            "{n:,} mails whose answer had not come have not arrived, and can be sent again.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.doubtful:
        text = ngettext(
            "{n:,} mail whose answer had not come stays in doubt: it is never sent again by itself.",
            "{n:,} mails whose answer had not come stay in doubt: they are never sent again by themselves.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.open:
        text = ngettext(
            "Of {n} mail it is not known whether it arrived, since its folder cannot be read now.",
            "Of {n} mails it is not known whether they arrived, since their folders cannot be read now.",
            n,
        )
        told.append(text.format(n=n))
    return " ".join(told)


def tell_unfinished(moves: Iterable[Move]) -> str:
    """Sentences on moves that ended early, '' if there is none."""
    return "\n".join(_tell(move) for move in moves)


def _failures(items: Iterable[Item], state: ItemState, reason: str = "") -> tuple[Failure, ...]:
    return tuple(
        Failure(subject(item.fields), item.folder, item.reason or reason) for item in items if item.state is state
    )


def _tell(move: Move) -> str:
    if undoing := move.counts.get(ItemState.UNDOING, 0):
        return ngettext(
            "Undoing the move {move} ended early: {n} mail was about to be removed from the server. “hikkoshi undo {move}” "
            "goes on with it.",
            "Undoing the move {move} ended early: {n} mails were about to be removed from the server. “hikkoshi undo {move}” "
            "goes on with it.",
            undoing,
        ).format(move=move.id, n=undoing)
    total = sum(count for state, count in move.counts.items() if state is not ItemState.REFUSED)
    arrived = sum(move.counts.get(state, 0) for state in ARRIVED)
    doubtful = move.counts.get(ItemState.SENDING, 0) + move.counts.get(ItemState.DOUBTFUL, 0)
    text = _(
        "The upload of {when} ended early ({reason}): {arrived} of {total} mails arrived. Nothing was lost; “hikkoshi "
        "resume {move}” goes on with it, and another upload sends only what is missing, too."
    ).format(
        move=move.id,
        when=datetime.fromtimestamp(move.started, UTC).astimezone().strftime("%Y-%m-%d %H:%M"),
        reason=_reason(move),
        arrived=arrived,
        total=total,
    )
    if doubtful:
        text += " " + ngettext(
            "Of {n} mail it is not known whether it arrived.",
            "Of {n} mails it is not known whether they arrived.",
            doubtful,
        ).format(n=doubtful)
    return text


def _reason(move: Move) -> str:
    if move.state is State.NO_ROOM:
        return _("no room was left")
    if move.state is State.CONNECTION_LOST:
        return _("the connection was lost")
    if move.state is State.FAILED:
        return _("an error ended it")
    if move.reason == "SIGHUP":
        return _("the terminal was closed")
    return _("the program was ended")
