"""The bytes of a mail as they will go up, read anew from this PC just before they are sent.

A mail of up to `KEPT` bytes is held from then on. A larger one is only looked through, and read once more while it is
sent: a mail of 200 MiB costs no more memory than a small one. What is read then has to be what was looked through.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_chunks
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.identity import CanonicalDigest
from hikkoshi.mail.message import Message
from hikkoshi.move.risk import Risk

KEPT = 2 << 20


class Parcel(msgspec.Struct, frozen=True):
    """A mail ready to send: its size in CRLF form, its canonical digest, and the date it will be given.

    `risky`: servers are known to change such bytes. `kept`: its bytes, None for one that is read again.
    """

    size: int
    digest: bytes
    dated: Dated
    risky: bool
    kept: bytes | None
    again: Callable[[], Iterator[bytes]]

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


def pack_parcel(store: LocalStore, folder: Folder, message: Message) -> Parcel:
    """Read a mail and see that it still is the one that was listed.

    Raises `LocalChanged` if it is not, `OSError` if it cannot be read.
    """
    again = partial(_pieces, store, folder, message.place)
    digest, risk, size = CanonicalDigest(), Risk(), 0
    kept: list[bytes] = []
    fields = b""
    for piece in again():
        if not size:
            fields = identity_fields(header_block(piece))
        digest.update(piece)
        risk.update(piece)
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
    return Parcel(size, digest.digest(), dated, risk.end(), b"".join(kept) if size <= KEPT else None, again)


def _pieces(store: LocalStore, folder: Folder, place: str) -> Iterator[bytes]:
    return upload_chunks(store.chunks(folder, place), mbox=store.is_mbox(folder))


def _changed() -> LocalChanged:
    return LocalChanged(_("it changed on this PC since it was listed; refresh and upload again"))
