"""Running what blocks beside the screen: one job at a time, in a daemon thread that only posts messages.

Aside of it goes work that nobody waits for. It gives way to every job.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeAlias

from textual.message import Message

from hikkoshi.app.rows import Look
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress
from hikkoshi.move.events import UploadEvent

_PROGRESS_EVERY = 0.1  # seconds; more is neither seen nor worth its bytes over a slow line
_ASIDE_WAIT = 1.0  # seconds

Post = Callable[[Message], object]
Event: TypeAlias = UploadEvent | Look
Tell: TypeAlias = Callable[[Event], None]


class Told(Message):
    """A job tells how far it is, or what it just did."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class Ended(Message):
    """A job ended with a result or with an error."""

    def __init__(self, name: str, result: object = None, error: Exception | None = None) -> None:
        super().__init__()
        self.name, self.result, self.error = name, result, error


class Work:
    """Starts jobs and remembers the one that runs. `post` must be safe to call from any thread."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._thread: threading.Thread | None = None
        self._aside: threading.Thread | None = None
        self._aside_cancel = Cancel()
        self._last = 0.0
        self.name = ""
        self.cancel = Cancel()

    @property
    def busy(self) -> bool:
        """Whether a job runs, or its end has not been handled yet."""
        return bool(self.name)

    def start(self, name: str, job: Callable[[Tell, Cancel], object]) -> None:
        """Run `job(report, cancel)` in a thread; its end is posted as `Ended`."""
        assert not self.busy
        self._aside_cancel.set()
        self.name, self.cancel, self._last = name, Cancel(), 0.0
        # A daemon: a server that does not answer shall not keep a program that the user has left.
        self._thread = threading.Thread(target=self._run, args=(name, job, self.cancel), name=name, daemon=True)
        self._thread.start()

    def start_aside(self, job: Callable[[Cancel], None]) -> None:
        """Run `job(cancel)` in another thread until it ends or a job starts; not if a job, or such work, runs."""
        if self.busy or (self._aside is not None and self._aside.is_alive()):
            return
        self._aside_cancel = Cancel()
        self._aside = threading.Thread(target=job, args=(self._aside_cancel,), name="aside", daemon=True)
        self._aside.start()

    def stop(self, reason: str) -> None:
        """Ask all that runs to stop."""
        self._aside_cancel.set(reason)
        self.cancel.set(reason)

    def ended(self) -> None:
        """The end was handled; another job may start."""
        self.name = ""

    def join(self, seconds: float) -> None:
        """Wait for what runs, at most so long."""
        for thread in (self._aside, self._thread):
            if thread is not None:
                thread.join(seconds)

    def _run(self, name: str, job: Callable[[Tell, Cancel], object], cancel: Cancel) -> None:
        if self._aside is not None:
            # It holds the index for some 15 ms more; for longer only where another program does.
            self._aside.join(_ASIDE_WAIT)
        try:
            result = job(self._report, cancel)
        except Exception as error:  # noqa: BLE001 - the screen's thread raises it again
            self._post(Ended(name, error=error))
        else:
            self._post(Ended(name, result))

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            now = monotonic()
            if now - self._last < _PROGRESS_EVERY and event.done < event.total:
                return
            self._last = now
        self._post(Told(event))
