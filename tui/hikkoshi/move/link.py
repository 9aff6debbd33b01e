"""The connections of a move, and making them anew when the line is cut."""

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from hikkoshi.errors import CommandRefused, ConnectionLost, ServerError
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.move import lanes
from hikkoshi.move.lanes import Lanes
from hikkoshi.move.patience import Patience
from hikkoshi.server.answers import read_error
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
        self._most_lanes = lanes.COUNT
        self.patience = Patience(self.wait)
        self.bulk = bulk if bulk is not None and not bulk.closed else Bulk.open(login)

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def lanes(self) -> Lanes:
        """Further connections for sending, opened when they are first asked for; no more than the server lets in."""
        if self._lanes is None:
            self._lanes = Lanes(self._login, self._most_lanes)
            if self._lanes.crowded:
                self._most_lanes = self._lanes.count
        return self._lanes

    def crowded_by(self, error: Exception) -> None:
        """Go on with a connection less where an error says that there are too many."""
        if read_error(error).crowded:
            there = self._most_lanes if self._lanes is None else self._lanes.count
            self._most_lanes = max(0, min(self._most_lanes, there) - 1)

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
        """Make the connections anew. Raises `ConnectionLost` once the last try failed, `Throttled` where it is told to wait."""
        self.close()
        tries = 0
        while True:
            self.patience.pause()
            self.wait(_WAITS[tries])
            try:
                self.bulk = Bulk.open(self._login)
            except ServerError as error:
                if self.patience.told_by(error):
                    continue
                # A login refused counts too: a server may still count the connections that were cut.
                tries += 1
                if tries == len(_WAITS):
                    raise ConnectionLost(str(error), error.code, error.words) from error
            else:
                return

    def steady(self, ask: Callable[[], T]) -> T:
        """Ask the server, once more on new connections if the line is cut, and later if it says so.

        Only for questions that change nothing, or that may be asked twice. Raises `Throttled`.
        """
        cut = False
        while True:
            try:
                if self.bulk.closed:
                    self.renew()
                return ask()
            except ServerError as error:
                if self.patience.told_by(error):
                    self.crowded_by(error)
                    self.patience.pause()
                elif isinstance(error, ConnectionLost) and not cut:
                    cut = True
                    self.renew()
                else:
                    raise

    def patiently(self, ask: Callable[[], T]) -> T:
        """Ask the server, again and again where a NO says that it is only the time. Raises `Throttled`."""
        while True:
            try:
                return ask()
            except CommandRefused as error:
                if not self.patience.told_by(error):
                    raise
                self.patience.pause()

    def another(self) -> Bulk:
        """A further bulk connection, for another thread."""
        return Bulk.open(self._login)

    @property
    def session(self) -> ServerSession:
        """The connection for making folders, opened when it is first asked for."""
        if self._session is None:
            self._session = ServerSession.open(self._login)
        return self._session

    def with_session(self, work: Callable[[ServerSession], T]) -> T:
        """Have something done over `session`; where the server lets in no further connection, over it alone."""
        try:
            session = self.session
        except ServerError as error:
            if not read_error(error).crowded:
                raise
            self.crowded_by(error)
            self.close()
            self.wait(_WAITS[0])
            session = self.session
        result = work(session)
        if self.bulk.closed:
            self.renew()
        return result
