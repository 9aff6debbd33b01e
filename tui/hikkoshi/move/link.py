"""The connections of a move, and making them anew when the line is cut."""

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from hikkoshi.errors import ConnectionLost, ServerError
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.move.lanes import Lanes
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.session import ServerSession

T = TypeVar("T")

_WAITS = (1.0, 4.0, 9.0)
"""Seconds before each new try; a server that restarts is back within them."""


class Link:
    """A bulk connection, a session for small conversations where it is needed, both of one thread; lanes where they help."""

    def __init__(self, login: Login, cancel: Cancel, bulk: Bulk | None = None) -> None:
        """`bulk`: a connection that is open already, which becomes the link's own: it saves some six round trips."""
        self._login = login
        self._cancel = cancel
        self._lanes: Lanes | None = None
        self._session: ServerSession | None = None
        self.bulk = bulk if bulk is not None and not bulk.closed else Bulk.open(login)

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def lanes(self) -> Lanes:
        """Further connections for sending, opened when they are first asked for."""
        if self._lanes is None:
            self._lanes = Lanes(self._login)
        return self._lanes

    def close(self) -> None:
        """End all conversations."""
        if self._lanes is not None:
            self._lanes.close()
            self._lanes = None
        self.bulk.close()
        if self._session is not None:
            self._session.close()
            self._session = None

    def wait(self, seconds: float) -> None:
        """Let some time go by. Raises `Cancelled`."""
        self._cancel.wait(seconds)
        self._cancel.check()

    def renew(self) -> None:
        """Make the connections anew. Raises `ConnectionLost` once the last try failed."""
        self.close()
        for number, seconds in enumerate(_WAITS, 1):
            self.wait(seconds)
            try:
                self.bulk = Bulk.open(self._login)
            except ServerError as error:
                # A login refused counts too: a server may still count the connections that were cut.
                if number == len(_WAITS):
                    raise ConnectionLost(str(error)) from error
            else:
                return

    def steady(self, ask: Callable[[], T]) -> T:
        """Ask the server, once more on new connections if the line is cut. Only for questions that change nothing."""
        try:
            return ask()
        except ConnectionLost:
            self.renew()
            return ask()

    def another(self) -> Bulk:
        """A further bulk connection, for another thread."""
        return Bulk.open(self._login)

    @property
    def session(self) -> ServerSession:
        """The connection for making folders, opened when it is first asked for."""
        if self._session is None:
            self._session = ServerSession.open(self._login)
        return self._session
