"""A running move: how far, how fast, how long still, what did not go."""

from datetime import datetime
from time import monotonic

from hikkoshi.advice.report import size_text
from hikkoshi.app.pace import Pace
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.lines import Lines, Part, Shown
from hikkoshi.app.words import percent, progress_text, seconds_text
from hikkoshi.i18n import _, ngettext
from hikkoshi.jobs.progress import Progress, Stage
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.events import NotMoved, Waiting


class MovePanel(Lines):
    """Shown while mail moves, under the panes."""

    DEFAULT_CSS = """
    MovePanel { height: 4; background: $panel; color: $row-text; display: none; }
    """

    def __init__(self, signs: Signs, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._signs = signs
        self.begin(0, 0)

    def begin(self, messages: int, size: int) -> None:
        """A move of so many mails and bytes begins."""
        self._pace = Pace()
        self._progress = Progress(Stage.CONNECT, "", 0, messages, 0, size)
        self._failed = 0
        self._last = ""
        self._stopping = False
        self._waiting: Waiting | None = None

    def progress(self, progress: Progress) -> None:
        """So far it is."""
        if progress.stage is Stage.UPLOAD:
            self._pace.add(monotonic(), progress.bytes_done)
        self._progress = progress
        self._waiting = None
        self.paint()

    def waiting(self, event: Waiting) -> None:
        """The server asked for a pause."""
        self._waiting = event
        self.paint()

    def failed(self, event: NotMoved) -> None:
        """A mail was not moved."""
        self._failed += 1
        self._last = f"{event.subject}: {event.reason}"
        self.paint()

    def stopping(self) -> None:
        """The mail under way is finished, then it ends."""
        self._stopping = True
        self.paint()

    def on_resize(self) -> None:
        """The bar grows with the screen."""
        self.paint()

    def paint(self) -> None:
        """Show how it stands."""
        progress = self._progress
        share = progress.bytes_done / progress.bytes_total if progress.bytes_total else 0.0
        width = max(10, min(60, self.size.width // 2))
        done = round(width * min(1.0, share))
        line: list[Part] = [
            (" ", ""),
            (self._signs.used * done, "after"),
            (self._signs.free * (width - done), "free"),
            (f" {percent(progress.bytes_done, progress.bytes_total)}  ", "strong"),
            (
                _("{done} of {total}").format(
                    done=size_text(progress.bytes_done), total=size_text(progress.bytes_total)
                ),
                "",
            ),
        ]
        what = _("Stopping: the mail under way is finished first.") if self._stopping else self._what()
        self.show(
            [([(f" {what}", "strong")], [(self._hint(), "head")]), (line, []), (self._numbers(), []), self._error()]
        )

    def _what(self) -> str:
        if self._waiting is not None:
            until = datetime.fromtimestamp(self._waiting.until).astimezone().strftime("%H:%M:%S")
            return _("Waiting until {time}, as the server asked: {answer}").format(
                time=until, answer=sanitise(self._waiting.answer)
            )
        progress = self._progress
        text = progress_text(Progress(progress.stage, progress.what))
        return text[:1].upper() + text[1:]

    def _hint(self) -> str:
        return "" if self._stopping else _("Esc stops ")

    def _numbers(self) -> list[Part]:
        progress = self._progress
        text = ngettext("{done:,} of {n:,} mail", "{done:,} of {n:,} mails", progress.total).format(
            done=progress.done, n=progress.total
        )
        parts: list[Part] = [(f" {text}", "")]
        if self._pace.speed:
            parts.append(("   " + _("{size}/s").format(size=size_text(int(self._pace.speed))), ""))
        left = self._pace.left(progress.bytes_total)
        if left is not None and not self._stopping:
            parts.append(("   " + _("{time} left").format(time=seconds_text(left)), ""))
        return parts

    def _error(self) -> Shown:
        if not self._failed:
            return [], []
        text = ngettext("{n} mail was not moved.", "{n} mails were not moved.", self._failed).format(n=self._failed)
        return [(f" {text} ", "bad"), (self._last, "")], []
