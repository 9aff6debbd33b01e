"""From a selection to a receipt: plan, question, move, and what the screen shows meanwhile."""

from time import monotonic
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hikkoshi.app.part import Part
from hikkoshi.app.proposal import Proposal, propose
from hikkoshi.app.screens.confirm import FINDINGS, REPAIRS, UPLOAD, confirm, stop_move
from hikkoshi.app.screens.dialog import Dialog
from hikkoshi.app.screens.findings import findings_records, offered_repairs, repairs_records
from hikkoshi.app.screens.receipt import receipt_screen
from hikkoshi.app.screens.records import RecordsScreen
from hikkoshi.app.work import Event, Tell
from hikkoshi.i18n import _
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.events import Landed, NotMoved, Rooms, Waiting
from hikkoshi.move.offers import Kind
from hikkoshi.move.receipt import Receipt
from hikkoshi.move.room import Load, Room, outlook

if TYPE_CHECKING:
    from hikkoshi.app.screens.main import MainScreen

PLAN, REPAIR, NARROW, MOVE = "plan", "repair", "narrow", "move"
_COUNT_EVERY = 2.0  # seconds between counts of the folder list while mail lands


class Uploading(Part):
    """The upload as the main screen sees it."""

    jobs = (PLAN, REPAIR, NARROW, MOVE)

    def __init__(self, screen: "MainScreen") -> None:
        super().__init__(screen)
        self._rooms: tuple[Room, ...] = ()
        self._since: dict[str, Load] = {}
        self._left: dict[str, Load] = {}
        self._weights: dict[int, tuple[str, Load]] = {}
        self._landed: list[int] = []
        self._counted = 0.0
        self.asking: Dialog[bool] | None = None
        """The question whether to stop the move, if it was put."""

    @property
    def moving(self) -> bool:
        """Whether mail is being uploaded."""
        return self._screen.work.name == MOVE

    def plan(self, ids: list[int]) -> None:
        """Ask the account for the plan of these rows."""
        session = self._screen.session

        def plan(report: Tell, cancel: Cancel) -> Proposal:
            made = session.plan(ids)
            return propose(made, session.look(made, report, cancel), session.budget())

        self._screen.work.start(PLAN, plan)

    def ended(self, _name: str, result: object) -> None:
        """Planning or the move ended: show the plan and ask, or what the move did."""
        if isinstance(result, Proposal):
            self._screen.say("")
            self.ask(result)
        else:
            assert isinstance(result, Receipt)
            self._moved(result)

    def ask(self, proposal: Proposal) -> None:
        """Show a plan and ask."""

        def answered(answer: str | None) -> None:
            if not answer or self._screen.work.busy:
                return
            if answer == UPLOAD:
                self._begin(proposal)
            elif answer == FINDINGS and proposal.found:
                shown = RecordsScreen(findings_records(proposal.found), self._screen.signs)
                self._screen.app.push_screen(shown, lambda _answer: self.ask(proposal))
            elif answer == REPAIRS:
                self._choose_repairs(proposal, proposal.repairs)
            else:
                self._screen.work.start(NARROW, lambda _report, _cancel: proposal.narrowed(Kind(answer)))

        self._screen.app.push_screen(confirm(proposal, self._screen.signs), answered)

    def _choose_repairs(self, proposal: Proposal, chosen: frozenset[Repair], cursor: int = 0) -> None:
        found, screen = proposal.found, self._screen
        assert found is not None, "repairs are offered for what was looked at"

        def answered(answer: tuple[str, int] | None) -> None:
            if answer is not None:
                self._choose_repairs(proposal, chosen ^ {offered_repairs(found)[answer[1]]}, answer[1])
            elif chosen == proposal.repairs:
                self.ask(proposal)
            elif not screen.work.busy:
                session, bare = screen.session, proposal.bare
                screen.work.start(
                    REPAIR, lambda _report, _cancel: proposal.mended(session.repaired(bare, chosen), chosen)
                )

        screen.app.push_screen(
            RecordsScreen(repairs_records(found, chosen, screen.signs), screen.signs, cursor), answered
        )

    def _begin(self, proposal: Proposal) -> None:
        plan, screen = proposal.plan, self._screen
        resumed = proposal.resuming.resumed if proposal.resuming else None
        self._rooms = tuple(each.room for each in plan.outlooks)
        self._left = {share.target: share.load for share in plan.shares}
        self._weights = {item.row: (item.target, Load(item.message.size, 1)) for item in plan.items}
        self._since, self._landed = {}, []
        screen.begin_move(plan)
        session = screen.session
        screen.work.start(MOVE, lambda report, cancel: session.upload(plan, report, cancel, resumed))

    def told(self, event: Event) -> None:
        """Something happened in the move."""
        if not self.moving:
            super().told(event)
        elif isinstance(event, Progress):
            self._screen.panel.progress(event)
            self._show_landed()
        elif isinstance(event, Landed):
            self._land(event.row)
        elif isinstance(event, NotMoved):
            self._take_off(event.row)
            self._screen.panel.failed(event)
        elif isinstance(event, Waiting):
            self._screen.panel.waiting(event)
        elif isinstance(event, Rooms):
            self._rooms, self._since = event.rooms, {}
            self._tell_gauges()

    def _land(self, row: int) -> None:
        self._landed.append(row)
        self._take_off(row)
        target, load = self._weights.get(row, ("", Load()))
        self._since[target] = self._since.get(target, Load()) + load

    def _take_off(self, row: int) -> None:
        target, load = self._weights.get(row, ("", Load()))
        if target:
            self._left[target] += Load(-load.size, -load.messages)

    def _show_landed(self) -> None:
        """Paint what arrived since the last time: rows, gauges, now and then the folders' counts."""
        if not self._landed:
            return
        landed, self._landed = self._landed, []
        self._screen.rows.hold()
        self._screen.panes.repaint_rows(set(landed))
        self._tell_gauges()
        if monotonic() - self._counted > _COUNT_EVERY:
            self._counted = monotonic()
            self._screen.recount()

    def _tell_gauges(self) -> None:
        now = [replace(each.room, used=each.after) for each in outlook(self._rooms, self._since)]
        self._screen.show_rooms(tuple(now), {t: load for t, load in self._left.items() if load.messages > 0})

    def stop(self) -> None:
        """Ask whether to stop, and stop between two mails."""

        def answered(stop: bool | None) -> None:
            if stop and self.moving:
                self._screen.work.cancel.set("user")
                self._screen.panel.stopping()

        self.asking = stop_move()
        self._screen.app.push_screen(self.asking, answered)

    def _moved(self, receipt: Receipt) -> None:
        self._show_landed()
        self._screen.end_move()
        if self.asking and self.asking.is_current:
            # The move ended while the question whether to stop it stood there.
            self.asking.dismiss(False)
        self._screen.say("" if receipt.complete else _("Not all mail arrived."))
        self._screen.app.push_screen(receipt_screen(receipt))
