"""Selecting with the mouse: what a press, a drag and a release do to the selection. Knows no screen."""

from hikkoshi.app.selection import RangeSet, Selection

EDGE = 1
"""Rows at the top and bottom of the list where a drag begins to scroll."""

_FASTEST = 20  # rows a tick; more cannot be followed by eye


class Gesture:
    """From a press of the button to its release."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._before: RangeSet | None = None
        self._paints = False
        self._only: int | None = None

    @property
    def active(self) -> bool:
        """Whether the button is down."""
        return self._before is not None

    @property
    def selects(self) -> bool:
        """Whether moving the pointer now selects rows."""
        return self.active and self._paints

    def press(self, row: int, cursor: int, *, shift: bool, ctrl: bool) -> None:
        """The button went down on `row` while the cursor was at `cursor` (positions in the list).

        On a row that is not selected a new selection begins; shift begins it at the cursor; ctrl keeps what is
        selected, or takes out the row. On a selected row nothing happens until the release.
        """
        selection = self._selection
        self._before, self._paints, self._only = selection.keep_state(), True, None
        if shift:
            selection.begin(cursor, keep=ctrl)
            selection.extend(row)
        elif ctrl and selection.has(row):
            selection.toggle(row)
            self._paints = False
        elif not ctrl and selection.has(row):
            self._only, self._paints = row, False
        else:
            selection.begin(row, keep=ctrl)

    def drag_to(self, row: int) -> None:
        """The pointer is over `row`, the button still down."""
        if self.selects:
            self._selection.extend(row)
        elif row != self._only:
            self._only = None

    def release(self) -> None:
        """The button came up. A click on a selected row makes it the only one."""
        if self._only is not None:
            self._selection.begin(self._only, keep=False)
        self._selection.commit()
        self._end()

    def cancel(self) -> None:
        """Escape, another screen, a terminal that lost the focus: as it was before the press."""
        if self._before is not None:
            self._selection.restore(self._before)
        self._end()

    def _end(self) -> None:
        self._before, self._paints, self._only = None, False, None


def scroll_step(pointer: int, top: int, bottom: int) -> int:
    """Rows to scroll at each tick while the pointer's line is at or over an edge of the lines top..bottom-1."""
    if pointer < top + EDGE:
        over = pointer - (top + EDGE)
    elif pointer >= bottom - EDGE:
        over = pointer - (bottom - EDGE) + 1
    else:
        return 0
    return (1 if over > 0 else -1) * min(over * over, _FASTEST)
