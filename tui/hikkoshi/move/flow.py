"""How much mail may be on its way at a time, by how fast it is answered: what has left cannot be called back."""

from collections import deque
from time import monotonic

from hikkoshi.move.batch import BYTES

_FIRST = 256 << 10
"""Bytes of a batch before anything is answered: over a line of 100 KB/s four batches of BYTES would take 160 s."""
_LEAST = 32 << 10
_SHARE = 1.25
"""Seconds of the line for one batch, so that the four that are on their way take the 5 s within which limits are read."""
_SHARE_ALONE = 0.4
"""The same where the limits can only be read over the connection that sends, once all that is on its way is answered."""
_WINDOW = 10.0  # seconds over which the speed is measured


class Flow:
    """Follows one move. One thread's."""

    def __init__(self) -> None:
        self.alone = False
        """Whether there is no other connection to read the limits over."""
        self._start: float | None = None
        self._answered: deque[tuple[float, int]] = deque()
        self._sum = 0

    def sent(self) -> None:
        """A batch leaves."""
        if self._start is None:
            self._start = monotonic()

    def answered(self, size: int) -> None:
        """Mail of so many bytes was answered."""
        self._answered.append((monotonic(), size))
        self._sum += size

    @property
    def most(self) -> int:
        """Bytes of the next batch at most."""
        rate = self._rate()
        if rate is None:
            return _FIRST
        return max(_LEAST, min(BYTES, int(rate * (_SHARE_ALONE if self.alone else _SHARE))))

    def _rate(self) -> float | None:
        """Bytes a second; None: nothing is answered yet."""
        if self._start is None or not self._answered:
            return None
        now = monotonic()
        # The last answer stays: a line that stands still has a speed, too.
        while len(self._answered) > 1 and self._answered[0][0] < now - _WINDOW:
            self._start, size = self._answered.popleft()
            self._sum -= size
        return self._sum / max(now - self._start, 0.001)
