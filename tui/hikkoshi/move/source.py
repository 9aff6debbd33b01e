"""The bytes of a mail as they will go up, read anew from this PC just before they are sent.

A mail of up to `KEPT` bytes is held from then on. A larger one is only looked through, and read once more while it is
sent: a mail of 200 MiB costs no more memory than a small one. What is read then has to be what was looked through.
A mail in which something is to be mended is looked through once more, as it comes out of that.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.ledger.records import Mended
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import LineEnds, upload_chunks
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.findings import AT_RISK, Examined, Examiner
from hikkoshi.mail.flags import SEEN
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.identity import CanonicalDigest
from hikkoshi.mail.mending import Mending
from hikkoshi.mail.message import Message
from hikkoshi.mail.remedies import repairs_for
from hikkoshi.mail.repairs import Repair

KEPT = 2 << 20
_AT_RISK = int(AT_RISK)
NO_REPAIRS: frozenset[Repair] = frozenset()


class Parcel(msgspec.Struct, frozen=True):
    """A mail ready to send: its size in CRLF form, its canonical digest, and the date it will be given.

    `risky`: servers are known to change such bytes. `kept`: its bytes, None for one that is read again. `fields`: its
    identity fields as they go up. `found`: what is out of the ordinary in it, before anything was mended. `repairs`: what
    was; `mended`: how it differs from its original then.
    """

    size: int
    digest: bytes
    dated: Dated
    risky: bool
    kept: bytes | None
    again: Callable[[], Iterator[bytes]]
    fields: bytes
    found: Examined
    repairs: frozenset[Repair] = NO_REPAIRS
    mended: Mended | None = None

    def chunks(self) -> Iterator[bytes]:
        """Its bytes. Raises `LocalChanged`, before the last of them, if they are no longer those it was packed with."""
        if self.kept is not None:
            yield self.kept
            return
        digest, size, held = CanonicalDigest(), 0, b""
        for piece in self.again():
            digest.update(piece)
            size += len(piece)
            if size > self.size:
                break
            if held:
                yield held
            held = piece
        if size != self.size or digest.digest() != self.digest:
            raise _changed()
        yield held


def pack_parcel(store: LocalStore, folder: Folder, message: Message, repairs: frozenset[Repair] = NO_REPAIRS) -> Parcel:
    """Read a mail and see that it still is the one that was listed; mend in it what it needs of `repairs`.

    Raises `LocalChanged` if it is not, `OSError` if it cannot be read.
    """
    ends = LineEnds()
    again = partial(upload_pieces, store, folder, message.place)
    digest, examiner, size = CanonicalDigest(), Examiner(ends), 0
    kept: list[bytes] = []
    fields = b""
    for piece in again(ends):
        if not size:
            fields = identity_fields(header_block(piece))
        digest.update(piece)
        examiner.update(piece)
        size += len(piece)
        if size > message.size:
            raise _changed()
        if message.size <= KEPT:
            kept.append(piece)
    if size != message.size or fields != message.fields:
        raise _changed()
    dated = store.header_dates(folder, message.place)
    if dated is None:
        raise LocalChanged(_("no date was found for it, and it must not be given today's"))
    found = examiner.end()
    parcel = Parcel(
        size=size,
        digest=digest.digest(),
        dated=dated,
        risky=bool(found.findings & _AT_RISK),
        kept=b"".join(kept) if size <= KEPT else None,
        again=again,
        fields=fields,
        found=found,
    )
    needed = repairs & repairs_for(found.findings, unread=SEEN not in message.flags) if repairs else NO_REPAIRS
    return _mended(parcel, needed) if needed else parcel


def upload_pieces(store: LocalStore, folder: Folder, place: str, ends: LineEnds | None = None) -> Iterator[bytes]:
    """A mail in upload form, in pieces, of which the first holds its whole header. Raises what `LocalStore.read` raises."""
    return upload_chunks(store.chunks(folder, place), mbox=store.is_mbox(folder), ends=ends)


def _mended(parcel: Parcel, needed: frozenset[Repair]) -> Parcel:
    """The parcel of the mended mail. It is read back whole, whatever was mended."""

    def again() -> Iterator[bytes]:
        return Mending(needed).chunks(parcel.again())

    mending = Mending(needed)
    digest, size, fields = CanonicalDigest(), 0, b""
    kept: list[bytes] = []
    # The original's own check stands at its end: what is mended is what was looked through.
    for piece in mending.chunks(parcel.chunks()):
        if not size:
            fields = identity_fields(header_block(piece))
        digest.update(piece)
        size += len(piece)
        if parcel.kept is not None:
            kept.append(piece)
    return Parcel(
        size=size,
        digest=digest.digest(),
        dated=parcel.dated,
        risky=True,
        kept=b"".join(kept) if parcel.kept is not None else None,
        again=again,
        fields=fields,
        found=parcel.found,
        repairs=frozenset(mending.applied),
        mended=Mended(size, fields, parcel.size, parcel.digest),
    )


def _changed() -> LocalChanged:
    return LocalChanged(_("it changed on this PC since it was listed; refresh and upload again"))
