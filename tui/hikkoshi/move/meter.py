"""The server's room while a move runs: read again at the latest every 5 seconds or 16 MiB."""

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Protocol

from hikkoshi.move.room import Reserve, Room, rooms
from hikkoshi.server.quota import QuotaRoot, with_heirs

_SECONDS = 5.0
_BYTES = 16 * 1024 * 1024


class Quoting(Protocol):
    """A connection that can be asked for limits."""

    def quota(self, natives: Iterable[str]) -> list[QuotaRoot]:
        """The limits of these folders, each root once."""
        ...


class Meter:
    """Reads quota roots and adds the user's own limit. `used`: bytes, the sum of what was listed.

    `heirs`: folders to be made, and which folder's limits each of them will have (native names).
    """

    def __init__(
        self, reserve: Reserve, user_limit: int | None, used: int, heirs: Mapping[str, str] | None = None
    ) -> None:
        self._heirs = dict(heirs or {})
        self._reserve = reserve
        self._user_limit = user_limit
        self._used = used
        self._since_bytes = 0
        self._since = monotonic()

    def read(self, server: Quoting, natives: Iterable[str]) -> list[Room]:
        """Ask the server for the limits that hold for these folders."""
        natives = list(natives)
        above = {self._heirs[native] for native in natives if native in self._heirs}
        return self.take(server.quota([*natives, *sorted(above - set(natives))]))

    def take(self, roots: Iterable[QuotaRoot]) -> list[Room]:
        """The limits that the server has just told."""
        self._since, self._since_bytes = monotonic(), 0
        return rooms(with_heirs(roots, self._heirs), self._reserve, user_limit=self._user_limit, used=self._used)

    def sent(self, size: int) -> None:
        """Count a mail of `size` bytes (CRLF form) that goes."""
        self._used += size
        self._since_bytes += size

    def not_taken(self, size: int) -> None:
        """Count a mail off that did not arrive."""
        self._used -= size

    def due_before(self, size: int) -> bool:
        """Whether it is time to read again, or will be once `size` more bytes have gone."""
        return monotonic() - self._since >= _SECONDS or self._since_bytes >= max(1, _BYTES - size)
