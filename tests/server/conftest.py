"""The same account on two servers: a real one, and the demo's, which must not behave otherwise."""

from collections.abc import Callable, Iterator

import pytest

from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.imap_wire import Wire
from support.served import Serve, Served


@pytest.fixture(params=[pytest.param("dovecot", marks=pytest.mark.dovecot), "demo"])
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts Dovecot or the demo's server with limits."""
    if request.param == "dovecot":
        dovecot_with: Callable[[Settings], Dovecot] = request.getfixturevalue("dovecot_with")

        def start_dovecot(
            storage: int | None = None, messages: int | None = None, max_mail: int | None = None
        ) -> Served:
            server: Dovecot
            if storage or messages or max_mail:
                limit = f"{storage}k" if storage else None
                server = dovecot_with(
                    Settings(quota_storage=limit, quota_messages=messages, max_mail=max_mail and f"{max_mail}k")
                )
            else:
                server = request.getfixturevalue("dovecot")
            return Served("dovecot", server.host, server.imap_port, server.make_user(), server.password)

        yield start_dovecot
        return
    servers: list[DemoServer] = []

    def start_demo(storage: int | None = None, messages: int | None = None, max_mail: int | None = None) -> Served:
        account = Account("user", "secret", storage or 1024 * 1024, messages, max_mail * 1024 if max_mail else None)
        servers.append(DemoServer(account))
        return Served("demo", "127.0.0.1", servers[-1].start(), account.user, account.password)

    yield start_demo
    for server in servers:
        server.stop()


@pytest.fixture
def served(serve: Serve) -> Served:
    """An empty account with plenty of room."""
    return serve()


@pytest.fixture
def wire(served: Served) -> Iterator[Wire]:
    """A connection to it, logged in."""
    with served.connect() as connection:
        yield connection


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[FaultProxy]:
    """A line to Dovecot that can be harmed."""
    with FaultProxy(dovecot.host, dovecot.imap_port) as running:
        yield running
