"""Commands sent ahead of their answers, which are told apart by their tags (RFC 3501 section 5.5).

Only commands that change nothing and carry no literal may go this way: those that look.

A server may work at several at once and end them in any order, as Dovecot does when it goes on to the next command
while a FETCH or LIST waits for the line. Only what would be ambiguous must keep its place: nothing overtakes the
opening of a folder (`Task.fence`). What changes how others are answered waits until there are none (`Task.alone`).
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

    Untagged responses do not say whose they are: `hear` gets all that come while this is the first under way, those
    to commands sent behind it too, up to the next `fence`: one that the server must answer in its place.
    `alone`: goes out when nothing else is under way.
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
    fence: bool = False
    alone: bool = False


class Pipeline:
    """Runs tasks on a channel, as many ahead as the window takes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ahead: deque[tuple[bytes, Task, int]] = deque()
        self._held: Task | None = None  # until nothing is under way
        self._weight = self._bytes = self._long_lined = 0

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
        while self._weight < _WINDOW and self._bytes < _ROOM and (task := self._held or source()) is not None:
            self._held = task if task.alone and self._ahead else None
            if self._held is not None:
                break
            tag = self._channel.next_tag()
            line = tag + b" " + task.command + b"\r\n"
            self._ahead.append((tag, task, len(line)))
            self._weight += task.weight
            self._bytes += len(line)
            self._long_lined += task.long_lines
            task.sent(tag)
            lines.append(line)
        if lines:
            self._channel.send(b"".join(lines))

    def _hear(self) -> None:
        """The next response, or all that are at hand where the task reads many at once."""
        first = self._ahead[0][1]
        if first.batch is not None and self._channel.take(first.batch):
            return
        parts = self._channel.read(long_lines=self._long_lined > 0)
        place = self._place(parts[0])
        tag, task, size = self._ahead[place]
        end = self._channel.judge(parts, tag, excused=task.excused)
        try:
            if end is None:
                first.hear(parts)
                return
            del self._ahead[place]
            self._weight -= task.weight
            self._bytes -= size
            self._long_lined -= task.long_lines
            task.end(end)
        except ServerError as error:
            raise self._channel.fail(error) from None

    def _place(self, line: bytes) -> int:
        """Which of those under way the response ends; the first where it ends none that may end now."""
        tag = line.split(b" ", 1)[0]
        if tag != b"*":
            for place, (own, task, _size) in enumerate(self._ahead):
                if own == tag and not (place and task.fence):
                    return place
                if task.fence:
                    break
        return 0
