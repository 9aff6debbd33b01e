"""Cutting a folder's mails into batches: what is one step of the ledger, and one command where the server takes many."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from hikkoshi.errors import LocalError
from hikkoshi.mail.identity import identify
from hikkoshi.move.evidence import Trace
from hikkoshi.move.plan import PlanItem
from hikkoshi.move.rate import Caps
from hikkoshi.move.source import KEPT, Parcel
from hikkoshi.server.appending import Outgoing

MAILS, BYTES = 50, 4 << 20
"""More gains nothing (measured on Dovecot 2.3: 50 mails of 4 KiB in one command 2,500/s, one huge command loses), and
after a cut so many have to be looked for."""

Planned = tuple[PlanItem, int]
"""An item of the plan and its number in the ledger."""


class Letter(msgspec.Struct):
    """A mail that is sent. `uidnext`: below it nothing is ours. `taken`: the server said OK and not where it is.

    `reason`: why it fails unless it is found on the server. `notes`: what was found in it, see `hikkoshi.move.notes`.
    `refusal`: the last answer that may be about the time; `alone`: how often it was refused so while nothing else was on
    its way; `outlived`: others passed after that. `heed` is told the bytes of each piece of a mail that is not held in
    memory before it goes, and may raise. `caps`: what holds its bytes back.
    """

    item: PlanItem
    id: int
    parcel: Parcel
    flags: tuple[str, ...]
    uidnext: int
    notes: str = ""
    taken: bool = False
    reason: str = ""
    refusal: str = ""
    alone: int = 0
    outlived: bool = False
    heed: Callable[[int], None] | None = None
    caps: Caps | None = None

    def outgoing(self) -> Outgoing:
        """It as the server connection takes it."""
        return Outgoing(self.parcel.size, self.flags, self.parcel.dated.when, self._chunks)

    def trace(self) -> Trace:
        """What it can be known by."""
        return Trace(
            key=self.id,
            identity=identify(self.parcel.fields).digest,
            size=self.parcel.size,
            body=self.parcel.digest,
            flags=frozenset(self.flags),
            date=self.parcel.dated.when,
            uidnext=self.uidnext,
        )

    def _chunks(self) -> Iterator[bytes | memoryview]:
        try:
            chunks = self.parcel.chunks()
            for piece in chunks if self.caps is None else self.caps.paced(chunks):
                if self.heed is not None and self.parcel.kept is None:
                    self.heed(len(piece))
                yield piece
        except (LocalError, OSError) as error:
            self.reason = str(error)
            raise


def batches(
    planned: Iterable[Planned], most: Callable[[], int] = lambda: BYTES, caps: Caps | None = None
) -> Iterator[list[Planned]]:
    """Batches of at most MAILS mails and `most` bytes, BYTES at most, in their order.

    A mail that is larger, or not held in memory, is a batch by itself. Where there are caps batches are smaller: a move
    stops between two of them.
    """
    most_mails = min(MAILS, (caps and caps.batch_mails) or MAILS)
    most_bytes = min(BYTES, (caps and caps.batch_bytes) or BYTES)
    batch: list[Planned] = []
    size = 0
    for each in planned:
        own = each[0].size
        if batch and (len(batch) == most_mails or size + own > min(most_bytes, most()) or own > KEPT):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += own
        if own > KEPT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
