"""Whether the original of an uploaded mail can be read on this PC now, with the digest that it had when it was sent."""

from collections.abc import Iterable, Iterator

from hikkoshi.errors import LocalError
from hikkoshi.index.finding import local_rows_like
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.folders import LEFT_OUT, Folder
from hikkoshi.mail.identity import CanonicalDigest
from hikkoshi.move.source import upload_pieces

_CANDIDATES = 50
"""Mails with the same identity fields and size that are read at most before it is said that the original is not found."""


class Originals:
    """The mails of this PC as the originals of uploads: each is read whole, from the disk, when it is asked about.

    Only live mail counts, as a look has just listed it: what the client has deleted can still be read until it compacts the
    file, and is lost then. Nor does what lies in trash or junk, which clients empty.
    """

    def __init__(self, store: LocalStore, folders: Iterable[Folder], index: Index) -> None:
        self._store, self._index = store, index
        self._folders = {folder.native: folder for folder in folders if folder.role not in LEFT_OUT}
        self._natives = {entry.id: entry.folder.native for entry in index.folders()}

    def has(self, item: Item) -> bool:
        """Whether a mail with the digest of the item's original can be read now: at its place, else by its identity."""
        if item.original_body is None:
            return False
        there = list(self._like(item))
        # Its own place first: the others need not be read then.
        there.sort(key=lambda where: where[1] != item.place or not _is_of(where[0], item))
        return any(self._digest(*where, item.original_size) == item.original_body for where in there[:_CANDIDATES])

    def _like(self, item: Item) -> Iterator[tuple[Folder, str]]:
        """Where mails with the item's identity fields and size lie, by the index."""
        for row in local_rows_like(self._index, [item.fields]):
            if row.local is None or row.local.message.partial:
                continue
            folder, message = self._folders.get(self._natives[row.local.folder]), row.local.message
            if folder is not None and (message.fields, message.size) == (item.fields, item.original_size):
                yield folder, message.place

    def _digest(self, folder: Folder, place: str, size: int) -> bytes | None:
        """The canonical digest of the upload form of what lies there, None where that cannot be read or is too large."""
        digest = CanonicalDigest()
        try:
            for piece in upload_pieces(self._store, folder, place):
                digest.update(piece)
                size -= len(piece)
                if size < 0:
                    return None
        except (LocalError, OSError):
            return None
        return digest.digest()


def _is_of(folder: Folder, item: Item) -> bool:
    # An earlier version kept the folder's name only.
    return folder.native == item.native or (not item.native and folder.name == item.folder)
