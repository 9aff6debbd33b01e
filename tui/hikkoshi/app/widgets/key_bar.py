"""The keys that do something now, in one line; a click on a key presses it."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from hikkoshi.app.widgets.lines import Lines, Part


class KeyBar(Lines):
    """Names of keys with what they do."""

    DEFAULT_CSS = """
    KeyBar { background: $bar; color: $row-text; }
    """

    class Pressed(Message):
        """A key of the bar was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._keys: list[tuple[str, str, str]] = []
        self._ends: list[int] = []

    def tell(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """Show (key, label, action) from the left, as many as there is room for."""
        self._keys = list(keys)
        self._paint()

    def on_resize(self) -> None:
        """Another number of keys fits."""
        self._paint()

    def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        for end, (_key, _label, action) in zip(self._ends, self._shown(), strict=False):
            if event.x < end:
                self.post_message(self.Pressed(action))
                return

    def _shown(self) -> list[tuple[str, str, str]]:
        room = self.size.width
        fitting = []
        for key, label, action in self._keys:
            room -= cell_len(key) + cell_len(label) + 3
            if room < 0:
                break
            fitting.append((key, label, action))
        return fitting

    def _paint(self) -> None:
        parts: list[Part] = []
        self._ends, at = [], 0
        for key, label, _action in self._shown():
            parts += [(f" {key}", "key"), (f" {label} ", "")]
            at += cell_len(key) + cell_len(label) + 3
            self._ends.append(at)
        self.show([(parts, [])])
