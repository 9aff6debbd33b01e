"""FETCH commands that list mails or flags, as tasks of a pipeline: the usual answers at once, others one by one."""

from collections.abc import Callable

from hikkoshi.server.fetch import FLAG_ITEMS, LIST_ITEMS, Fetched, FetchReader
from hikkoshi.server.lexer import Parts, Status, malformed
from hikkoshi.server.pipeline import Task
from hikkoshi.server.quick import Listed, QuickReader

_STRAYS = 1000
"""FETCH responses beyond those asked for that are put up with; a hostile server would never end."""
_HEAVY = 16
_HEAVY_FROM = 500  # mails; some 200 KiB


class Readers:
    """What reads FETCH responses on one connection; they share the sets of flags that they have seen."""

    def __init__(self) -> None:
        self.slow = FetchReader()
        self.quick = QuickReader(self.slow.flag_set)


class Gatherer:
    """Makes mails of FETCH responses that may tell one mail in several pieces, or flags that nobody asked for.

    Mails with UIDs below `first_uid` are passed over: `first:*` names the last mail, however small its UID is
    (RFC 3501 section 6.4.8).
    """

    def __init__(self, first_uid: int) -> None:
        self._first = first_uid
        self._highest = 0
        self._pending: dict[int, Fetched] = {}

    def quick(self, batch: list[Listed]) -> list[Listed]:
        """The mails of whole responses."""
        if self._pending:
            for uid, _message in batch:
                self._pending.pop(uid, None)
        uids = [uid for uid, _message in batch]
        self._highest = max(self._highest, *uids)
        return batch if min(uids) >= self._first else [listed for listed in batch if listed[0] >= self._first]

    def slow(self, answer: Fetched) -> list[Listed]:
        """The mail of which this was the last piece, [] if there is none."""
        uid = answer.uid
        if uid is None or uid < self._first:
            return []
        fetched = self._pending.pop(uid, answer)
        fetched.merge(answer)
        if fetched.listed:
            self._highest = max(self._highest, uid)
            return [(uid, fetched.message())]
        if uid > self._highest:
            # Part of the answer, or a flag that somebody has just changed; the rest may follow.
            self._pending[uid] = fetched
        return []

    def rest(self) -> list[Listed]:
        """Answers that a server left incomplete are mails all the same."""
        return [(uid, self._pending[uid].message()) for uid in sorted(self._pending)]


class Fetching:
    """One FETCH command. `refused`: its NO, once it has ended with one; `expected`: how many mails it may name."""

    def __init__(self, readers: Readers, expected: Callable[[], int], note: Callable[[Parts], None]) -> None:
        self._readers = readers
        self._expected = expected
        self._note = note
        self._count = 0
        self.refused: Status | None = None

    def _hear(self, parts: Parts) -> None:
        fetched = self._readers.slow.read(parts)
        if fetched is None:
            self._note(parts)
            return
        self._counted(1, parts[0])
        self._take(fetched)

    def _take(self, fetched: Fetched) -> None:
        raise NotImplementedError

    def _counted(self, more: int, line: bytes) -> None:
        self._count += more
        if self._count > 2 * self._expected() + _STRAYS:
            raise malformed(line)


class MailFetch(Fetching):
    """FETCH of LIST_ITEMS; `take` is given the mails as they come."""

    def __init__(
        self,
        readers: Readers,
        expected: Callable[[], int],
        take: Callable[[list[Listed]], None],
        *,
        first_uid: int = 1,
        note: Callable[[Parts], None] = lambda _parts: None,
    ) -> None:
        super().__init__(readers, expected, note)
        self._gatherer = Gatherer(first_uid)
        self._give = take

    def task(
        self, which: bytes, *, by_number: bool = False, excused: Callable[[], bool] = lambda: False, heavy: bool = True
    ) -> Task:
        """The task for the mails `which`, a set of UIDs, or of sequence numbers with `by_number`."""
        command = (b"FETCH " if by_number else b"UID FETCH ") + which + b" " + LIST_ITEMS
        return Task(command, self._end, self._hear, self._batch, excused, _HEAVY if heavy else 1)

    def _batch(self, data: bytes) -> tuple[int, int, bool]:
        found, size, cut = self._readers.quick.read(data)
        if found:
            self._counted(len(found), data[:100])
            if mails := self._gatherer.quick(found):
                self._give(mails)
        return len(found), size, cut

    def _take(self, fetched: Fetched) -> None:
        if mails := self._gatherer.slow(fetched):
            self._give(mails)

    def _end(self, end: Status) -> None:
        if mails := self._gatherer.rest():
            self._give(mails)
        self.refused = None if end.kind == "OK" else end


class FlagFetch(Fetching):
    """FETCH of the flags; `flags`: UID -> flags, of all mails that the server named with both."""

    def __init__(
        self, readers: Readers, expected: Callable[[], int], note: Callable[[Parts], None] = lambda _parts: None
    ) -> None:
        super().__init__(readers, expected, note)
        self.flags: dict[int, frozenset[str]] = {}

    def task(
        self, which: bytes = b"1:*", *, modifier: bytes = b"", excused: Callable[[], bool] = lambda: False
    ) -> Task:
        """The task for the mails `which`; `modifier` with its blank, ` (CHANGEDSINCE 7)`."""
        command = b"UID FETCH " + which + b" " + FLAG_ITEMS + modifier
        return Task(command, self._end, self._hear, self._batch, excused, _HEAVY)

    def hear(self, parts: Parts) -> bool:
        """Take the response if it is a FETCH response."""
        if fetched := self._readers.slow.read(parts):
            self._counted(1, parts[0])
            self._take(fetched)
        return fetched is not None

    def _batch(self, data: bytes) -> tuple[int, int, bool]:
        found, size = self._readers.quick.read_flags(data, self.flags)
        if found:
            self._counted(found, data[:100])
        return found, size, False

    def _take(self, fetched: Fetched) -> None:
        if fetched.uid is not None and fetched.flags is not None:
            self.flags[fetched.uid] = fetched.flags

    def _end(self, end: Status) -> None:
        self.refused = None if end.kind == "OK" else end
