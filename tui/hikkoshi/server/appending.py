"""Uploading mail by APPEND, which needs no folder to be open. The one thing that changes the server.

Many mails go at once: in one command where the server offers MULTIAPPEND (RFC 3502), else as commands that are
sent without waiting for the answers before (RFC 3501 section 5.5).

With a non-synchronising literal, `{n+}`, a server that calls the command line BAD reads the mail behind it as
commands. So dates and flags are built from checked values; the first mail of each folder and set of flags goes
with a synchronising `{n}`, and only once the server has answered it with OK do others of that shape go without; the
first MULTIAPPEND has but a few mails, all of which wait like that; and after a BAD not one more byte is sent.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from hikkoshi.errors import CommandRefused, HikkoshiError, ProtocolBroken, ServerError
from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.appended import appended
from hikkoshi.server.channel import Channel
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.lexer import Parts, Status
from hikkoshi.server.records import Appended
from hikkoshi.server.writer import append_arguments, append_message, mailbox

_SMALL_LITERAL = 4096  # RFC 7888 section 5: LITERAL- allows non-synchronising literals up to this many bytes
HURRIED = 4 << 20
"""Bytes of a mail that go without a go-ahead, once its shape is proven: then only the size in `{n+}` and the date, digits
both, differ from a line that the server took. As much goes unasked in one MULTIAPPEND. At 64 KiB one in fourteen mails
of an ordinary mailbox waits a round trip; above this a round trip is little beside the sending."""
_CHUNK = 1 << 16
_WINDOW_MAILS, _WINDOW_BYTES = 256, 4 << 20
"""Single commands on their way at once. With 64 mails, or 1 MiB, the server waits while they are read from this PC."""

Shape = tuple[str, frozenset[str]]


class Outgoing(msgspec.Struct, frozen=True):
    """One mail to be appended: `size` bytes, which `chunks` gives, in upload form (line ends CRLF).

    `flags`: as `sendable_flags` gives them. `date`: seconds since 1970 UTC; None leaves it to the server.
    `chunks` may raise before its last piece: the connection is cut then, so that nothing of the mail is stored.
    """

    size: int
    flags: tuple[str, ...]
    date: int | None
    chunks: Callable[[], Iterable[bytes | memoryview]]


class Posting:
    """Mails that were sent: what the server answered to each, None where it has not.

    `begun`: the numbers of those of which a byte has left; of others nothing can be on the server. `together`: of
    those that went in one command. `blamed`: of those of a command that was answered with BAD. `slowed`: the words of
    an OK that asks to slow down, '' without one (Gmail: “Success [THROTTLED]”).
    """

    def __init__(self, count: int) -> None:
        self.results: list[Appended | CommandRefused | None] = [None] * count
        self.begun: set[int] = set()
        self.together: list[int] = []
        self.blamed: list[int] = []
        self.slowed = ""
        self.unanswered = 0


class _Command(msgspec.Struct):
    """An APPEND on its way. `mails`: their numbers in the posting; `sent`: to its end."""

    tag: bytes
    posting: Posting
    mails: list[int]
    shapes: set[Shape]
    native: str
    size: int = 0
    sent: bool = False
    refusal: Status | None = None


class Appending(Conversation):
    """APPEND, safe from mail that reads like commands."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._proven: set[Shape] = set()
        self._many_proven = False
        self._under_way: dict[bytes, _Command] = {}
        capabilities = channel.capabilities
        self.takes_many = {"MULTIAPPEND", "LITERAL+"} <= capabilities
        """Whether many mails may go in one command, all or none of which are stored."""
        self.takes_hurried = "LITERAL+" in capabilities
        """Whether mails may go without a round trip each."""

    def append(
        self,
        native: str,
        message: bytes,
        flags: Sequence[str] = (),
        date: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Appended:
        """Upload one mail as it is. CommandRefused with its code (TRYCREATE, OVERQUOTA, …) on a NO.

        Arguments as in `Outgoing`; `progress` is told the bytes of this mail sent so far. After ConnectionLost or
        ProtocolBroken nobody knows whether it arrived.
        """

        def chunks() -> Iterable[memoryview]:
            view = memoryview(message)
            for start in range(0, len(view), _CHUNK):
                yield view[start : start + _CHUNK]
                if progress is not None:
                    progress(min(start + _CHUNK, len(view)))

        posting = self.post(native, [Outgoing(len(message), tuple(flags), date, chunks)])
        self.answers_to(posting)
        [result] = posting.results
        if isinstance(result, CommandRefused):
            raise result
        assert result is not None
        return result

    def post(self, native: str, mails: Sequence[Outgoing], posting: Posting | None = None) -> Posting:
        """Send one mail after the other without waiting for their answers, but no more at once than the window holds.

        `posting`: as made by the caller, who wants to know what was answered before an error.
        """
        posting = posting or Posting(len(mails))
        if not self._under_way:
            self._leave_for_append(native)
        for number, mail in enumerate(mails):
            if self._should_compress(mails[number:]):
                self._compress()
            self._make_room(mail.size)
            self._post_one(native, number, mail, posting)
        return posting

    def post_many(self, native: str, mails: Sequence[Outgoing], posting: Posting | None = None) -> Posting:
        """Send mails in one command, of which the server stores all or none; see `takes_many`.

        The first mail of each set of flags that the server has not seen goes ahead in a command of its own, with a second
        one if it is alone, each waiting for its go-ahead; and the answer to that is waited for.
        """
        posting = posting or Posting(len(mails))
        if not self._under_way:
            self._leave_for_append(native)
        if self._should_compress(mails):
            self._compress()
        ahead = self._unproven(native, mails)
        rest = [number for number in range(len(mails)) if number not in ahead]
        if ahead:
            self._post_together(native, ahead, mails, posting)
            self.answers_to(posting)
        if rest:
            self._post_together(native, rest, mails, posting)
        return posting

    def _unproven(self, native: str, mails: Sequence[Outgoing]) -> list[int]:
        """The numbers of the mails that have to go ahead."""
        first: dict[Shape, int] = {}
        for number, mail in enumerate(mails):
            first.setdefault((native, frozenset(mail.flags)), number)
        ahead = [number for shape, number in first.items() if shape not in self._proven]
        if not self._many_proven and len(ahead) < 2:
            ahead += [number for number in range(len(mails)) if number not in ahead][: 2 - len(ahead)]
        return sorted(ahead)

    def answers_to(self, posting: Posting) -> None:
        """Wait until all mails of a posting are answered."""
        while posting.unanswered:
            self._take(self._channel.read())

    def _make_room(self, size: int) -> None:
        while self._under_way and (
            len(self._under_way) >= _WINDOW_MAILS
            or sum(command.size for command in self._under_way.values()) + size > _WINDOW_BYTES
        ):
            self._take(self._channel.read())

    def _post_one(self, native: str, number: int, mail: Outgoing, posting: Posting) -> None:
        shape = (native, frozenset(mail.flags))
        start = append_arguments(native, mail.flags, mail.date)
        command = self._begin(posting, [number], {shape}, native)
        self._send_mail(command, number, command.tag + b" " + start, mail, hurried=shape in self._proven)

    def _post_together(self, native: str, numbers: list[int], mails: Sequence[Outgoing], posting: Posting) -> None:
        """One MULTIAPPEND; a plain APPEND where there is one mail."""
        if len(numbers) == 1:
            self._post_one(native, numbers[0], mails[numbers[0]], posting)
            return
        posting.together += numbers
        shapes: set[Shape] = {(native, frozenset(mails[number].flags)) for number in numbers}
        proven = self._many_proven and shapes <= self._proven
        lines = [append_message(mails[number].flags, mails[number].date) for number in numbers]
        command = self._begin(posting, list(numbers), shapes, native)
        line = command.tag + b" APPEND " + mailbox(native)
        for place, number in enumerate(numbers):
            if place and proven and self._should_compress([mails[each] for each in numbers[place:]]):
                self._cut_short(command, place)
                self._compress()
                self._post_together(native, numbers[place:], mails, posting)
                return
            last = place == len(numbers) - 1
            self._send_mail(command, number, line + b" " + lines[place], mails[number], hurried=proven, last=last)
            if command.tag not in self._under_way:
                return
            line = b""

    def _cut_short(self, command: _Command, count: int) -> None:
        """End a command behind `count` of its mails. What follows goes in another one."""
        for number in command.mails[count:]:
            command.posting.together.remove(number)
        del command.mails[count:]
        command.sent = True
        self._send(b"\r\n")
        self._conclude(command)

    def _should_compress(self, mails: Sequence[Outgoing]) -> bool:
        """Only where mails are sent without a pause does it show how fast the line is."""
        if not self.takes_hurried or not self._channel.may_compress:
            return False
        return self._channel.should_compress(sum(mail.size for mail in mails))

    def _compress(self) -> None:
        while self._under_way:
            self._take(self._channel.read())
        self._channel.compress()

    def _begin(self, posting: Posting, mails: list[int], shapes: set[Shape], native: str) -> _Command:
        command = _Command(self._channel.next_tag(), posting, mails, shapes, native)
        self._under_way[command.tag] = command
        posting.unanswered += 1
        return command

    def _send_mail(
        self, command: _Command, number: int, line: bytes, mail: Outgoing, *, hurried: bool, last: bool = True
    ) -> None:
        """Send `line` with the mail's literal behind it, and the end of the command if it is the `last` one."""
        hurried = hurried and self._may_hurry(mail.size)
        command.size += mail.size
        if hurried:
            pending = line + b"{%d+}\r\n" % mail.size
        else:
            self._send(line + b"{%d}\r\n" % mail.size)
            if not self._go_ahead(command):
                return
            pending = b""
        command.posting.begun.add(number)
        pending = self._send_literal(mail, pending)
        if last:
            pending += b"\r\n"
            command.sent = True
        self._send(pending)
        self._conclude(command)

    def _send_literal(self, mail: Outgoing, pending: bytes) -> bytes:
        """Send a mail behind what is `pending`; gives what is still to be sent, so that small pieces go in one.

        Between pieces the server is listened to: after a BAD not one more byte may go out. After a NO the rest has
        to be sent, since the server counts on it.
        """
        left = mail.size
        try:
            for chunk in mail.chunks():
                left -= len(chunk)
                if left < 0:
                    break
                if len(pending) + len(chunk) <= _CHUNK:
                    pending += chunk
                    continue
                self._send(pending)
                pending = b""
                view = memoryview(chunk)
                while len(view) > _CHUNK:
                    self._send(view[:_CHUNK])
                    view = view[_CHUNK:]
                pending = bytes(view)
        except (HikkoshiError, OSError) as error:
            if not isinstance(error, ServerError):
                # The literal is not complete: nothing of it is stored.
                self._channel.close()
            raise
        if left:
            self._channel.close()
            raise ValueError(f"a mail of {mail.size} bytes came with {mail.size - left}")
        return pending

    def _send(self, data: bytes | memoryview) -> None:
        """Send, having listened first."""
        while (parts := self._channel.overheard()) is not None:
            self._take(parts)
            for command in self._under_way.values():
                if command.refusal is not None and len(command.mails) > 1:
                    # Refused before its end: what the server makes of the rest is not known, and nothing of it is stored.
                    code, words = command.refusal.code, command.refusal.words
                    said = f"[{code}] ".encode() + words if code else words
                    raise self._channel.fail(failures.lost(self._channel.host, said))
        if data:
            self._channel.send(data)

    def _go_ahead(self, command: _Command) -> bool:
        """Wait for the server's `+`; False after a NO instead of it: then the mail need not be sent."""
        while True:
            parts = self._channel.read()
            if parts[0].startswith(b"+"):
                return True
            self._take(parts)
            if command.refusal is not None:
                command.sent = True
                self._conclude(command)
                return False

    def _take(self, parts: Parts) -> None:
        """Note one response: untagged, or the end of a command that is under way."""
        named = parts[0].split(b" ", 1)[0]
        command = self._under_way.get(named)
        tag = named if command else next(iter(self._under_way), b"")
        try:
            end = self._channel.judge(parts, tag)
        except ProtocolBroken:
            if command is not None:
                command.posting.blamed += command.mails
            raise
        if end is None:
            self._note(parts)
            return
        assert command is not None
        if end.kind == "OK":
            if not command.sent:
                raise self._channel.broken(parts[0])
            self._answered(command, end)
        else:
            command.refusal = end
            self._conclude(command)

    def _conclude(self, command: _Command) -> None:
        """A command that was refused is over once all of it has been sent."""
        if command.sent and command.refusal is not None and command.tag in self._under_way:
            self._answered(command, command.refusal)

    def _answered(self, command: _Command, end: Status) -> None:
        del self._under_way[command.tag]
        posting = command.posting
        posting.unanswered -= 1
        if end.kind != "OK":
            what = _("The mail was not taken into the folder {folder}").format(folder=failures.readable(command.native))
            for number in command.mails:
                posting.results[number] = failures.refused(what, end.words, end.code)
            return
        if end.code == "THROTTLED" or b"[THROTTLED]" in end.words.upper():
            posting.slowed = end.words.decode("utf-8", "replace") or end.code
        self._proven |= command.shapes
        self._many_proven = self._many_proven or len(command.mails) > 1
        for number, result in zip(command.mails, appended(end, len(command.mails)), strict=True):
            posting.results[number] = result

    def _may_hurry(self, size: int) -> bool:
        if self.takes_hurried:
            return size <= HURRIED
        return "LITERAL-" in self._channel.capabilities and size <= _SMALL_LITERAL
