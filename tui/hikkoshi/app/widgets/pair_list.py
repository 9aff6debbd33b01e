"""The two panes: one list, each row a mail as both sides have it, the relation's sign between them."""

from array import array
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from hikkoshi.app.gesture import Gesture, scroll_step
from hikkoshi.app.keys import SELECT
from hikkoshi.app.row_text import Columns, absent_text, columns, side_text
from hikkoshi.app.selection import Selection
from hikkoshi.app.signs import KINDS, SAME, Kind, Signs, kinds_of
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.app.widgets.lines import centred
from hikkoshi.index.queries import Row
from hikkoshi.index.relation import Relation
from hikkoshi.index.store import IndexedMessage
from hikkoshi.mail.flags import SEEN

GUTTER = 3
BOTH, LOCAL, SERVER = "both", "local", "server"
VIEWS = (BOTH, LOCAL, SERVER)

_TICK = 1 / 30  # each tick paints the list: at 60 a second a slow line falls behind
_NAMES = [*(kind.name for kind in KINDS), SAME.name, "absent", "marked", "cursor", "cursor-away", "text"]


def shape_of(width: int, view: str) -> Columns:
    """The columns of one side in a list that is `width` cells wide."""
    return columns((width - GUTTER) // 2 if view == BOTH else width - GUTTER)


class PairList(LineList):
    """Rows by id; `row_at` reads them, `selection` is what keys and mouse change."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in SELECT]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row--{name}" for name in _NAMES}
    DEFAULT_CSS = "\n".join(
        [
            "PairList { background: $surface; color: $row-text; }",
            *(f"PairList > .row--{kind.name} {{ color: $row-{kind.name}; }}" for kind in (*KINDS, SAME)),
            "PairList > .row--text { color: $row-text; }",
            "PairList > .row--absent { background: $row-absent; }",
            "PairList > .row--marked { background: $row-marked; }",
            "PairList > .row--cursor { background: $row-cursor; }",
            "PairList > .row--cursor-away { background: $row-cursor-away; }",
        ]
    )

    class Reshaped(Message):
        """The list has another size, and its columns other places."""

    class Selected(Message):
        """What is selected changed."""

    def __init__(self, selection: Selection, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.selection = selection
        self.signs = signs
        self.ids: array[int] = array("q")
        self.view = BOTH
        self.empty_text = ""
        self.row_at: Callable[[array[int], int], Row | None] = lambda _ids, _position: None
        self.is_sent: Callable[[int], bool] = lambda _view: False
        self._gesture = Gesture(selection)
        self._pointer = Offset()
        self._timer: Timer | None = None
        self._extending = False
        self._moved = False
        self._now = datetime.now().astimezone()
        self._strips: LRUCache[tuple[int, int, bool, int], Strip] = LRUCache(1000)
        self._styles: dict[tuple[str, bool, int, bool], Style] = {}

    # What is shown

    def show(self, ids: "array[int]") -> None:
        """Show these rows from the first one on."""
        self._take(ids)
        self._moved = False
        self.resize_to(len(ids))

    def show_again(self, ids: "array[int]") -> None:
        """Show these rows of a later comparison. The cursor stays on its mail, and what is in view stays where it is.

        Where nobody has moved yet the newest mail stays at the top.
        """
        top = self.scroll_offset.y
        in_view = top <= self.cursor < top + self.scrollable_content_region.height
        shift = 0
        cursor = self.cursor
        if self.count and (self._moved or top):
            cursor = _position(ids, self.ids[cursor], cursor)
            shift = cursor - self.cursor if in_view else _position(ids, self.ids[top], top) - top
        self._take(ids)
        self.renew(len(ids), cursor, top + shift)

    def _take(self, ids: "array[int]") -> None:
        self.ids = ids
        self._extending = False
        self._now = datetime.now().astimezone()
        self._strips.clear()
        self.selection.show(ids)

    def on_resize(self) -> None:
        """What stands above the columns has to move with them."""
        self.post_message(self.Reshaped())

    def set_view(self, view: str) -> None:
        """Show both sides or one of them."""
        self.view = view
        self._strips.clear()
        self.refresh()

    def repaint_rows(self, rows: set[int]) -> None:
        """Rows have changed in the index: paint anew those that are in view."""
        self._strips.clear()
        top = self.scroll_offset.y
        for position in range(top, min(self.count, top + self.scrollable_content_region.height)):
            if self.ids[position] in rows:
                self.repaint(position)

    @property
    def dragged(self) -> bool:
        """Whether the mouse is selecting: what is shown has to stay as it is until it ends."""
        return self._gesture.active

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.row_at(self.ids, self.cursor) if self.count else None

    # Painting

    def notify_style_update(self) -> None:
        """The theme or the size of styles changed."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def line_at(self, position: int, width: int) -> Strip:
        """A row, from the cache where nothing changed."""
        marked = self.selection.has(position)
        cursor = (2 if self.has_focus or self._gesture.active else 1) if position == self.cursor else 0
        key = (self.ids[position], width, marked, cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._paint(self.row_at(self.ids, position), width, marked, cursor)
            self._strips[key] = strip
        return strip

    def empty_line(self, y: int, width: int) -> Strip:
        """Below the last row; a list without rows says why."""
        if self.count or y != min(3, self.size.height - 1):
            return super().empty_line(y, width)
        return Strip([Segment(centred(self.empty_text, width), self._style(SAME.name, False, 0, False))], width)

    def _paint(self, row: Row | None, width: int, marked: bool, cursor: int) -> Strip:
        if row is None:
            return Strip.blank(width, self.rich_style)
        kinds = kinds_of(row.relation)
        shape = shape_of(width, self.view)

        def side(message: IndexedMessage | None, *, tick: bool, place: str = "") -> Segment:
            if message is None:
                # Not painted as selected: nothing of this side is, and its emptiness is what is to be seen.
                style = self._style("absent", False, cursor, False)
                return Segment(absent_text(shape, self.signs, mark=tick), style)
            sent = self.is_sent(row.view)
            text = side_text(message, shape, self.signs, self._now, sent=sent, mark=tick, place=place)
            return Segment(text, self._style(kinds[0].name, marked, cursor, SEEN not in message.message.flags))

        gutter = self._gutter(kinds, marked, cursor)
        if self.view == BOTH:
            segments = [side(row.local, tick=marked), gutter, side(row.server, tick=False, place=self._place(row))]
        elif self.view == LOCAL:
            segments = [gutter, side(row.local, tick=marked)]
        else:
            segments = [gutter, side(row.server, tick=marked, place=self._place(row))]
        # An odd width leaves one cell at the end.
        return Strip(segments).adjust_cell_length(width, self._style("absent", False, cursor, False))

    def _place(self, row: Row) -> str:
        return row.server_folder if row.relation & Relation.ELSEWHERE else ""

    def _gutter(self, kinds: list[Kind], marked: bool, cursor: int) -> Segment:
        second = self.signs.of(kinds[1]) if len(kinds) > 1 else " "
        style = self._style(kinds[0].name, marked, cursor, kinds[0] is not SAME)
        return Segment(f" {self.signs.of(kinds[0])}{second}", style)

    def _style(self, name: str, marked: bool, cursor: int, bold: bool) -> Style:
        key = (name, marked, cursor, bold)
        if key not in self._styles:
            style = self.rich_style + self.get_component_rich_style(f"row--{name}", partial=True)
            if cursor:
                away = "cursor" if cursor == 2 else "cursor-away"
                style += self.get_component_rich_style(f"row--{away}", partial=True)
            elif marked:
                style += self.get_component_rich_style("row--marked", partial=True)
            self._styles[key] = style + Style(bold=bold)
        return self._styles[key]

    # Keys

    def move_to(self, position: int) -> None:
        """A plain move ends a range."""
        self._extending = False
        self._go(position)

    def _go(self, position: int) -> None:
        self._moved = True
        super().move_to(position)

    def action_mark(self) -> None:
        """Select the row or not, and go on."""
        if self.count:
            self.selection.toggle(self.cursor)
            self.repaint(self.cursor)
            self.post_message(self.Selected())
            self.move_to(self.cursor + 1)

    def action_extend(self, by: int) -> None:
        """Select up to some rows further."""
        if not self.count:
            return
        if not self._extending:
            self.selection.begin(self.cursor, keep=True)
        to = max(0, min(self.count - 1, self.cursor + by))
        self._go(to)
        self._extending = True
        self._extend(to)

    def action_extend_page(self, direction: int) -> None:
        """Select up to a page further."""
        self.action_extend(direction * self.page)

    def action_extend_to(self, position: int) -> None:
        """Select up to a row; -1 is the last one."""
        self.action_extend((self.count - 1 if position < 0 else position) - self.cursor)

    def action_all(self) -> None:
        """Select all rows of the list."""
        self.selection.add(self.ids)
        self.reselected()

    def reselected(self) -> None:
        """The selection was changed as a whole."""
        self._extending = False
        self.refresh()
        self.post_message(self.Selected())

    def _extend(self, to: int) -> None:
        top = self.scroll_offset.y
        shown = range(top, min(self.count, top + self.scrollable_content_region.height))
        before = [self.selection.has(position) for position in shown]
        if self._gesture.active:
            self._gesture.drag_to(to)
        else:
            self.selection.extend(to)
        for position, was in zip(shown, before, strict=True):
            if was != self.selection.has(position):
                self.refresh_line(position)
        self.post_message(self.Selected())

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A press on a row begins a gesture."""
        if event.button != 1 or not self.is_line(event.screen_offset):
            return
        event.stop()
        self._pointer = event.screen_offset
        row, cursor = self.position_at(event.screen_offset), self.cursor
        self._gesture.press(row, cursor, shift=event.shift, ctrl=event.ctrl)
        self.capture_mouse()
        self._extending = False
        self._go(row)
        self.reselected()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """With the button down rows are selected. `event.button` is not to be trusted here; our own state is."""
        if not self._gesture.active:
            return
        self._pointer = event.screen_offset
        self._drag()
        self._scroll_if_at_edge()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The end of the gesture."""
        if not self._gesture.active:
            return
        event.stop()
        self._gesture.release()
        self._end_gesture()

    def on_mouse_release(self, _event: events.MouseRelease) -> None:
        """Another screen or widget took the mouse."""
        self.cancel_gesture()

    def on_blur(self, _event: events.Blur) -> None:
        """The terminal lost the focus, or another list got it."""
        self.cancel_gesture()

    def cancel_gesture(self) -> bool:
        """End a gesture as if it had not been; whether there was one."""
        active = self._gesture.active
        if active:
            self._gesture.cancel()
            self._end_gesture()
        return active

    def _end_gesture(self) -> None:
        self._stop_scrolling()
        self.release_mouse()
        self.reselected()

    def _drag(self) -> None:
        row = self.position_at(self._pointer)
        if row == self.cursor:
            return
        self._go(row)
        self._extend(row)

    def _scroll_if_at_edge(self) -> None:
        region = self.scrollable_content_region
        if self._gesture.selects and scroll_step(self._pointer.y, region.y, region.bottom):
            if self._timer is None:
                # A pointer that stands still sends nothing: a timer scrolls on.
                self._timer = self.set_interval(_TICK, self._scroll_on)
        else:
            self._stop_scrolling()

    def _stop_scrolling(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _scroll_on(self) -> None:
        region = self.scrollable_content_region
        step = scroll_step(self._pointer.y, region.y, region.bottom)
        if not step or not self._gesture.selects:
            self._stop_scrolling()
            return
        before = self.scroll_offset.y
        self.scroll_to(y=before + step, animate=False, immediate=True)
        if self.scroll_offset.y != before:
            self._drag()


def _position(ids: "array[int]", row: int, otherwise: int) -> int:
    """Where a row is in a list."""
    try:
        return ids.index(row)
    except ValueError:
        return otherwise
