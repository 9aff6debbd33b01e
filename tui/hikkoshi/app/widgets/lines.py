"""Lines of text whose parts have styles: titles, gauges, the status, the key bar. Repaints only what changed."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from hikkoshi.app.row_text import cut

Part = tuple[str, str]
"""Text and the name of its style (one of STYLES, or '')."""

Shown = tuple[Sequence[Part], Sequence[Part]]
"""What stands at the left of a line, and what at its right; the right gives way, unless `keeps_right`."""

STYLES = ("bad", "good", "head", "key", "dim", "strong", "used", "after", "free", "reserve", "over")


class Lines(Widget):
    """A few lines; `show` them."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in STYLES}

    DEFAULT_CSS = """
    Lines { height: 1; }
    Lines > .line--bad { color: $bad; text-style: bold; }
    Lines > .line--good { color: $success; }
    Lines > .line--head { color: $head; }
    Lines > .line--key { color: $bar-key; text-style: bold; }
    Lines > .line--dim { color: $row-left-out; }
    Lines > .line--strong { text-style: bold; }
    Lines > .line--used { color: $gauge-used; }
    Lines > .line--after { color: $gauge-after; text-style: bold; }
    Lines > .line--free { color: $gauge-free; }
    Lines > .line--reserve { color: $gauge-reserve; }
    Lines > .line--over { color: $gauge-over; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.auto_links = False
        self.keeps_right = False
        self.more = ""
        """What stands where the left was cut."""
        self._lines: list[Shown] = []

    def show(self, lines: Sequence[Shown]) -> None:
        """Show these lines; only those that changed are painted."""
        old, self._lines = self._lines, list(lines)
        for y in range(max(len(old), len(lines))):
            if y >= len(old) or y >= len(lines) or old[y] != lines[y]:
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def text(self) -> str:
        """What is shown, for tests and for copying."""
        return "\n".join("".join(part[0] for part in (*left, *right)) for left, right in self._lines)

    def render_line(self, y: int) -> Strip:
        """One line, exactly as wide as the widget."""
        width = self.size.width
        left, right = self._lines[y] if y < len(self._lines) else ((), ())
        taken = sum(cell_len(text) for text, _style in right)
        if self.keeps_right and left:
            *first, (text, style) = left
            space = width - taken - 1 - sum(cell_len(text) for text, _style in first)
            left = [*first, (text if cell_len(text) <= space else cut(text, space, self.more), style)]
        room = width - sum(cell_len(text) for text, _style in left)
        segments = [self._segment(part) for part in left]
        if right and taken + 1 <= room:
            segments.append(Segment(" " * (room - taken), self.rich_style))
            segments += [self._segment(part) for part in right]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _segment(self, part: Part) -> Segment:
        text, style = part
        if not style:
            return Segment(text, self.rich_style)
        return Segment(text, self.rich_style + self.get_component_rich_style(f"line--{style}", partial=True))


def centred(text: str, width: int) -> str:
    """`text` in the middle of `width` cells."""
    return set_cell_size(" " * max(0, (width - cell_len(text)) // 2) + text, width)
