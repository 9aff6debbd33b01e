"""What an index has of a folder, in memory, as the changes that a store tells make it."""

from collections.abc import Sequence

from hikkoshi.local.look import NOTHING_KNOWN, Changes, Known, Look, changes
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem


class Follower:
    """A folder's messages by place; each `look` takes over what changed, and `read` has the places of what was read."""

    def __init__(self) -> None:
        self.stamp: str | None = None
        self.messages: dict[str, Message] = {}
        self.read: list[str] = []
        self.problems: list[Problem] = []

    @property
    def known(self) -> Known:
        return Known(self.stamp, self._places, self._last)

    def _places(self, beginning: str) -> dict[str, frozenset[str]]:
        return {place: one.flags for place, one in self.messages.items() if place.startswith(beginning)}

    def _last(self) -> tuple[str, frozenset[str]] | None:
        places = self._places("")
        last = max(places, key=lambda place: int(place.partition(":")[0]), default=None)
        return None if last is None else (last, places[last])

    def look(self, store: LocalStore, folder: Folder | None = None) -> bool:
        """Whether anything changed."""
        self.read, self.problems = [], []
        look = store.look(folder or store.folders()[0], self.known)
        if look is not None:
            self.take(changes(look, self.problems))
        return look is not None

    def take(self, found: Changes) -> None:
        if found.afresh:
            self.messages.clear()
        for place in found.gone:
            del self.messages[place]
        moved = {was: self.messages.pop(was) for was in found.moved}
        for was, (place, flags) in found.moved.items():
            old = moved[was]
            self.messages[place] = Message(place, old.size, flags, old.date, old.fields, old.partial)
        for message in found.messages:
            assert message.place not in self.messages, "a place is told once"
            self.messages[message.place] = message
            self.read.append(message.place)
        self.stamp = found.stamp


def scanned(store: LocalStore, folder: Folder | None = None) -> dict[str, Message]:
    """What a plain scan finds: what a follower must have, however it came by it."""
    return {message.place: message for message in store.scan(folder or store.folders()[0], [])}


def followed(store: LocalStore, folder: Folder | None = None) -> Follower:
    """A follower that has looked once."""
    follower = Follower()
    follower.look(store, folder)
    return follower


def look_of(store: LocalStore, folder: Folder | None = None) -> Look:
    """A look at all of a folder."""
    look = store.look(folder or store.folders()[0], NOTHING_KNOWN)
    assert look is not None
    return look


def taken(look: Look) -> Sequence[Message]:
    """All messages of a look."""
    return list(changes(look, []).messages)
