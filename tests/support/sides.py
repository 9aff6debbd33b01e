"""A store of mbox files on this PC, an account on some server, and another client that works on that account, too.

    sides.mover.write(Inbox=mails("in", 3))
    sides.other.append("INBOX", uploaded(mail("in-0")), ["\\Seen"])
    sides.look()
    assert sides.listed() == sides.other.mails()

What hikkoshi found is compared with what imapclient, a parser of its own, is told by the same server.
"""

import email
import email.policy
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from imapclient import IMAPClient

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession, Snapshot
from hikkoshi.index.queries import row_ids, rows
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import silent
from hikkoshi.mail.folders import Folder
from support.moving import Mover, write_mbox

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
_PATIENCE = 30  # seconds; a server that says nothing for so long has hung
_NAMES = ("Date", "From", "To", "Subject", "Message-ID")


class Host(Protocol):
    """Where an account is. `prefix`: what stands before the names of its folders, INBOX aside."""

    kind: str
    host: str
    imap_port: int
    prefix: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One mail of the server: bytes, flags without \\Recent, seconds since 1970 UTC, header fields unfolded."""

    size: int
    flags: frozenset[str]
    when: int
    fields: tuple[str, ...]


Mails = dict[tuple[str, int], Seen]
"""By native name of the folder and UID."""


class OtherClient:
    """imapclient, logged in to the same account; every method opens what it needs and leaves nothing open."""

    def __init__(self, host: Host, user: str, password: str) -> None:
        self._client = IMAPClient(host.host, host.imap_port, ssl=False, timeout=_PATIENCE)
        self._client.normalise_times = False
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.login(user, password)

    def close(self) -> None:
        """Hang up."""
        self._client.shutdown()

    def append(self, native: str, content: bytes, flags: Iterable[str] = (), when: datetime = NOON) -> None:
        """Put a mail (with CRLF) there."""
        self._client.append(native, content, tuple(flags), when)

    def change_flags(self, native: str, uid: int, *, add: Iterable[str] = (), take: Iterable[str] = ()) -> None:
        """STORE +FLAGS and -FLAGS."""
        self._client.select_folder(native)
        if flags := tuple(add):
            self._client.add_flags([uid], flags)
        if flags := tuple(take):
            self._client.remove_flags([uid], flags)
        self._client.close_folder()

    def expunge(self, native: str, *uids: int) -> None:
        """Remove mails for ever."""
        self._client.select_folder(native)
        self._client.add_flags(uids, ["\\Deleted"])
        self._client.expunge()
        self._client.close_folder()

    def create(self, native: str) -> None:
        """CREATE."""
        self._client.create_folder(native)

    def delete(self, native: str) -> None:
        """DELETE."""
        self._client.delete_folder(native)

    def rename(self, native: str, to: str) -> None:
        """RENAME."""
        self._client.rename_folder(native, to)

    def folders(self) -> set[str]:
        """Native names of all that can be selected."""
        found = self._client.list_folders()
        return {str(name) for attributes, _, name in found if b"\\Noselect" not in attributes}

    def subscribed(self) -> set[str]:
        """Native names of the folders that are subscribed to."""
        return {name for _flags, _delimiter, name in self._client.list_sub_folders()}

    def uidvalidity(self, native: str) -> int:
        """UIDVALIDITY."""
        return int(self._client.folder_status(native, ["UIDVALIDITY"])[b"UIDVALIDITY"])

    def contents(self, native: str) -> dict[int, bytes]:
        """UID -> the whole mail."""
        found = self._fetch(native, b"BODY.PEEK[]")
        return {uid: facts[b"BODY[]"] for uid, facts in found.items()}

    def mails(self) -> Mails:
        """All mail of the account."""
        asked = (b"FLAGS", b"RFC822.SIZE", b"INTERNALDATE", b"BODY.PEEK[HEADER]")
        return {
            (native, uid): Seen(
                facts[b"RFC822.SIZE"],
                _plain(flag.decode() for flag in facts[b"FLAGS"]),
                int(facts[b"INTERNALDATE"].timestamp()),
                _fields(facts[b"BODY[HEADER]"]),
            )
            for native in self.folders()
            for uid, facts in self._fetch(native, *asked).items()
        }

    def _fetch(self, native: str, *items: bytes) -> dict:
        self._client.select_folder(native, readonly=True)
        uids = self._client.search("ALL")
        found = dict(self._client.fetch(uids, items)) if uids else {}
        # Servers take it badly when a folder is deleted, or mail put into it, that this connection has open.
        self._client.close_folder()
        return found


class Sides:
    """Both sides, and hikkoshi between them: as a session and as the installed command."""

    def __init__(self, folder: Path, host: Host, user: str, password: str) -> None:
        self.host = host
        self.user = user
        url = f"imap://{quote(user, safe='')}@{host.host}:{host.imap_port}"
        self.mover = Mover(folder, url, password)
        self.quota = host.kind != "refusing" and getattr(getattr(host, "settings", None), "quota", True)
        write_mbox(self.mover.store / "Inbox", [])
        (folder / "session").mkdir()
        self.other = OtherClient(host, user, password)
        options = Options(self.mover.store, parse_address(url))
        store = AccountSession.open_store(options)
        self.session = AccountSession(options, store, password, files_in(folder / "session"))

    def close(self) -> None:
        """Log the other client out."""
        self.other.close()

    def upload(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run `hikkoshi upload`, which asks for a word of its own where the server tells no quota."""
        return self.mover.run("upload", "--yes", *([] if self.quota else ["--no-quota-check"]), *options)

    def native(self, *levels: str) -> str:
        """The name that the server gives to a folder of these levels."""
        return self.host.prefix + self.host.delimiter.join(levels)

    def look(self) -> Snapshot:
        """Look at both sides and compare."""
        return self.session.refresh(silent, Cancel())

    def folders(self) -> dict[str, Folder]:
        """The server's folders as the last look left them, by native name."""
        with Index(self.session.index_path) as index:
            return {entry.folder.native: entry.folder for entry in index.folders(SERVER)}

    def listed(self) -> Mails:
        """The server's mail as the last look left it in the index, read from the rows that screens read."""
        with Index(self.session.index_path) as index:
            natives = {entry.id: entry.folder.native for entry in index.folders(SERVER)}
            found: Mails = {}
            for row in rows(index, row_ids(index, None)):
                if row.server is not None:
                    message = row.server.message
                    key = natives[row.server.folder], int(message.place)
                    assert key not in found, "one message, one row"
                    found[key] = Seen(
                        message.size, _plain(message.flags), message.date or 0, _fields(message.fields + b"\r\n\r\n")
                    )
            return found


def _plain(flags: Iterable[str]) -> frozenset[str]:
    return frozenset(flags) - {"\\Recent"}


def _fields(header: bytes) -> tuple[str, ...]:
    parsed = email.message_from_bytes(header, policy=email.policy.compat32)
    return tuple(" ".join(str(parsed.get(name, "")).split()) for name in _NAMES)
