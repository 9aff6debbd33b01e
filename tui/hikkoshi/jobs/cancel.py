"""Asking running work to stop, from a key, a signal or another thread."""

import signal
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

from hikkoshi.errors import Cancelled
from hikkoshi.i18n import _

T = TypeVar("T")


class Cancel:
    """A flag that work looks at between two steps. Setting it is safe from a signal handler and any thread."""

    def __init__(self) -> None:
        self._asked = False
        # A threading.Event deadlocks where the handler interrupts its own thread inside the Event; this may be
        # entered again at any point.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self.reason = ""

    def set(self, reason: str = "") -> None:
        """Ask the work to stop; `reason` is 'user' or a signal's name ('SIGHUP')."""
        self.reason = self.reason or reason
        self._asked = True
        self._wake.put(None)

    def is_set(self) -> bool:
        """Whether the work shall stop."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`, less if asked to stop meanwhile; whether the work shall stop."""
        if not self._asked:
            try:
                self._wake.get(timeout=max(seconds, 0))
            except Empty:
                return self._asked
            # For whoever else waits.
            self._wake.put(None)
        return self._asked

    def check(self) -> None:
        """Raise `Cancelled` if the work shall stop."""
        if self._asked:
            raise Cancelled(_("Stopped. What was done until now is written down; start again to go on."))

    def while_not(self, items: Iterable[T]) -> Iterator[T]:
        """The items, until the work shall stop: then `Cancelled` is raised."""
        for item in items:
            self.check()
            yield item


def cancel_on_signals(cancel: Cancel) -> None:
    """Make SIGHUP, SIGTERM and SIGINT set `cancel`, where the system has them. Main thread only."""

    def stop(number: int, _frame: FrameType | None) -> None:
        cancel.set(signal.Signals(number).name)

    for name in ("SIGHUP", "SIGTERM", "SIGINT"):
        if number := getattr(signal, name, None):
            signal.signal(number, stop)
