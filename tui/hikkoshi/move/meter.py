"""The server's room while a move runs: read again at the latest every 5 seconds or 16 MiB.

Between batches it is read after 3 s, since what is on its way has to be answered first; see `hikkoshi.move.watch` for what
is done where that would come too late. Where the server has no QUOTA and the user has set a limit, only what the
move itself sends is counted: of mail that others put there nothing is known before the next look.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from time import monotonic
from typing import Protocol

from hikkoshi.move.room import Reserve, Room, rooms
from hikkoshi.server.quota import QuotaRoot, with_heirs

_SECONDS = 3.0
BYTES = 16 * 1024 * 1024


class Quoting(Protocol):
    """A connection that can be asked for limits."""

    def quota(self, natives: Iterable[str]) -> list[QuotaRoot]:
        """The limits of these folders, each root once."""
        ...


class Meter:
    """Reads quota roots and adds the user's own limit. Two threads may use it. `used`: bytes, the sum of what was listed.

    `heirs`: folders to be made, and which folder's limits each of them will have (native names).
    """

    def __init__(
        self, reserve: Reserve, user_limit: int | None, used: int, heirs: Mapping[str, str] | None = None
    ) -> None:
        self._heirs = dict(heirs or {})
        self._reserve = reserve
        self._user_limit = user_limit
        self._used = used
        self._lock = Lock()
        self._since_bytes = 0
        self._since = monotonic()

    def read(self, server: Quoting, natives: Iterable[str]) -> list[Room]:
        """Ask the server for the limits that hold for these folders."""
        natives = list(natives)
        above = {self._heirs[native] for native in natives if native in self._heirs}
        return self.take(server.quota([*natives, *sorted(above - set(natives))]))

    def take(self, roots: Iterable[QuotaRoot]) -> list[Room]:
        """The limits that the server has just told."""
        with self._lock:
            self._since, self._since_bytes = monotonic(), 0
        return rooms(with_heirs(roots, self._heirs), self._reserve, user_limit=self._user_limit, used=self._used)

    def sent(self, size: int) -> None:
        """Count a mail of `size` bytes (CRLF form) that goes."""
        with self._lock:
            self._used += size
            self._since_bytes += size

    def not_taken(self, size: int) -> None:
        """Count a mail off that did not arrive."""
        self._used -= size

    @property
    def age(self) -> float:
        """Seconds since the last reading."""
        return monotonic() - self._since

    def due_before(self, size: int) -> bool:
        """Whether it is time to read again, or will be once `size` more bytes have gone."""
        return self.age >= _SECONDS or self._since_bytes >= max(1, BYTES - size)
