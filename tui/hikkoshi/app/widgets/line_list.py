"""A list of any length with a cursor, painted line by line: what the panes and the folder list have in common."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hikkoshi.app.keys import MOVE


class LineList(ScrollView, can_focus=True):
    """A cursor over `count` lines; subclasses paint a line in `line_at`."""

    ALLOW_SELECT = False  # else the screen starts a text selection on the same press of the button
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in MOVE]

    DEFAULT_CSS = """
    LineList { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, sender: "LineList") -> None:
            super().__init__()
            self.list = sender

        @property
        def control(self) -> "LineList":
            """The list whose cursor moved."""
            return self.list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        # Links in text are none of ours, and looking for them repaints whole widgets as the pointer moves.
        self.auto_links = False
        self.count = 0
        self.cursor = 0

    def line_at(self, position: int, width: int) -> Strip:
        """Paint one line, exactly `width` cells wide."""
        raise NotImplementedError

    def resize_to(self, count: int, cursor: int = 0) -> None:
        """The list has `count` lines now, all of them new; the cursor goes to `cursor`."""
        self.count = count
        self.cursor = max(0, min(count - 1, cursor))
        self._fit()
        self._reveal(1)
        self.refresh()

    def renew(self, count: int, cursor: int, top: int) -> None:
        """The lines are others now: the cursor is on `cursor`, and `top` is the first line in view."""
        self.count = count
        self.cursor = max(0, min(count - 1, cursor))
        self._fit()
        # Forced: a list that was shorter than its place has no scrollbar until the next layout.
        self.scroll_to(y=max(0, top), animate=False, immediate=True, force=True)
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._fit()
        self._reveal(1)

    def render_line(self, y: int) -> Strip:
        """A line of the viewport."""
        width = self.scrollable_content_region.width
        position = y + self.scroll_offset.y
        if position >= self.count:
            return self.empty_line(y, width)
        return self.line_at(position, width)

    def empty_line(self, y: int, width: int) -> Strip:  # noqa: ARG002 - for subclasses
        """A line behind the last one."""
        return Strip.blank(width, self.rich_style)

    def move_to(self, position: int) -> None:
        """Put the cursor on a line and show it."""
        position = max(0, min(self.count - 1, position))
        if position == self.cursor or not self.count:
            return
        old, self.cursor = self.cursor, position
        self.repaint(old)
        self.repaint(position)
        self._reveal(abs(position - old))
        self.post_message(self.Moved(self))

    def repaint(self, position: int, count: int = 1) -> None:
        """Repaint lines of the list, as far as they are in view."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        start, end = max(position, top), min(position + count, top + height)
        if start < end:
            self.refresh_lines(start, end - start)

    def action_move(self, by: int) -> None:
        """Some lines up or down."""
        self.move_to(self.cursor + by)

    def action_page(self, direction: int) -> None:
        """A page up or down."""
        self.move_to(self.cursor + direction * self.page)

    def action_go(self, position: int) -> None:
        """To a line; -1 is the last one."""
        self.move_to(self.count - 1 if position < 0 else position)

    @property
    def page(self) -> int:
        """Lines that a page key moves by."""
        return max(1, self.scrollable_content_region.height - 1)

    def position_at(self, screen: Offset) -> int:
        """The line under a place of the screen, the nearest one where there is none."""
        region = self.scrollable_content_region
        y = max(0, min(region.height - 1, screen.y - region.y))
        return max(0, min(self.count - 1, y + self.scroll_offset.y))

    def is_line(self, screen: Offset) -> bool:
        """Whether a place of the screen is on a line of the list, not beside or below."""
        region = self.scrollable_content_region
        return region.contains_point(screen) and screen.y - region.y + self.scroll_offset.y < self.count

    def on_focus(self, _event: events.Focus) -> None:
        """The cursor looks different with the focus."""
        self.repaint(self.cursor)

    def on_blur(self, _event: events.Blur) -> None:
        """The cursor looks different without the focus."""
        self.repaint(self.cursor)

    def _fit(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self.count)

    def _reveal(self, moved: int) -> None:
        """Scroll to the cursor; half a page at once for a single step, since each scroll paints the whole list."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if height <= 0 or top <= self.cursor < top + height:
            return
        edge = self.cursor if self.cursor < top else self.cursor - height + 1
        y = self.cursor - height // 2 if moved == 1 else edge
        self.scroll_to(y=y, animate=False, immediate=True)
