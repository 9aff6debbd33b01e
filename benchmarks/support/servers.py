"""A private Dovecot with a mailbox of the size that a benchmark wants. It is the tests' own (tests/support/dovecot.py).

Mail is put into the Maildirs directly, with the sizes in the file names as Dovecot writes them; then each folder is
listed once, so that the server's own caches are as they are on any day but the first.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import support.repository  # noqa: F401 - the way to tests/support
from support.corpora import write_maildir
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.draining import drain
from support.imap_wire import Wire
from support.mails import Mail

HEADERS = b"(FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)])"
"""What a first listing asks for, and what Dovecot then keeps in its cache."""

_PATIENCE = 600
"""Seconds: the first listing of 1,000,000 mails reads every file."""


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox on a running server; `folder` is its Maildir++."""

    server: Dovecot
    user: str

    @property
    def folder(self) -> Path:
        """The inbox's Maildir; a folder `name` of it is in `.name`."""
        return self.server.mail_dir(self.user)

    @property
    def password(self) -> str:
        """What it logs in with."""
        return self.server.password

    def wire(self) -> Wire:
        """A bare connection that is logged in, without TLS, from this very process."""
        wire = Wire("127.0.0.1", self.server.imap_port, _PATIENCE)
        wire.ok(f"LOGIN {self.user} {self.password}")
        return wire


class InMemory(Dovecot):
    """A Dovecot whose mail is in memory where the machine has such a folder, so that no disk decides.

    ext4 makes no file before it has looked at all that were deleted in the last minute, or six (`recently_deleted` in
    fs/ext4/ialloc.c): while a server deletes 2,000 mails and its own small files, a new mail takes 1.2 ms instead of 0.4.
    """

    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else Dovecot.base
    where = "in memory" if base != Dovecot.base else "on a disk"


@contextmanager
def dovecot(
    settings: Settings | None = None, listen: str = "127.0.0.1", kind: type[Dovecot] = Dovecot
) -> Iterator[Dovecot]:
    """A running Dovecot without limits of quota; raises `support.tools.NotHad` where it cannot be had."""
    server = kind(settings or Settings(quota_storage=None, listen=listen))
    try:
        yield server
    finally:
        server.close()


def account(server: Dovecot, folders: Mapping[str, Iterable[Mail]], name: str = "bench") -> Account:
    """A fresh account with this mail in its folders ("INBOX" is the inbox), listed once."""
    made = Account(server, server.make_user(name))
    with made.wire():
        pass  # makes the folders that every account has
    for folder, found in folders.items():
        write_maildir(place(made, folder), found)
    own(made)
    warm(made)
    return made


def copied(server: Dovecot, maildir: Path, name: str = "bench") -> Account:
    """A fresh account whose inbox is a copy of a Maildir, listed once."""
    made = Account(server, server.make_user(name))
    with made.wire():
        pass
    shutil.copytree(maildir, made.folder, copy_function=_linked, dirs_exist_ok=True)
    own(made)
    warm(made)
    return made


def place(made: Account, folder: str) -> Path:
    """The Maildir of a folder; subscribes to nothing and makes nothing."""
    return made.folder if folder == "INBOX" else made.folder / f".{folder.replace('/', '.')}"


def own(made: Account) -> None:
    """Give the folders to the user that the server runs as. The mails in them may stay ours: it only reads them."""
    if os.geteuid() != 0:
        return
    facts = (made.server.folder / "mail").stat()
    for top, _folders, _files in os.walk(made.folder):
        os.chown(top, facts.st_uid, facts.st_gid)


def _linked(source: str, target: str) -> None:
    """A second name for a file of a corpus, which nobody writes to; a copy where it lies on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def warm(made: Account) -> dict[str, int]:
    """List every folder once, as any client's first run does; how many mails each has."""
    counts = {}
    with made.wire() as wire:
        for line in wire.ok('LIST "" "*"'):
            name = line.rpartition(b'"/" ')[2].decode().strip('"')
            opened = wire.ok(f'EXAMINE "{name}"')
            counts[name] = next(int(each.split()[1]) for each in opened if each.endswith(b"EXISTS"))
    for name, count in counts.items():
        if count:
            drain("127.0.0.1", made.server.imap_port, made.user, made.password, name, HEADERS)
    return counts


def change_flags(made: Account, folder: str, count: int, flag: str = "\\Flagged") -> None:
    """Toggle a flag of the newest `count` mails, as another client would."""
    with made.wire() as wire:
        opened = wire.ok(f'SELECT "{folder}"')
        exists = next(int(each.split()[1]) for each in opened if each.endswith(b"EXISTS"))
        newest = f"{max(1, exists - count + 1)}:{exists}"
        flagged = any(flag.encode() in each for each in wire.ok(f"FETCH {exists} (FLAGS)"))
        wire.ok(f"STORE {newest} {'-' if flagged else '+'}FLAGS.SILENT ({flag})")


def deliver(made: Account, folder: str, found: Iterable[Mail]) -> None:
    """Append mails, one after another, as they would come in."""
    with made.wire() as wire:
        for mail in found:
            whole = mail.stored.replace(b"\n", b"\r\n")
            wire.ok(f'APPEND "{folder}" {{{len(whole)}}}', whole)


def remove(made: Account) -> None:
    """Take an account's mail off the disk."""
    shutil.rmtree(made.folder.parent, ignore_errors=True)
