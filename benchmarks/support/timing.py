"""Running programs as whole processes: time, CPU and memory of each, in turns with what it is compared with."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from support.processes import largest, together

_SAMPLE = 0.02
"""Seconds between two looks at the memory of all processes; a look costs about 1 ms."""
_SHOWN = 2000

NEUTRAL = {"LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "0", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
"""What every program under test has in its environment, ours and the peers'."""

Surroundings = AbstractContextManager[object]
"""What this process is in while a program starts, which inherits it: a network namespace, say. (A child that changes
itself after its fork would cost the copy of our page tables: milliseconds, where 30 are measured.)"""


class Failed(Exception):
    """A program under test ended with a status that it must not have; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one program.

    `seconds`: from before it starts to its end; `cpu`: seconds of user and system time, children it waited for
    included; `peak`: bytes that the largest of its processes had resident; `memory`: bytes of all its processes
    together (proportional set size); both are 0 where they were not watched. `output`, `errors`: what it printed.
    """

    seconds: float
    cpu: float
    peak: int
    memory: int
    status: int
    output: bytes
    errors: bytes


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    surroundings: Callable[[], Surroundings] = nullcontext,
    cores: int | None = None,
    statuses: Sequence[int] = (0,),
    watch_memory: bool = False,
) -> Run:
    """Run a program to its end, its output through a pipe (`grep` stops early on /dev/null).

    `cores`: on so many of this process's cores. Raises `Failed` where it ends with none of `statuses`.
    """

    with tempfile.TemporaryFile() as errors:
        with on_cores(cores), surroundings():
            begin = time.perf_counter()
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={**_inherited(), **NEUTRAL, **(environment or {})},
            )
        assert process.stdout is not None
        with process.stdout, _watched(process.pid if watch_memory else None) as seen:
            output = process.stdout.read()
            _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        told = errors.read()
        if process.returncode not in statuses:
            said = (output[-_SHOWN:] + told[-_SHOWN:]).decode(errors="replace")
            raise Failed(f"{Path(command[0]).name} ended with {process.returncode}:\n{said}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, seen.peak, seen.memory, process.returncode, output, told)


def _inherited() -> dict[str, str]:
    """This process's environment, without what would make Python compile every module at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(slots=True)
class _Seen:
    """Bytes, see `Run`. wait4's ru_maxrss is no measure of it: a child inherits what its parent has had."""

    peak: int = 0
    memory: int = 0


@contextmanager
def _watched(pid: int | None) -> Iterator[_Seen]:
    """The most that `pid` and its children were seen with."""
    seen = _Seen()
    if pid is None:
        yield seen
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_SAMPLE):
            seen.memory = max(seen.memory, together(pid))
            seen.peak = max(seen.peak, largest(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def alternate(runs: int, *ways: Callable[[], float]) -> list[list[float]]:
    """The values of each way, taken in turns (A B A B) so that what disturbs the machine disturbs all of them."""
    values: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for way, found in zip(ways, values, strict=True):
            found.append(way())
    return values


@contextmanager
def on_cores(count: int | None) -> Iterator[None]:
    """This process, and what it starts, on so many cores; None: on all that it has."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
