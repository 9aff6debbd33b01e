"""Bulk work on one connection: listing folders, appending mail, reading back.

Folders are opened with EXAMINE and mail is read with BODY.PEEK, so looking changes nothing. Only `append`
changes the server; APPEND needs no folder to be open.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from hikkoshi.errors import CommandRefused, ServerError
from hikkoshi.i18n import _
from hikkoshi.mail.identity import identify
from hikkoshi.mail.message import Message
from hikkoshi.server import failures
from hikkoshi.server.channel import Channel, Refusal
from hikkoshi.server.connect import connect
from hikkoshi.server.fetch import FACT_ITEMS, FLAG_ITEMS, LIST_ITEMS, WHOLE_ITEMS, Fetched, FetchReader
from hikkoshi.server.lexer import MAX_RESPONSE, Parts, Status, status
from hikkoshi.server.login import Login
from hikkoshi.server.records import Appended, Facts, FolderStatus
from hikkoshi.server.writer import append_arguments, mailbox, uid_sets

_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
_SMALL_LITERAL = 4096  # RFC 7888 section 5: LITERAL- allows non-synchronising literals up to this many bytes
_HURRIED = 64 * 1024
"""Bytes that go without a go-ahead. What has left cannot be called back after a BAD; a larger mail waits a round trip."""
_CHUNK = 1 << 16
_MAX_MAIL = 1 << 30
_STRAYS = 1000
"""FETCH responses beyond the folder's count that are put up with; a hostile server would never end."""


