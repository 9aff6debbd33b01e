"""The proxy that delays and counts, before a small server that answers each line."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from support.proxy import Proxied

RTT = 60


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server that greets and answers each line with `ok`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as file:
            file.write(b"* hello\n")
            file.flush()
            for _line in file:
                file.write(b"ok\n")
                file.flush()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@contextlib.contextmanager
def connected(port: int) -> Iterator[tuple[socket.socket, Iterator[bytes]]]:
    with socket.create_connection(("127.0.0.1", port), 10) as client, client.makefile("rb") as answers:
        assert answers.readline() == b"* hello\n"
        yield client, answers


def test_lines_that_wait_for_each_other_are_a_round_trip_each(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        with connected(proxy.port) as (client, answers):
            for _ in range(3):
                client.sendall(b"question\n")
                assert next(answers) == b"ok\n"
        record = proxy.take()
    assert (record.round_trips, record.connections, record.up) == (3, 1, 27)


def test_lines_sent_together_are_one_round_trip(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        with connected(proxy.port) as (client, answers):
            client.sendall(b"one\n")
            client.sendall(b"two\n")
            assert [next(answers), next(answers)] == [b"ok\n", b"ok\n"]
        assert proxy.take().round_trips == 1


def test_a_farewell_that_nobody_waits_for_is_none(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        with connected(proxy.port) as (client, answers):
            client.sendall(b"question\n")
            next(answers)
            client.sendall(b"bye\n")
        assert proxy.take().round_trips == 1


def test_a_connection_made_after_an_answer_costs_one_too(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        with connected(proxy.port), connected(proxy.port) as (client, answers):
            client.sendall(b"question\n")
            next(answers)
        record = proxy.take()
    assert (record.round_trips, record.connections) == (2, 2)


def test_each_record_begins_anew(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        for _ in range(2):
            with connected(proxy.port) as (client, answers):
                client.sendall(b"question\n")
                next(answers)
            assert proxy.take().round_trips == 1
        assert proxy.take().connections == 0


def test_it_delays_as_a_line_does(server: int) -> None:
    with Proxied(server, rtt=RTT) as proxy:
        begin = time.monotonic()
        with connected(proxy.port) as (client, answers):
            greeted = time.monotonic() - begin
            client.sendall(b"question\n")
            next(answers)
            answered = time.monotonic() - begin
    # SYN and SYN-ACK, then ACK and the greeting: two round trips; then one for the question.
    assert 2 * RTT / 1000 <= greeted < 10 * RTT / 1000
    assert answered >= 3 * RTT / 1000


def test_it_limits_the_bandwidth(server: int) -> None:
    with Proxied(server, up=8) as proxy, connected(proxy.port) as (client, answers):
        begin = time.monotonic()
        client.sendall(b"x" * 500_000 + b"\n")
        next(answers)
        assert 0.45 <= time.monotonic() - begin < 2
