"""How large a mail the server takes: what it says (APPENDLIMIT), and what its refusals have taught.

In the ledger a server's smallest refused size stands as `REFUSED`. It is forgotten when a mail as large lands, and does
not count after `KEPT_DAYS`: limits are raised, too.
"""

from collections.abc import Mapping
from time import time

import msgspec
from msgspec.structs import replace

from hikkoshi.i18n import _
from hikkoshi.ledger.store import Ledger

REFUSED = "refused-size"
KEPT_DAYS = 30
_DAY = 86_400


class SizeLimits(msgspec.Struct, frozen=True):
    """Bytes in CRLF form. `told`: the largest that the server says it takes (RFC 7889), `told_of`: by native folder name.

    `refused`: the smallest that it has refused for its size. `day`: all that may go up in a day. None: not known, or no
    limit.
    """

    told: int | None = None
    told_of: Mapping[str, int] = {}
    refused: int | None = None
    day: int | None = None

    @property
    def least(self) -> int | None:
        """A mail of up to so many bytes is taken by every folder as far as is known; None: of any size."""
        known = [self.told, *self.told_of.values(), self.day, None if self.refused is None else self.refused - 1]
        return min((limit for limit in known if limit is not None), default=None)

    def trying_again(self) -> "SizeLimits":
        """The same without what was learnt."""
        return replace(self, refused=None)

    def reason_against(self, native: str, size: int) -> str:
        """Why a mail of `size` bytes would not be taken into the folder `native`; '' if it would as far as is known."""
        limits = [limit for limit in (self.told, self.told_of.get(native)) if limit is not None]
        if limits and size > min(limits):
            return _("it is larger than the {limit:,} bytes that the server takes").format(limit=min(limits))
        if self.day is not None and size > self.day:
            return larger_than_a_day(self.day)
        if self.refused is not None and size >= self.refused:
            return _(
                "the server refused a mail of {refused:,} bytes for its size, and this one has {size:,}; --retry-refused "
                "sends it all the same"
            ).format(refused=self.refused, size=size)
        return ""


def larger_than_a_day(budget: int) -> str:
    """The reason for a mail that is larger than all the bytes that may go in a day."""
    return _("it is larger than the {budget:,} bytes that may go up in a day (--daily-budget)").format(budget=budget)


ANY_SIZE = SizeLimits()
"""Nothing is known."""


def learnt_limit(ledger: Ledger, server: str, *, now: float | None = None) -> int | None:
    """The smallest size that the server refused within KEPT_DAYS before `now` (seconds since 1970 UTC)."""
    known = ledger.learnt(server).get(REFUSED)
    if known is None or known.at < (time() if now is None else now) - KEPT_DAYS * _DAY:
        return None
    return known.value


class SizeLearner:
    """Learns from what becomes of mails while they are moved. One thread's, as its ledger is."""

    def __init__(self, ledger: Ledger, server: str) -> None:
        self._ledger, self._server = ledger, server
        self._refused = learnt_limit(ledger, server)

    def landed(self, size: int) -> None:
        """A mail of `size` bytes was taken."""
        if self._refused is not None and size >= self._refused:
            self._ledger.forget(self._server, REFUSED)
            self._refused = None

    def refused(self, size: int) -> None:
        """A mail of `size` bytes was refused for its size. Noted again it counts for longer."""
        if self._refused is None or size <= self._refused:
            self._ledger.learn(self._server, REFUSED, size)
            self._refused = size
