"""One connection for bulk work: opening folders for reading, and FETCH, which all that reads is made of."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from msgspec.structs import replace

from hikkoshi.errors import ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.channel import Channel, Refusal
from hikkoshi.server.connect import connect
from hikkoshi.server.fetch import Fetched
from hikkoshi.server.lexer import MAX_RESPONSE, Parts, Status
from hikkoshi.server.login import Login
from hikkoshi.server.mails import Readers
from hikkoshi.server.opening import Opening, no_lasting_numbers
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.writer import mailbox

_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
GMAIL = "X-GM-EXT-1"
"""The capability by which Gmail is known."""
_STRAYS = 1000
"""FETCH responses beyond the folder's count that are put up with; a hostile server would never end."""


class Conversation:
    """A connection that is logged in, and the folder that is open on it. One thread owns it.

    Every method may raise ConnectionLost or ProtocolBroken; the connection is closed then. CommandRefused
    (NO) leaves it usable.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._examined: str | None = None
        self._writable = False  # it was opened by SELECT
        self._exists = 0
        self._readers = Readers()

    @classmethod
    def open(cls, login: Login) -> Self:
        """Connect and log in; raises what `connect` raises."""
        return cls(Channel(connect(login)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._channel.closed

    def offers(self, capability: str) -> bool:
        """Whether the server has named this capability, which is given in upper case."""
        return capability in self._channel.capabilities

    @property
    def has_modseq(self) -> bool:
        """Whether the server counts changes, at least in some folders (CONDSTORE, RFC 7162; QRESYNC means both)."""
        return bool({"CONDSTORE", "QRESYNC"} & self._channel.capabilities)

    def close(self) -> None:
        """Log out."""
        self._channel.say_goodbye()

    def noop(self) -> None:
        """Let the server say what is new, and keep the line open."""
        self._finish(self._channel.start(b"NOOP"), self._refusal(_("The server refuses to do nothing")))

    def examine(self, native: str) -> FolderStatus:
        """Open a folder for reading; CommandRefused, naming it, when it cannot be opened."""
        return self._open(b"EXAMINE", native)

    def _open(self, command: bytes, native: str) -> FolderStatus:
        refusal = self._refusal(_("The folder {folder} cannot be opened"), native)
        self._examined = None
        self._exists = 0
        self._writable = command != b"EXAMINE"
        opening = Opening(native, writable=self._writable)
        end = self._finish(self._channel.start(command + b" " + mailbox(native)), refusal, opening.hear)
        self._examined = native
        self._exists = opening.exists
        found = opening.status(end)
        if found is None:
            raise no_lasting_numbers(native)
        return found if found.uidnext else replace(found, uidnext=self._uid_after_last(native))

    def _open_afresh(self, native: str) -> None:
        # Courier shows what was appended only after a NOOP in the folder that is open.
        if self._examined == native:
            self.noop()
        else:
            self.examine(native)

    def _leave_for_append(self, native: str) -> None:
        """Close the folder `native` before mail goes into it, where the server is like Courier.

        Courier 5.0 takes no mail into the folder that the same connection has open for reading ("NO Current box
        is selected READ-ONLY."). It has no UNSELECT, which servers that take it have. CLOSE behind EXAMINE
        removes nothing (RFC 3501 section 6.4.2); behind SELECT it would remove what others have marked \\Deleted.
        """
        if self._examined == native and not self._writable and "UNSELECT" not in self._channel.capabilities:
            refusal = self._refusal(_("The folder {folder} cannot be opened"), native)
            self._finish(self._channel.start(b"CLOSE"), refusal)
            self._examined = None
            self._exists = 0

    def _uid_after_last(self, native: str) -> int:
        """For servers that leave UIDNEXT out of EXAMINE: one more than the last mail's UID."""
        if not self._exists:
            return 1
        uids = [fetched.uid or 0 for fetched in self._fetch(b"*", b"(UID)", native)]
        return max(uids, default=0) + 1

    def _fetch(
        self, uid_set: bytes, items: bytes, native: str | None = None, max_response: int = MAX_RESPONSE
    ) -> Iterator[Fetched]:
        """Every FETCH response while the command runs, those included that the server sends unasked."""
        if not self._exists:
            return
        folder = native or self._examined or ""
        refusal = self._refusal(_("The mails of the folder {folder} cannot be read"), folder)
        tag = self._channel.start(b"UID FETCH " + uid_set + b" " + items)
        count = 0
        for parts in self._channel.answers(tag, refusal, max_response):
            if (fetched := self._fetched(parts, count)) is not None:
                count += 1
                yield fetched

    def _fetched(self, parts: Parts, before: int) -> Fetched | None:
        """The FETCH response in `parts`, None for another one, which is noted.

        `before`: how many this command has had; more than a folder can give closes the connection, as nonsense does.
        """
        with self._understanding():
            fetched = self._readers.slow.read(parts)
        if fetched is None:
            self._note(parts)
        elif before >= 2 * self._exists + _STRAYS:
            raise self._channel.broken(parts[0])
        return fetched

    def _note(self, parts: Parts) -> None:
        if match := _EXISTS.match(parts[0]):
            self._exists = int(match[1])

    def _finish(self, tag: bytes, refusal: Refusal, hear: Callable[[Parts], None] | None = None) -> Status:
        """The OK that ends a command; `hear`, else `_note`, hears what comes before it."""
        answers = self._channel.answers(tag, refusal)
        while True:
            try:
                (hear or self._note)(next(answers))
            except StopIteration as stop:
                end: Status = stop.value
                return end

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        """Close the connection where an answer makes no sense."""
        try:
            yield
        except ProtocolBroken as error:
            raise self._channel.fail(error) from None

    def _refusal(self, what: str, native: str = "") -> Refusal:
        clause = what.format(folder=failures.readable(native))
        return lambda end: failures.refused(clause, end.words, end.code)
