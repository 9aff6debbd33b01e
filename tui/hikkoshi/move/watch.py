"""Reading the server's limits while the connection that sends is busy: over another one, in the background.

An APPEND under way cannot be interrupted by a question on its own connection. So limits are read there between batches,
once all that is on its way is answered, just before a mail larger than 16 MiB, and here when that would be too late:
while such a mail streams, or where a slow line takes longer than 5 s for what is on its way. What is read here may or may
not count mail that is not answered yet; who uses it has to reckon with both.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hikkoshi.errors import HikkoshiError
from hikkoshi.move.meter import Meter
from hikkoshi.move.room import Room
from hikkoshi.server.bulk import Bulk

_OPEN_AFTER, _ASK_AFTER = 3.5, 4.0
"""Seconds since the last reading: what is asked then goes within 5 s. A move that reads between its batches (after 3 s)
never needs a further connection."""
_LOOK_EVERY = 0.2
_PATIENCE = 5.0
"""Seconds that the sending waits for limits where 16 MiB have gone since the last ones."""


class RoomWatch:
    """For one move. `connect` opens the connection; where that fails, or it is cut, there is none: `alone`.

    `natives`: the folders whose limits are read. `may_ask` False: the server wants to be left alone for a while.
    """

    def __init__(
        self, connect: Callable[[], Bulk], meter: Meter, natives: Sequence[str], may_ask: Callable[[], bool]
    ) -> None:
        self._connect, self._meter, self._natives, self._may_ask = connect, meter, natives, may_ask
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = self._stopped = self._wanted = False
        self._news: tuple[Room, ...] | None = None
        self.alone = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """While mail is sent or waited for inside, the limits are read when it is time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="room watch", daemon=True)
            self._thread.start()
        self._say(sending=True)
        try:
            yield
        finally:
            self._say(sending=False)

    def news(self) -> tuple[Room, ...] | None:
        """The limits that were read since this was asked last."""
        with self._changed:
            found, self._news = self._news, None
        return found

    def ask_now(self) -> None:
        """Have the limits read now, and wait for them for a while."""
        with self._changed:
            if self.alone or self._news is not None:
                return
            self._wanted = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._wanted or self.alone, _PATIENCE)

    def close(self) -> None:
        """End the connection."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _say(self, *, sending: bool) -> None:
        with self._changed:
            self._sending = sending
            self._changed.notify_all()

    def _run(self) -> None:
        bulk: Bulk | None = None
        try:
            while self._wait_until_due(_OPEN_AFTER if bulk is None else _ASK_AFTER):
                if bulk is None:
                    bulk = self._connect()
                    continue
                found = tuple(self._meter.read(bulk, self._natives))
                with self._changed:
                    self._news, self._wanted = found, False
                    self._changed.notify_all()
        except (HikkoshiError, OSError):
            # The limits are read between batches, which are made smaller then.
            with self._changed:
                self.alone = True
                self._changed.notify_all()
        finally:
            if bulk is not None:
                bulk.close()

    def _wait_until_due(self, age: float) -> bool:
        """Wait until the last reading is `age` seconds old, or one is wanted; False: it is over."""
        with self._changed:
            while not self._stopped:
                if self._wanted or (self._sending and self._meter.age >= age and self._may_ask()):
                    return True
                self._changed.wait(_LOOK_EVERY if self._sending else None)
        return False
