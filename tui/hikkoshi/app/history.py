"""Past moves on the screen: their list, their receipts, and going on with one that ended early."""

from typing import TYPE_CHECKING

from hikkoshi.accounts.resuming import ResumePlan
from hikkoshi.app.screens.dialog import note
from hikkoshi.app.screens.history import RECEIPT, RESUME, moves_records, receipt_records
from hikkoshi.app.screens.records import RecordsScreen
from hikkoshi.i18n import _
from hikkoshi.ledger.records import Move

if TYPE_CHECKING:
    from hikkoshi.app.screens.main import MainScreen

LIST_MOVES, READ_RECEIPT, PLAN_RESUME = "list-moves", "read-receipt", "plan-resume"
JOBS = (LIST_MOVES, READ_RECEIPT, PLAN_RESUME)


class History:
    """Past moves as the main screen sees them. All of it runs in the screen's thread."""

    def __init__(self, screen: "MainScreen") -> None:
        self._screen = screen

    def open(self) -> None:
        """List the moves, newest first."""
        session = self._screen.session
        self._screen.work.start(LIST_MOVES, lambda _report, _cancel: session.past_moves())

    def resume(self, move: int | None = None) -> None:
        """Plan to go on with a move; without a number with the last one that ended early."""
        session = self._screen.session
        self._screen.work.start(PLAN_RESUME, lambda _report, _cancel: session.plan_resume(move))

    def ended(self, name: str, result: object) -> None:
        """What was asked for is there."""
        if name == LIST_MOVES:
            assert isinstance(result, list)
            self._show_moves(result)
        elif name == READ_RECEIPT:
            assert isinstance(result, tuple)
            self._screen.app.push_screen(RecordsScreen(receipt_records(*result), self._screen.signs))
        else:
            assert result is None or isinstance(result, ResumePlan)
            self._planned(result)

    def _show_moves(self, moves: list[Move]) -> None:
        screen = self._screen

        def answered(answer: tuple[str, int] | None) -> None:
            if answer is None or screen.busy(needs_snapshot=answer[0] != RECEIPT):
                return
            value, position = answer
            move = moves[position].id
            if value == RECEIPT:
                screen.work.start(READ_RECEIPT, lambda _report, _cancel: screen.session.receipt(move))
            elif value == RESUME:
                self.resume(move)

        screen.app.push_screen(RecordsScreen(moves_records(moves), screen.signs), answered)

    def _planned(self, chosen: ResumePlan | None) -> None:
        screen = self._screen
        if chosen is None or not chosen.work:
            text = _("No move ended early; there is nothing to go on with.")
            screen.app.push_screen(note(_("Nothing to go on with"), [(text, "")], _("Close")))
        else:
            screen.uploading.ask(chosen.plan, chosen)
