"""How fast a move goes and how long it will take, from what was done when."""

from collections import deque

_WINDOW = 15.0  # seconds looked back on: long enough to be steady, short enough to follow the line


class Pace:
    """Bytes done over time. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """`done` bytes in all by `now`."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    @property
    def speed(self) -> float:
        """Bytes a second, 0 while that is not known."""
        if len(self._seen) < 2:
            return 0.0
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        return max(0.0, (after - before) / (end - start)) if end > start else 0.0

    def left(self, total: int) -> float | None:
        """Seconds until `total` bytes are done; None while that is not known."""
        return (total - self._seen[-1][1]) / self.speed if self.speed else None
