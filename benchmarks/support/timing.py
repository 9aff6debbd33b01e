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

from support.processes import together

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
    included; `peak`: bytes of the largest of its processes; `memory`: bytes of all its processes together
    (proportional set size), 0 where it was not watched; `output`, `errors`: what it printed.
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
        with process.stdout, _watched(process.pid if watch_memory else None) as memory:
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
    return Run(seconds, cpu, usage.ru_maxrss * 1024, memory[0], process.returncode, output, told)


def _inherited() -> dict[str, str]:
    """This process's environment, without what would make Python compile every module at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def _watched(pid: int | None) -> Iterator[list[int]]:
    """A list whose one number is the largest sum of memory that `pid` and its children were seen with."""
    most = [0]
    if pid is None:
        yield most
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_SAMPLE):
            most[0] = max(most[0], together(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
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
