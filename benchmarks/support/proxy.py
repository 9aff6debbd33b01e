"""A proxy that delays, limits and counts: `python proxy.py PORT RTT_MS UP DOWN`, in a process of its own.

It prints the port it listens on, and for each line of its standard input a `Record`, as JSON, of what went through
since the last one.

Round trips are counted as the longest chain of flights: what a client sends after it has heard something is one
step further than that, and an answer is as far as the last thing that had reached the server on its connection. So
commands sent together are one round trip, connections opened side by side cost as one, and an answer that nobody
waited for (the connection was closed by then) counts nothing. Give it some milliseconds of RTT, so that what
happens at the same time is seen so.
"""

import contextlib
import heapq
import itertools
import os
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import msgspec

_CHUNK = 1 << 16


class Record(msgspec.Struct):
    """What went through. `round_trips`: after the first greeting; `connections`; bytes from and to the clients."""

    round_trips: int
    connections: int
    up: int
    down: int


class Proxied:
    """A running proxy in front of a port of this machine; reached at 127.0.0.1:`port`."""

    def __init__(self, port: int, *, rtt: float = 0, up: float | None = None, down: float | None = None) -> None:
        """`rtt` in milliseconds, `up` and `down` in Mbit/s."""
        command = [sys.executable, __file__, str(port), str(rtt), str(up or 0), str(down or 0)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None) -> None:
        self.close()

    def take(self) -> Record:
        """What went through since the last time; ask when the client has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Record)

    def close(self) -> None:
        """End it."""
        self._process.communicate(b"")


@dataclass(slots=True)
class _Connection:
    """`opened`: when its handshake is over; `asked`: the step of what last reached the server."""

    client: socket.socket
    opened: float
    asked: int
    server: socket.socket | None = None
    client_gone: bool = False
    free: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})


@dataclass(order=True, slots=True)
class _Parcel:
    """Something on its way: data, the end of a direction (b''), or (None) the connection itself."""

    due: float
    number: int
    connection: _Connection = field(compare=False)
    upward: bool = field(compare=False)
    data: bytes | None = field(compare=False)
    step: int = field(compare=False)


class _Proxy:
    def __init__(self, port: int, rtt: float, up: float, down: float) -> None:
        self._upstream = ("127.0.0.1", port)
        self._rtt = rtt
        self._rates = {True: up, False: down}
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._on_the_way: list[_Parcel] = []
        self._numbers = itertools.count()
        self._heard = 0
        self.record = Record(0, 0, 0, 0)

    def run(self) -> None:
        print(self._listener.getsockname()[1], flush=True)
        while True:
            first = self._on_the_way[0].due if self._on_the_way else None
            for key, _events in self._selector.select(None if first is None else max(0, first - time.monotonic())):
                if key.fileobj is sys.stdin:
                    if not os.read(0, 1):
                        return
                    self._tell()
                    continue
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read(*key.data)
            while self._on_the_way and self._on_the_way[0].due <= time.monotonic():
                self._deliver(heapq.heappop(self._on_the_way))

    def _tell(self) -> None:
        print(msgspec.json.encode(self.record).decode(), flush=True)
        self.record, self._heard = Record(0, 0, 0, 0), 0

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Over a real line SYN, SYN-ACK and ACK are a round trip and a half before the server greets.
        now = time.monotonic()
        connection = _Connection(client, now + 1.5 * self._rtt, self._heard + 1)
        self.record.connections += 1
        self._post(connection, True, None, connection.opened)
        self._selector.register(client, selectors.EVENT_READ, (connection, True))

    def _read(self, connection: _Connection, upward: bool) -> None:
        source = connection.client if upward else connection.server
        assert source is not None
        try:
            data = source.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(source)
            connection.client_gone = connection.client_gone or upward
        now = time.monotonic()
        if upward:
            self.record.up += len(data)
        begin = max(now, connection.free[upward])
        rate = self._rates[upward]
        connection.free[upward] = begin + (len(data) / rate if rate else 0)
        due = connection.free[upward] + self._rtt / 2
        self._post(connection, upward, data, max(due, connection.opened) if upward else due)

    def _post(self, connection: _Connection, upward: bool, data: bytes | None, due: float) -> None:
        step = self._heard + 1 if upward else connection.asked
        heapq.heappush(self._on_the_way, _Parcel(due, next(self._numbers), connection, upward, data, step))

    def _deliver(self, parcel: _Parcel) -> None:
        connection = parcel.connection
        if parcel.data is None:
            connection.server = socket.create_connection(self._upstream)
            connection.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(connection.server, selectors.EVENT_READ, (connection, False))
            return
        target = connection.server if parcel.upward else connection.client
        assert target is not None
        with contextlib.suppress(OSError):  # the other side is gone
            if parcel.data:
                target.sendall(parcel.data)
            else:
                target.shutdown(socket.SHUT_WR)
        if not parcel.data:
            return
        if parcel.upward:
            connection.asked = max(connection.asked, parcel.step)
        else:
            self.record.down += len(parcel.data)
            if not connection.client_gone:
                self._heard = max(self._heard, parcel.step)
                # The first step is the connection that brings the greeting.
                self.record.round_trips = self._heard - 1


def main() -> None:
    """Serve until standard input ends."""
    port, rtt, up, down = int(sys.argv[1]), *map(float, sys.argv[2:5])
    _Proxy(port, rtt / 1000, up * 125_000, down * 125_000).run()


if __name__ == "__main__":
    main()
