"""One look at one folder: which commands tell what has changed in it, by what the server can do.

    unchanged state (with HIGHESTMODSEQ)      nothing
    QRESYNC (RFC 7162)                        EXAMINE (QRESYNC ...) and the mails from UIDNEXT on
    CONDSTORE                                 FLAGS CHANGEDSINCE, the mails from UIDNEXT on; a search where counts don't add up
    neither                                   the flags of all, by ESEARCH for large folders, and the mails from UIDNEXT on
    first look                                all mails; of a large folder the newest first, by sequence numbers

Sequence numbers are safe there: no server may tell of mail that went away while FETCH runs (RFC 3501 section 7.4.1).
"""

from collections.abc import Callable, Collection, Generator, Sequence

import msgspec
from msgspec.structs import replace

from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.lexer import Parts, Status, status
from hikkoshi.server.mails import Heard, Readers
from hikkoshi.server.news import Flags, Gone, Inquiry, Left, Mails, News, Opened, Ranges, Refused, Settled
from hikkoshi.server.opening import Opening, no_lasting_numbers
from hikkoshi.server.pipeline import Task
from hikkoshi.server.quick import Listed
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.searches import Searches, flag_keys, flags_of, size, vanished
from hikkoshi.server.writer import mailbox, uid_sets

CHUNK = 5000
"""Mails in one FETCH of a first look: some 2 MiB, half a second of parsing."""
_SETS_FROM = 1000  # mails; below, their flags are fewer bytes than a handful of searches is worth
_MANY_KEYWORDS = 20
_TRIES = 3  # for a folder that is made anew while it is looked at
_HARMLESS = frozenset({"EXPUNGEISSUED"})  # RFC 5530: some mails went away meanwhile


class Round(msgspec.Struct):
    """Commands that go out together once the folder is open; `parameters` of the EXAMINE that opens it."""

    tasks: Sequence[Task] = ()
    parameters: bytes = b""
    afresh: bool = False
    """Open the folder even if it is the one that is open."""


