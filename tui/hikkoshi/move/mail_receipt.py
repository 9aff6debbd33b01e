"""The receipt of a move mail by mail: where from, where to, what was sent, how it was verified; or why it was not moved."""

from collections.abc import Generator
from contextlib import closing
from enum import StrEnum

import msgspec

from hikkoshi.i18n import _
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, There
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import unpack
from hikkoshi.mail.headers import decode, field
from hikkoshi.mail.identity import identify
from hikkoshi.move.receipt import READ_BACK, subject


class Fate(StrEnum):
    """What became of a mail: `REMOVED`: it arrived, and an undo took it away again; `GONE`: it arrived, and others did."""

    MOVED = "moved"
    NOT_MOVED = "not-moved"
    IN_DOUBT = "in-doubt"
    REMOVED = "removed"
    GONE = "gone"


class MailReceipt(msgspec.Struct, frozen=True):
    """One mail of a move. Texts but `subject` and `sender` are as they are: `sanitise` them before they are shown.

    From `folder` (native name `native`, '' where an earlier version wrote the ledger) and `place` to `target` (native name
    of the server folder) as `uid` under `uidvalidity`. `size` (bytes, line ends CRLF) and `digest` (canonical, hex) of what
    was sent. `date`: the INTERNALDATE given, seconds since 1970 UTC; `date_source`: received, date, from-line or file.
    `verified`: facts (UID, size, flags and date) or bytes (all of it, too), with +flags behind it where flags that the
    server had lost were set again; '' if it was not read back, else what differs.
    `there`: what the server said of it then. `reason`: a sentence where it was not moved or not read back.
    """

    item: int
    fate: Fate
    state: ItemState
    subject: str
    message_id: str
    sender: str
    folder: str
    native: str
    place: str
    target: str
    uid: int | None
    uidvalidity: int | None
    size: int
    digest: str
    date: int | None
    date_source: str
    flags: tuple[str, ...]
    notes: str
    repairs: tuple[str, ...]
    verified: str
    there: There | None
    sent_at: int | None
    reason: str

    @property
    def as_sent(self) -> bool:
        """Whether it was read back and found as it was sent."""
        return self.state is ItemState.VERIFIED and self.verified in READ_BACK


def mail_receipts(ledger: Ledger, move: int) -> Generator[MailReceipt, None, None]:
    """The receipt of each mail of a move, in the order of its plan; read as they are asked for, see `each_item`."""
    with closing(ledger.each_item(move)) as items:
        yield from map(mail_receipt, items)


def mail_receipt(item: Item) -> MailReceipt:
    """The receipt of one mail."""
    there = None
    if item.there_size is not None and item.there_flags is not None:
        there = There(item.there_size, unpack(item.there_flags), item.there_date)
    sent = item.state not in (ItemState.PLANNED, ItemState.REFUSED, ItemState.FAILED)
    message_id = identify(item.fields).message_id or b""
    return MailReceipt(
        item=item.id,
        fate=fate_of(item.state),
        state=item.state,
        subject=subject(item.fields),
        message_id=message_id.decode("utf-8", "replace"),
        sender=decode(field(item.fields, b"from") or b""),
        folder=item.folder,
        native=item.native,
        place=item.place,
        target=item.target,
        uid=item.uid,
        uidvalidity=item.uidvalidity if item.uid is not None else None,
        size=item.size,
        digest=item.body.hex() if item.body and sent else "",
        date=item.date if sent else None,
        date_source=item.date_source if sent else "",
        flags=tuple(item.flags.split()),
        notes=item.notes,
        repairs=tuple(item.repairs.split()),
        verified=item.verified,
        there=there,
        sent_at=item.sent_at,
        reason=item.reason or _REASONS.get(item.state, lambda: "")(),
    )


def fate_of(state: ItemState) -> Fate:
    """What an item's state means for the mail."""
    if state in ARRIVED:
        return Fate.MOVED
    if state in (ItemState.SENDING, ItemState.DOUBTFUL):
        return Fate.IN_DOUBT
    return {ItemState.REMOVED: Fate.REMOVED, ItemState.VANISHED: Fate.GONE}.get(state, Fate.NOT_MOVED)


# Asked for late: the language may be set after this module is loaded.
_REASONS = {
    ItemState.PLANNED: lambda: _("the upload ended before it"),
    ItemState.SENDING: lambda: _("the server's answer did not come"),
    ItemState.LANDED: lambda: _("it was not read back"),
    ItemState.UNDOING: lambda: _("removing it from the server was begun and not ended"),
}
