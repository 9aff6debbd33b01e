"""Generated mail on disk: mboxes and Maildirs, made once with a fixed seed and kept in a cache folder.

Stored mails are the same in every form, so that a local store and a server can be given the same mailbox.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from support.mails import Mail, mails

_VERSION = 2
"""Of what the generator makes; another one is another corpus."""
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A corpus: how many mails, of which median size (bytes), with a tail of large ones or without."""

    name: str
    count: int
    median: int
    tail: bool
    seed: int

    def mails(self) -> Iterable[Mail]:
        """Its mails, in the order in which they came."""
        return mails(self.count, median=self.median, tail=self.tail, seed=self.seed)


BIG = Kind("big", 20_000, 8 << 10, tail=True, seed=1)
"""About 1.2 GB: median 8 KB, a tail to 5 MB."""
BIG_QUICK = Kind("big-quick", 4_000, 8 << 10, tail=True, seed=1)
SMALL = Kind("small", 200_000, 2 << 10, tail=False, seed=2)
SMALL_QUICK = Kind("small-quick", 30_000, 2 << 10, tail=False, seed=2)


def small(count: int, *, seed: int = 3) -> Kind:
    """`count` mails of 2 KB."""
    return Kind("small", count, 2 << 10, tail=False, seed=seed)


def mbox(folder: Path, kind: Kind) -> Path:
    """The corpus as one mbox (mboxrd), made if it is not in `folder` yet."""
    return _cached(folder, f"{_key(kind)}.mbox", lambda path: write_mbox(path, kind.mails()))


def maildir(folder: Path, kind: Kind) -> Path:
    """The corpus as a Maildir, made if it is not in `folder` yet."""
    return _cached(folder, f"{_key(kind)}.maildir", lambda path: write_maildir(path, kind.mails()))


def write_mbox(path: Path, found: Iterable[Mail]) -> None:
    """An mbox as Thunderbird and mboxrd readers quote it."""
    with path.open("wb", buffering=1 << 20) as file:
        for mail in found:
            stamp = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(mail.sent))
            head, blank, body = mail.stored.partition(b"\n\n")
            status = b"\nX-Mozilla-Status: 0001" if mail.seen else b"\nX-Mozilla-Status: 0000"
            file.write(b"From - " + stamp.encode() + b"\n" + head + status + blank)
            file.write(_FROM.sub(rb">\1", body) if b"From " in body else body)
            file.write(b"\n")


def write_maildir(path: Path, found: Iterable[Mail]) -> None:
    """A Maildir whose file names have the sizes as Dovecot writes them (S stored, W in CRLF form).

    Everybody may read the files, so that a server that runs as another user can be given the folders alone.
    """
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
    folder = os.open(path / "cur", os.O_RDONLY)
    try:
        for number, mail in enumerate(found):
            name = (
                f"{mail.sent}.M{number:06}.office,S={len(mail.stored)},W={mail.crlf_size}:2,{'S' if mail.seen else ''}"
            )
            file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
            os.fchmod(file, 0o644)  # whatever the umask is
            os.write(file, mail.stored)
            os.utime(file, (mail.sent, mail.sent))
            os.close(file)
    finally:
        os.close(folder)


def _key(kind: Kind) -> str:
    """A name that is another one for any other corpus."""
    return f"{kind.name}-{kind.count}-{kind.median}-{kind.seed}"


def _cached(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """What `make` makes at a path of its own, moved to its place once it is whole."""
    there = folder / str(_VERSION) / name
    if there.exists():
        return there
    there.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=there.parent))
    try:
        make(fresh / name)
        try:
            (fresh / name).rename(there)
        except OSError:  # another benchmark was quicker
            if not there.exists():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return there
