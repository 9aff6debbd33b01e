"""What the user selected: row ids as ranges, and what of it an upload would send, counted as it changes."""

import bisect
from array import array
from collections.abc import Iterable, Iterator, Mapping

from hikkoshi.move.room import Load

_MAX_ID = 2**63 - 1


class RangeSet:
    """Whole numbers as sorted, disjoint, half-open ranges: a million in a row cost one tuple."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[tuple[int, int]] = list(ranges)

    def __contains__(self, number: int) -> bool:
        at = bisect.bisect_right(self._ranges, (number, _MAX_ID)) - 1
        return at >= 0 and number < self._ranges[at][1]

    def __len__(self) -> int:
        return sum(end - start for start, end in self._ranges)

    def __iter__(self) -> Iterator[int]:
        for start, end in self._ranges:
            yield from range(start, end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RangeSet) and self._ranges == other._ranges

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> "RangeSet":
        """Another set of the same numbers."""
        return RangeSet(self._ranges)

    def add(self, numbers: Iterable[int]) -> None:
        """Add numbers in any order."""
        ranges = sorted([*self._ranges, *((number, number + 1) for number in numbers)])
        self._ranges = []
        for start, end in ranges:
            if self._ranges and start <= self._ranges[-1][1]:
                before = self._ranges[-1]
                self._ranges[-1] = (before[0], max(before[1], end))
            else:
                self._ranges.append((start, end))

    def discard(self, number: int) -> None:
        """Take one number out, if it is in."""
        if number not in self:
            return
        at = bisect.bisect_right(self._ranges, (number, _MAX_ID)) - 1
        start, end = self._ranges[at]
        self._ranges[at : at + 1] = [r for r in ((start, number), (number + 1, end)) if r[0] < r[1]]


class UploadTable:
    """What each row that an upload would send weighs, and where it would go."""

    def __init__(self, sizes: Iterable[tuple[int, int, int]] = (), targets: Mapping[int, str] | None = None) -> None:
        """`sizes`: (row id, view, bytes) by row id; `targets`: native name of the target folder by view."""
        self.ids = array("q")
        self._sizes = array("q")
        self._views = array("q")
        self._targets = targets or {}
        for row, view, size in sizes:
            self.ids.append(row)
            self._views.append(view)
            self._sizes.append(size)

    def find(self, row: int) -> tuple[str, int] | None:
        """(native target, bytes) of a row; None: an upload would not send it."""
        at = bisect.bisect_left(self.ids, row)
        if at == len(self.ids) or self.ids[at] != row:
            return None
        return self._targets.get(self._views[at], ""), self._sizes[at]

    def of_view(self, view: int | None) -> list[int]:
        """Ids of the rows of one folder pair that an upload would send (None: of all)."""
        return [row for row, its in zip(self.ids, self._views, strict=True) if view in (None, its)]


class Selection:
    """The selected rows: ids, and on top a span of positions in the list on the screen while it is being drawn."""

    def __init__(self) -> None:
        self._table = UploadTable()
        self._order: array[int] = array("q")
        self._base = RangeSet()
        self._span: tuple[int, int] | None = None
        self._anchor = 0
        self.count = 0
        self.sendable = 0
        self._loads: dict[str, Load] = {}

    def use(self, table: UploadTable, selected: Iterable[int] = ()) -> None:
        """Go over to the rows of another comparison, of which these are selected."""
        self._table = table
        self._order = array("q")
        self.clear()
        self.add(selected)

    def show(self, order: "array[int]") -> None:
        """The list on the screen is another one; what is selected stays."""
        self.commit()
        self._order = order

    def has(self, position: int) -> bool:
        """Whether the row at this position of the list is selected."""
        if self._span and self._span[0] <= position < self._span[1]:
            return True
        return self._order[position] in self._base

    @property
    def loads(self) -> dict[str, Load]:
        """What of the selection would go into each server folder, by native name."""
        return {target: load for target, load in self._loads.items() if load.messages}

    @property
    def size(self) -> int:
        """Bytes in CRLF form that would be uploaded."""
        return sum(load.size for load in self._loads.values())

    def begin(self, position: int, *, keep: bool) -> None:
        """Begin a span at this position; without `keep` nothing else stays selected."""
        self.commit()
        if not keep:
            self.clear()
        self._anchor = position
        self.extend(position)

    def extend(self, position: int) -> None:
        """Let the span reach from where it began to this position."""
        old = self._span or (self._anchor, self._anchor)
        new = (min(self._anchor, position), max(self._anchor, position) + 1)
        self._span = new
        for start, end, sign in (
            (new[0], min(old[0], new[1]), 1),
            (max(old[1], new[0]), new[1], 1),
            (old[0], min(new[0], old[1]), -1),
            (max(new[1], old[0]), old[1], -1),
        ):
            for at in range(start, end):
                if self._order[at] not in self._base:
                    self._count(self._order[at], sign)

    def commit(self) -> None:
        """Make the span part of what is selected."""
        if self._span:
            self._base.add(self._order[self._span[0] : self._span[1]])
            self._span = None

    def toggle(self, position: int) -> None:
        """Select the row at this position, or no longer."""
        self.commit()
        row = self._order[position]
        if row in self._base:
            self._base.discard(row)
            self._count(row, -1)
        else:
            self.add([row])

    def add(self, rows: Iterable[int]) -> None:
        """Select these row ids too."""
        self.commit()
        new = [row for row in rows if row not in self._base]
        self._base.add(new)
        for row in new:
            self._count(row, 1)

    def clear(self) -> None:
        """Select nothing."""
        self._base, self._span = RangeSet(), None
        self.count, self.sendable, self._loads = 0, 0, {}

    def ids(self) -> RangeSet:
        """All selected row ids."""
        self.commit()
        return self._base

    def uploads(self) -> list[int]:
        """Those of the selected row ids that an upload would send."""
        return [row for row in self.ids() if self._table.find(row)]

    def keep_state(self) -> RangeSet:
        """What is selected now, for `restore`."""
        return self.ids().copy()

    def restore(self, rows: RangeSet) -> None:
        """Select exactly these."""
        self.clear()
        self.add(rows)

    def _count(self, row: int, sign: int) -> None:
        self.count += sign
        if found := self._table.find(row):
            target, size = found
            self.sendable += sign
            self._loads[target] = self._loads.get(target, Load()) + Load(sign * size, sign)
