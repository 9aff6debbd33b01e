"""The two connections of a move, and making them anew when the line is cut."""

from types import TracebackType

from hikkoshi.errors import ConnectFailed, ConnectionLost
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.session import ServerSession

_WAITS = (1.0, 4.0, 9.0)
"""Seconds before each new try; a server that restarts is back within them."""


class Link:
    """A session for small conversations and a bulk connection, both of one thread."""

    def __init__(self, login: Login, cancel: Cancel) -> None:
        self._login = login
        self._cancel = cancel
        self.session = ServerSession.open(login)
        try:
            self.bulk = Bulk.open(login)
        except BaseException:
            self.session.close()
            raise

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both conversations."""
        self.bulk.close()
        self.session.close()

    def renew(self) -> None:
        """Make both connections anew. Raises `ConnectFailed` or `ConnectionLost` once the last try failed."""
        self.close()
        for number, seconds in enumerate(_WAITS, 1):
            self._cancel.wait(seconds)
            self._cancel.check()
            try:
                self.session = ServerSession.open(self._login)
                self.bulk = Bulk.open(self._login)
            except (ConnectFailed, ConnectionLost):
                if number == len(_WAITS):
                    raise
            else:
                return
