"""What the screen asks of an account beyond what every command needs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hikkoshi.accounts.session import AccountSession
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report

if TYPE_CHECKING:
    from hikkoshi.move.flag_plan import FlagPlan
    from hikkoshi.move.flag_sync import FlagResult


class ScreenSession(AccountSession):
    """An account with all that can be done with it."""

    def plan_flags(self, ids: Iterable[int], *, remove: bool = False) -> "FlagPlan":
        """See `accounts.flags.plan_flags`."""
        from hikkoshi.accounts.flags import plan_flags

        return plan_flags(self, ids, remove=remove)

    def sync_flags(self, plan: "FlagPlan", report: Report, cancel: Cancel) -> "FlagResult":
        """See `accounts.flags.sync_flags`."""
        from hikkoshi.accounts.flags import sync_flags

        return sync_flags(self, plan, report, cancel)
