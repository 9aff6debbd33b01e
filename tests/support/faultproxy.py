"""A proxy that harms a connection: cut, changed, swallowed, refused, slow or late, and a record of what was sent.

    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.cut_after(up=100)
        ... connect to proxy.host, proxy.port

    proxy.at_answer(b"APPEND", 3, swallow)                       # the third APPEND is carried out and never answered
    proxy.at_answer(b"APPEND", 3, instead(b"NO [LIMIT] Enough")) # carried out, and denied
    proxy.at_answer(b"APPEND", 3, farewell(b"Going down"))       # BYE in front of the answer, and the end
    proxy.refuse(b"APPEND", 3, b"BAD Command Argument Error. 11") # the server never hears of it
    proxy.cut_in_literal(5, 0.5)

It reads lines from the server, so it needs a connection without TLS to change them.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from support.commands import Command, CommandReader, Piece

_CHUNK = 1 << 16

Change = Callable[[bytes], bytes | None]
"""From a line of the server (with its line end) to what goes on instead; None: nothing."""


class Last(bytes):
    """What a `Change` gives where the line is to be cut behind it."""


def swallow(_line: bytes) -> None:
    """A `Change`: nothing goes on."""


def instead(words: bytes) -> Change:
    """A `Change`: these words behind the tag, such as b"NO [OVERQUOTA] Full"."""
    return lambda line: line.split(b" ", 1)[0] + b" " + words + b"\r\n"


def farewell(words: bytes, *, after: bool = False) -> Change:
    """A `Change`: BYE in front of the line, or `after` it, and the end of the connection."""
    return lambda line: Last((line if after else b"") + b"* BYE " + words + b"\r\n")


@dataclass(eq=False)
class _Connection:
    """A client, the server that it thinks it talks to, and where their conversation is."""

    client: socket.socket
    server: socket.socket
    reader: CommandReader = field(default_factory=CommandReader)
    commands: dict[bytes, tuple[Command, int]] = field(default_factory=dict)
    """By tag, with the number that each has among those of its verb."""
    up: int = 0
    cut_at: int | None = None
    refused: bytes | None = None
    """What the command that is being sent is answered with, without the server; `refused_once`: it was."""
    refused_once: bool = False
    deaf: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class _Rule:
    """What is done at the `number`-th command of this verb."""

    verb: bytes
    number: int
    do: Change


class FaultProxy:
    """Forwards connections to one server until told otherwise. The settings may be changed at any time.

    `change`: what is made of each line of the server; `change_up`: of what comes from a client at a time. `sent`: all that
    went up to the server, `answered`: the bytes that went to clients. `delay`: seconds before each chunk of the server goes
    on; `rate`: bytes a second in each direction of each connection. `hidden`: capabilities that the server shall seem not
    to have, `shown`: those that it shall seem to have besides. `harmed`: what was done to the line, in its order; what
    `change` and `change_up` do is not in it.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.sent = bytearray()
        self.answered = 0
        self.change: Change | None = None
        self.change_up: Callable[[bytes], bytes] | None = None
        self.delay = 0.0
        self.rate: int | None = None
        self.hidden: tuple[str, ...] = ()
        self.shown: tuple[str, ...] = ()
        self.harmed: list[str] = []
        self.counts: dict[bytes, int] = {}
        """How many commands of each verb came."""
        self.literals = 0
        self._cut_up: int | None = None
        self._cut_down: int | None = None
        self._cut_once = False
        self._stall_up: int | None = None
        self._literal: tuple[int, float] | None = None
        self._answers: list[_Rule] = []
        self._refusals: list[_Rule] = []
        self._counting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._connections: list[_Connection] = []
        self._closing = threading.Event()
        self._run(self._accept)

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def cut_after(self, up: int | None = None, down: int | None = None, *, once: bool = False) -> None:
        """Close both ends once this many more bytes went up to the server, or down to the client.

        Connections that are made behind that are cut at once, or whole again with `once`.
        """
        self._cut_up = None if up is None else len(self.sent) + up
        self._cut_down = None if down is None else self.answered + down
        self._cut_once = once

    def cut_in_literal(self, number: int, part: float = 0.5) -> None:
        """Close both ends once this part of the `number`-th literal went up."""
        self._literal = number, part

    def stall_after(self, up: int) -> None:
        """Take no more from the client once this many more bytes went up; answers still come down."""
        self._stall_up = len(self.sent) + up

    def at_answer(self, verb: bytes, number: int, do: Change) -> None:
        """Have `do` done to the end (OK, NO or BAD) of the `number`-th command of this verb, of all connections."""
        self._answers.append(_Rule(verb, number, do))

    def refuse(self, verb: bytes, number: int, words: bytes) -> None:
        """Answer the `number`-th command of this verb with `words` behind its tag; the server does not hear of it.

        Only of connections that are made behind this. BAD comes at once, NO when the command is over, or instead of the
        go-ahead for its literal.
        """
        self._refusals.append(_Rule(verb, number, instead(words)))

    def drain(self, seconds: float = 10) -> None:
        """Wait until the server has hung up on every client that is gone, having done all that it was told."""
        for connection in self._connections:
            assert connection.over.wait(seconds), "the server does not hang up"

    def close(self) -> None:
        """Close everything and wait for its threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._connections:
            self._cut_off(each.client, each.server)
        for thread in self._threads:
            thread.join(5)
        for each in self._connections:
            each.client.close()
            each.server.close()

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
            connection = _Connection(client, server)
            self._connections.append(connection)
            self._run(self._up, connection)
            self._run(self._down, connection)

    def _up(self, connection: _Connection) -> None:
        holding = bool(self._refusals)
        try:
            while data := connection.client.recv(_CHUNK):
                if self.change_up:
                    data = self.change_up(data)
                self._pace(len(data))
                pieces = list(connection.reader.feed(data))
                for piece in pieces:
                    self._note(connection, piece)
                if holding:
                    data = b"".join(piece.data for piece in pieces if not self._refused(connection, piece))
                if self._forward(connection, data):
                    self._cut_off(connection.client)
                    break
                if self._stall_up is not None and len(self.sent) >= self._stall_up:
                    self._closing.wait()
        except OSError:
            pass
        # The client is gone, or cut off; the server may do all that it was told, and nobody hears of it.
        connection.deaf = True
        with contextlib.suppress(OSError):
            connection.server.shutdown(socket.SHUT_WR)

    def _forward(self, connection: _Connection, data: bytes) -> bool:
        """Send to the server what it may have; whether the line is to be cut behind it."""
        room = len(data)
        if self._cut_up is not None:
            room = max(0, min(room, self._cut_up - len(self.sent)))
        if connection.cut_at is not None:
            room = min(room, connection.cut_at - connection.up)
        self.sent += data[:room]
        connection.up += room
        connection.server.sendall(data[:room])
        if self._cut_up is not None and len(self.sent) >= self._cut_up:
            self._cut("up")
        elif connection.cut_at is None or connection.up < connection.cut_at:
            return False
        else:
            self.harmed.append("literal cut")
        return True

    def _note(self, connection: _Connection, piece: Piece) -> None:
        """Count what came, and remember whose answer is to be harmed."""
        with self._counting:
            if piece.begins and piece.command is not None and piece.command.verb:
                number = self.counts[piece.command.verb] = self.counts.get(piece.command.verb, 0) + 1
                connection.commands[piece.command.tag] = piece.command, number
            if piece.announced is not None:
                self.literals += 1
                if self._literal is not None and self._literal[0] == self.literals:
                    start = piece.at + len(piece.data)
                    connection.cut_at = start + int(piece.announced * self._literal[1])

    def _refused(self, connection: _Connection, piece: Piece) -> bool:
        """Whether the server is not to hear of this piece, of a command that is answered here."""
        command = piece.command
        if command is not None and piece.begins:
            number = connection.commands.get(command.tag, (command, 0))[1]
            rules = [each for each in self._refusals if (each.verb, each.number) == (command.verb, number)]
            connection.refused = rules[0].do(command.tag) if rules else None
        answer = connection.refused
        if answer is None or command is None:
            return False
        early = answer.startswith(command.tag + b" BAD") and piece.begins
        if early or (not connection.refused_once and (piece.waits or piece.ends)):
            connection.refused_once = True
            self._answer_for_server(connection, answer)
        if piece.ends or piece.waits:
            connection.reader.answered(command.tag)
            connection.refused, connection.refused_once = None, False
        return True

    def _answer_for_server(self, connection: _Connection, answer: bytes) -> None:
        self.harmed.append(f"refused {answer.decode().strip()}")
        with connection.lock:
            connection.client.sendall(answer)

    def _down(self, connection: _Connection) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := connection.server.recv(_CHUNK):
                if connection.deaf:
                    continue
                self._closing.wait(self.delay)
                *lines, rest = (rest + data).split(b"\n")
                out, last = b"", False
                for line in lines:
                    changed = self._changed(connection, self._disguised(line) + b"\n")
                    out += changed or b""
                    if isinstance(changed, Last):
                        last = True
                        break
                if not self._by_lines and not last:
                    out, rest = out + rest, b""
                room = len(out) if self._cut_down is None else max(0, self._cut_down - self.answered)
                self._pace(min(room, len(out)))
                self.answered += min(room, len(out))
                try:
                    with connection.lock:
                        connection.client.sendall(out[:room])
                except OSError:
                    connection.deaf = True
                if self._cut_down is not None and self.answered >= self._cut_down:
                    self._cut("down")
                    last = True
                if last:
                    connection.deaf = True
                    self._cut_off(connection.client)
        connection.over.set()
        self._cut_off(connection.client, connection.server)

    @property
    def _by_lines(self) -> bool:
        return bool(self.change or self.hidden or self.shown or self._answers or self._refusals)

    def _changed(self, connection: _Connection, line: bytes) -> bytes | None:
        command, number = connection.commands.get(line.split(b" ", 1)[0], (None, 0))
        if command is not None:
            connection.reader.answered(command.tag)
            for rule in self._answers:
                if (rule.verb, rule.number) == (command.verb, number):
                    self.harmed.append(f"answer {number} to {command.verb.decode()}")
                    return rule.do(line)
        return self.change(line) if self.change else line

    def _disguised(self, line: bytes) -> bytes:
        if b"CAPABILITY" not in line:
            return line
        if self.hidden:
            words = b"|".join(re.escape(word.encode()) for word in self.hidden)
            line = re.sub(rb" (?:" + words + rb")(?=[ \]\r])", b"", line)
        if self.shown:
            more = " ".join(self.shown).encode()
            line = re.sub(rb"CAPABILITY IMAP4rev1", lambda found: found[0] + b" " + more, line)
        return line

    def _pace(self, size: int) -> None:
        if self.rate:
            self._closing.wait(size / self.rate)

    def _cut(self, where: str) -> None:
        self.harmed.append(f"cut {where}")
        if self._cut_once:
            self._cut_up = self._cut_down = None

    def _cut_off(self, *ends: socket.socket) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
