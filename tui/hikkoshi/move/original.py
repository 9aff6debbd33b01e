"""Whether the original of an uploaded mail can be read on this PC now, with the digest that it had when it was sent."""

from collections.abc import Iterable, Mapping

from hikkoshi.errors import LocalError
from hikkoshi.index.finding import local_rows_like
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.identity import CanonicalDigest
from hikkoshi.move.source import upload_pieces

_CANDIDATES = 50
"""Mails with the same identity fields and size that are read at most before it is said that the original is not found."""


class Originals:
    """The mails of this PC as the originals of uploads: each is read whole, from the disk, when it is asked about."""

    def __init__(self, store: LocalStore, folders: Iterable[Folder], index: Index) -> None:
        self._store, self._index = store, index
        listed = list(folders)
        self._by_native: Mapping[str, Folder] = {folder.native: folder for folder in listed}
        self._by_name: Mapping[str, Folder] = {folder.name: folder for folder in reversed(listed)}
        self._natives = {entry.id: entry.folder.native for entry in index.folders()}

    def has(self, item: Item) -> bool:
        """Whether a mail with the digest of the item's original can be read now: at its place, else by its identity."""
        if item.original_body is None:
            return False
        folder = self._by_native.get(item.native) if item.native else self._by_name.get(item.folder)
        if folder is not None and self._digest(folder, item.place, item.original_size) == item.original_body:
            return True
        return any(self._digest(*where, item.original_size) == item.original_body for where in self._like(item))

    def _like(self, item: Item) -> Iterable[tuple[Folder, str]]:
        """Where mails with the item's identity fields and size lie, by the index."""
        count = 0
        for row in local_rows_like(self._index, [item.fields]):
            local = row.local
            if local is None or (local.message.fields, local.message.size) != (item.fields, item.original_size):
                continue
            folder = self._by_native.get(self._natives[local.folder])
            if folder is not None and count < _CANDIDATES:
                count += 1
                yield folder, local.message.place

    def _digest(self, folder: Folder, place: str, size: int) -> bytes | None:
        """The canonical digest of the upload form of what lies there, None where that cannot be read or is too large."""
        digest = CanonicalDigest()
        try:
            for piece in upload_pieces(self._store, folder, place):
                digest.update(piece)
                size -= len(piece)
                if size < 0:
                    return None
        except (LocalError, OSError, ValueError):  # a place that is none of this store's any more
            return None
        return digest.digest()
