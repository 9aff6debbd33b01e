"""Which flags of mail on the server would be made those of the PC. Nothing here changes anything.

What the PC's copy has and the server's lacks is added. What the server's has and the PC's lacks is taken away only when
that is asked for, and only what the PC's folder could say: a flag that a store cannot hold is no flag that was taken off.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from hikkoshi.i18n import _
from hikkoshi.index.flag_pairs import FlagPair, Kept, flag_pairs, kept_flags
from hikkoshi.index.queries import rows
from hikkoshi.index.store import Index
from hikkoshi.mail.flags import carried_over, folded, is_taken_away, unpack
from hikkoshi.move.receipt import Failure, subject
from hikkoshi.server.writer import sendable_flags

_THUNDERBIRD, _MAILDIR = "thunderbird", "maildir"


class FlagChange(msgspec.Struct, frozen=True):
    """What would change on a mail that has the flags `listed`: `add` and `remove`, sorted, as a STORE may carry them.

    `refused`: flags that IMAP's grammar has no room for (RFC 3501 section 9 `flag-keyword`).
    """

    listed: frozenset[str]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def after(self) -> frozenset[str]:
        """The flags that the mail would have then."""
        gone = folded(self.remove)
        return frozenset(flag for flag in self.listed if flag.casefold() not in gone).union(self.add)


class FlagItem(msgspec.Struct, frozen=True):
    """One mail: its row in the index, its UID, and what would change."""

    row: int
    uid: int
    change: FlagChange


class FlagFolder(msgspec.Struct, frozen=True):
    """The mails of one server folder, by UID, and the state in which they were seen.

    `modseq`: HIGHESTMODSEQ of that look (RFC 7162), None where the server keeps none.
    """

    native: str
    name: str
    uidvalidity: int
    modseq: int | None
    items: tuple[FlagItem, ...]

    @property
    def added(self) -> Counter[str]:
        """How many mails would get each flag."""
        return Counter(flag for item in self.items for flag in item.change.add)

    @property
    def removed(self) -> Counter[str]:
        """How many mails would lose each flag."""
        return Counter(flag for item in self.items for flag in item.change.remove)


class FlagPlan(msgspec.Struct, frozen=True):
    """All that would change. `left`: mails with flags that cannot be set, with the reason; `folder` is the server's.

    `server_more`: how many mails have flags on the server that would be taken away if that were asked for.
    """

    folders: tuple[FlagFolder, ...]
    left: tuple[Failure, ...] = ()
    server_more: int = 0

    @property
    def mails(self) -> int:
        """How many mails would change."""
        return sum(len(folder.items) for folder in self.folders)


def make_flag_plan(
    index: Index,
    kind: str,
    ids: Iterable[int] | None = None,
    natives: Iterable[str] | None = None,
    *,
    remove: bool = False,
) -> FlagPlan:
    """The plan for these rows (None: for all pairs that differ) of these local folders (None: of all).

    `kind`: the store's (`LocalStore.kind`), which tells what its folders can say.
    """
    changes = _Changes(index, kind)
    found: defaultdict[int, list[FlagItem]] = defaultdict(list)
    refused: dict[int, tuple[str, ...]] = {}
    server_more = 0
    for pair in flag_pairs(index, ids, natives):
        change = changes.of(pair)
        if change.remove and not remove:
            server_more += 1
            change = changes.added_only(change)
        if change.add or change.remove:
            found[pair.server_folder].append(FlagItem(pair.row, pair.uid, change))
        if change.refused:
            refused[pair.row] = change.refused
    folders = []
    for entry in index.folders():
        state = index.server_state(entry.id) if entry.id in found else None
        if state is not None:
            items = tuple(found[entry.id])
            folders.append(FlagFolder(entry.folder.native, entry.folder.name, state.uidvalidity, state.modseq, items))
    return FlagPlan(tuple(folders), tuple(_left(index, refused)), server_more)


class _Changes:
    """What is to change, by both sets of flags and what the local folder can say: there are few different ones."""

    def __init__(self, index: Index, kind: str) -> None:
        self._index, self._kind = index, kind
        self._kept: dict[int, Kept] = {}
        self._known: dict[tuple[str, str, Kept], FlagChange] = {}
        self._added: dict[FlagChange, FlagChange] = {}

    def of(self, pair: FlagPair) -> FlagChange:
        """What would make the server's flags those of the PC."""
        kept = self._kept.get(pair.local_folder)
        if kept is None:
            kept = self._kept[pair.local_folder] = self._can_say(pair.local_folder)
        key = pair.ours, pair.theirs, kept
        change = self._known.get(key)
        if change is None:
            change = self._known[key] = _change(unpack(pair.ours), unpack(pair.theirs), kept)
        return change

    def added_only(self, change: FlagChange) -> FlagChange:
        """The same without what would be taken away."""
        return self._added.setdefault(change, msgspec.structs.replace(change, remove=()))

    def _can_say(self, folder: int) -> Kept:
        """What it means that a mail of this folder lacks a flag.

        A Thunderbird profile has all of them for each mail. A Maildir has letters, $Forwarded among them, and Dovecot's
        keywords only where some mail has one. In an mbox any program may have written the flags, or none has: it is
        believed where some mail of the folder has a flag of the sort.
        """
        if self._kind == _THUNDERBIRD:
            return Kept(anything=True, forwarded=True, keywords=True)
        kept = kept_flags(self._index, folder)
        if self._kind == _MAILDIR:
            return Kept(anything=True, forwarded=True, keywords=kept.keywords)
        return kept


def _change(ours: frozenset[str], theirs: frozenset[str], kept: Kept) -> FlagChange:
    add, refused = sendable_flags(carried_over(ours, theirs))
    surplus: Iterable[str] = ()
    if kept.anything:
        surplus = (
            flag
            for flag in carried_over(theirs, ours)
            if is_taken_away(flag, forwarded=kept.forwarded, keywords=kept.keywords)
        )
    # What the server has and no client may name stays: there is no way to take it away.
    remove, _unspeakable = sendable_flags(surplus)
    return FlagChange(theirs, add, remove, refused)


def _left(index: Index, refused: Mapping[int, tuple[str, ...]]) -> Iterable[Failure]:
    for row in rows(index, refused):
        assert row.server is not None, "a pair has both"
        reason = _("IMAP has no way to say “{flags}”").format(flags=" ".join(refused[row.id]))
        yield Failure(subject(row.server.message.fields), row.server_folder, reason)
