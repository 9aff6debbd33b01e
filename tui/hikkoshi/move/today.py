"""Which mails of a plan go today: in its order those that fit into what is left of the day's budget, the others later."""

from collections.abc import Callable, Iterable, Sequence
from time import time

from hikkoshi.move.batch import Planned
from hikkoshi.move.budget import Budget, BudgetSpent
from hikkoshi.move.limits import larger_than_a_day
from hikkoshi.move.plan import PlanItem

Refuse = Callable[[PlanItem, int, str], None]
"""Takes a mail that never goes: the item, its number in the ledger, the reason."""


class Today:
    """A budget while a move spends it."""

    def __init__(self, budget: Budget, items: Iterable[PlanItem]) -> None:
        self._budget = budget
        self._least = min((item.size for item in items if item.size <= budget.size), default=0)
        self._first_later: int | None = None

    def any_fits(self, mails: Sequence[Planned]) -> bool:
        """Whether any of these mails can be dealt with now; else all of them are put off."""
        left = self._budget.left(time())
        if any(item.size <= left or item.size > self._budget.size for item, _id in mails):
            return True
        self._put_off(mails[0][0])
        return False

    def take(self, mails: Iterable[Planned], refuse: Refuse) -> list[Planned]:
        """What of a batch goes now; it is counted as gone. Mails that do not fit are put off.

        Raises `BudgetSpent` where even the smallest mail of the move would not fit.
        """
        budget, now = self._budget, time()
        going: list[Planned] = []
        for item, id_ in mails:
            if item.size > budget.size:
                # Its plan did not know: it has grown by a repair.
                refuse(item, id_, larger_than_a_day(budget.size))
            elif item.size > budget.left(now):
                self._put_off(item)
            else:
                budget.add(item.size, now)
                going.append((item, id_))
        if not going and budget.left(now) < self._least:
            self.end()
        return going

    def end(self) -> None:
        """Raise `BudgetSpent` where mails were put off, until the first of them fits."""
        if self._first_later is not None:
            raise BudgetSpent(self._budget.opens(self._first_later, time()))

    def _put_off(self, item: PlanItem) -> None:
        # The first, not the smallest: small mail that takes each free byte at once would leave it for the end.
        if self._first_later is None:
            self._first_later = item.size
