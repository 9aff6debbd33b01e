import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.line import Line, network
from support.timing import run

MEASURE = """
import socket, sys, time
begin = time.monotonic()
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as client:
    connected = time.monotonic() - begin
    client.sendall(b"?")
    client.recv(1)
    print(connected, time.monotonic() - begin)
"""


@contextmanager
def echo(address: str) -> Iterator[int]:
    listener = socket.create_server((address, 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                with connection:
                    connection.sendall(connection.recv(1))

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def times(line: Line, port: int) -> tuple[float, float]:
    host, reached = line.reach(port)
    done = run([sys.executable, "-c", MEASURE, host, str(reached)], surroundings=line.surroundings)
    connected, answered = map(float, done.output.split())
    return connected, answered


def test_without_root_a_proxy_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with network() as net, echo(net.listen) as port, net.line(40) as line:
        assert line.how == "RTT 40 ms by a delaying proxy (namespaces need root)"
        assert 0.08 <= times(line, port)[1] < 1


def test_as_root_a_real_line_delays_handshakes_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    before = Path("/proc/thread-self/ns/net").readlink()
    with network() as net:
        if net.listen == "127.0.0.1":
            pytest.skip("this machine has neither netem nor TUN")
        with echo(net.listen) as port:
            with net.line(0) as line:
                assert times(line, port)[1] < 0.5
            for rtt in (40, 80):
                with net.line(rtt) as line:
                    assert f"RTT {rtt} ms by " in line.how
                    connected, answered = times(line, port)
                    assert rtt / 1000 <= connected < rtt / 1000 + 0.5
                    assert 2 * rtt / 1000 <= answered < 2 * rtt / 1000 + 0.5
    assert Path("/proc/thread-self/ns/net").readlink() == before
