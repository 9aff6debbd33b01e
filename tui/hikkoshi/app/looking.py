"""Looking at both sides in the background: refreshing, comparing with another mapping, and what goes wrong there."""

from typing import TYPE_CHECKING

from hikkoshi.app.part import Part
from hikkoshi.app.rows import Look
from hikkoshi.app.screens.dialog import Answer, Dialog
from hikkoshi.app.screens.error import QUIT, RETRY, error_screen
from hikkoshi.app.words import progress_text
from hikkoshi.app.work import Event, Tell
from hikkoshi.errors import Cancelled, HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot
    from hikkoshi.app.screens.main import MainScreen

REFRESH, REMAP = "refresh", "remap"


class Looking(Part):
    """Refreshes as the main screen sees them."""

    jobs = (REFRESH, REMAP)

    def __init__(self, screen: "MainScreen") -> None:
        super().__init__(screen)
        self._left_behind = ""

    def refresh(self, *, first: bool = False) -> None:
        """Look at both sides. At the `first` time also ask what an earlier move left behind."""
        session = self._screen.session

        def look(report: Tell, cancel: Cancel) -> Look:
            try:
                found = session.refresh(report, cancel, lambda early: report(self._read(early)))
            finally:
                if first:
                    # Behind the look, which settles what was in doubt; kept apart from its result, to be told where it fails.
                    self._left_behind = session.left_behind()
            return self._read(found)

        self._screen.tell_state(_("looking at both sides"))
        self._screen.work.start(REFRESH, look)

    def remap(self, overrides: dict[str, str]) -> None:
        """Compare again with another mapping, which is remembered."""
        session = self._screen.session
        self._screen.tell_state(_("comparing"))
        self._screen.work.start(REMAP, lambda report, cancel: self._read(session.remap(overrides, report, cancel)))

    def _read(self, snapshot: "Snapshot") -> Look:
        """The rows of what was found; in the thread of the work, so that the screen waits for none of them."""
        return Look(snapshot, self._screen.rows.read())

    def told(self, event: Event) -> None:
        """How far it is, and what is known already."""
        if isinstance(event, Progress):
            self._screen.tell_state(progress_text(event))
        elif isinstance(event, Look):
            self._screen.take(event)

    def ended(self, _name: str, result: object) -> None:
        """Show what was found."""
        assert isinstance(result, Look)
        self._screen.take(result)
        self._tell_left_behind(may_resume=True)

    def fill_search(self) -> None:
        """Make mail searchable while nothing else is to be done."""
        self._screen.work.start_aside(self._screen.session.fill_search)

    def _tell_left_behind(self, *, may_resume: bool = False) -> None:
        text, self._left_behind = self._left_behind, ""
        if not text:
            return

        def answered(go_on: bool | None) -> None:
            if go_on and not self._screen.busy():
                self._screen.history.resume()

        title, lines = _("The last upload ended early"), [(text, "")]
        later = Answer(_("Later") if may_resume else _("Close"), False)
        answers = [Answer(_("Go on with it"), True), later] if may_resume else [later]
        self._screen.app.push_screen(Dialog(title, lines, answers), answered)

    def failed(self, name: str, error: HikkoshiError) -> None:
        """Say what went wrong; what is on the screen stays."""
        screen = self._screen
        if name in (REFRESH, REMAP):
            compared = screen.snapshot is not None and screen.snapshot.whole
            screen.tell_state(_("not up to date") if compared else _("not compared"), bad=True)
            if isinstance(error, Cancelled):
                return

        def answered(answer: str | None) -> None:
            if answer == QUIT:
                screen.app.exit(return_code=0 if screen.snapshot else error.exit_code)
            elif answer == RETRY and not screen.work.busy:
                self.refresh(first=screen.snapshot is None)

        self._tell_left_behind()
        screen.app.push_screen(error_screen(error, rows_kept=bool(screen.folders.pairs)), answered)
