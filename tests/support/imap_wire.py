"""A bare IMAP client for tests: sends exactly what it is told and shows exactly what came back."""

import io
import re
import socket
import zlib
from dataclasses import dataclass
from typing import Any

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_PATIENCE = 5  # seconds; a server that says nothing for so long has hung


@dataclass(frozen=True, slots=True)
class Reply:
    """`untagged` responses, literals inside; `tagged` without its tag, such as b'OK [READ-ONLY] Examine completed.'"""

    untagged: list[bytes]
    tagged: bytes

    @property
    def status(self) -> str:
        """OK, NO or BAD."""
        return self.tagged.split()[0].decode()

    @property
    def code(self) -> str:
        """The response code's name, such as TRYCREATE, or ''."""
        match = re.match(rb"\w+ \[([A-Z-]+)", self.tagged)
        return match[1].decode() if match else ""


class Wire:
    """One connection. Closed by `with`."""

    def __init__(self, host: str, port: int, patience: float = _PATIENCE) -> None:
        self._socket = socket.create_connection((host, port), patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._deflate: Any = None  # zlib's compressor has no public name
        self._tags = 0
        self.greeting = self.response()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def compress(self) -> None:
        """COMPRESS DEFLATE (RFC 4978), and all that follows deflated."""
        self.ok("COMPRESS DEFLATE")
        self._deflate = zlib.compressobj(wbits=-15)
        self._file = io.BufferedReader(_Inflated(self._file))  # type: ignore[assignment]

    def send(self, data: bytes) -> None:
        """Bytes as they are, unless `compress` was called."""
        if self._deflate:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._socket.sendall(data)

    def response(self) -> bytes:
        """The next response, literals included, without its line end; b'' where the connection has ended."""
        text = self._file.readline()
        while match := _LITERAL.search(text):
            text += self._file.read(int(match[1])) + self._file.readline()
        return text.removesuffix(b"\r\n")

    def reply(self, tag: bytes) -> Reply:
        """Everything up to the response with `tag`; the tagged part is b'EOF' where the connection ends before."""
        untagged: list[bytes] = []
        while (response := self.response()) and not response.startswith(tag + b" "):
            untagged.append(response)
        return Reply(untagged, response.removeprefix(tag + b" ") or b"EOF")

    def command(self, line: str | bytes, *literals: bytes) -> Reply:
        """Send a line, then each of `literals` when the server asks for it.

        `line` ends with the first one's `{n}`; further ones are announced by this function, after a blank.
        """
        self._tags += 1
        tag = b"t%d" % self._tags
        self.send(tag + b" " + (line.encode() if isinstance(line, str) else line) + b"\r\n")
        for at, literal in enumerate(literals):
            answer = self.response()
            if not answer.startswith(b"+"):
                return Reply([], answer.removeprefix(tag + b" "))
            following = b" {%d}" % len(literals[at + 1]) if at + 1 < len(literals) else b""
            self.send(literal + following + b"\r\n")
        return self.reply(tag)

    def ok(self, line: str | bytes, *literals: bytes) -> list[bytes]:
        """The untagged responses of a command that must succeed."""
        reply = self.command(line, *literals)
        assert reply.status == "OK", reply
        return reply.untagged


class _Inflated(io.RawIOBase):
    """What a deflated stream says."""

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source
        self._inflate = zlib.decompressobj(wbits=-15)
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._source.read1()
            if not data:
                return 0
            self._ready = self._inflate.decompress(data)
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._source.close()
        super().close()
