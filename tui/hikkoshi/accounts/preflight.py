"""Looking at each mail of a plan before it is sent, for the account of a session."""

from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import CommandRefused
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.plan import Plan
from hikkoshi.move.preflight import Preflight, look_over, make_preflight, with_repairs
from hikkoshi.server.bulk import Bulk

Permanent = dict[str, frozenset[str] | None]


def look_before_sending(session: AccountSession, plan: Plan, report: Report, cancel: Cancel) -> Preflight:
    """Look at each mail of the plan that was not looked at yet. Needs a snapshot; raises `Cancelled`.

    The server is asked only which keywords it keeps, where some are to go there.
    """
    folders = {folder.native: folder for folder in session.store.folders()}
    permanent = _permanent_flags(session, plan)
    with Index(session.index_path) as index:
        problems = look_over(
            plan.items, store=session.store, folders=folders, index=index, report=report, cancel=cancel
        )
        return make_preflight(plan, index, permanent, problems)


def choose_repairs(session: AccountSession, plan: Plan, chosen: frozenset[Repair]) -> Plan:
    """The plan with these repairs, of mails that were looked at."""
    with Index(session.index_path) as index:
        return with_repairs(plan, index, chosen)


def _permanent_flags(session: AccountSession, plan: Plan) -> Permanent:
    """PERMANENTFLAGS of the folders that keywords are to go to."""
    there = {share.target for share in plan.shares if not share.new}
    targets = sorted({item.target for item in plan.items if _has_keywords(item.message.flags)} & there)
    if not targets:
        return {}
    kept = session.take_kept()
    bulk = kept if kept is not None and not kept.closed else Bulk.open(session.login)
    try:
        return {target: _of_folder(bulk, target) for target in targets}
    finally:
        if bulk is kept:
            session.give_back(bulk)
        else:
            bulk.close()


def _has_keywords(flags: frozenset[str]) -> bool:
    return any(not flag.startswith("\\") for flag in flags)


def _of_folder(bulk: Bulk, target: str) -> frozenset[str] | None:
    try:
        return bulk.examine(target).permanent_flags
    except CommandRefused:
        return None  # the upload will say why
