"""How full the server is, and where it would stand with what is selected."""

from collections.abc import Sequence

from rich.cells import cell_len

from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.lines import Lines, Part, Shown
from hikkoshi.app.words import outlook_text, room_name, room_text
from hikkoshi.i18n import _
from hikkoshi.move.room import Load, Outlook, Room, outlook

_MOST_ROOMS = 3
"""Gauges shown; a server with more roots shows those that are fullest."""

_SHORTEST_BAR, _SHORT_BAR, _LONG_BAR = 6, 16, 44
"""Cells of a gauge's bar; the words beside it come first."""


def bar(outlook: Outlook, width: int, signs: Signs) -> list[Part]:
    """A limit as a bar of `width` cells: used, what would come on top, free, the reserve at the end."""
    room = outlook.room
    if not room.limit:
        return [("?" * width, "free")]

    def cells(value: int) -> int:
        return min(width, -(-value * width // room.limit)) if room.limit else 0

    used = cells(room.used)
    after = max(used, cells(outlook.after))
    if outlook.after > room.used and after == used and used < width:
        after += 1  # what is selected is seen, however little it is
    reserve = min(cells(room.reserve), width - after)
    parts = [
        (signs.used * used, "over" if room.used > room.limit - room.reserve else "used"),
        (signs.after * (after - used), "after" if outlook.fits else "over"),
        (signs.free * (width - after - reserve), "free"),
        (signs.reserve * reserve, "reserve"),
    ]
    return [part for part in parts if part[0]]


def gauge_line(outlook: Outlook, name_width: int, width: int, signs: Signs) -> Shown:
    """One limit in a line of `width` cells."""
    room = outlook.room
    name = room_name(room)
    head: Part = (f" {name}{' ' * (name_width - cell_len(name))} ", "head")
    words: list[Part] = [(f" {room_text(room)}", "bad" if room.limit is None else "")]
    if outlook.after != room.used:
        words.append((f" {signs.more} {outlook_text(outlook)}", "good" if outlook.fits else "bad"))
    left = width - sum(cell_len(text) for text, _style in [head, *words])
    reserve: list[Part] = []
    if room.limit and room.reserve:
        share = f"{room.reserve * 100 / room.limit:.0f} %"
        reserve = [(" " + _("{percent} kept free").format(percent=share) + " ", "reserve")]
        if left - cell_len(reserve[0][0]) >= _SHORT_BAR:
            left -= cell_len(reserve[0][0])
        else:
            reserve = []
    return [head, *bar(outlook, max(_SHORTEST_BAR, min(_LONG_BAR, left)), signs), *words], reserve


class Gauges(Lines):
    """One line for each limit."""

    DEFAULT_CSS = """
    Gauges { background: $surface; color: $row-text; height: 1; }
    """

    def __init__(self, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._signs = signs
        self._outlooks: list[Outlook] = []

    def tell(self, rooms: Sequence[Room], loads: dict[str, Load]) -> list[Outlook]:
        """Show the limits, with what `loads` (by native name of the target) would add. All outlooks."""
        outlooks = outlook(rooms, loads)
        shown = sorted(outlooks, key=lambda each: -(each.after / each.room.limit if each.room.limit else 2))
        self._outlooks = [each for each in outlooks if each in shown[:_MOST_ROOMS]]
        height = max(1, len(self._outlooks))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self._paint()
        return outlooks

    def on_resize(self) -> None:
        """The bars grow with the screen."""
        self._paint()

    def _paint(self) -> None:
        if not self._outlooks:
            self.show([([(" " + _("Storage: not known yet"), "head")], [])])
            return
        width = max(cell_len(room_name(each.room)) for each in self._outlooks)
        self.show([gauge_line(each, width, self.size.width, self._signs) for each in self._outlooks])