class Bulk:
    """One connection for bulk work. One thread owns it.

    Every method may raise ConnectionLost or ProtocolBroken; the connection is closed then. CommandRefused
    (NO) leaves it usable.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._examined: str | None = None
        self._exists = 0
        self._proven: set[tuple[str, frozenset[str]]] = set()

    @classmethod
    def open(cls, login: Login) -> "Bulk":
        """Connect and log in; raises what `connect` raises."""
        return cls(Channel(connect(login)))

    def __enter__(self) -> "Bulk":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._channel.closed

    def close(self) -> None:
        """Log out."""
        self._channel.say_goodbye()

    def noop(self) -> None:
        """Let the server say what is new, and keep the line open."""
        self._finish(self._channel.start(b"NOOP"), self._refusal(_("The server refuses to do nothing")))

    def examine(self, native: str) -> FolderStatus:
        """Open a folder for reading; CommandRefused, naming it, when it cannot be opened."""
        refusal = self._refusal(_("The folder {folder} cannot be opened"), native)
        self._examined = None
        self._exists = 0
        found: dict[str, bytes] = {}
        for parts in self._channel.answers(self._channel.start(b"EXAMINE " + mailbox(native)), refusal):
            self._note(parts)
            said = status(parts[0])
            if said and said.code in ("UIDVALIDITY", "UIDNEXT", "PERMANENTFLAGS"):
                found[said.code] = said.argument
        self._examined = native
        validity, following = found.get("UIDVALIDITY", b""), found.get("UIDNEXT", b"")
        if not validity.isdigit():
            raise CommandRefused(
                _(
                    "The server gives the mails of the folder {folder} no lasting numbers, so it cannot be compared."
                ).format(folder=failures.readable(native))
            )
        flags = frozenset(found.get("PERMANENTFLAGS", b"").decode("utf-8", "replace").strip("()").split())
        return FolderStatus(
            messages=self._exists,
            uidvalidity=int(validity),
            uidnext=int(following) if following.isdigit() else self._uid_after_last(native),
            permanent_flags=flags or None,
        )

    def list_new(self, first_uid: int) -> Iterator[Message]:
        """The mails of the folder that is open with UIDs from `first_uid` on, as the server sends them.

        Not taken to its end, the connection is closed. The server's NO at the end comes after what it gave.
        """
        pending: dict[int, Fetched] = {}
        highest = 0
        for answer in self._fetch(b"%d:*" % first_uid, LIST_ITEMS):
            uid = answer.uid
            # `first:*` names the last mail, however small its UID is (RFC 3501 section 6.4.8).
            if uid is None or uid < first_uid:
                continue
            fetched = pending.pop(uid, answer)
            fetched.merge(answer)
            if fetched.listed:
                highest = max(highest, uid)
                yield fetched.message()
            elif uid > highest:
                # Part of the answer, or a flag that somebody has just changed; the rest may follow.
                pending[uid] = fetched
        # Answers that a server left incomplete are mails all the same.
        for uid in sorted(pending):
            yield pending[uid].message()

    def list_flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        """(UID, flags) of every mail in the folder that is open. Not taken to its end, the connection is closed."""
        for fetched in self._fetch(b"1:*", FLAG_ITEMS):
            if fetched.uid is not None and fetched.flags is not None:
                yield fetched.uid, fetched.flags

    def append(
        self,
        native: str,
        message: bytes,
        flags: Sequence[str] = (),
        date: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Appended:
        """Upload one mail as it is. CommandRefused with its code (TRYCREATE, OVERQUOTA, …) on a NO.

        `message`: the upload form, CRLF line ends. `flags`: as `sendable_flags` gives them. `date`: seconds
        since 1970 UTC; None leaves it to the server. `progress` is told the bytes of this mail sent so far.
        After ConnectionLost or ProtocolBroken nobody knows whether it arrived: see `find_appended`.
        """
        arguments = append_arguments(native, flags, date)
        shape = (native, frozenset(flags))
        refusal = self._refusal(_("The mail was not taken into the folder {folder}"), native)
        tag = self._channel.next_tag()
        line = tag + b" " + arguments
        if shape in self._proven and self._may_hurry(len(message)):
            self._channel.send(line + b"{%d+}\r\n" % len(message))
        else:
            self._channel.send(line + b"{%d}\r\n" % len(message))
            self._await_go_ahead(tag, refusal)
        refused = self._send_literal(tag, message, progress)
        if refused is not None:
            raise refusal(refused)
        end = self._finish(tag, refusal)
        self._proven.add(shape)
        return _appended(end)

    def find_appended(self, native: str, first_uid: int, size: int, fields: bytes) -> list[int]:
        """UIDs from `first_uid` on of the mails with this size (bytes) and these identity fields.

        For servers without UIDPLUS, and for learning whether a mail arrived after the connection was lost.
        """
        self._open_afresh(native)
        wanted = identify(fields)
        return [
            int(message.place)
            for message in self.list_new(first_uid)
            if message.size in (size, 0) and identify(message.fields) == wanted
        ]

    def fetch_facts(self, native: str, uids: Iterable[int]) -> dict[int, Facts]:
        """Size, flags and date of these mails as the server has them now; UIDs that it does not have are left out."""
        self._open_afresh(native)
        wanted = set(uids)
        found: dict[int, Fetched] = {}
        for uid_set in uid_sets(wanted):
            for fetched in self._fetch(uid_set, FACT_ITEMS, native):
                if fetched.uid in wanted:
                    found.setdefault(fetched.uid, fetched).merge(fetched)
        return {uid: fetched.facts() for uid, fetched in found.items()}

    def fetch_whole(self, native: str, uid: int, max_bytes: int = _MAX_MAIL) -> bytes:
        """One mail, byte for byte as the server has it; \\Seen stays as it is.

        CommandRefused (NONEXISTENT) when it is not there; ProtocolBroken beyond `max_bytes`.
        """
        self._open_afresh(native)
        whole: bytes | None = None
        for fetched in self._fetch(next(uid_sets([uid])), WHOLE_ITEMS, native, max_bytes + MAX_RESPONSE):
            if fetched.uid == uid and fetched.whole is not None:
                whole = fetched.whole
        if whole is None:
            raise CommandRefused(
                _("The folder {folder} has no mail with the number {uid} any more.").format(
                    folder=failures.readable(native), uid=uid
                ),
                "NONEXISTENT",
            )
        return whole

    def _open_afresh(self, native: str) -> None:
        # Courier shows what was appended only after a NOOP in the folder that is open.
        if self._examined == native:
            self.noop()
        else:
            self.examine(native)

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
        reader = FetchReader()
        count = 0
        for parts in self._channel.answers(tag, refusal, max_response):
            try:
                fetched = reader.read(parts)
            except ServerError as error:
                raise self._channel.fail(error) from None
            if fetched is None:
                self._note(parts)
                continue
            count += 1
            if count > 2 * self._exists + _STRAYS:
                raise self._channel.broken(parts[0])
            yield fetched

    def _note(self, parts: Parts) -> None:
        if match := _EXISTS.match(parts[0]):
            self._exists = int(match[1])

    def _may_hurry(self, size: int) -> bool:
        capabilities = self._channel.capabilities
        if "LITERAL+" in capabilities:
            return size <= _HURRIED
        return "LITERAL-" in capabilities and size <= _SMALL_LITERAL

    def _await_go_ahead(self, tag: bytes, refusal: Refusal) -> None:
        """Wait for the server's `+`; a NO instead of it means that the mail need not be sent."""
        while True:
            parts = self._channel.read()
            if parts[0].startswith(b"+"):
                return
            end = self._channel.judge(parts, tag)
            if end is not None:
                if end.kind == "OK":
                    raise self._channel.broken(parts[0])
                raise refusal(end)
            self._note(parts)

    def _send_literal(self, tag: bytes, message: bytes, progress: Callable[[int], None] | None) -> Status | None:
        """Send the mail and the line end behind it; gives the NO that came meanwhile, if one did.

        Between chunks the server is listened to: after a BAD not one more byte may go out, since the server
        would read it as commands. (What had gone out by then cannot be called back, which is why the first mail
        of a kind waits for the server.) After a NO the rest has to be sent, since the server counts on it.
        """
        refused: Status | None = None
        view = memoryview(message)
        for start in range(0, len(view), _CHUNK):
            if refused is None:
                refused = self._refused_meanwhile(tag)
            self._channel.send(view[start : start + _CHUNK])
            if progress is not None:
                progress(min(start + _CHUNK, len(view)))
        self._channel.send(b"\r\n")
        return refused

    def _refused_meanwhile(self, tag: bytes) -> Status | None:
        """The NO that the server has said while the mail goes out; None if it has not."""
        while (parts := self._channel.overheard()) is not None:
            end = self._channel.judge(parts, tag)
            if end is None:
                self._note(parts)
            elif end.kind == "OK":
                raise self._channel.broken(parts[0])
            else:
                return end
        return None

    def _finish(self, tag: bytes, refusal: Refusal) -> Status:
        answers = self._channel.answers(tag, refusal)
        while True:
            try:
                self._note(next(answers))
            except StopIteration as stop:
                end: Status = stop.value
                return end

    def _refusal(self, what: str, native: str = "") -> Refusal:
        clause = what.format(folder=failures.readable(native))
        return lambda end: failures.refused(clause, end.words, end.code)


def _appended(end: Status) -> Appended:
    """APPENDUID of an APPEND's OK (RFC 4315 section 3)."""
    numbers = end.argument.split() if end.code == "APPENDUID" else []
    if len(numbers) == 2 and all(word.isdigit() for word in numbers):
        return Appended(int(numbers[0]), int(numbers[1]))
    return Appended(None, None)
