"""A program on a pseudo-terminal, to measure how long a key takes until its effect is painted."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic

DOWN, UP, HOME, END, PAGE_DOWN, PAGE_UP = b"\x1b[B", b"\x1b[A", b"\x1b[H", b"\x1b[F", b"\x1b[6~", b"\x1b[5~"

_ASKED, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
"""Whether the terminal can paint a frame at once, and that it can: without an answer the program waits for one."""

_PATIENCE = 60.0  # seconds
_KEPT = 1_000_000  # bytes of output that are looked back on


class Keyboard:
    """A program on a terminal of `columns` x `rows`, typed into. Use it in a `with`; leaving it kills the program."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 120, rows: int = 36
    ) -> None:
        kept = {name: value for name, value in environment.items() if name != "NO_COLOR"}
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.output = b""

    def __enter__(self) -> "Keyboard":
        return self

    def __exit__(self, *_exc: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def until(self, pattern: bytes, since: int | None = None) -> float:
        """Read until the output has `pattern` (behind the byte `since`; None: the end of now); when that was, monotonic."""
        start = len(self.output) if since is None else since
        end = monotonic() + _PATIENCE
        while not re.search(pattern, self.output[start:]):
            assert monotonic() < end, f"it never came: {pattern!r} in {self.output[start:][-2000:]!r}"
            self._read(0.05)
        return monotonic()

    def press(self, key: bytes, painted: bytes) -> float:
        """Press a key; seconds until the output has `painted`, a pattern."""
        self.settle()
        begun = monotonic()
        os.write(self._terminal, key)
        return self.until(painted) - begun

    def settle(self, seconds: float = 0.0) -> None:
        """Read what comes for at least so long."""
        end = monotonic() + seconds
        while self._read(max(0.0, end - monotonic())) or monotonic() < end:
            pass

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._terminal, 1 << 20)
        except OSError:  # Linux's way to say that the program has gone
            data = b""
        assert data, f"the program ended: {self.output[-2000:]!r}"
        if _ASKED in data:
            os.write(self._terminal, _ANSWER)
        self.output += data
        return True
