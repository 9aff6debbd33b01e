"""Reading rows for the screen: the ids of a list, and windows of rows that are kept for a while."""

from array import array
from pathlib import Path

from hikkoshi.app.selection import UploadTable
from hikkoshi.index.queries import FolderPair, Row, folder_pairs, row_ids, rows, upload_sizes
from hikkoshi.index.relation import Relation
from hikkoshi.index.store import Index

_WINDOW = 64  # rows read at once: a page and its surroundings, 1 ms
_KEPT = 40 * _WINDOW


class Rows:
    """The index as the screen reads it. While the two sides are read again it holds on to the old state."""

    def __init__(self, path: Path) -> None:
        self._index = Index(path)
        self._kept: dict[int, Row | None] = {}

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def hold(self) -> None:
        """Go over to the newest state, and stay there until the next call."""
        self._kept.clear()
        self._index.hold()

    def pairs(self) -> tuple[FolderPair, ...]:
        """The folder pairs as last compared."""
        return tuple(folder_pairs(self._index))

    def ids(self, view: int | None, only: Relation) -> "array[int]":
        """The rows of a folder pair (None: of all) that have any of these facts, newest first."""
        return row_ids(self._index, view, only)

    def uploads(self, pairs: tuple[FolderPair, ...]) -> UploadTable:
        """What an upload would send."""
        return UploadTable(upload_sizes(self._index), {pair.id: pair.target or "" for pair in pairs})

    def at(self, ids: "array[int]", position: int) -> Row | None:
        """The row at a position of a list; None if it is gone."""
        wanted = ids[position]
        if wanted not in self._kept:
            start = position - position % _WINDOW
            window = ids[start : start + _WINDOW]
            if len(self._kept) > _KEPT:
                self._kept.clear()
            self._kept.update(dict.fromkeys(window))
            self._kept.update((row.id, row) for row in rows(self._index, window))
        return self._kept[wanted]
