"""The terminal may go away under us: a dropped SSH line, a closed window. Then nothing may hang or complain.

Textual's output thread dies at the first failed write, and the screen would wait for it for ever; its input
thread would read end-of-file without a pause.
"""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, cast

from textual.driver import Driver

_LOOK_EVERY = 2.0  # seconds between looks whether a terminal that sends and gets nothing is still there


class GoneSafe:
    """Textual's output; after the first failure what is written goes nowhere."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file, self._gone, self._lost = file, gone, False

    def write(self, text: str) -> int:
        """Write, as long as there is somebody."""
        return self._do(lambda: self._file.write(text))

    def flush(self) -> None:
        """Flush, as long as there is somebody."""
        self._do(lambda: self._file.flush() or 0)

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._file.fileno()

    def _do(self, step: Callable[[], int]) -> int:
        if not self._lost:
            try:
                return step()
            except (OSError, ValueError):
                self._lost = True
                self._gone()
        return 0


def driver_class(usual: type[Driver], gone: Callable[[], None]) -> type[Driver]:
    """The terminal driver that calls `gone` once its terminal is; another system's driver is taken as it is."""
    if sys.platform == "win32":
        return usual
    import termios

    from textual.drivers.linux_driver import LinuxDriver

    if usual is not LinuxDriver:
        return usual

    class SafeDriver(LinuxDriver):
        """The usual driver for a terminal that may go away."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            assert self._file is not None
            self._file = cast(Any, GoneSafe(self._file, gone))
            self._left = threading.Event()

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            threading.Thread(target=self._look, name="terminal-look", daemon=True).start()

        def close(self) -> None:
            self._left.set()
            super().close()

        def _run_input_thread(self) -> None:
            try:
                self.run_input_thread()
            except OSError:
                gone()

        def _look(self) -> None:
            while not self._left.wait(_LOOK_EVERY):
                try:
                    termios.tcgetattr(self.fileno)
                except (termios.error, ValueError):
                    gone()
                    return

    return SafeDriver


def on_hang_up(call: Callable[[str], None]) -> None:
    """Call with the signal's name when SIGHUP or SIGTERM comes, where the system has them. Main thread only."""

    def caught(number: int, _frame: FrameType | None) -> None:
        call(signal.Signals(number).name)

    for name in ("SIGHUP", "SIGTERM"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, caught)
