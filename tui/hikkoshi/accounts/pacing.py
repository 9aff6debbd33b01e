"""How fast, and how much in a day, mail of an account goes up: what the user, the provider and the ledger say."""

from collections.abc import Callable
from pathlib import Path
from time import time

from hikkoshi.accounts.options import Options
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.budget import DAY, GMAIL, Budget
from hikkoshi.move.plan import Plan
from hikkoshi.move.rate import Caps
from hikkoshi.move.when import said_when


class NotToday(HikkoshiError):
    """The first mail of a plan may only go later; nothing was begun."""


def budget_of(options: Options, ledger: Ledger, server: str, *, gmail: bool) -> Budget | None:
    """What may go to the server in a day, with what went in the last one; None where nobody set a limit."""
    size = options.daily_budget
    if size is None:
        size = GMAIL if gmail else 0
    return Budget(size, ledger.sent_since(server, int(time()) - DAY)) if size else None


def budget_in(path: Path, options: Options, server: str, *, gmail: bool) -> Budget | None:
    """The same, from the ledger at this path."""
    with Ledger(path) as ledger:
        return budget_of(options, ledger, server, gmail=gmail)


def caps_of(options: Options) -> Caps | None:
    """The caps that the user has set."""
    if options.max_rate is None and options.max_mails is None:
        return None
    return Caps(options.max_rate, options.max_mails)


def see_budget(budget: Budget | None, plan: Plan) -> None:
    """Raise where not even the first mail of a plan may go now. No move is begun for that."""
    if budget is None:
        return
    now = time()
    sizes = [item.size for item in sorted(plan.items, key=lambda item: item.target) if item.size <= budget.size]
    if sizes and sizes[0] > budget.left(now):
        raise NotToday(
            _(
                "What may be sent to this server in a day has been sent, so nothing was sent now. It can go on {when}; "
                "--daily-budget sets another limit."
            ).format(when=said_when(budget.opens(sizes[0], now)))
        )


def budget_lines(budget: Budget | None, plan: Plan, size_text: Callable[[int], str]) -> list[str]:
    """What a plan has to do with the day's budget, as sentences; none where there is no budget."""
    if budget is None or not plan.items:
        return []
    now, load = time(), plan.load.size
    left = _("{left} of the {size} that may go in 24 hours are left.").format(
        left=size_text(budget.left(now)), size=size_text(budget.size)
    )
    days = budget.days(load, now)
    if days == 1:
        return [left]
    more = ngettext(
        "The plan takes {n} day: it stops when they are spent, and goes on later.",
        "The plan takes {n} days: it stops when they are spent, and goes on later.",
        days,
    )
    return [left, more.format(n=days)]
