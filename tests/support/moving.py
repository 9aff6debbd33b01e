"""A store of mbox files, the installed program moving it, and what then lies in the server's own files."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from imapclient.imap_utf7 import decode

from support.command import PROGRAM
from support.command import environment as home_environment
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy

_LETTERS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft", "T": "\\Deleted"}
_PATIENCE = 60

IMPATIENT = (sys.executable, str(Path(__file__).with_name("impatient.py")))
"""The program with short waits."""


def mail(name: str, *, fields: str = "", body: str = "hello\n", day: int = 2, message_id: bool = True) -> bytes:
    """A mail as a store has it (LF), received and dated on `day` of January 2024 at noon UTC."""
    identity = f"Message-ID: <{name}@example.com>\n" if message_id else ""
    date = f"{day} Jan 2024 12:00:00 +0000"
    return (
        f"{fields}Received: from a by b; {date}\nDate: {date}\nFrom: a@example.com\nTo: b@example.com\n"
        f"Subject: {name}\n{identity}\n{body}"
    ).encode()


def mails(name: str, count: int) -> list[bytes]:
    """`count` mails called `name`-0, `name`-1, …"""
    return [mail(f"{name}-{number}") for number in range(count)]


def write_mbox(path: Path, contents: Sequence[bytes]) -> None:
    """An mbox file of these mails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(b"From - Mon Jan  1 10:00:00 2024\n" + content + b"\n" for content in contents))


def uploaded(stored: bytes) -> bytes:
    """What the server has to hold of a mail without bookkeeping headers."""
    return stored.replace(b"\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class Held:
    """A mail in Dovecot's own files: content with CRLF, time in seconds since 1970 UTC."""

    folder: str
    content: bytes
    when: int
    flags: frozenset[str]

    @property
    def name(self) -> str:
        """Its subject."""
        found = re.search(rb"^Subject: ([^\r\n]*)", self.content, re.MULTILINE)
        return found[1].decode() if found else ""


def held(maildir: Path) -> list[Held]:
    """Every mail in a Maildir++ of Dovecot's, by folder and subject."""
    return sorted(_held(maildir), key=lambda each: (each.folder, each.name))


def _held(maildir: Path) -> Iterator[Held]:
    for path in maildir.glob("**/*"):
        if path.parent.name not in ("cur", "new") or not path.is_file():
            continue
        directory = path.parent.parent
        folder = "INBOX" if directory == maildir else decode(directory.name[1:].encode())
        keywords = directory / "dovecot-keywords"
        letters = dict(_LETTERS)
        if keywords.exists():
            for line in keywords.read_text().splitlines():
                number, word = line.split(maxsplit=1)
                letters[chr(ord("a") + int(number))] = word
        flags = frozenset(letters[letter] for letter in path.name.partition(":2,")[2])
        content = re.sub(rb"\r?\n", b"\r\n", path.read_bytes())
        yield Held(folder, content, int(path.stat().st_mtime), flags)


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Size, time and content of every file below a folder."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass
class Mover:
    """The installed program for one store and one account."""

    folder: Path
    url: str
    password: str
    options: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (str(PROGRAM),)

    @property
    def store(self) -> Path:
        """The folder of mbox files."""
        return self.folder / "store"

    @property
    def home(self) -> Path:
        """Where the program's own files are."""
        return self.folder / "home"

    @property
    def ledger(self) -> Path:
        """Its ledger."""
        return self.home / ".local/share/hikkoshi/ledger.sqlite"

    def write(self, **folders: Sequence[bytes]) -> None:
        """mbox files by name; `__` in a name stands for a subfolder."""
        for name, contents in folders.items():
            write_mbox(self.store.joinpath(*name.split("__")), contents)

    def go_through(self, proxy: FaultProxy) -> None:
        """Reach the server over this proxy from now on."""
        self.url = f"{self.url.rpartition(':')[0]}:{proxy.port}"

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [
            *self.program, "--local", str(self.store), "--server", self.url,
            "--password-command", f"echo '{self.password}'", *self.options, *arguments,
        ]  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", timeout=_PATIENCE, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it; take its end with `ended`."""
        return subprocess.Popen(
            self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Its environment."""
        return {**home_environment(self.home), **self.variables}


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of a process that ends by itself."""
    out, err = process.communicate(timeout=_PATIENCE)
    return process.returncode, out, err


def mover_to(server: Dovecot, folder: Path, *options: str, user: str = "") -> Mover:
    """The program and an empty account on a Dovecot, over loopback without TLS."""
    user = user or server.make_user()
    return Mover(folder, f"imap://{quote(user, safe='')}@{server.host}:{server.imap_port}", server.password, options)


def user_of(mover: Mover) -> str:
    """Who logs in."""
    return mover.url.partition("://")[2].partition("@")[0]


class Hold:
    """For a proxy: holds back the `count`-th line of the server that has `words` in it, until `let_go`."""

    def __init__(self, words: bytes, count: int = 1) -> None:
        self._words, self._count = words, count
        self._seen = 0
        self._reached, self._released = threading.Event(), threading.Event()

    def __call__(self, line: bytes) -> bytes:
        """The line, in its time."""
        if self._words in line:
            self._seen += 1
            if self._seen == self._count:
                self._reached.set()
                self._released.wait(_PATIENCE)
        return line

    def wait(self) -> None:
        """Wait until the line has come."""
        assert self._reached.wait(_PATIENCE)

    def let_go(self) -> None:
        """Let it go on."""
        self._released.set()


def as_root() -> bool:
    """Whether nothing is unreadable for this process."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
