"""A local store and a server's bulk connection in memory, for logic that needs neither files nor sockets."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hikkoshi.errors import CommandRefused
from hikkoshi.local.look import Changes, Known, Look
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem
from hikkoshi.server.news import Flags, Inquiry, Mails, News, Opened, Refused, Settled
from hikkoshi.server.records import FolderStatus
from support.planted import folder


def placed(*messages: Message) -> list[Message]:
    """The messages at the places 1, 2, 3, …"""
    return [Message(str(n), m.size, m.flags, m.date, m.fields, m.partial) for n, m in enumerate(messages, 1)]


class FakeStore:
    """A local store in memory; `trouble` is asked before each folder is read and may raise or note a problem."""

    kind = "fake"
    path = Path("fake")

    def __init__(self, **folders: list[Message]) -> None:
        self.mail = folders
        self.stamps = dict.fromkeys(folders, 1)
        self.bodies: dict[str, bytes] = {}
        self.scanned: list[str] = []
        self.trouble: Callable[[str, list[Problem]], None] = lambda name, problems: None

    def change(self, name: str, *messages: Message) -> None:
        self.mail[name] = placed(*messages)
        self.stamps[name] += 1

    def describe(self) -> str:
        return "a store in memory"

    def folders(self) -> list[Folder]:
        return [folder(name) for name in self.mail]

    def problems(self) -> list[Problem]:
        return []

    def stamp(self, folder: Folder) -> str:
        return str(self.stamps[folder.native])

    def look(self, folder: Folder, known: Known) -> Look | None:
        stamp = self.stamp(folder)
        if known.stamp == stamp:
            return None
        return Look((), lambda _batches, problems: Changes(stamp, self.scan(folder, problems)))

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        self.scanned.append(folder.native)
        messages = self.mail[folder.native]
        yield from messages[:1]
        self.trouble(folder.native, problems)
        yield from messages[1:]

    def read(self, folder: Folder, place: str) -> bytes:
        return self.bodies[place]

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        yield self.bodies[place]

    def is_mbox(self, folder: Folder) -> bool:
        return True

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        return None


class FakeBulk:
    """A server's folders in memory: UID -> message; `asked` notes what was fetched."""

    def __init__(self, **folders: dict[int, Message]) -> None:
        self.mail = folders
        self.uidvalidity = 7
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self._open = ""

    def examine(self, native: str) -> FolderStatus:
        if native in self.refused:
            raise CommandRefused("no such luck")
        self._open = native
        there = self.mail[native]
        return FolderStatus(len(there), self.uidvalidity, max(there, default=0) + 1)

    def list_new(self, first_uid: int) -> Iterator[Message]:
        self.asked.append(f"new {first_uid}")
        for uid, m in sorted(self.mail[self._open].items()):
            if uid >= first_uid:
                yield Message(str(uid), m.size, m.flags, m.date, m.fields)

    def list_flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        self.asked.append("flags")
        for uid, m in sorted(self.mail[self._open].items()):
            yield uid, m.flags

    def catch_up(self, looks: Iterable[Inquiry]) -> Iterator[News]:
        """As a server without CONDSTORE has it."""
        for look in looks:
            try:
                yield from self._news(look)
            except CommandRefused as error:
                yield Refused(look.native, error)

    def _news(self, look: Inquiry) -> Iterator[News]:
        status, native = self.examine(look.native), look.native
        afresh = look.known is None or look.known.uidvalidity != status.uidvalidity
        yield Opened(native, status, afresh)
        there = self.mail[native]
        if not afresh:
            yield Flags(native, dict(self.list_flags()) if there else {}, whole=True)
        known = set() if afresh or look.known is None else set(look.known.uids())
        missing = there.keys() - known
        if missing:
            for message in self.list_new(min(missing)):
                yield Mails(native, [(int(message.place), message)])
        yield Settled(native, status, look.count() == len(there))

    def folders(self) -> list[Folder]:
        return [folder(name) for name in self.mail]
