"""The main program of a child process (see `hikkoshi.jobs.children`)."""

import gc
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module

import msgspec

from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import set_language
from hikkoshi.jobs.frames import DONE, FAILED, RESULT, Failure, FrameReader, frame

_IN, _OUT = 0, 1
_READ = 64 * 1024
_HELD = 4 * 1024 * 1024
"""Bytes of results that wait here for the parent; with more than that the child waits itself."""

Task = Callable[[bytes], Iterator[bytes]]


def main() -> None:
    """Run the task that the command line names on each unit that comes, until there are no more."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTSTP"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_IGN)
    gc.disable()  # a million short-lived lists make no cycle, and looking for one takes 5 % of the time
    set_language(sys.argv[2])
    module, _colon, function = sys.argv[1].partition(":")
    task: Task = getattr(import_module(module), function)
    with suppress(BrokenPipeError):  # the parent is gone
        _work(task, _Output())
    # Nothing is left to be tidied up, and the interpreter's own tidying takes longer than many a unit.
    os._exit(0)


def _work(task: Task, output: "_Output") -> None:
    frames = FrameReader()
    while True:
        while (unit := frames.next()) is None:
            output.write_while_waiting(_IN)
            data = os.read(_IN, _READ)
            if not data:
                output.flush()
                return
            frames.feed(data)
        output.send(*_last_frame(task, unit[1], output))


def _last_frame(task: Task, unit: bytes, output: "_Output") -> tuple[bytes, bytes]:
    try:
        for result in task(unit):
            output.send(RESULT, result)
    except BrokenPipeError:
        raise
    except OSError as error:
        return FAILED, msgspec.msgpack.encode(Failure("OSError", error.strerror or str(error), error.errno or 0))
    except HikkoshiError as error:
        return FAILED, msgspec.msgpack.encode(Failure(type(error).__name__, str(error)))
    except Exception as error:  # noqa: BLE001 - the parent tells of it, and goes on with the rest
        return FAILED, msgspec.msgpack.encode(Failure(type(error).__name__, repr(error.args)))
    return DONE, b""


class _Output:
    """Writes frames as far as the pipe takes them, and holds the rest, up to a bound."""

    def __init__(self) -> None:
        os.set_blocking(_OUT, False)
        self._held: deque[memoryview] = deque()
        self._size = 0

    def send(self, kind: bytes, content: bytes) -> None:
        """Take a frame; wait only where too much is held already."""
        data = frame(kind, content)
        self._held.append(memoryview(data))
        self._size += len(data)
        self._write()
        while self._size > _HELD:
            select.select([], [_OUT], [])
            self._write()

    def write_while_waiting(self, source: int) -> None:
        """Get rid of what is held until there is something to read."""
        while self._held:
            readable, writable, _none = select.select([source], [_OUT], [])
            if writable:
                self._write()
            if readable:
                return

    def flush(self) -> None:
        """Get rid of all."""
        while self._held:
            select.select([], [_OUT], [])
            self._write()

    def _write(self) -> None:
        while self._held:
            try:
                written = os.write(_OUT, self._held[0])
            except BlockingIOError:
                return
            self._size -= written
            if written == len(self._held[0]):
                self._held.popleft()
            else:
                self._held[0] = self._held[0][written:]
