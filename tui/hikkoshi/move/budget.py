"""How many bytes may go to a server in a day: what the last 24 hours took of it, and when there is room again. Pure.

The day rolls: what went at 09:00 is free again at 09:00 of the next day. The ledger knows what went, so it holds for all
moves of an account and over restarts.
"""

import msgspec

from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.move.when import said_when

DAY = 24 * 60 * 60
"""Seconds."""
GMAIL = 500 * 1000 * 1000
"""Bytes a day by IMAP (Google Workspace, “Gmail bandwidth limits”: 500 MB)."""


class BudgetSpent(HikkoshiError):
    """No more may go until `until` (seconds since 1970 UTC)."""

    def __init__(self, until: float) -> None:
        super().__init__(
            _("What may be sent to this server in a day has been sent. The rest goes on {when}.").format(
                when=said_when(until)
            )
        )
        self.until = until


class Budget(msgspec.Struct):
    """`size`: bytes in 24 hours. `sent`: (when in seconds since 1970 UTC, bytes) of what went, in any order."""

    size: int
    sent: list[tuple[int, int]] = msgspec.field(default_factory=list)

    def left(self, now: float) -> int:
        """Bytes that may go now."""
        return max(0, self.size - sum(size for when, size in self.sent if when + DAY > now))

    def add(self, size: int, now: float) -> None:
        """Note bytes that go."""
        self.sent.append((int(now), size))

    def opens(self, size: int, now: float) -> float:
        """When there is room for `size` more bytes, which is at most the whole budget: now, or in seconds since 1970 UTC."""
        taken = sorted(each for each in self.sent if each[0] + DAY > now)
        # More may have gone than the budget has: it was another one then.
        missing = size + sum(freed for _when, freed in taken) - self.size
        for when, freed in taken:
            if missing <= 0:
                break
            missing -= freed
            now = when + DAY
        return now

    def days(self, size: int, now: float) -> int:
        """In how many days `size` bytes go: what is left today, and a whole budget on each further one."""
        return 1 + max(0, -(-(size - self.left(now)) // self.size))
