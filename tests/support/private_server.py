"""A mail server of this test run's own: a folder, free ports, one process group; nothing of it is left when it is closed.

Dovecot, Cyrus and Courier differ in what they need to be told; how they are started, waited for and ended is here.
"""

import atexit
import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

PASSWORD = "secret"  # the same for every user name

_START_SECONDS = 15
_names = itertools.count(1)


class PrivateServer(ABC):
    """A running IMAP server. `host`, `imap_port`: where; each user that `make_user` names logs in with `password`.

    `kind`: its name, as people write it. `prefix` and `delimiter`: what stands before the names of folders
    besides INBOX, and between their levels. `logs`: files below its folder that hold what it said.
    `base`: where its folder is.
    """

    kind: str
    prefix = ""
    delimiter = "/"
    logs: tuple[str, ...] = ("out",)
    base = "/tmp"  # Unix sockets have room for 108 bytes of path, which pytest's own temporary folders use up

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.password = PASSWORD
        self.imap_port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="hikkoshi-", dir=self.base))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # for a run that ends before its fixtures do
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _prepare(self) -> None:
        """Write into `folder` what the server reads, and choose `imap_port`."""

    @abstractmethod
    def _command(self) -> tuple[list[str], dict[str, str], dict[str, object]]:
        """The server in the foreground: its command line, its environment, and whom Popen shall run it as."""

    def start(self) -> None:
        """Start it and wait for the greeting; raises RuntimeError with the log where none comes."""
        command, environment, identity = self._command()
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env=environment, start_new_session=True, **identity,  # type: ignore[call-overload]
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not _greets(self.host, self.imap_port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.kind} did not start:\n{self.log()}")
            time.sleep(0.01)  # noqa: TID251 - the port opens when it opens

    def stop(self) -> None:
        """Kill it: connections are cut without a word, the mail stays. (Asked politely it takes a second.)"""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop and start it again on the same ports with the same mail."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def make_user(self, name: str = "user") -> str:
        """A user name that nobody has used on any server of this run; its mailbox is empty."""
        return f"{name}{os.getpid()}x{next(_names)}"

    def log(self) -> str:
        """The last 4,000 characters of what it said."""
        said = [path.read_text(errors="replace") for name in self.logs if (path := self.folder / name).exists()]
        return "".join(said)[-4000:]


def own_files(folder: Path, uid: int, gid: int) -> None:
    """Give a folder and all in it to the user the server runs as, where this is root."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.lchown(path, uid, gid)


def identity(uid: int, gid: int) -> dict[str, object]:
    """What Popen needs to run a server as that user."""
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


def mail_user() -> tuple[int, int]:
    """Uid and gid a server runs as: this user's; for root nobody's, since mail servers refuse to serve root's mail."""
    import pwd

    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return entry.pw_uid, entry.pw_gid


def user_name(uid: int) -> str:
    """The user's name."""
    import pwd

    return pwd.getpwuid(uid).pw_name


def group_name(gid: int) -> str:
    """The group's name."""
    import grp

    return grp.getgrgid(gid).gr_name


def free_ports(host: str, count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 1) as connection:
            return connection.recv(100).startswith(b"* OK")
    except OSError:
        return False
