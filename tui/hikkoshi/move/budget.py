"""How many bytes may go to a server in a day: what the last 24 hours took of it, and when there is room again. Pure.

The day rolls: what went at 09:00 is free again at 09:00 of the next day. The ledger knows what went, so it holds for all
moves of an account and over restarts.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence

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
        super().__init__(_("The day's budget was spent. The rest goes on {when}.").format(when=said_when(until)))
        self.until = until


def day_size(said: int | None, *, gmail: bool) -> int | None:
    """Bytes that may go in a day by what the user said (0: no limit, None: nothing), None for no limit."""
    return (GMAIL if gmail else None) if said is None else said or None


class Budget:
    """`size`: bytes in 24 hours. `sent`: (when in seconds since 1970 UTC, bytes) of what went, in any order."""

    def __init__(self, size: int, sent: Iterable[tuple[int, int]] = ()) -> None:
        self.size = size
        self._sent = sorted(sent)
        # Asked for before every mail: by adding up 100,000 of them each time a move takes hours for that alone.
        self._free = 0
        self._taken = sum(each for _when, each in self._sent)

    def left(self, now: float) -> int:
        """Bytes that may go now."""
        while self._free < len(self._sent) and self._sent[self._free][0] + DAY <= now:
            self._taken -= self._sent[self._free][1]
            self._free += 1
        while self._free and self._sent[self._free - 1][0] + DAY > now:  # the clock was set back
            self._free -= 1
            self._taken += self._sent[self._free][1]
        return max(0, self.size - self._taken)

    def add(self, size: int, now: float) -> None:
        """Note bytes that go."""
        mail = (int(now), size)
        if bisect_right(self._sent, mail) < self._free:
            self._free += 1
        else:
            self._taken += size
        insort(self._sent, mail)

    def opens(self, size: int, now: float) -> float:
        """When there is room for `size` more bytes, which is at most the whole budget: now, or in seconds since 1970 UTC."""
        self.left(now)
        # More may have gone than the budget has: it was another one then.
        missing = size + self._taken - self.size
        for when, freed in self._sent[self._free :]:
            if missing <= 0:
                break
            missing -= freed
            now = when + DAY
        return now

    def days(self, sizes: Sequence[int], now: float) -> int:
        """In how many days mails of these bytes go, in their order, each day what fits into what is left of it.

        What is left today counts; each further day has the whole budget. A mail larger than that never goes, and takes no
        day.
        """
        sizes = [size for size in sizes if size <= self.size]
        left = self.left(now)
        total = sum(sizes)
        if total <= left:
            return 1
        # Mails that do not fit are skipped until the next day: each goes on the first day that has room for it. Two days
        # in a row hold more than one budget, or the first mail of the later one would have gone on the one before.
        days = _Days([left] + [self.size] * min(len(sizes), 2 * -(-total // self.size)))
        return 1 + max(days.take(size) for size in sizes)


class _Days:
    """What is left of each day, and of which day the first has room: as a tree of the most that is left in its halves.

    100,000 mails take 0.2 s; day after day over the mails that are left takes as many times longer as there are days.
    """

    def __init__(self, left: Sequence[int]) -> None:
        self._width = 1 << (len(left) - 1).bit_length()
        self._most = [0] * self._width + list(left) + [0] * (self._width - len(left))
        for number in range(self._width - 1, 0, -1):
            self._most[number] = max(self._most[2 * number], self._most[2 * number + 1])

    def take(self, size: int) -> int:
        """Put a mail into the first day that has room; which one that is, from 0."""
        most, number = self._most, 1
        while number < self._width:
            number *= 2
            if most[number] < size:
                number += 1
        day = number - self._width
        most[number] -= size
        while number > 1:
            number //= 2
            larger = max(most[2 * number], most[2 * number + 1])
            if most[number] == larger:
                break
            most[number] = larger
        return day
