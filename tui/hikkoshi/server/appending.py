"""Uploading mail by APPEND, which needs no folder to be open. The one thing that changes the server."""

from collections.abc import Callable, Sequence

from hikkoshi.i18n import _
from hikkoshi.server.channel import Channel, Refusal
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.lexer import Status
from hikkoshi.server.records import Appended
from hikkoshi.server.writer import append_arguments

_SMALL_LITERAL = 4096  # RFC 7888 section 5: LITERAL- allows non-synchronising literals up to this many bytes
_HURRIED = 64 * 1024
"""Bytes that go without a go-ahead. What has left cannot be called back after a BAD; a larger mail waits a round trip."""
_CHUNK = 1 << 16


class Appending(Conversation):
    """APPEND, safe from mail that reads like commands."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._proven: set[tuple[str, frozenset[str]]] = set()

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
        self._leave_for_append(native)
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


def _appended(end: Status) -> Appended:
    """APPENDUID of an APPEND's OK (RFC 4315 section 3)."""
    numbers = end.argument.split() if end.code == "APPENDUID" else []
    if len(numbers) == 2 and all(word.isdigit() for word in numbers):
        return Appended(int(numbers[0]), int(numbers[1]))
    return Appended(None, None)
