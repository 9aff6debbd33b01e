"""What all dialogs have: a title, a text that scrolls, and a row of answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from hikkoshi.i18n import ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.receipt import Failure

T = TypeVar("T")

_AROUND = 7  # lines of a dialog that are neither its text nor its answers, and one above and below it
_WIDEST, _PADDING = 84, 4  # cells of a dialog, and of those at its sides
_NARROWEST, _BETWEEN = 8, 2  # cells of an answer, and before it

Line = tuple[str, str]
"""A line of text and its style: '', 'bad', 'good', 'head', 'strong' or 'dim'."""

_STYLES = {
    "bad": "$bad bold",
    "good": "$success",
    "head": "$head",
    "strong": "bold",
    "dim": "$row-same",
    "key": "$bar-key",
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A button: what it says and what choosing it gives. `danger`: it is painted as a warning."""

    label: str
    value: T
    danger: bool = False


def content(lines: Sequence[Line]) -> Content:
    """Lines as what Textual shows. Nothing in them is markup."""
    joined = []
    for number, (text, style) in enumerate(lines):
        joined.append(Content("\n") if number else Content(""))
        joined.append(Content.styled(text, _STYLES[style]) if style else Content(text))
    return Content("").join(joined)


class Dialog(ModalScreen[T]):
    """Ask something. Escape gives the last answer, which changes nothing; the focus is on `first`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
    ]

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog #dialog { width: 90%; max-width: 84; height: auto; background: $panel; padding: 1 2; }
    Dialog #title { text-style: bold; color: $primary; height: auto; margin-bottom: 1; }
    Dialog #body { height: auto; background: $panel; scrollbar-size-vertical: 1; }
    Dialog #text { height: auto; color: $row-text; }
    Dialog .answers { height: 1; align-horizontal: right; }
    Dialog #body { margin-bottom: 1; }
    Dialog Button { margin-left: 2; height: 1; min-width: 8; border: none; background: $row-cursor-away; color: $row-text; }
    """

    def __init__(self, title: str, lines: Sequence[Line], answers: Sequence[Answer[T]], *, first: int = 0) -> None:
        super().__init__()
        self.heading = title
        self.lines = list(lines)
        self.answers = list(answers)
        self._first = first

    def compose(self) -> ComposeResult:
        """Title, text, answers."""
        with Vertical(id="dialog"):
            yield Static(Content(self.heading), id="title", markup=False)
            with VerticalScroll(id="body", can_focus=False):
                yield Static(content(self.lines), id="text", markup=False)
            yield from self.compose_more()
            for row in self._rows(self.app.size.width):
                with Horizontal(classes="answers"):
                    for number in row:
                        answer = self.answers[number]
                        yield Button(
                            Content(f" {answer.label} "),
                            id=f"answer-{number}",
                            classes="danger" if answer.danger else "",
                            compact=True,
                        )

    def _rows(self, screen_width: int) -> list[list[int]]:
        """The numbers of the answers, in as many rows as they need."""
        room = min(_WIDEST, screen_width * 90 // 100) - _PADDING
        rows: list[list[int]] = [[]]
        used = 0
        for number, answer in enumerate(self.answers):
            width = max(_NARROWEST, cell_len(answer.label) + 2) + _BETWEEN
            if rows[-1] and used + width > room:
                rows.append([])
                used = 0
            rows[-1].append(number)
            used += width
        return rows

    def compose_more(self) -> list[Widget]:
        """What stands between the text and the answers."""
        return []

    def on_mount(self) -> None:
        """Put the focus where Enter does what is expected."""
        self.query_one(f"#answer-{self._first}").focus()

    def on_resize(self, event: events.Resize) -> None:
        """However long the text, the answers stay in sight."""
        rows = len(self._rows(event.size.width))
        self.query_one("#body").styles.max_height = max(1, event.size.height - _AROUND - rows)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        number = int((event.button.id or "answer-0").removeprefix("answer-"))
        self.dismiss(self.answers[number].value)

    def action_leave(self) -> None:
        """The answer that changes nothing."""
        self.dismiss(self.answers[-1].value)

    def action_scroll(self, by: int) -> None:
        """Scroll the text."""
        self.query_one("#body").scroll_relative(y=by, animate=False)


def named_lines(head: str, failures: Sequence[Failure], limit: int = 200) -> list[Line]:
    """Mails with their reasons under a heading; nothing without any. Beyond `limit` they are counted: nobody reads on,
    and a dialog of thousands of lines takes seconds to open.
    """
    if not failures:
        return []
    lines: list[Line] = [("", ""), (head, "bad")]
    lines += [(f"  {each.subject} ({sanitise(each.folder)}): {sanitise(each.reason)}", "") for each in failures[:limit]]
    left = len(failures) - limit
    if left > 0:
        lines.append((ngettext("  and {n:,} more mail", "  and {n:,} more mails", left).format(n=left), "dim"))
    return lines


def note(title: str, lines: Sequence[Line], close: str) -> Dialog[bool]:
    """Tell something; the only answer is to go on."""
    return Dialog(title, lines, [Answer(close, True)])