class FolderLook:
    """Looks at one folder; the rounds it wants go one after the other, news go to `tell`."""

    def __init__(
        self, look: Inquiry, capabilities: Collection[str], readers: Readers, tell: Callable[[News], None]
    ) -> None:
        self.native = look.native
        self._look = look
        self._known = look.known
        self._capabilities = capabilities
        self._tell = tell
        self._readers = readers
        self._opening = Opening(look.native)
        self._no: Status | None = None
        self._validity = 0  # that the rounds under way count on
        self._stale = False
        self._opened = False
        self._heard = self._new_ears()
        self._searches = Searches(lambda: self._opening.exists)
        self._listed: set[int] = set()  # besides what was known
        self._highest = 0
        self._gone: Ranges = []
        self._at_open = 0  # mails in the folder when it was opened

    # What the scheduler asks for

    def examine(self, parameters: bytes) -> Task:
        """The task that opens the folder."""
        self._opening = Opening(self.native)

        def hear(parts: Parts) -> None:
            said = status(parts[0])
            if said is not None and said.code == "CLOSED":
                # RFC 7162 section 3.2.11: all before this was about the folder that was open until now.
                self._opening, self._gone = Opening(self.native), []
                self._heard.flags.clear()
            elif parameters:
                self._heard.hear(parts)
            else:
                # Changes that are told here are of the folder that was open until now.
                self._opening.hear(parts)

        return Task(b"EXAMINE " + mailbox(self.native) + parameters, self._examined, hear, fence=True)

    def rounds(self) -> Generator[Round, None, None]:
        """The commands, round by round; the next is asked for when all answers to the last are in."""
        for _try in range(_TRIES):
            self._stale = False
            yield from self._once()
            if not self._stale:
                break
            # It was deleted and made anew in between.
            self._known, self._look = None, replace(self._look, state=None)
            self._opened, self._no, self._validity = False, None, 0
            self._heard = self._new_ears()
            self._gone = []
            self._listed.clear()
        else:
            self._tell(Refused(self.native, no_lasting_numbers(self.native)))

    # The ways

    def _once(self) -> Generator[Round, None, None]:
        state, known = self._look.state, self._known
        if state is None and not (known and known.messages and not self._has_modseq()):
            yield Round(afresh=True)
            if self._failed():
                return
            state = self._opening.status()
            if state is None:
                self._tell(Refused(self.native, no_lasting_numbers(self.native)))
                return
            self._look = replace(self._look, state=state)
        if known is None or (state is not None and state.uidvalidity != known.uidvalidity):
            assert state is not None, "an unknown folder was opened above"
            yield from self._first(state)
        elif state is not None and not state.messages:
            self._open(state, afresh=False)
            self._tell(Flags(self.native, {}, whole=True))
            self._settle(state)
        elif self._unchanged():
            return
        elif self._by_modseq():
            assert state is not None, "only a state tells the modseq"
            yield from self._changed_since(state)
        else:
            yield from self._all_flags()

    def _unchanged(self) -> bool:
        state, known = self._look.state, self._known
        return (
            state is not None
            and known is not None
            and known.complete
            and known.modseq is not None
            and (state.modseq, state.uidnext, state.messages) == (known.modseq, known.uidnext, known.messages)
        )

    def _has_modseq(self) -> bool:
        return "CONDSTORE" in self._capabilities or "QRESYNC" in self._capabilities

    def _by_modseq(self) -> bool:
        """Whether what changed can be asked for. A modseq that went back is none to count on."""
        state, known = self._look.state, self._known
        return (
            self._has_modseq()
            and state is not None
            and known is not None
            and known.complete
            and known.uidvalidity == state.uidvalidity
            and known.modseq is not None
            and state.modseq is not None
            and state.modseq >= known.modseq
        )

    def _first(self, state: FolderStatus) -> Generator[Round, None, None]:
        """All mails of a folder of which nothing is known."""
        self._validity = state.uidvalidity
        if self._opening.status() is not None:
            self._open(state, afresh=True)
        if not state.messages:
            self._open(state, afresh=True)
            self._settle(state)
            return
        if state.messages <= CHUNK:
            yield Round([self._heard.mails(b"1:*", excused=self._no_surprise, heavy=state.messages > CHUNK // 10)])
        else:
            yield Round()
            if self._failed():
                return
            exists = self._opening.exists
            # The first part is small: it comes soon, and tells how fast the line is.
            ends = [exists, *range(exists - max(1, CHUNK // 5), 0, -CHUNK)]
            parts = [(first + 1, end) for first, end in zip([*ends[1:], 0], ends, strict=True)]
            # Should it have to be opened once more, and have shrunk, what is missing is found by the count.
            shrunk = self._fewer_than(exists)
            yield Round(
                [
                    self._heard.mails(b"%d:%d" % (first, end), by_number=True, excused=shrunk, count=end - first + 1)
                    for first, end in parts
                ]
            )
        yield from self._finish()

    def _changed_since(self, state: FolderStatus) -> Generator[Round, None, None]:
        known = self._known
        assert known is not None and known.modseq is not None  # noqa: PT018 - one condition, for the type checker
        self._validity = known.uidvalidity
        tasks = []
        if state.uidnext != known.uidnext or not state.uidnext:
            tasks.append(self._arrivals(known.uidnext))
        if "QRESYNC" in self._capabilities:
            yield Round(tasks, b" (QRESYNC (%d %d))" % (known.uidvalidity, known.modseq), afresh=True)
        else:
            if state.modseq != known.modseq:
                since = b" (CHANGEDSINCE %d)" % known.modseq
                tasks.append(self._heard.flags_of(b"1:*", modifier=since, excused=self._no_surprise))
            if "ESEARCH" in self._capabilities and state.messages - known.messages != state.uidnext - known.uidnext:
                tasks.append(self._search("", b"ALL"))
            yield Round(tasks, afresh=True)
        if self._failed():
            return
        if self._gone:
            self._tell(Gone(self.native, self._gone))
        there = self._searches.found.get("")
        if there is not None and self._all_there(size(there)):
            self._tell(Left(self.native, there))
        self._tell_flags()
        yield from self._finish()

    def _all_flags(self) -> Generator[Round, None, None]:
        """The flags of all mails, the mails that are new, and those that were never listed."""
        known = self._known
        assert known is not None
        self._validity = known.uidvalidity
        self._heard.flags.clear()
        state = self._look.state
        arrived = state is None or not state.uidnext or state.uidnext != known.uidnext
        flags = yield from self._flags_found([self._arrivals(known.uidnext)] if arrived else [])
        if flags is None:
            return
        whole = self._all_there(len(flags))
        # Mails that an answer left out are not taken for gone.
        self._tell(Flags(self.native, flags, whole))
        missing = sorted(flags.keys() - set(known.uids()) - self._listed)
        chunks = [missing[max(0, end - CHUNK) : end] for end in range(len(missing), 0, -CHUNK)]
        if chunks:
            excused = self._no_surprise
            yield Round([self._heard.mails(part, excused=excused) for chunk in chunks for part in uid_sets(chunk)])
        yield from self._finish(again=False)

    def _flags_found(self, tasks: list[Task]) -> Generator[Round, None, dict[int, frozenset[str]] | None]:
        """The flags of all mails, asked for together with `tasks`; None where the folder did not open or is another."""
        keywords = self._known.keywords() if self._known and self._wants_sets() else frozenset()
        keys = flag_keys(keywords) if self._wants_sets() and len(keywords) <= _MANY_KEYWORDS else None
        if keys is not None:
            keys = {"": b"ALL", **keys}
            yield Round([*tasks, *(self._search(name, key) for name, key in keys.items())], afresh=True)
            if self._failed():
                return None
            tasks = []
            status = self._opening.status()
            named = status.keywords if status else frozenset()
            more = flag_keys(named - keys.keys()) if len(named) <= _MANY_KEYWORDS else None
            if more is not None:
                more = {name: key for name, key in more.items() if name not in keys}
                if more:
                    yield Round([self._search(name, key) for name, key in more.items()])
                    if self._failed():
                        return None
                found = dict(self._searches.found)
                if found.keys() >= keys.keys() | more.keys():
                    return flags_of(found.pop(""), found)
        heavy = self._messages() >= CHUNK // 5
        yield Round([*tasks, self._heard.flags_of(b"1:*", excused=self._no_surprise, heavy=heavy)], afresh=True)
        if self._failed():
            return None
        flags = dict(self._heard.flags)
        self._heard.flags.clear()
        return flags

    def _wants_sets(self) -> bool:
        return "ESEARCH" in self._capabilities and self._messages() >= _SETS_FROM

    def _messages(self) -> int:
        """How many there were when somebody last counted."""
        state, known = self._look.state, self._known
        return state.messages if state else known.messages if known else 0

    def _fewer_than(self, messages: int) -> Callable[[], bool]:
        return lambda: self._no_surprise() or self._opening.exists < messages

    def _finish(self, *, again: bool = True) -> Generator[Round, None, None]:
        """See that all mails are known; else, `again`, ask for all flags, and for what is missing."""
        if self._failed():
            return
        self._heard.rest()
        status = self._opening.status()
        assert status is not None, "a folder without UIDVALIDITY does not count as opened"
        yield Round()  # so that all news have been taken
        count = self._look.count()
        adds_up = self._all_there(count)
        if not adds_up and again and self._known is not None:
            yield from self._all_flags()
            return
        self._tell_flags()
        self._settle(replace(status, messages=count), whole=adds_up)

    def _all_there(self, count: int) -> bool:
        """Whether that many mails are all. One that came while we look may be among them, or not."""
        return self._at_open <= count <= self._opening.exists

    # Small parts

    def _open(self, status: FolderStatus, *, afresh: bool) -> None:
        if not self._opened:
            self._opened = True
            self._tell(Opened(self.native, status, afresh))

    def _settle(self, status: FolderStatus, *, whole: bool = True) -> None:
        if not status.uidnext:
            known = max(self._known.uids(), default=0) if self._known else 0
            status = replace(status, uidnext=max(self._highest, known) + 1)
        self._tell(Settled(self.native, status, whole))

    def _tell_flags(self) -> None:
        """The flags that were heard of besides those of whole mails."""
        if self._heard.flags:
            flags = dict(self._heard.flags)
            self._heard.flags.clear()
            self._tell(Flags(self.native, flags, whole=False))

    def _examined(self, end: Status) -> None:
        if end.kind != "OK":
            self._no = end
            return
        status = self._opening.status()
        if status is None or (self._validity and status.uidvalidity != self._validity):
            self._stale = True
            return
        self._at_open = self._opening.exists
        if self._validity:
            known = self._known
            self._open(status, afresh=known is None or known.uidvalidity != status.uidvalidity)

    def _note(self, parts: Parts) -> None:
        if self._searches.hear(parts):
            return
        if (uids := vanished(parts)) is not None:
            self._gone = self._gone + uids
        else:
            self._opening.hear(parts)

    def _refused(self, end: Status) -> None:
        self._no = self._no or end

    def _failed(self) -> bool:
        """Whether the rounds so far came to nothing; a refusal is told."""
        if self._no is not None and self._no.code not in _HARMLESS:
            what = _("The folder {folder} cannot be opened").format(folder=failures.readable(self.native))
            self._tell(Refused(self.native, failures.refused(what, self._no.words, self._no.code)))
            return True
        return self._stale

    def _no_surprise(self) -> bool:
        """Whether a BAD only says that there is nothing to fetch from."""
        return self._no is not None or self._stale or not self._opening.exists

    def _new_ears(self) -> Heard:
        return Heard(
            self._readers,
            expected=lambda: self._opening.exists,
            note=self._note,
            no=self._refused,
            give=self._give,
        )

    def _give(self, mails: list[Listed]) -> None:
        if self._opened and not self._stale:
            uids = [uid for uid, _message in mails]
            self._highest = max(self._highest, *uids)
            if self._known is not None:
                self._listed.update(uids)
            self._tell(Mails(self.native, mails))

    def _arrivals(self, first_uid: int) -> Task:
        """The mails from `first_uid` on; `first:*` names the last mail, too, which may be known."""
        return self._heard.mails(b"%d:*" % first_uid, excused=self._no_surprise, heavy=False)

    def _search(self, name: str, key: bytes) -> Task:
        return self._searches.task(name, key, self._heard.hear, self._no_surprise)
