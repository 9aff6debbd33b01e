"""Child processes for heavy reading: neither the GIL nor a crash of theirs reaches the screen.

A child is a fresh interpreter (never a fork: the parent has threads) that runs one function of ours on each unit of
work it is sent, and sends back what that yields. Units and results are bytes; a frame on the pipe is its length (four
bytes, big-endian), its kind (one byte) and its content. Children have no terminal and no part in its signals: a Ctrl-C
reaches the parent alone, which ends them. They end by themselves when the parent is gone.
"""

import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import IO

import msgspec

from hikkoshi import errors
from hikkoshi.errors import HelperDied, HikkoshiError
from hikkoshi.i18n import _, language
from hikkoshi.jobs.frames import FAILED, RESULT, Failure, FrameReader, frame

_PIPE = 1024 * 1024
"""Bytes in a pipe, where the system allows it: a child works on while its parent is busy with another one."""
_LEAST_PIPE = 64 * 1024
_FILLED = 0.7  # of a pipe, at most: writing to it never waits for a child that is busy
_WAIT = 0.1  # seconds between two looks at a cancel

POSSIBLE = os.name == "posix"
"""Whether there can be children: elsewhere `select` knows no pipes."""

_PROGRAM = "import sys; sys.path.append(sys.argv.pop()); from hikkoshi.jobs.child import main; main()"
"""The last word of its command line is where our own package lies, which the parent may have found in another way."""

Check = Callable[[], None]


class Children:
    """`count` children that run `task` ("package.module:function", bytes to an iterator of bytes) on units of work.

    Units are dealt to them in turn, and answers are given in the units' order. As many units are on their way as a
    pipe holds, and what a child has not got rid of is bounded (see `hikkoshi.jobs.child`), so that memory is, too.
    `check` is called while it waits; it may raise. Use it in a `with`, or `close` it.
    """

    def __init__(self, count: int, task: str, check: Check | None = None) -> None:
        self._check = check or (lambda: None)
        self._children = [_Child(task) for _number in range(count)]

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the processes now, before there is work: they take some 50 ms until they are ready."""
        for child in self._children:
            child.start()

    def close(self) -> None:
        """End the children, whatever they are at."""
        for child in self._children:
            child.kill()

    def answers(self, units: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
        """For each unit, in their order, the results of the task; what is left of one is passed over for the next.

        The children begin at once. An answer raises what the task raised: an error of ours or an `OSError`;
        `HelperDied` if the child died, or raised anything else. The units behind it are answered all the same.
        """
        work = _Work(iter(units), self._children)
        work.deal()
        return self._answers(work)

    def _answers(self, work: "_Work") -> Iterator[Iterator[bytes]]:
        while work.waiting:
            answer = work.waiting.popleft().answer(self._check)
            yield answer
            for _rest in _quietly(answer):
                pass
            work.deal()


class _Work:
    """Units that are dealt to children in turn, as many as fit into their pipes; `waiting`: who has to answer, in order."""

    def __init__(self, units: Iterator[bytes], children: "list[_Child]") -> None:
        self.waiting: deque[_Child] = deque()
        self._units = units
        self._turns = cycle(children)
        self._next = next(units, None)
        self._child = next(self._turns)

    def deal(self) -> None:
        """Send what can be sent now without waiting."""
        while self._next is not None and self._child.takes(self._next):
            self._child.send(self._next)
            self.waiting.append(self._child)
            self._next = next(self._units, None)
            self._child = next(self._turns)


def _quietly(answer: Iterator[bytes]) -> Iterator[bytes]:
    """What is left of an answer that nobody wants; nor its error."""
    try:
        yield from answer
    except (HikkoshiError, OSError):
        return


class _Child:
    """One child, started when it is first needed, and again after it died."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._process: subprocess.Popen[bytes] | None = None
        self._frames = FrameReader()
        self._sent: deque[bytes] = deque()
        self._room = int(_LEAST_PIPE * _FILLED)

    def start(self) -> None:
        """Start it if it does not run."""
        if self._process is not None:
            return
        # -P: what lies in the current directory is never imported.
        package = str(Path(errors.__file__).parents[1])
        command = [sys.executable, "-P", "-c", _PROGRAM, self._task, language(), package]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self._frames = FrameReader()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._room = int(min(_widen(self._process.stdin), _widen(self._process.stdout)) * _FILLED)

    def takes(self, unit: bytes) -> bool:
        """Whether a unit can be sent to it without waiting."""
        return not self._sent or sum(map(len, self._sent)) + len(unit) < self._room

    def send(self, unit: bytes) -> None:
        """Give it a unit of work."""
        self._sent.append(unit)
        self.start()
        self._write(unit)

    def answer(self, check: Check) -> Iterator[bytes]:
        """The results of the oldest unit that it was sent."""
        while True:
            kind, content = self._next(check)
            if kind == RESULT:
                yield content
                continue
            self._sent.popleft()
            if kind == FAILED:
                raise _error(msgspec.msgpack.decode(content, type=Failure))
            return

    def kill(self) -> None:
        """End it and forget what it was sent."""
        self._sent.clear()
        self._end()

    def _next(self, check: Check) -> tuple[bytes, bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while (found := self._frames.next()) is None:
            while not select.select([pipe], [], [], _WAIT)[0]:
                check()
            data = os.read(pipe, _PIPE)
            if not data:
                return FAILED, msgspec.msgpack.encode(self._died())
            self._frames.feed(data)
        return found

    def _died(self) -> Failure:
        """How it ended; another one is started for what it had not begun."""
        status = self._end()
        for unit in list(self._sent)[1:]:
            self.start()
            self._write(unit)
        return Failure("HelperDied", _died_text(status))

    def _write(self, unit: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        rest = memoryview(frame(RESULT, unit))
        try:
            while rest:
                rest = rest[self._process.stdin.write(rest) or 0 :]
        except BrokenPipeError:
            # It died; reading its answer tells.
            return

    def _end(self) -> int:
        if self._process is None:
            return 0
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        status = self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None
        return status


def _died_text(status: int) -> str:
    text = _(
        "A helper process of hikkoshi ended in the middle of reading ({status}); this mail was not compared. Look "
        "again; if it happens again, report it."
    )
    return text.format(status=status)


def _error(failure: Failure) -> Exception:
    """The error that a child met, as if it had been met here."""
    if failure.name == "OSError":
        return OSError(failure.number, failure.text)
    kind = getattr(errors, failure.name, None)
    if isinstance(kind, type) and issubclass(kind, HikkoshiError):
        return kind(failure.text)
    text = _("A helper process of hikkoshi failed ({reason}); this mail was not compared. Please report it.")
    return HelperDied(text.format(reason=f"{failure.name}: {failure.text}"))


def _widen(pipe: IO[bytes]) -> int:
    """Make a pipe as wide as the system allows; how many bytes it holds."""
    # No pipe can be widened where this is missing (macOS), nor is there the module everywhere.
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        return int(fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE))
    return _LEAST_PIPE
