"""Read state and flags from the PC to the server: plan, question, and what became of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hikkoshi.app.part import Part
from hikkoshi.app.screens.flags import ADD, REMOVE, confirm_flags, flags_result
from hikkoshi.i18n import _
from hikkoshi.move.flag_plan import FlagPlan
from hikkoshi.move.flag_sync import FlagResult

if TYPE_CHECKING:
    from hikkoshi.app.screens.main import MainScreen

PLAN_FLAGS, SYNC_FLAGS = "plan-flags", "sync-flags"


class Flagging(Part):
    """Setting flags as the main screen sees it."""

    jobs = (PLAN_FLAGS, SYNC_FLAGS)

    def __init__(self, screen: "MainScreen") -> None:
        super().__init__(screen)
        self._ids: list[int] = []
        self._remove = False

    def plan(self, ids: Iterable[int], *, remove: bool = False) -> None:
        """Ask the account what would change on these rows."""
        wanted = list(ids)
        self._ids, self._remove = wanted, remove
        session = self._screen.session
        self._screen.work.start(PLAN_FLAGS, lambda _report, _cancel: session.plan_flags(wanted, remove=remove))

    def ended(self, _name: str, result: object) -> None:
        """Planning or setting ended: ask, or say what became of it."""
        if isinstance(result, FlagPlan):
            self._planned(result)
        else:
            assert isinstance(result, FlagResult)
            self._done(result)

    def _planned(self, plan: FlagPlan) -> None:
        def answered(answer: str | None) -> None:
            if self._screen.work.busy:
                return
            if answer == REMOVE:
                self.plan(self._ids, remove=True)
            elif answer == ADD:
                session = self._screen.session
                self._screen.work.start(SYNC_FLAGS, lambda report, cancel: session.sync_flags(plan, report, cancel))

        self._screen.app.push_screen(confirm_flags(plan, removing=self._remove), answered)

    def _done(self, result: FlagResult) -> None:
        screen = self._screen
        screen.take_compared()
        screen.say("" if result.complete else _("Not all flags were set."))
        screen.app.push_screen(flags_result(result))
