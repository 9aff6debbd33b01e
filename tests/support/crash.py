"""One case of the crash matrix: a move on some server, by some way of sending, that something happens to.

with Case(hosts, mover, "cyrus", "hurried", folder, store) as case:
    assert case.upload(Fault("answer", 5)).status == -signal.SIGKILL
    case.goes_on()
    assert case.difference() == ""
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import msgspec

from support.command import environment
from support.courier import Courier
from support.cyrus import Cyrus
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.dying_mover import Fault, Order, Report
from support.faultproxy import FaultProxy
from support.letters_at_risk import There, difference
from support.private_server import PrivateServer
from support.witnesses import holdings

HOSTS = ("maildir", "sdbox", "cyrus", "courier", "bare")
"""`bare`: a Dovecot that seems to have neither UIDPLUS nor MULTIAPPEND, and names no UIDs."""

WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "together": ((), ()),
    "hurried": (("MULTIAPPEND",), ()),
    "small": (("MULTIAPPEND", "LITERAL+"), ("LITERAL-",)),
    "waiting": (("MULTIAPPEND", "LITERAL+", "LITERAL-"), ()),
}
"""How mail is sent, and what the server must seem not to have, and to have, for that."""

SETTINGS = [
    (host, way)
    for host in HOSTS
    for way in WAYS
    if not (host == "courier" and way != "waiting") and not (host == "bare" and way == "together")
]

Server = TypeVar("Server", bound=PrivateServer)

_APPENDUID = re.compile(rb"\[APPENDUID [^]]*\] ")


class Hosts:
    """The servers of a test run, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running: dict[str, PrivateServer] = {}

    def get(self, host: str) -> PrivateServer:
        """The server of that name, of HOSTS."""
        kind = "maildir" if host == "bare" else host
        if kind not in self._running:
            self._running[kind] = _START[kind]()
        return self._running[kind]

    def start(self, host: str, start: Callable[[], Server]) -> Server:
        """Have this one under that name."""
        server = start()
        self._running[host] = server
        return server

    def close(self) -> None:
        """Stop all of them."""
        for server in self._running.values():
            server.close()


_START = {
    "maildir": lambda: Dovecot(Settings()),
    "sdbox": lambda: Dovecot(Settings(driver="sdbox")),
    "cyrus": Cyrus,
    "courier": Courier,
}


class DyingMover:
    """The process that runs the command again and again (support/dying_mover.py)."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("dying_mover.py")
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(script.parents[1]), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def run(self, order: Order) -> Report:
        """One run."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode(order).decode() + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Report)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Case:
    """An empty account, a home of its own for the program, and the line between them."""

    def __init__(self, hosts: Hosts, mover: DyingMover, host: str, way: str, folder: Path, store: Path) -> None:
        self.host, self.way, self.folder, self.store = host, way, folder, store
        self._mover = mover
        self.server = hosts.get(host)
        self.user = self.server.make_user()
        self._open = ExitStack()
        self.line = self._open.enter_context(FaultProxy(self.server.host, self.server.imap_port))
        hidden, shown = WAYS[way]
        self.line.hidden, self.line.shown = hidden, shown
        if way == "small":
            # An OK that is heard in time spares the next mail of its flags a go-ahead: without this, points would come and go.
            self.line.delay = 0.01
        if host == "bare":
            self.line.hidden += ("UIDPLUS",)
            self.line.change = lambda line: _APPENDUID.sub(b"", line)
        self.said = ""
        self._runs = 0

    def __enter__(self) -> "Case":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def run(self, *arguments: str, fault: Fault = Fault(), timeout: float = 30.0) -> Report:  # noqa: B008 - frozen
        """One run of the program to its end; what it said is in `said` then."""
        order = self._order(*arguments, fault=fault, timeout=timeout)
        report = self._mover.run(order)
        self.said = _said(order)
        self.line.drain()
        return report

    def beside(self, mover: DyingMover) -> tuple[int, str]:
        """Another upload while one runs: its exit status, and what it said."""
        order = self._order("upload", "--yes")
        return mover.run(order).status, _said(order)

    def _order(self, *arguments: str, fault: Fault = Fault(), timeout: float = 30.0) -> Order:  # noqa: B008 - frozen
        self._runs += 1
        out, err = (self.folder / f"{self._runs}.{name}" for name in ("out", "err"))
        url = f"imap://{self.user}@{self.line.host}:{self.line.port}"
        secret = ["--password-command", f"echo {self.server.password}"]
        return Order(
            arguments=["--local", str(self.store), "--server", url, *secret, *arguments],
            environment=environment(self.folder / "home"),
            out=str(out),
            err=str(err),
            fault=fault,
            timeout=timeout,
        )

    def upload(self, fault: Fault = Fault(), timeout: float = 30.0) -> Report:  # noqa: B008 - frozen
        """`hikkoshi upload --yes`."""
        return self.run("upload", "--yes", fault=fault, timeout=timeout)

    def goes_on(self, command: str = "upload") -> None:
        """Move what is left, by `upload` or by `resume`, and see that a further upload finds nothing to send."""
        self.line.delay = 0.0
        assert self.run(command, "--yes").status == 0, self.said
        before = self.appends
        assert self.upload().status == 0, self.said
        assert self.appends == before > 0, self.said

    def close(self) -> None:
        """End the line."""
        self._open.close()

    @property
    def appends(self) -> int:
        """How many mails went up, or commands of many."""
        return self.line.counts.get(b"APPEND", 0)

    def holdings(self) -> Counter[There]:
        """All that the server holds."""
        return holdings(self.server, self.user)

    def difference(self) -> str:
        """What is wrong with that, '' if nothing is."""
        return difference(self.holdings())


def _said(order: Order) -> str:
    return Path(order.out).read_text() + Path(order.err).read_text()
