"""Commands sent ahead of their answers, which are told apart by the order of their tags (RFC 3501 section 5.5).

Only commands that change nothing and carry no literal may go this way: those that look.
"""

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from hikkoshi.errors import ServerError
from hikkoshi.server.channel import Channel
from hikkoshi.server.lexer import Parts, Status

_WINDOW = 64
"""Weight of the commands under way at once. A server reads them into a buffer of a few KiB while it writes answers."""
_ROOM = 8192
"""Bytes of commands under way at once: Dovecot's login and Cyrus read at least so much ahead."""


def _nothing(_parts: Parts) -> None:
    """Pass an answer over."""


def _no_matter(_tag: bytes) -> None:
    """Pass a tag over."""


def _never() -> bool:
    return False


class Task(msgspec.Struct):
    """One command, and who hears its answers.

    `hear`: each untagged response. `batch`: reads many at once from the bytes at hand, as Channel.take wants it,
    and says how many it has read; it keeps them itself. `end`: the OK or NO. `excused`: whether a BAD is no
    surprise, since the folder turned out not to be open, or empty; it comes to `end`, too. `weight`: 1 for small
    answers, up to the window for large ones. `long_lines`: a line of the answer may name every mail of a folder.
    `sent`: hears the tag. `size`: bytes that the answer may have, 0 where it is small.
    """

    command: bytes
    end: Callable[[Status], None]
    hear: Callable[[Parts], None] = _nothing
    batch: Callable[[bytes], tuple[int, int, bool]] | None = None
    excused: Callable[[], bool] = _never
    weight: int = 1
    size: int = 0
    long_lines: bool = False
    sent: Callable[[bytes], None] = _no_matter


class Pipeline:
    """Runs tasks on a channel, as many ahead as the window takes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ahead: deque[tuple[bytes, Task, int]] = deque()
        self._weight = self._bytes = 0

    def run(self, source: Callable[[], Task | None]) -> Iterator[None]:
        """Send what `source` gives, and hear the answers; yields now and then, so that they can be used at once.

        `source` is asked again and again, and says None when there is nothing to send until another task has
        ended; the run is over when it says so with no task under way. Given up in the middle, the connection is
        closed: what is still to come belongs to commands that nobody waits for.
        """
        done = False
        try:
            while True:
                self._send_ahead(source)
                if not self._ahead:
                    break
                self._hear()
                yield
            done = True
        finally:
            if not done:
                self._channel.close()

    def _send_ahead(self, source: Callable[[], Task | None]) -> None:
        lines = []
        while self._weight < _WINDOW and self._bytes < _ROOM and (task := source()) is not None:
            tag = self._channel.next_tag()
            line = tag + b" " + task.command + b"\r\n"
            self._ahead.append((tag, task, len(line)))
            self._weight += task.weight
            self._bytes += len(line)
            task.sent(tag)
            lines.append(line)
        if lines:
            self._channel.send(b"".join(lines))

    def _hear(self) -> None:
        """The next response, or all that are at hand where the task reads many at once."""
        tag, task, size = self._ahead[0]
        if task.batch is not None and self._channel.take(task.batch):
            return
        parts = self._channel.read(long_lines=task.long_lines)
        end = self._channel.judge(parts, tag, excused=task.excused)
        try:
            if end is None:
                task.hear(parts)
                return
            self._ahead.popleft()
            self._weight -= task.weight
            self._bytes -= size
            task.end(end)
        except ServerError as error:
            raise self._channel.fail(error) from None
