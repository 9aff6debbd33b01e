"""The same account on servers that agree on little: Dovecot with all it can do and with nothing, Cyrus, Courier."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from hikkoshi.demo.state import CAPABILITIES
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.private_server import PrivateServer
from support.sides import Sides

SERVERS = ("dovecot", "bare", "cyrus", "courier", "demo", "refusing")

# What the demo's server does not offer, so that each way of listing is tried by itself; it answers BAD to such commands.
WITHOUT: dict[str, tuple[str, ...]] = {
    "demo": (),
    "refusing": CAPABILITIES[1:],
    "no QRESYNC": ("QRESYNC",),
    "no CONDSTORE": ("CONDSTORE",),
    "no CONDSTORE, no ESEARCH": ("CONDSTORE", "ESEARCH"),
    "no LIST-STATUS": ("LIST-EXTENDED",),
    "no LIST-STATUS, no CONDSTORE": ("LIST-EXTENDED", "CONDSTORE"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The demo's server as a host for a session."""

    kind: str
    host: str
    imap_port: int
    prefix: str = ""
    delimiter: str = "/"


@pytest.fixture(scope="session")
def bare() -> Iterator[Dovecot]:
    """A Dovecot that says it can do nothing but IMAP4rev1 (RFC 3501); what it is asked for, it would still do."""
    server = Dovecot(Settings(quota=False, capability="IMAP4rev1"))
    yield server
    server.close()


@pytest.fixture(params=SERVERS)
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sides]:
    """An empty account on each server.

    "demo": the demo's server; "refusing": the same without any extension, which it then answers with BAD.
    """
    yield from _sides(request.param, request, tmp_path)


@pytest.fixture(params=[*SERVERS, *(kind for kind in WITHOUT if kind not in SERVERS)])
def listing_sides(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sides]:
    """The same, and on servers that lack some of what listing can use."""
    yield from _sides(request.param, request, tmp_path)


@pytest.fixture
def sides_on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Sides]]:
    """A function that makes an empty account on the server of that name."""
    opened: list[Iterator[Sides]] = []

    def open_on(kind: str) -> Sides:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(_sides(kind, request, folder))
        return next(opened[-1])

    yield open_on
    for each in opened:
        next(each, None)


def _sides(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Sides]:
    if kind in WITHOUT:
        with DemoServer(Account("user", "secret", storage_limit=1024 * 1024), without=WITHOUT[kind]) as demo:
            made = Sides(folder, Place(kind, demo.host, demo.port), "user", "secret")
            yield made
            made.close()
        return
    server: PrivateServer = request.getfixturevalue(kind)
    made = Sides(folder, server, server.make_user(), server.password)
    yield made
    made.close()
