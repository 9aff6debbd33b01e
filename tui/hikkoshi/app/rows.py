"""Reading rows for the screen: the ids of a list, and windows of rows that are kept for a while.

A million ids take half a second to read, so a later state of the index is read by a worker as a `Page`; the screen
only goes over to it.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hikkoshi.app.selection import UploadTable
from hikkoshi.index.queries import FolderPair, Row, folder_pairs, mail_keys, row_ids, rows, upload_sizes
from hikkoshi.index.relation import Relation
from hikkoshi.index.store import Index

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot

_WINDOW = 64  # rows read at once: a page and its surroundings, 1 ms
_KEPT = 40 * _WINDOW


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows the panes show: those of a folder pair (None: of all) that have any of these facts."""

    view: int | None = None
    only: Relation = Relation.SAME


@dataclass(frozen=True, slots=True)
class Page:
    """A state of the index with what the screen needs of it at once. `ids`: the rows that were wanted."""

    index: Index
    pairs: tuple[FolderPair, ...]
    table: UploadTable
    wanted: Wanted
    ids: "array[int]"


@dataclass(frozen=True, slots=True)
class Look:
    """Both sides as they were found, and the rows that say so."""

    snapshot: "Snapshot"
    page: Page


class Rows:
    """The index as the screen reads it. While the two sides are read again it holds on to the old state.

    `wanted`: what the panes show, for workers that read ahead; None: the first folder pair that there is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = Index(path)
        self._kept: dict[int, Row | None] = {}
        self.wanted: Wanted | None = None

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def hold(self) -> None:
        """Go over to the newest state, and stay there until the next call."""
        self._kept.clear()
        self._index.hold()

    def read(self) -> Page:
        """The newest state, held. Any thread may ask; what it gives is then the screen's."""
        index = Index(self._path)
        index.keep_little()
        index.hold()
        pairs = tuple(folder_pairs(index))
        wanted = self.wanted or Wanted(pairs[0].id if pairs else None)
        return Page(index, pairs, _uploads(index, pairs), wanted, row_ids(index, wanted.view, wanted.only))

    def go_over(self, page: Page, selected: Iterable[int]) -> list[int]:
        """Go over to another state; those of the selected rows that are there still, and about the same mail."""
        # Where nothing is held (see `Index.hold`) it is not known any more what the ids stood for.
        before = mail_keys(self._index, selected) if self._index.held else {}
        after = mail_keys(page.index, before)
        old, self._index = self._index, page.index
        old.close()
        self._kept.clear()
        return [row for row, key in before.items() if after.get(row) == key]

    def pairs(self) -> tuple[FolderPair, ...]:
        """The folder pairs as last compared."""
        return tuple(folder_pairs(self._index))

    def ids(self, wanted: Wanted) -> "array[int]":
        """Ids of the rows that are wanted, newest first."""
        self.wanted = wanted
        return row_ids(self._index, wanted.view, wanted.only)

    def ids_like(self, facts: Relation) -> "array[int]":
        """Ids of the rows of the folder that is shown of which any of these facts is true."""
        return row_ids(self._index, self.wanted.view if self.wanted else None, facts)

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


def _uploads(index: Index, pairs: tuple[FolderPair, ...]) -> UploadTable:
    """What an upload would send."""
    return UploadTable(upload_sizes(index), {pair.id: pair.target or "" for pair in pairs})
