"""The connections of a move, and making them anew."""

import pytest

from hikkoshi.errors import Cancelled, ConnectFailed, ConnectionLost, LoginRefused, ServerError
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.move import link as module
from hikkoshi.move.link import Link
from hikkoshi.server.login import Login

LOGIN = Login("example.jp", 993, "mei", "secret", "tls")


class Connections:
    """Opens connections, or raises what stands in `trouble` instead; `open` are those not closed."""

    def __init__(self) -> None:
        self.trouble: list[ServerError | None] = []
        self.open: set[object] = set()
        self.made = 0


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    found = Connections()

    class Connection:
        @classmethod
        def open(cls, login: Login) -> "Connection":
            found.made += 1
            if found.trouble and (error := found.trouble.pop(0)):
                raise error
            made = cls()
            found.open.add(made)
            return made

        @property
        def closed(self) -> bool:
            return self not in found.open

        def close(self) -> None:
            found.open.discard(self)

    monkeypatch.setattr(module, "ServerSession", Connection)
    monkeypatch.setattr(module, "Bulk", Connection)
    monkeypatch.setattr(module, "_WAITS", (0.0, 0.0, 0.0))
    return found


def test_nothing_stays_open_where_a_connection_fails(connections: Connections) -> None:
    with Link(LOGIN, Cancel()) as link:
        connections.trouble = [ConnectFailed("no more")]
        with pytest.raises(ConnectFailed):
            link.session  # noqa: B018 - it is opened by this
        assert connections.open == {link.bulk}
    assert connections.open == set()


def test_it_is_made_anew_and_the_old_ones_are_closed(connections: Connections) -> None:
    with Link(LOGIN, Cancel()) as link:
        before = {link.bulk, link.session}
        connections.trouble = [ConnectFailed("down"), LoginRefused("too many connections")]
        link.renew()
        assert connections.open == {link.bulk}
        assert not before & {link.bulk, link.session}
    assert connections.open == set()


def test_after_the_last_try_the_connection_is_lost(connections: Connections) -> None:
    with Link(LOGIN, Cancel()) as link:
        connections.trouble = [LoginRefused("one"), ConnectFailed("two"), LoginRefused("three")]
        with pytest.raises(ConnectionLost, match="three"):
            link.renew()


def test_a_cancel_is_heard_between_the_tries(connections: Connections) -> None:
    cancel = Cancel()
    with Link(LOGIN, cancel) as link:
        made = connections.made
        cancel.set("user")
        with pytest.raises(Cancelled):
            link.renew()
        assert connections.made == made


def test_a_connection_that_is_open_is_taken_over_and_closed_in_the_end(connections: Connections) -> None:
    there = module.Bulk.open(LOGIN)
    with Link(LOGIN, Cancel(), there) as link:
        assert link.bulk is there
        assert connections.made == 1
        link.renew()
        assert link.bulk is not there
    assert connections.open == set()


def test_a_connection_that_is_gone_already_is_not_taken_over(connections: Connections) -> None:
    there = module.Bulk.open(LOGIN)
    there.close()
    with Link(LOGIN, Cancel(), there) as link:
        assert link.bulk is not there
        assert connections.open == {link.bulk}
