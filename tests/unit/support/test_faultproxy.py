"""The proxy that harms the tests' lines does to them what it is told, and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from support.faultproxy import FaultProxy, farewell, instead, swallow

PATIENCE = 5


class Echo:
    """A server that knows one thing: it answers each line `tag WORD …` with `tag OK WORD`, having read its literals.

    `heard`: all that came; `ended`: clients that hung up.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self.heard = b""
        self.ended = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ MULTIAPPEND] ready\r\n")
        rest = b""
        while data := client.recv(1 << 16):
            self.heard += data
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                words = line.split()
                if len(words) > 1 and words[0].startswith(b"h"):
                    client.sendall(words[0] + b" OK " + words[1] + b"\r\n")
        client.close()
        self.ended.release()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def proxy(server: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(server.host, server.port) as made:
        yield made


class Client:
    """A connection through the proxy."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._socket = socket.create_connection((proxy.host, proxy.port), PATIENCE)
        self._file = self._socket.makefile("rb")
        self.greeting = self.line()

    def line(self) -> bytes:
        """The next line, b"" at the end."""
        try:
            return self._file.readline()
        except ConnectionResetError:
            return b""

    def say(self, data: bytes) -> bytes:
        """Send, and take one line."""
        self._socket.sendall(data)
        return self.line()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[Client]:
    made = Client(proxy)
    yield made
    made.close()


def wait_for(server: Echo, heard: bytes) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.heard != heard:
        assert time.monotonic() < deadline, server.heard
        threading.Event().wait(0.005)


def test_unharmed_it_changes_nothing(server: Echo, proxy: FaultProxy, client: Client) -> None:
    assert client.say(b"h1 NOOP\r\n") == b"h1 OK NOOP\r\n"
    assert (server.heard, bytes(proxy.sent), proxy.harmed) == (b"h1 NOOP\r\n", b"h1 NOOP\r\n", [])


@pytest.mark.parametrize("count", [0, 1, 5, 8])
def test_cut_on_the_way_up(server: Echo, proxy: FaultProxy, client: Client, count: int) -> None:
    proxy.cut_after(up=count, once=True)

    assert client.say(b"h1 NOOP\r\n") == b""
    assert server.ended.acquire(timeout=PATIENCE)
    assert server.heard == b"h1 NOOP\r\n"[:count]
    assert proxy.harmed == ["cut up"]
    again = Client(proxy)
    assert again.say(b"h2 NOOP\r\n") == b"h2 OK NOOP\r\n"
    again.close()


@pytest.mark.parametrize("count", [0, 1, 9])
def test_cut_on_the_way_down(server: Echo, proxy: FaultProxy, client: Client, count: int) -> None:
    proxy.cut_after(down=count)

    assert client.say(b"h1 NOOP\r\n") == b"h1 OK NOOP\r\n"[:count]
    assert client.line() == b""
    assert server.heard == b"h1 NOOP\r\n"
    assert proxy.harmed == ["cut down"]
    later = socket.create_connection((proxy.host, proxy.port), PATIENCE)
    with later, later.makefile("rb") as file:
        assert file.read() == b"", "it stays cut"


@pytest.mark.parametrize(("part", "left"), [(0.0, b""), (0.5, b"01234"), (0.99, b"012345678")])
def test_half_a_literal(server: Echo, proxy: FaultProxy, client: Client, part: float, left: bytes) -> None:
    proxy.cut_in_literal(2, part)
    client.say(b"h1 APPEND a {3+}\r\nabc\r\n")

    assert client.say(b"h2 APPEND a {10+}\r\n0123456789\r\n") in (b"", b"h2 OK APPEND\r\n")
    assert server.ended.acquire(timeout=PATIENCE)
    assert server.heard.endswith(b"h2 APPEND a {10+}\r\n" + left)
    assert proxy.harmed == ["literal cut"]


def test_a_swallowed_answer(proxy: FaultProxy, client: Client) -> None:
    proxy.at_answer(b"APPEND", 2, swallow)

    assert client.say(b"h1 APPEND\r\nh2 APPEND\r\nh3 NOOP\r\n") == b"h1 OK APPEND\r\n"
    assert client.line() == b"h3 OK NOOP\r\n"
    assert proxy.harmed == ["answer 2 to APPEND"]


def test_another_answer(proxy: FaultProxy, client: Client) -> None:
    proxy.at_answer(b"APPEND", 1, instead(b"NO [LIMIT] Enough"))

    assert client.say(b"h1 APPEND\r\n") == b"h1 NO [LIMIT] Enough\r\n"
    assert client.say(b"h2 APPEND\r\n") == b"h2 OK APPEND\r\n"


@pytest.mark.parametrize("after", [False, True])
def test_bye(server: Echo, proxy: FaultProxy, client: Client, after: bool) -> None:
    proxy.at_answer(b"NOOP", 1, farewell(b"Going down", after=after))

    assert client.say(b"h1 NOOP\r\n") == (b"h1 OK NOOP\r\n" if after else b"* BYE Going down\r\n")
    assert client.line() == (b"* BYE Going down\r\n" if after else b"")
    assert client.line() == b""
    assert server.ended.acquire(timeout=PATIENCE)


@pytest.mark.parametrize("literal", [b"", b" {5+}\r\nx NO!"])
@pytest.mark.parametrize("words", [b"NO [UNAVAILABLE] Later", b"BAD Parse Error"])
def test_a_command_that_the_server_never_hears_of(
    server: Echo, proxy: FaultProxy, literal: bytes, words: bytes
) -> None:
    proxy.refuse(b"APPEND", 2, words)
    client = Client(proxy)
    client.say(b"h1 APPEND\r\n")

    assert client.say(b"h2 APPEND a" + literal + b"\r\n") == b"h2 " + words + b"\r\n"
    assert client.say(b"h3 APPEND\r\n") == b"h3 OK APPEND\r\n"
    assert server.heard == b"h1 APPEND\r\nh3 APPEND\r\n"
    assert proxy.harmed == ["refused h2 " + words.decode()]
    client.close()


def test_a_literal_that_is_not_asked_for(server: Echo, proxy: FaultProxy) -> None:
    proxy.refuse(b"APPEND", 1, b"NO [TRYCREATE] No such folder")
    client = Client(proxy)

    assert client.say(b"h1 APPEND a {5}\r\n") == b"h1 NO [TRYCREATE] No such folder\r\n"
    assert client.say(b"h2 NOOP\r\n") == b"h2 OK NOOP\r\n"
    assert server.heard == b"h2 NOOP\r\n"
    client.close()


def test_commands_are_counted_over_all_connections(proxy: FaultProxy) -> None:
    proxy.at_answer(b"NOOP", 2, swallow)
    first, second = Client(proxy), Client(proxy)

    assert first.say(b"h1 NOOP\r\n") == b"h1 OK NOOP\r\n"
    assert second.say(b"h1 NOOP\r\nh2 NOOP\r\n") == b"h2 OK NOOP\r\n"
    assert proxy.counts == {b"NOOP": 3}
    first.close()
    second.close()


def test_late_and_slow_lines(proxy: FaultProxy, client: Client) -> None:
    proxy.delay = 0.1
    start = time.monotonic()
    client.say(b"h1 NOOP\r\n")
    assert time.monotonic() - start >= 0.1
    proxy.delay, proxy.rate = 0.0, 1000
    start = time.monotonic()
    client.say(b"h2 NOOP" + b" " * 191 + b"\r\n")
    assert time.monotonic() - start >= 0.2


def test_capabilities_that_seem_not_to_be_there(proxy: FaultProxy) -> None:
    proxy.hidden, proxy.shown = ("LITERAL+", "MULTIAPPEND"), ("LITERAL-",)
    client = Client(proxy)

    assert client.greeting == b"* OK [CAPABILITY IMAP4rev1 LITERAL-] ready\r\n"
    client.close()


def test_a_server_gets_all_that_a_dead_client_has_sent(server: Echo, proxy: FaultProxy, client: Client) -> None:
    client.say(b"h1 NOOP\r\n")
    client._socket.sendall(b"h2 APPEND\r\n" * 2000)
    client.close()
    proxy.drain(PATIENCE)

    assert server.heard.count(b"h2 APPEND") == 2000
