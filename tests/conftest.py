"""Fixtures that several rooms use: real servers, real terminals."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from support import tools
from support.courier import Courier
from support.cyrus import Cyrus
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.private_server import PrivateServer

Server = TypeVar("Server", bound=PrivateServer)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test-faults` asks for all of the crash matrix."""
    parser.addoption("--all-faults", action="store_true", help="all of the crash matrix, not only a sample of it")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One private Dovecot for the whole run, with 1 GiB of quota; take a fresh user for each test."""
    server = _dovecot(Settings())
    yield server
    server.close()


@pytest.fixture
def dovecot_with() -> Iterator[Callable[[Settings], Dovecot]]:
    """A function that starts a private Dovecot with special settings, closed behind the test."""
    servers: list[Dovecot] = []

    def start(settings: Settings) -> Dovecot:
        servers.append(_dovecot(settings))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    """One private Cyrus for the whole run, with 1 GiB of quota; take a fresh user for each test."""
    server = _server(Cyrus)
    yield server
    server.close()


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    """One private Courier for the whole run, with 1 GiB of quota; take a fresh user for each test."""
    server = _server(Courier)
    yield server
    server.close()


@pytest.fixture(scope="session")
def tmux() -> tools.Tool:
    """The tmux program."""
    try:
        return tools.tmux()
    except tools.NotHad as reason:
        pytest.skip(f"tests in a real terminal are left out: {reason}")


def _dovecot(settings: Settings) -> Dovecot:
    return _server(lambda: Dovecot(settings))


def _server(start: Callable[[], Server]) -> Server:
    try:
        return start()
    except tools.NotHad as reason:
        pytest.skip(f"tests against a real server are left out: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the server said when a test that uses it fails."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, PrivateServer):
                report.sections.append((f"log of {name}", value.log()))
    return report
