"""What the screen asks of an account at work. `accounts.session.AccountSession` is one; tests bring another."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan
    from hikkoshi.accounts.session import Early, Snapshot
    from hikkoshi.accounts.undoing import UndoPlan
    from hikkoshi.ledger.records import Move
    from hikkoshi.mail.repairs import Repair
    from hikkoshi.move.budget import Budget
    from hikkoshi.move.events import Tell
    from hikkoshi.move.flag_plan import FlagPlan
    from hikkoshi.move.flag_sync import FlagResult
    from hikkoshi.move.mail_receipt import MailReceipt
    from hikkoshi.move.plan import Plan
    from hikkoshi.move.preflight import Preflight
    from hikkoshi.move.receipt import Receipt
    from hikkoshi.move.resume import Resumption
    from hikkoshi.move.undo import UndoResult


class Session(Protocol):
    """A local store and a server. Methods that block run one at a time, in a thread that is not the screen's."""

    index_path: Path
    server: str
    """`user@host`."""
    overrides: dict[str, str]
    """Local folder name -> server folder name, as the user corrected the mapping."""
    snapshot: "Snapshot | None"

    def refresh(self, report: Report, cancel: Cancel, early: "Early | None" = None) -> "Snapshot":
        """Look at both sides and compare them. Blocks; raises `HikkoshiError`.

        `early` hears, in the thread of the work, what is known while the server is listed for the first time.
        """
        ...

    def fill_search(self, cancel: Cancel) -> None:
        """Make mail searchable that is not yet. Blocks until all is, or the work shall stop; raises nothing."""
        ...

    def remap(self, overrides: Mapping[str, str], report: Report, cancel: Cancel) -> "Snapshot":
        """Remember a mapping and compare again. Blocks; raises `HikkoshiError`."""
        ...

    def plan(self, ids: Iterable[int]) -> "Plan":
        """What an upload of these rows would do. Quick; needs a snapshot."""
        ...

    def look(self, plan: "Plan", report: Report, cancel: Cancel) -> "Preflight | None":
        """Look at each mail of a plan before it is sent. Blocks; None where `cancel` was set before the end."""
        ...

    def repaired(self, plan: "Plan", repairs: "frozenset[Repair]") -> "Plan":
        """The plan with these repairs of mails that were looked at. Quick."""
        ...

    def budget(self) -> "Budget | None":
        """What may go to the server in a day, and what has gone; None where there is no such limit. Quick."""
        ...

    def upload(self, plan: "Plan", report: "Tell", cancel: Cancel, resumed: "Resumption | None" = None) -> "Receipt":
        """Carry out a plan, perhaps of what is left of a move, and compare again. Blocks; raises `HikkoshiError`."""
        ...

    def plan_flags(self, ids: Iterable[int], *, remove: bool = False) -> "FlagPlan":
        """Which flags would be set on the server for these rows, and with `remove` taken away. Quick; needs a snapshot."""
        ...

    def sync_flags(self, plan: "FlagPlan", report: Report, cancel: Cancel) -> "FlagResult":
        """Carry that out and compare again. Blocks; raises `HikkoshiError`."""
        ...

    def past_moves(self) -> "list[Move]":
        """The moves to this account, newest first. Quick."""
        ...

    def receipt(self, move: int) -> "tuple[Move, list[MailReceipt]]":
        """A move and what became of each of its mails. Quick; raises `HikkoshiError`."""
        ...

    def plan_resume(self, move: int | None = None) -> "ResumePlan | None":
        """What is left of a move, of the last one that ended early without a number. Quick; needs a snapshot."""
        ...

    def plan_undo(self, move: int) -> "UndoPlan":
        """What there is to undo of a move. Quick; raises `HikkoshiError`."""
        ...

    def undo(self, plan: "UndoPlan", report: Report, cancel: Cancel) -> "UndoResult":
        """Remove the mails of a move from the server and compare again. Blocks; raises `HikkoshiError`."""
        ...

    def left_behind(self) -> str:
        """What moves that ended early did, '' if there is nothing to tell."""
        ...
