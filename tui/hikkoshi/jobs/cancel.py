"""Asking running work to stop, from a key, a signal or another thread."""

import signal
import threading
from types import FrameType

from hikkoshi.errors import Cancelled
from hikkoshi.i18n import _


class Cancel:
    """A flag that work looks at between two steps. Setting it is safe from a signal handler and any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def set(self, reason: str = "") -> None:
        """Ask the work to stop; `reason` is 'user' or a signal's name ('SIGHUP')."""
        self.reason = self.reason or reason
        self._event.set()

    def is_set(self) -> bool:
        """Whether the work shall stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`, less if asked to stop meanwhile; whether the work shall stop."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raise `Cancelled` if the work shall stop."""
        if self._event.is_set():
            raise Cancelled(_("Stopped. What was done until now is written down; start again to go on."))


def cancel_on_signals(cancel: Cancel) -> None:
    """Make SIGHUP, SIGTERM and SIGINT set `cancel`, where the system has them. Main thread only."""

    def stop(number: int, _frame: FrameType | None) -> None:
        cancel.set(signal.Signals(number).name)

    for name in ("SIGHUP", "SIGTERM", "SIGINT"):
        if number := getattr(signal, name, None):
            signal.signal(number, stop)
