"""The command `hikkoshi`, which kills itself by SIGKILL at a point that is given; many times, each in a process of its own.

    python dying_mover.py

reads one `Order` as a line of JSON, forks a process that runs the command, waits for it, and writes one `Report` as a
line, until its input ends. Forking saves loading the program for each run. What is changed in that process, and only there:
batches are small, waits short, and a point of `Fault` ends it. The program itself knows nothing of this.
"""

import contextlib
import itertools
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from hikkoshi.accounts import session
from hikkoshi.cli.main import main as hikkoshi
from hikkoshi.cli.uploading import run_upload  # noqa: F401 - loaded before the first fork
from hikkoshi.ledger import schema
from hikkoshi.ledger.store import Ledger
from hikkoshi.move import batch, deliver, link, quiet, source
from hikkoshi.move import upload as _upload  # noqa: F401 - the same
from hikkoshi.server.appending import Appending
from hikkoshi.server.channel import Channel

COMMIT, COMMITTED, ANSWER, SENDING, FULL, HANG_UP = "commit", "committed", "answer", "sending", "full", "hang-up"
KINDS = (COMMIT, COMMITTED, ANSWER, SENDING, FULL, HANG_UP)


class Fault(msgspec.Struct, frozen=True):
    """Where it ends: at the `at`-th, from 1 on,

    `commit`: just before the ledger commits; `committed`: just behind it;
    `answer`: at a go-ahead, or at a command's OK, NO or BAD while the move runs, before anything is made of it;
    `sending`: while a mail or its command is sent, half of the bytes being gone;
    `full`: from this commit of the ledger on the disk is full, which does not kill it;
    `hang-up`: at the same responses as `answer` the terminal is closed (SIGHUP), which does not kill it either.
    """

    kind: str = ""
    at: int = 0

    def __str__(self) -> str:
        return f"{self.kind}-{self.at}"


class Order(msgspec.Struct, frozen=True):
    """One run: command line, environment, where its output goes; `timeout`: seconds for each wait for the server."""

    arguments: list[str]
    environment: dict[str, str]
    out: str
    err: str
    fault: Fault = Fault()
    timeout: float = 30.0
    mails: int = 3


class Counts(msgspec.Struct, frozen=True):
    """How many points of each kind a run had that came to its end."""

    commit: int = 0
    answer: int = 0
    sending: int = 0


class Report(msgspec.Struct, frozen=True):
    """How it ended: exit status, or the signal's number below 0; `counts` None where it did not come to its end."""

    status: int
    counts: Counts | None = None


class Points:
    """Counts the points of one process, and ends it at one of them."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._lock = threading.Lock()  # several connections are served by threads
        self._counts = {kind: itertools.count(1) for kind in KINDS}
        self._appending = threading.local()
        self._moving = False

    def reached(self, kind: str) -> bool:
        """Count one; whether it is the one."""
        with self._lock:
            number = next(self._counts[kind])
        return self._fault.kind == kind and (number == self._fault.at or (kind == FULL and number > self._fault.at))

    def counted(self) -> Counts:
        """How many there were."""
        return Counts(*(next(self._counts[kind]) - 1 for kind in (COMMIT, ANSWER, SENDING)))

    def watch(self) -> None:
        """Put the points into the program's classes, in this process."""
        self._watch_commits()
        self._watch_answers()
        self._watch_sending()

    def _watch_commits(self) -> None:
        points = self

        class Watched(sqlite3.Connection):
            """A connection to the ledger."""

            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:  # type: ignore[override]
                if sql != "COMMIT":
                    return super().execute(sql, *arguments)
                if points.reached(COMMIT):
                    die()
                if points.reached(FULL):
                    raise sqlite3.OperationalError("database or disk is full")
                cursor = super().execute(sql, *arguments)
                if points.reached(COMMITTED):
                    die()
                return cursor

        class Sqlite:
            """The module, as far as the ledger's schema uses it."""

            Error, Connection = sqlite3.Error, sqlite3.Connection

            @staticmethod
            def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
                return sqlite3.connect(*arguments, factory=Watched, **options)

        schema.sqlite3 = Sqlite  # type: ignore[assignment,misc]

    def _watch_answers(self) -> None:
        """Those of a move: nothing is lost where the program ends before it has a plan."""
        points, begin, finish = self, Ledger.begin, Ledger.finish

        def begun(ledger: Ledger, *arguments: Any) -> Any:
            points._moving = True
            return begin(ledger, *arguments)

        def finished(ledger: Ledger, *arguments: Any) -> None:
            points._moving = False
            finish(ledger, *arguments)

        Ledger.begin, Ledger.finish = begun, finished  # type: ignore[method-assign]
        for name in ("read", "overheard"):
            setattr(Channel, name, self._heard(getattr(Channel, name)))

    def _heard(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def heard(*arguments: Any, **options: Any) -> Any:
            parts = method(*arguments, **options)
            # Untagged responses are parts of an answer.
            if parts is not None and self._moving and not parts[0].startswith(b"* "):
                if self.reached(ANSWER):
                    die()
                if self.reached(HANG_UP):
                    os.kill(os.getpid(), signal.SIGHUP)
            return parts

        return heard

    def _watch_sending(self) -> None:
        """What goes out while mail is appended: commands, literals, and their ends."""
        send = Channel.send

        def sent(channel: Channel, data: bytes | memoryview) -> None:
            if getattr(self._appending, "depth", 0) and self.reached(SENDING):
                send(channel, memoryview(data)[: len(data) // 2])
                die()
            send(channel, data)

        Channel.send = sent  # type: ignore[method-assign]
        for name in ("post", "post_many"):
            setattr(Appending, name, self._posting(getattr(Appending, name)))

    def _posting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def posting(*arguments: Any, **options: Any) -> Any:
            with self._inside():
                return method(*arguments, **options)

        return posting

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        self._appending.depth = getattr(self._appending, "depth", 0) + 1
        try:
            yield
        finally:
            self._appending.depth -= 1


def die() -> None:
    """End at once, as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def _hurry(order: Order) -> None:
    """Small batches, several connections for few mails, short waits."""
    batch.MAILS = order.mails
    for module in (batch, source):
        module.KEPT = 5000  # type: ignore[attr-defined]
    deliver._LANES_FROM = 2
    quiet.QUIET = 0.1
    link._WAITS = (0.05, 0.5, 2.0)
    login = session._login

    def hurried(*arguments: Any) -> Any:
        return replace(login(*arguments), timeout=order.timeout)

    session._login = hurried


def _run(order: Order, counts: Path) -> None:
    """The forked process: never returns."""
    status = 70
    try:
        for number, path in enumerate((os.devnull, order.out, order.err)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.environ.clear()
        os.environ.update(order.environment)
        points = Points(order.fault)
        points.watch()
        _hurry(order)
        try:
            hikkoshi(order.arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
        counts.write_bytes(msgspec.json.encode(points.counted()))
    finally:
        os._exit(status)


def main() -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        counts = Path(order.out + ".counts")
        counts.unlink(missing_ok=True)
        child = os.fork()
        if not child:
            _run(order, counts)
        _pid, ended = os.waitpid(child, 0)
        found = msgspec.json.decode(counts.read_bytes(), type=Counts) if counts.exists() else None
        sys.stdout.write(msgspec.json.encode(Report(os.waitstatus_to_exitcode(ended), found)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
