"""The application: themes, crashes, signals, and the main screen."""

import asyncio
import sys
import traceback
from functools import partial
from pathlib import Path

from rich.text import Text
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.widgets import Input

from hikkoshi.app import themes
from hikkoshi.app.keys import unfold_width
from hikkoshi.app.rows import Rows
from hikkoshi.app.screens.main import MainScreen
from hikkoshi.app.session import Session
from hikkoshi.app.signs import Signs, detect_signs
from hikkoshi.app.terminal import driver_class, on_hang_up
from hikkoshi.i18n import _
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.message import Problem

CRASHED = 2
_LAST_WAIT = 60.0  # seconds for the mail under way when the screen is gone already
_SHORT_WAIT = 2.0  # seconds for a look at both sides that nobody waits for any more
_SWITCH = 0.0005
"""Seconds that a busy thread keeps the interpreter to itself while the screen runs. At Python's own 0.005 a key waits
28 ms until its effect is painted, at this 4 (3 at rest): painting waits for the interpreter several times."""


class HikkoshiApp(App[None]):
    """The full-screen program on one account."""

    CSS_PATH = "hikkoshi.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "hikkoshi"

    def __init__(self, session: Session, rows: Rows, *, theme: str = "", signs: Signs | None = None) -> None:
        super().__init__()
        self._loop: asyncio.AbstractEventLoop | None = None
        good, bad = themes.load_themes(themes.theme_folders())
        for each in good:
            self.register_theme(each)
        wanted = theme or themes.DEFAULT
        self.theme = wanted if wanted in self.available_themes else "textual-dark"
        self.main = MainScreen(session, rows, signs or detect_signs(), [Problem(_("Themes"), text) for text in bad])

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours, for themes that do not have them."""
        return themes.VARIABLES

    def get_driver_class(self) -> type[Driver]:
        """A driver that bears the loss of its terminal."""
        return driver_class(super().get_driver_class(), partial(self.hang_up, "SIGHUP"))

    def get_default_screen(self) -> MainScreen:
        """The main screen is the first one."""
        return self.main

    def on_mount(self) -> None:
        """Listen to signals from now on."""
        self._loop = asyncio.get_running_loop()

    def hang_up(self, reason: str) -> None:
        """The terminal or the session ends. Safe from signal handlers and other threads."""
        self.main.work.stop(reason)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.main.leave, reason)

    async def action_quit(self) -> None:
        """Textual's own Ctrl+Q: it asks too while mail moves."""
        self.main.action_quit()

    def action_help_quit(self) -> None:
        """Ctrl+C, where nothing is marked to be copied."""
        self.main.action_quit()

    async def on_event(self, event: events.Event) -> None:
        """Keys typed with a Japanese input method switched on do what the plain ones do."""
        if isinstance(event, events.Key) and not isinstance(self.focused, Input):
            key = unfold_width(event.key, event.character)
            if key is not None:
                event = events.Key(key, " " if key == "space" else key)
        await super().on_event(event)

    # A crash

    def _handle_exception(self, error: Exception) -> None:
        """Textual's way out of a crash, with our exit status."""
        super()._handle_exception(error)
        self._return_code = CRASHED

    def _fatal_error(self) -> None:
        """Say what happened. Textual's own page shows local variables: passwords and mail could be among them."""
        self.bell()
        text = _(
            "hikkoshi stopped because of an error of its own. The mail on this PC was not touched, and what was "
            "uploaded until now is written down. What follows helps those who mend it; it contains no mail."
        )
        lines = [text, *(sanitise(line) for line in _places(sys.exc_info()[1]))]
        self._exit_renderables[:] = [Text("\n".join(lines))]
        self._close_messages_no_wait()


def _places(error: BaseException | None) -> list[str]:
    """Where an error came from: files, lines, functions and its type; not its text, which may quote mail."""
    if error is None:
        return []
    frames = traceback.extract_tb(error.__traceback__)
    return [*(f"  {Path(f.filename).name}:{f.lineno} {f.name}" for f in frames), type(error).__name__]


def run_app(session: Session, *, theme: str = "") -> int:
    """Open the full-screen program; its exit status. Raises `IndexUnusable` before the screen opens."""
    rows = Rows(session.index_path)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        app = HikkoshiApp(session, rows, theme=theme)
        on_hang_up(app.hang_up)
        app.run()
        # After a crash mail may still be moving: the one under way is finished and written down.
        app.main.work.stop("SIGHUP")
        app.main.work.join(_LAST_WAIT if app.main.uploading.moving else _SHORT_WAIT)
    finally:
        sys.setswitchinterval(before)
        rows.close()
    return app.return_code or 0
