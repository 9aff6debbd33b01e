"""Caps that the user sets: bytes a second, mails a second. Token buckets that several connections share."""

from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock
from time import monotonic

_NEVER = Event()
_BURST_SECONDS = 0.25
"""What may go at once after a pause; so much more than the cap goes in the first second."""
_LARGEST, _SMALLEST = 1 << 16, 1 << 10
"""Bytes of a piece that is paced by itself."""
_BATCH_SECONDS = 2
"""What a batch holds at most, by the cap: a move stops between two batches."""


class Bucket:
    """Lets `rate` tokens a second through, and `burst` of them at once; what takes more waits afterwards.

    `clock` and `wait` are the system's; tests have their own.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = monotonic,
        wait: Callable[[float], object] = _NEVER.wait,
    ) -> None:
        self._rate, self._burst, self._clock, self._wait = rate, burst, clock, wait
        self._tokens, self._since = burst, clock()
        self._lock = Lock()

    def take(self, count: float) -> None:
        """Take tokens, and wait until the bucket is out of debt."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate) - count
            self._since = now
            debt = -self._tokens / self._rate
        if debt > 0:
            self._wait(debt)


class Caps:
    """The caps of a move: `size` bytes and `mails` mails a second, None for no cap."""

    def __init__(
        self,
        size: int | None = None,
        mails: float | None = None,
        clock: Callable[[], float] = monotonic,
        wait: Callable[[float], object] = _NEVER.wait,
    ) -> None:
        self._size, self._mails = size, mails
        self._bytes = Bucket(size, size * _BURST_SECONDS, clock, wait) if size else None
        self._count = Bucket(mails, 1, clock, wait) if mails else None
        self._piece = max(_SMALLEST, min(_LARGEST, int((size or _LARGEST) * _BURST_SECONDS)))

    @property
    def batch_bytes(self) -> int | None:
        """Bytes of a batch at most, None where nothing caps them."""
        return None if self._size is None else max(1, self._size * _BATCH_SECONDS)

    @property
    def batch_mails(self) -> int | None:
        """Mails of a batch at most, None where nothing caps them."""
        return None if self._mails is None else max(1, int(self._mails * _BATCH_SECONDS))

    def paced(self, chunks: Iterable[bytes]) -> Iterator[bytes | memoryview]:
        """The pieces of one mail, each when its time has come."""
        if self._count is not None:
            self._count.take(1)
        if self._bytes is None:
            yield from chunks
            return
        for chunk in chunks:
            view = memoryview(chunk)
            for start in range(0, len(view), self._piece):
                piece = view[start : start + self._piece]
                self._bytes.take(len(piece))
                yield piece
