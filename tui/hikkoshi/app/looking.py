"""Looking at both sides in the background: refreshing, comparing with another mapping, and what goes wrong there."""

from typing import TYPE_CHECKING, cast

from hikkoshi.app.screens.dialog import note
from hikkoshi.app.screens.error import QUIT, RETRY, error_screen
from hikkoshi.app.words import progress_text
from hikkoshi.errors import Cancelled, HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report
from hikkoshi.move.events import UploadEvent

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot
    from hikkoshi.app.screens.main import MainScreen

REFRESH, REMAP = "refresh", "remap"


class Looking:
    """Refreshes as the main screen sees them. All of it runs in the screen's thread."""

    def __init__(self, screen: "MainScreen") -> None:
        self._screen = screen
        self._left_behind = ""

    def refresh(self, *, first: bool = False) -> None:
        """Look at both sides. At the `first` time also ask what an earlier move left behind."""
        session = self._screen.session

        def look(report: Report, cancel: Cancel) -> "Snapshot":
            if first:
                # Kept apart from the result: it is told once, also where looking fails.
                self._left_behind = session.left_behind()
            return session.refresh(report, cancel)

        self._screen.tell_state(_("looking at both sides"))
        self._screen.work.start(REFRESH, look)

    def remap(self, overrides: dict[str, str]) -> None:
        """Compare again with another mapping, which is remembered."""
        session = self._screen.session
        self._screen.tell_state(_("comparing"))
        self._screen.work.start(REMAP, lambda report, cancel: session.remap(overrides, report, cancel))

    def told(self, event: UploadEvent) -> None:
        """How far it is."""
        if isinstance(event, Progress):
            self._screen.tell_state(progress_text(event))

    def ended(self, result: object) -> None:
        """Show what was found."""
        self._screen.take(cast("Snapshot", result))
        self._tell_left_behind()

    def _tell_left_behind(self) -> None:
        text, self._left_behind = self._left_behind, ""
        if text:
            self._screen.app.push_screen(note(_("The last upload ended early"), [(text, "")], _("Close")))

    def failed(self, name: str, error: HikkoshiError) -> None:
        """Say what went wrong; what is on the screen stays."""
        screen = self._screen
        if name in (REFRESH, REMAP):
            screen.tell_state(_("not up to date") if screen.snapshot else _("not compared"), bad=True)
            if isinstance(error, Cancelled):
                return

        def answered(answer: str | None) -> None:
            if answer == QUIT:
                screen.app.exit(return_code=0 if screen.snapshot else error.exit_code)
            elif answer == RETRY and not screen.work.busy:
                self.refresh(first=screen.snapshot is None)

        self._tell_left_behind()
        screen.app.push_screen(error_screen(error, rows_kept=bool(screen.folders.pairs)), answered)
