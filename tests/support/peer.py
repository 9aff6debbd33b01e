"""A server that says what it is told: for answers that no server at hand can be made to give.

    def reply(tag: bytes, command: bytes) -> bytes | None: ...
    with Peer(reply) as peer: connect to peer.host, peer.port

`reply` is asked for each command line (a literal is part of it) and gives the bytes of the answer; None
closes the connection. CAPABILITY and the login are answered by the peer itself.
"""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable

Reply = Callable[[bytes, bytes], bytes | None]


class Peer:
    """Answers one connection after the other.

    `received`: all bytes that clients have sent. `refuse_early`: a NO with this text is said to the next literal
    of a `{n+}` before it is read, and nothing behind it. `go_ahead` False: a synchronising literal is not asked for;
    `reply` then sees the line alone. `context`: TLS from the first byte.
    """

    def __init__(
        self,
        reply: Reply = lambda _tag, _command: None,
        *,
        capabilities: bytes = b"IMAP4rev1 AUTH=PLAIN",
        greeting: bytes = b"* OK ready\r\n",
        go_ahead: bool = True,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._reply, self._capabilities, self._greeting = reply, capabilities, greeting
        self._go_ahead, self._context = go_ahead, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.received = bytearray()
        self.refuse_early = b""
        self._current: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_exc: object) -> None:
        for end in (self._listener, self._current):
            with contextlib.suppress(OSError, AttributeError):
                end.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                self._current = self._listener.accept()[0]
            except OSError:
                return
            with self._current, contextlib.suppress(OSError):
                if self._context is None:
                    self._talk(self._current)
                    continue
                with self._context.wrap_socket(self._current, server_side=True) as secured:
                    self._talk(secured)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(self._greeting)
        reader = connection.makefile("rb")
        with reader:
            while line := self._command(connection, reader):
                tag, _, command = line.partition(b" ")
                answer = self._own_answer(connection, reader, tag, command)
                if answer is None:
                    answer = self._reply(tag, command.removesuffix(b"\r\n"))
                if answer is None:
                    return
                connection.sendall(answer)

    def _command(self, connection: socket.socket, reader) -> bytes:
        line = reader.readline()
        self.received += line
        while match := re.search(rb"\{(\d+)(\+?)\}\r\n\Z", line):
            if not match[2]:
                if not self._go_ahead:
                    return line
                connection.sendall(b"+ go ahead\r\n")
            early, self.refuse_early = self.refuse_early, b""
            if early:
                connection.sendall(line.split(b" ")[0] + b" NO " + early + b"\r\n")
            more = reader.read(int(match[1])) + reader.readline()
            self.received += more
            if early:
                return self._command(connection, reader)
            line += more
        return line

    def _own_answer(self, connection: socket.socket, reader, tag: bytes, command: bytes) -> bytes | None:
        verb = command.strip().upper()
        if verb == b"CAPABILITY":
            return b"* CAPABILITY " + self._capabilities + b"\r\n" + tag + b" OK done\r\n"
        if verb.startswith(b"AUTHENTICATE PLAIN ") and b"SASL-IR" in self._capabilities:
            return tag + b" OK in\r\n"
        if verb == b"AUTHENTICATE PLAIN":
            connection.sendall(b"+ \r\n")
            self.received += reader.readline()
            return tag + b" OK in\r\n"
        if verb == b"LOGOUT":
            return b"* BYE bye\r\n" + tag + b" OK bye\r\n"
        return None
