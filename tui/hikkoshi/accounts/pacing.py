"""How fast, and how much in a day, mail of an account goes up: what the user, the provider and the ledger say."""

from collections.abc import Callable
from pathlib import Path
from time import time

from hikkoshi.accounts.options import Options
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.budget import DAY, Budget
from hikkoshi.move.plan import Plan, in_order
from hikkoshi.move.rate import Caps
from hikkoshi.move.when import said_when


class NotToday(HikkoshiError):
    """No mail of a plan may go now; nothing was begun."""


def budget_of(ledger: Ledger, server: str, day: int | None) -> Budget | None:
    """The budget of `day` bytes, with what went to the server in the last one; None where there is no limit."""
    return Budget(day, ledger.sent_since(server, int(time()) - DAY)) if day else None


def budget_in(path: Path, server: str, day: int | None) -> Budget | None:
    """The same, from the ledger at this path."""
    with Ledger(path) as ledger:
        return budget_of(ledger, server, day)


def caps_of(options: Options) -> Caps | None:
    """The caps that the user has set."""
    if options.max_rate is None and options.max_mails is None:
        return None
    return Caps(options.max_rate, options.max_mails)


def see_budget(budget: Budget | None, plan: Plan) -> None:
    """Raise where no mail of a plan may go now. No move is begun for that."""
    if budget is None:
        return
    now = time()
    least = min((item.size for item in plan.items if item.size <= budget.size), default=0)
    if least > budget.left(now):
        raise NotToday(
            _(
                "None of the mail fits into what is left of the day's budget, so nothing was sent now. It can go on {when}; "
                "--daily-budget sets another limit."
            ).format(when=said_when(budget.opens(least, now)))
        )


def budget_lines(budget: Budget | None, plan: Plan, size_text: Callable[[int], str]) -> list[str]:
    """What a plan has to do with the day's budget, as sentences; none where there is no budget."""
    if budget is None or not plan.items:
        return []
    now = time()
    left = _("{left} of the {size} that may go in 24 hours are left.").format(
        left=size_text(budget.left(now)), size=size_text(budget.size)
    )
    days = budget.days([item.size for item in in_order(plan.items)], now)
    if days == 1:
        return [left]
    more = ngettext(
        "The plan takes {n} day: it stops when they are spent, and goes on later.",
        "The plan takes {n} days: it stops when they are spent, and goes on later.",
        days,
    )
    return [left, more.format(n=days)]
