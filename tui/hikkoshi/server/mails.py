"""Hearing FETCH responses: mails for the index, and flags; the usual answers many at once, others one by one."""

from collections.abc import Callable

from hikkoshi.server.fetch import FLAG_ITEMS, LIST_ITEMS, Fetched, FetchReader
from hikkoshi.server.lexer import Parts, Status, malformed
from hikkoshi.server.pipeline import Task
from hikkoshi.server.quick import Listed, QuickReader

_STRAYS = 1000
"""FETCH responses beyond those asked for that are put up with; a hostile server would never end."""
_TIMES = 4  # a mail may be told in pieces, and its flags once more
_HEAVY = 16
_BYTES = 400  # of LIST_ITEMS of one mail, the median of real mailboxes


class Readers:
    """What reads FETCH responses on one connection; they share the sets of flags that they have seen."""

    def __init__(self) -> None:
        self.slow = FetchReader()
        self.quick = QuickReader(self.slow.flag_set)


class Heard:
    """Hears every FETCH response while one folder is open.

    A server may work at two FETCH commands at once (RFC 3501 section 5.5; Dovecot does), so which of them an answer is
    for cannot be told. It need not be: a response with all of LIST_ITEMS is a mail, whoever asked, and goes to
    `give`; one with flags alone goes to `flags`, by UID.

    `expected`: how many mails the folder has; `note`: hears other responses; `no`: hears the NO of a command.
    """

    def __init__(
        self,
        readers: Readers,
        *,
        expected: Callable[[], int],
        note: Callable[[Parts], None],
        no: Callable[[Status], None],
        give: Callable[[list[Listed]], None] = lambda _mails: None,
    ) -> None:
        self.flags: dict[int, frozenset[str]] = {}
        self._slow, self._quick = readers.slow, readers.quick
        self._expected = expected
        self._note = note
        self._no = no
        self._give = give
        self._pieces: dict[int, Fetched] = {}
        self._count = 0

    def mails(
        self,
        which: bytes,
        *,
        by_number: bool = False,
        excused: Callable[[], bool] = lambda: False,
        heavy: bool = True,
        count: int = 0,
    ) -> Task:
        """FETCH the mails `which`, a set of UIDs, or of sequence numbers with `by_number`; `count`: how many, if known."""
        command = (b"FETCH " if by_number else b"UID FETCH ") + which + b" " + LIST_ITEMS
        weight = _HEAVY if heavy else 1
        return Task(command, self._end, self.hear, self._batch, excused, weight, size=count * _BYTES)

    def flags_of(
        self, which: bytes, *, modifier: bytes = b"", excused: Callable[[], bool] = lambda: False, heavy: bool = True
    ) -> Task:
        """FETCH the flags of the mails `which`; `modifier` with its blank, ` (CHANGEDSINCE 7)`."""
        command = b"UID FETCH " + which + b" " + FLAG_ITEMS + modifier
        return Task(command, self._end, self.hear, self._batch, excused, _HEAVY if heavy else 1)

    def hear(self, parts: Parts) -> None:
        """Take one response."""
        fetched = self._slow.read(parts)
        if fetched is None:
            self._note(parts)
            return
        self._counted(1, parts[0])
        if fetched.uid is not None:
            self._take(fetched.uid, fetched)

    def rest(self) -> None:
        """No more is coming: answers that the server left incomplete are mails all the same."""
        pieces, self._pieces = self._pieces, {}
        if pieces:
            self._give([(uid, pieces[uid].message()) for uid in sorted(pieces)])

    def _batch(self, data: bytes) -> tuple[int, int, bool]:
        found, size, cut = self._quick.read(data)
        if found:
            self._counted(len(found), data[:100])
            if self._pieces:
                for uid, _message in found:
                    self._pieces.pop(uid, None)
            self._give(found)
            return len(found), size, cut
        if cut:
            return 0, 0, True
        count, size = self._quick.read_flags(data, self.flags)
        if count:
            self._counted(count, data[:100])
        return count, size, False

    def _take(self, uid: int, fetched: Fetched) -> None:
        if fetched.flags is not None and not fetched.begun:
            self.flags[uid] = fetched.flags
            if uid not in self._pieces:
                return
        before = self._pieces.pop(uid, None)
        if before is not None:
            before.merge(fetched)
            fetched = before
        if fetched.flags is None:
            fetched.flags = self.flags.get(uid)
        if fetched.listed:
            self._give([(uid, fetched.message())])
        elif fetched.begun:
            self._pieces[uid] = fetched

    def _end(self, end: Status) -> None:
        # A BAD comes this far only where it was to be expected, since the folder is not open, or empty.
        if end.kind == "NO":
            self._no(end)

    def _counted(self, more: int, line: bytes) -> None:
        self._count += more
        if self._count > _TIMES * self._expected() + _STRAYS:
            raise malformed(line)
