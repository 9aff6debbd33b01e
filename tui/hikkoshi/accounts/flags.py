"""Making the flags of mail on the server those of the PC, for an account: a plan that can be shown, and carrying it out.

Both block; they belong in the thread that the session's other work runs in.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.flag_plan import FlagPlan, make_flag_plan

if TYPE_CHECKING:
    from hikkoshi.move.flag_sync import FlagResult


def plan_flags(
    session: AccountSession,
    ids: Iterable[int] | None = None,
    natives: Iterable[str] | None = None,
    *,
    remove: bool = False,
) -> FlagPlan:
    """What would change for these rows (None: all pairs that differ) of these local folders (None: all).

    What the PC has is added; `remove`: what it lacks is taken away. Needs a snapshot. Raises `HikkoshiError` where the
    server was not listed to its end: which mails are the same is not certain then.
    """
    if session.snapshot is None or not session.snapshot.whole:
        raise HikkoshiError(
            _(
                "The server was not listed to its end, so it is not known yet which mails are the same. Nothing was "
                "changed; look again."
            )
        )
    with Index(session.files.index) as index:
        return make_flag_plan(index, session.store.kind, ids, natives, remove=remove)


def sync_flags(session: AccountSession, plan: FlagPlan, report: Report, cancel: Cancel) -> "FlagResult":
    """Carry out a plan, then compare again: the session's snapshot is new afterwards.

    What was changed on the server since the look is left, and named. Raises `LedgerError` while a move runs, with nothing
    changed, and what connecting raises.
    """
    from hikkoshi.move.flag_sync import FlagSync
    from hikkoshi.move.link import Link

    with ExitStack() as stack:
        stack.enter_context(MoveLock(session.files.lock, "sync-flags"))
        index = stack.enter_context(Index(session.files.index))
        ledger = stack.enter_context(Ledger(session.files.ledger))
        link = stack.enter_context(Link(session.login, cancel, session.take_kept()))
        sync = FlagSync(
            plan, server=session.server, link=link, index=index, ledger=ledger, report=report, cancel=cancel
        )
        result = sync.run()
    session.compare_again(report)
    return result
