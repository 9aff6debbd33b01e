"""What the screen asks of an account beyond what every command needs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import Cancelled
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan
    from hikkoshi.accounts.undoing import UndoPlan
    from hikkoshi.ledger.records import Move
    from hikkoshi.mail.repairs import Repair
    from hikkoshi.move.flag_plan import FlagPlan
    from hikkoshi.move.flag_sync import FlagResult
    from hikkoshi.move.mail_receipt import MailReceipt
    from hikkoshi.move.plan import Plan
    from hikkoshi.move.preflight import Preflight
    from hikkoshi.move.undo import UndoResult


class ScreenSession(AccountSession):
    """An account with all that can be done with it."""

    def plan_flags(self, ids: Iterable[int], *, remove: bool = False) -> "FlagPlan":
        """See `accounts.flags.plan_flags`."""
        from hikkoshi.accounts.flags import plan_flags

        return plan_flags(self, ids, remove=remove)

    def look(self, plan: "Plan", report: Report, cancel: Cancel) -> "Preflight | None":
        """See `accounts.preflight.look_before_sending`; None where the work was to stop before its end.

        What was not looked at then is looked at as it is sent.
        """
        from hikkoshi.accounts.preflight import look_before_sending

        try:
            return look_before_sending(self, plan, report, cancel)
        except Cancelled:
            return None

    def repaired(self, plan: "Plan", repairs: "frozenset[Repair]") -> "Plan":
        """See `accounts.preflight.choose_repairs`."""
        from hikkoshi.accounts.preflight import choose_repairs

        return choose_repairs(self, plan, repairs)

    def past_moves(self) -> "list[Move]":
        """The moves to this account, newest first."""
        from hikkoshi.accounts.history import past_moves

        return past_moves(self.files.ledger, self.server)[::-1]

    def receipt(self, move: int) -> "tuple[Move, list[MailReceipt]]":
        """A move and what became of each of its mails. Raises `UsageError` where there is none of that number."""
        from hikkoshi.accounts.history import receipt_of

        with receipt_of(self.files.ledger, move, self.server) as (found, mails):
            return found, list(mails)

    def plan_resume(self, move: int | None = None) -> "ResumePlan | None":
        """See `accounts.resuming.plan_resume`."""
        from hikkoshi.accounts.resuming import plan_resume

        return plan_resume(self, move)

    def plan_undo(self, move: int) -> "UndoPlan":
        """See `accounts.undoing.plan_undo`."""
        from hikkoshi.accounts.undoing import plan_undo

        return plan_undo(self, move)

    def undo(self, plan: "UndoPlan", report: Report, cancel: Cancel) -> "UndoResult":
        """See `accounts.undoing.undo`."""
        from hikkoshi.accounts.undoing import undo

        return undo(self, plan, report, cancel)

    def sync_flags(self, plan: "FlagPlan", report: Report, cancel: Cancel) -> "FlagResult":
        """See `accounts.flags.sync_flags`."""
        from hikkoshi.accounts.flags import sync_flags

        return sync_flags(self, plan, report, cancel)
