"""Past moves on the screen: their list, their receipts, going on with one that ended early, undoing one."""

from typing import TYPE_CHECKING

from hikkoshi.accounts.undoing import UndoPlan
from hikkoshi.app.part import Part
from hikkoshi.app.proposal import Proposal, propose
from hikkoshi.app.screens.dialog import note
from hikkoshi.app.screens.history import RECEIPT, RESUME, moves_records, receipt_records
from hikkoshi.app.screens.records import Records, RecordsScreen
from hikkoshi.app.screens.undo import confirm_undo, undone
from hikkoshi.app.work import Tell
from hikkoshi.i18n import _
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.ledger.records import Move
from hikkoshi.move.undo import UndoResult

if TYPE_CHECKING:
    pass

LIST_MOVES, READ_RECEIPT, PLAN_RESUME = "list-moves", "read-receipt", "plan-resume"
PLAN_UNDO, UNDO = "plan-undo", "undo"


class History(Part):
    """Past moves as the main screen sees them."""

    jobs = (LIST_MOVES, READ_RECEIPT, PLAN_RESUME, PLAN_UNDO, UNDO)

    def open(self) -> None:
        """List the moves, newest first."""
        session = self._screen.session
        self._screen.work.start(LIST_MOVES, lambda _report, _cancel: session.past_moves())

    def resume(self, move: int | None = None) -> None:
        """Plan to go on with a move; without a number with the last one that ended early."""
        session = self._screen.session

        def plan(report: Tell, cancel: Cancel) -> Proposal | None:
            left = session.plan_resume(move)
            if left is None or not left.work:
                return None
            return propose(left.plan, session.look(left.plan, report, cancel), session.budget(), left)

        self._screen.work.start(PLAN_RESUME, plan)

    def ended(self, name: str, result: object) -> None:
        """What was asked for is there."""
        if name == LIST_MOVES:
            assert isinstance(result, list)
            self._show_moves(result)
        elif name == READ_RECEIPT:
            assert isinstance(result, Records)
            self._screen.app.push_screen(RecordsScreen(result, self._screen.signs))
        elif isinstance(result, UndoPlan):
            self._ask_to_undo(result)
        elif isinstance(result, UndoResult):
            self._screen.take_compared()
            self._screen.say("")
            self._screen.app.push_screen(undone(result))
        else:
            assert result is None or isinstance(result, Proposal)
            self._planned(result)

    def _show_moves(self, moves: list[Move]) -> None:
        screen = self._screen

        def answered(answer: tuple[str, int] | None) -> None:
            if answer is None or screen.busy(needs_snapshot=answer[0] != RECEIPT):
                return
            value, position = answer
            move = moves[position].id
            if value == RECEIPT:
                # There may be 100,000 mails in it.
                screen.work.start(READ_RECEIPT, lambda _report, _cancel: receipt_records(*screen.session.receipt(move)))
            elif value == RESUME:
                self.resume(move)
            else:
                screen.work.start(PLAN_UNDO, lambda _report, _cancel: screen.session.plan_undo(move))

        screen.app.push_screen(RecordsScreen(moves_records(moves), screen.signs), answered)

    def _planned(self, proposal: Proposal | None) -> None:
        if proposal is None:
            text = _("No move ended early; there is nothing to go on with.")
            self._screen.app.push_screen(note(_("Nothing to go on with"), [(text, "")], _("Close")))
        else:
            self._screen.uploading.ask(proposal)

    def _ask_to_undo(self, plan: UndoPlan) -> None:
        screen = self._screen

        def answered(yes: bool | None) -> None:
            if yes and not screen.work.busy:
                screen.work.start(UNDO, lambda report, cancel: screen.session.undo(plan, report, cancel))

        screen.app.push_screen(confirm_undo(plan), answered)
