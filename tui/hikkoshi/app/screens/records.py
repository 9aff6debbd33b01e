"""A screen with a list of records, what is said of the one under the cursor, and keys that do something with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hikkoshi.app.screens.dialog import Line, content
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.app.widgets.record_list import Column, Record, RecordList
from hikkoshi.i18n import _

_AROUND = 9  # lines of the screen that are neither list nor detail


@dataclass(frozen=True, slots=True)
class Choice:
    """A key of the screen: `key` is Textual's name, `name` how users know it, `value` what the screen gives."""

    key: str
    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Records:
    """What the screen shows: `count` records. `record` and `detail`: the record at a position, and the lines on it, of which
    at most `detail_height` are in view; both are asked for what is in view only, since there may be 100,000.
    """

    title: str
    columns: Sequence[Column]
    count: int
    record: Callable[[int], Record]
    detail: Callable[[int], Sequence[Line]]
    choices: Sequence[Choice] = ()
    head: Sequence[Line] = ()
    detail_height: int = 4


class RecordsScreen(ModalScreen["tuple[str, int] | None"]):
    """Gives (value of the key that was pressed, position of the cursor), or None for Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", show=False)]
    DEFAULT_CSS = """
    RecordsScreen { align: center middle; background: $background 60%; }
    RecordsScreen #dialog { width: 94%; max-width: 120; height: auto; background: $panel; padding: 1 2 0 2; }
    RecordsScreen #title { text-style: bold; color: $primary; height: auto; margin-bottom: 1; }
    RecordsScreen #head { height: auto; color: $row-text; }
    RecordsScreen #detail { color: $row-text; margin-top: 1; }
    RecordsScreen KeyBar { margin-top: 1; background: $panel; }
    """

    def __init__(self, shown: Records, signs: Signs, cursor: int = 0) -> None:
        super().__init__()
        self.shown = shown
        self._cursor = cursor
        self.list = RecordList(shown.columns, signs, id="records")

    def compose(self) -> ComposeResult:
        """Title, what is said of all, the list, what is said of one, the keys."""
        with Vertical(id="dialog"):
            yield Static(Content(self.shown.title), id="title", markup=False)
            yield Static(content(self.shown.head), id="head", markup=False)
            yield self.list
            yield Static(id="detail", markup=False)
            yield KeyBar(id="record-keys")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.query_one("#head").display = bool(self.shown.head)
        self.query_one("#detail").styles.height = self.shown.detail_height
        self.list.show(self.shown.count, self.shown.record, self._cursor)
        self.list.focus()
        keys = [(choice.name, choice.label, choice.value) for choice in self.shown.choices]
        self.query_one(KeyBar).tell([*keys, (_("Esc"), _("Close"), "")])
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """The list takes what the rest leaves."""
        around = _AROUND + self.shown.detail_height + len(self.shown.head)
        self.list.styles.max_height = max(1, event.size.height - around)

    @on(LineList.Moved)
    def _tell(self) -> None:
        lines = self.shown.detail(self.list.cursor) if self.shown.count else ()
        self.query_one("#detail", Static).update(content(lines))

    def on_key(self, event: events.Key) -> None:
        """The keys that the screen was made with."""
        for choice in self.shown.choices:
            if event.key == choice.key:
                event.stop()
                self._choose(choice.value)

    @on(KeyBar.Pressed)
    def _pressed(self, event: KeyBar.Pressed) -> None:
        if event.action:
            self._choose(event.action)
        else:
            self.dismiss(None)

    @on(RecordList.Chosen)
    def _chosen(self) -> None:
        if self.shown.choices:
            self._choose(self.shown.choices[0].value)

    def _choose(self, value: str) -> None:
        if self.shown.count:
            self.dismiss((value, self.list.cursor))

    def action_leave(self) -> None:
        """Nothing was chosen."""
        self.dismiss(None)
