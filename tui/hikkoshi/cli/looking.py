"""Looking at each mail of a plan, for the commands that upload: with one line of progress, and what was found as JSON."""

from typing import Any

from hikkoshi.accounts.preflight import choose_repairs, look_before_sending
from hikkoshi.accounts.session import AccountSession
from hikkoshi.advice.preflight import findings_json, noted
from hikkoshi.cli.output import status_line
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.plan import Plan
from hikkoshi.move.preflight import Preflight
from hikkoshi.move.receipt import Receipt


def look(session: AccountSession, plan: Plan, cancel: Cancel) -> Preflight:
    """Look at the mails of a plan; those that were looked at earlier cost a query."""
    report, clear = status_line()
    try:
        return look_before_sending(session, plan, report, cancel)
    finally:
        clear()


def with_chosen_repairs(session: AccountSession, plan: Plan, repairs: frozenset[Repair], cancel: Cancel) -> Plan:
    """The plan with these repairs. What they add counts for what fits, so the mails are looked at first."""
    if not repairs:
        return plan
    look(session, plan, cancel)
    return choose_repairs(session, plan, repairs)


def findings(session: AccountSession, found: Preflight, receipt: Receipt | None, *, looked: bool) -> dict[str, Any]:
    """What was found in the mails before they were sent (`looked`) or as they were."""
    if looked or receipt is None:
        return {"findings": findings_json(found.mails)}
    with Ledger(session.files.ledger) as ledger:
        return {"findings": findings_json(noted(ledger.items(receipt.move)))}
