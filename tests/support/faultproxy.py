"""A proxy that harms a connection: cut, changed, swallowed or late answers, and a record of what was sent.

    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.cut_after(up=100)
        ... connect to proxy.host, proxy.port

It reads lines from the server, so it needs a connection without TLS to change them.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable

_CHUNK = 1 << 16

Change = Callable[[bytes], bytes | None]
"""From a line of the server (with its line end) to what goes on instead; None: nothing."""


class FaultProxy:
    """Forwards connections to one server until told otherwise. The settings may be changed at any time.

    `change`: what is made of each line of the server. `sent`: all that clients have sent, `answered`: the
    bytes that went to them. `delay`: seconds before each chunk of the server goes on. `hidden`: capabilities that the
    server shall seem not to have.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.sent = bytearray()
        self.answered = 0
        self.change: Change | None = None
        self.delay = 0.0
        self.hidden: tuple[str, ...] = ()
        self._cut_up: int | None = None
        self._cut_down: int | None = None
        self._stall_up: int | None = None
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._closing = threading.Event()
        self._run(self._accept)

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def cut_after(self, up: int | None = None, down: int | None = None) -> None:
        """Close both ends once this many more bytes went up to the server, or down to the client."""
        self._cut_up = None if up is None else len(self.sent) + up
        self._cut_down = None if down is None else self.answered + down

    def stall_after(self, up: int) -> None:
        """Take no more from the client once this many more bytes went up; answers still come down."""
        self._stall_up = len(self.sent) + up

    def close(self) -> None:
        """Close everything and wait for its threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._hang_up(*self._sockets)
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(self._upstream)
            except OSError:  # a server that is down looks like one that hangs up at once
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += (client, server)
            self._run(self._up, client, server)
            self._run(self._down, server, client)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                room = len(data) if self._cut_up is None else self._cut_up - len(self.sent)
                self.sent += data[:room]
                server.sendall(data[:room])
                if room < len(data) or self._cut_up == len(self.sent):
                    break
                if self._stall_up is not None and len(self.sent) >= self._stall_up:
                    self._closing.wait()
        self._hang_up(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                self._closing.wait(self.delay)
                *lines, rest = (rest + data).split(b"\n")
                change = self.change or (lambda line: line)
                out = b"".join(change(self._less(line) + b"\n") or b"" for line in lines)
                if self.change is None and not self.hidden:
                    out, rest = out + rest, b""
                room = len(out) if self._cut_down is None else self._cut_down - self.answered
                self.answered += min(room, len(out))
                client.sendall(out[:room])
                if room < len(out) or self._cut_down == self.answered:
                    break
        self._hang_up(client, server)

    def _less(self, line: bytes) -> bytes:
        if not self.hidden or b"CAPABILITY" not in line:
            return line
        words = b"|".join(re.escape(word.encode()) for word in self.hidden)
        return re.sub(rb" (?:" + words + rb")(?=[ \]\r])", b"", line)

    def _hang_up(self, *ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
