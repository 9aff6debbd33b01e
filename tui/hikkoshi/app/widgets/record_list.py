"""A list of records in columns, each a line: past moves, the mails of a receipt, what was found in mails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from hikkoshi.app.row_text import cut
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.line_list import LineList

_LEAST = 6  # cells of a column that takes what is left


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells, 0: an equal share of what the others leave. `right`: its texts end at its right edge."""

    width: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The texts of one line, one for each column, safe for a terminal; `style`: '', 'bad', 'good' or 'dim'."""

    texts: tuple[str, ...]
    style: str = ""


class RecordList(LineList):
    """Shows records, each made when its line is painted; where the screen is narrow the last columns go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"record--cursor", "record--bad", "record--good", "record--dim"}
    DEFAULT_CSS = """
    RecordList { background: $surface; color: $row-text; height: auto; max-height: 100%; }
    RecordList > .record--cursor { background: $row-cursor; }
    RecordList > .record--bad { color: $bad; }
    RecordList > .record--good { color: $success; }
    RecordList > .record--dim { color: $row-left-out; }
    """

    class Chosen(Message):
        """A line was clicked twice."""

    def __init__(self, columns: Sequence[Column], signs: Signs, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._record: Callable[[int], Record] | None = None
        self._columns, self._signs = tuple(columns), signs

    def show(self, count: int, record: Callable[[int], Record], cursor: int = 0) -> None:
        """Show so many lines; `record` gives the one at a position."""
        self._record = record
        self.resize_to(count, cursor)

    def line_at(self, position: int, width: int) -> Strip:
        """The texts of a record, each in its column."""
        assert self._record is not None, "there are lines"
        record = self._record(position)
        style = self.rich_style
        if record.style:
            style += self.get_component_rich_style(f"record--{record.style}", partial=True)
        if position == self.cursor:
            style += self.get_component_rich_style("record--cursor", partial=True)
        texts = [
            self._fitted(text, column, cells)
            for text, column, cells in zip(record.texts, self._columns, self._widths(width), strict=True)
            if cells
        ]
        return Strip([Segment(cut(" " + " ".join(texts), width, self._signs.more), style)], width)

    def _fitted(self, text: str, column: Column, cells: int) -> str:
        blanks = cells - cell_len(text)
        return " " * blanks + text if column.right and blanks > 0 else cut(text, cells, self._signs.more)

    def _widths(self, width: int) -> list[int]:
        """The cells of each column; those that find no room have none."""
        room = width - 1
        widths: list[int] = []
        sharing = sum(1 for column in self._columns if not column.width)
        for column in self._columns:
            least = column.width or _LEAST
            fits = room >= least + 1
            widths.append(least if fits else 0)
            room -= least + 1 if fits else 0
        share, rest = divmod(max(0, room), sharing) if sharing else (0, 0)
        for number, column in enumerate(self._columns):
            if not column.width and widths[number]:
                widths[number] += share + rest
                rest = 0
        return widths

    def on_click(self, event: events.Click) -> None:
        """A click chooses a line, a double click opens it."""
        if self.is_line(event.screen_offset):
            self.move_to(self.position_at(event.screen_offset))
            if event.chain == 2:
                self.post_message(self.Chosen())
