"""The socket side of bulk work: commands out, responses in, one at a time.

A channel takes over a connection that `connect` has opened. Whatever breaks the conversation (BAD, an
unknown tag, bytes that are no IMAP, an end in the middle) closes the socket before the error is raised, so
that nothing that is sent later can be taken for something else.
"""

import select
import socket
import ssl
import zlib
from collections.abc import Callable, Generator
from contextlib import suppress
from time import monotonic
from typing import NoReturn

from hikkoshi.errors import ServerError
from hikkoshi.server import failures
from hikkoshi.server.connect import capabilities
from hikkoshi.server.deflate import Deflated
from hikkoshi.server.lexer import MAX_LINE, MAX_RESPONSE, Framer, Parts, Status, status
from hikkoshi.server.line import LineMeter, UplinkMeter, sending
from hikkoshi.server.transport import GuardedIMAP4

_RECEIVE = 1 << 18
_SEND = 1 << 16
_GOODBYE_SECONDS = 2.0

Refusal = Callable[[Status], ServerError]
"""Makes the error for a NO."""


class Channel:
    """One connection for bulk work. One thread owns it."""

    def __init__(self, imap: GuardedIMAP4) -> None:
        self.capabilities = capabilities(imap)
        self.may_compress = "COMPRESS=DEFLATE" in self.capabilities
        """Whether the server offers to, and was not asked yet."""
        self.host: str = imap.host
        self.closed = False
        self._imap = imap  # keeps the socket
        self._socket: socket.socket | Deflated = imap.sock
        self.meter = LineMeter()
        self._uplink = UplinkMeter()
        self._framer = Framer()
        self._framer.feed(bytes(imap.received))
        self._tags = 0

    def should_compress(self, remaining: int) -> bool:
        """Whether the line is so slow that the `remaining` bytes of mail had better be compressed; to be asked often."""
        if not self.may_compress or self.closed or isinstance(self._socket, Deflated):
            return False
        now = sending(self._socket)
        return now is not None and self._uplink.worth(now, remaining)

    def compress(self) -> bool:
        """Deflate both directions from here on (RFC 4978), while no command is under way; False: the server would not."""
        assert isinstance(self._socket, socket.socket), "it is compressed already"
        self.may_compress = False
        tag = self.start(b"COMPRESS DEFLATE")
        while (end := self.judge(self.read(), tag)) is None:
            pass
        if end.kind != "OK":
            return False
        # What came behind the OK is deflated.
        received = self._framer.rest()
        self._framer.skip(len(received))
        self._socket = Deflated(self._socket, received)
        return True

    def start(self, command: bytes) -> bytes:
        """Send a command line (without tag and line end); gives its tag."""
        tag = self.next_tag()
        self.send(tag + b" " + command + b"\r\n")
        return tag

    def next_tag(self) -> bytes:
        """A tag that was never used on this connection."""
        self._tags += 1
        return b"h%d" % self._tags

    def send(self, data: bytes | memoryview) -> None:
        """Send all of `data`; each wait for the server has the login's time limit."""
        if self.closed:
            raise failures.lost(self.host)
        view = memoryview(data)
        self.meter.asked(monotonic())
        try:
            while view:
                view = view[self._socket.send(view[:_SEND]) :]
        except OSError as error:
            self._fail_sending(error)

    def _fail_sending(self, error: OSError) -> NoReturn:
        """The server may have said why before it went away."""
        farewell: BaseException | bytes = error
        with suppress(OSError, ServerError):
            self._socket.settimeout(_GOODBYE_SECONDS)
            while data := self._receive():
                self._framer.feed(data)
        with suppress(ServerError):
            for parts in self._framer:
                said = status(parts[0])
                if said and said.kind == "BYE":
                    farewell = said.words
        raise self.fail(failures.lost(self.host, farewell)) from None

    def overheard(self) -> Parts | None:
        """Wait until more can be sent or the server says something; the next whole response, None if none is there.

        Sending alone would not hear a server that has stopped reading because of what it read.
        """
        if self.closed:
            raise failures.lost(self.host)
        patience = self._socket.gettimeout()
        try:
            waits = isinstance(self._socket, Deflated) and self._socket.waiting
            readable, writable, _ = select.select([self._socket], [self._socket], [], 0 if waits else patience)
            readable = readable or ([self._socket] if waits else [])
            if not readable and not writable:
                raise TimeoutError
            if readable:
                self._socket.settimeout(0)
                # TLS may have had something to say that is none of ours: then there is nothing to receive.
                with suppress(BlockingIOError, ssl.SSLWantReadError):
                    data = self._receive()
                    if not data:
                        raise failures.lost(self.host)
                    self._framer.feed(data)
                self._socket.settimeout(patience)
            return self._framer.next()
        except OSError as error:
            raise self.fail(failures.lost(self.host, error)) from None
        except ServerError:
            self.close()
            raise

    def read(self, max_response: int = MAX_RESPONSE, *, long_lines: bool = False) -> Parts:
        """The next response, of at most `max_response` bytes; a line of it may be as long with `long_lines`."""
        if self.closed:
            raise failures.lost(self.host)
        self._framer.max_response = max_response
        self._framer.max_line = max_response if long_lines else MAX_LINE
        try:
            while (parts := self._framer.next()) is None:
                self._hear()
        except ServerError:
            self.close()
            raise
        return parts

    def take(self, read: Callable[[bytes], tuple[int, int, bool]]) -> int:
        """Let `read` take whole responses from the bytes at hand; how many it took.

        `read` is given the bytes from the start of a response on. It returns how many responses it has taken, how
        many bytes that were, and whether the response behind them is sure to need more: only then, or where there is
        none yet, is there a wait.
        """
        if self.closed:
            raise failures.lost(self.host)
        while True:
            data = self._framer.rest()
            if not data and not self._framer.partway:
                self._hear()
                continue
            count, size, cut = read(data)
            self._framer.skip(size)
            if count or not cut:
                return count
            self._hear()

    def _hear(self) -> None:
        """Wait for bytes from the server."""
        try:
            data = self._receive()
        except OSError as error:
            raise self.fail(failures.lost(self.host, error)) from None
        if not data:
            raise self.fail(failures.lost(self.host))
        self.meter.heard(len(data), monotonic())
        self._framer.feed(data)

    def _receive(self) -> bytes:
        """Bytes from the server, b"" at the end. Raises `OSError`; ProtocolBroken where they are not deflated as agreed."""
        try:
            return self._socket.recv(_RECEIVE)
        except zlib.error as error:
            raise self.broken(str(error).encode()) from None

    def answers(self, tag: bytes, refusal: Refusal, max_response: int = MAX_RESPONSE) -> Generator[Parts, None, Status]:
        """The untagged responses up to the command's end; returns its OK, raises `refusal` for a NO.

        Giving up in the middle closes the connection: what is still to come belongs to this command.
        """
        done = False
        try:
            while True:
                parts = self.read(max_response)
                end = self.judge(parts, tag)
                if end is None:
                    yield parts
                    continue
                done = True
                if end.kind != "OK":
                    raise refusal(end)
                return end
        finally:
            if not done:
                self.close()

    def judge(self, parts: Parts, tag: bytes, excused: Callable[[], bool] | None = None) -> Status | None:
        """None for an untagged response, the OK or NO that ends the command `tag`; anything else is broken.

        `excused`: whether a BAD to this command is no more than a NO.
        """
        line = parts[0]
        if line.startswith(b"* "):
            said = status(line)
            if said and said.kind == "BYE":
                raise self.fail(failures.lost(self.host, said.words))
            if said and said.kind == "BAD":
                raise self.fail(failures.broken(self.host, line))
            return None
        said = status(line)
        if said is not None and said.tag == tag and said.kind == "BAD" and excused is not None and excused():
            return said
        if said is None or said.tag != tag or said.kind not in ("OK", "NO"):
            raise self.fail(failures.broken(self.host, line))
        return said

    def fail(self, error: ServerError) -> ServerError:
        """Close the socket at once; gives `error` back, to be raised."""
        self.close()
        return error

    def broken(self, line: bytes) -> ServerError:
        """Close the socket at once; gives the error for an answer that makes no sense."""
        return self.fail(failures.broken(self.host, line))

    def close(self) -> None:
        """Close the socket, as it is."""
        if not self.closed:
            self.closed = True
            self._imap.shutdown()

    def say_goodbye(self) -> None:
        """LOGOUT, and close; nobody waits for the answer."""
        if not self.closed:
            self.closed = True
            with suppress(OSError):
                self._socket.settimeout(_GOODBYE_SECONDS)
                self._socket.send(b"bye LOGOUT\r\n")
            self._imap.shutdown()
