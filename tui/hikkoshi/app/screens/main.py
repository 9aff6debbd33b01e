"""The main screen: folders, gauges, the two panes, and what the keys do."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType

from hikkoshi.app.flagging import SYNC_FLAGS, Flagging
from hikkoshi.app.heads import LEAST_HEIGHT, LEAST_WIDTH, too_small
from hikkoshi.app.history import PLAN_RESUME, UNDO, History
from hikkoshi.app.keys import SCREEN
from hikkoshi.app.looking import Looking
from hikkoshi.app.part import Part
from hikkoshi.app.rows import Look, Rows
from hikkoshi.app.screens.confirm import leave_while_moving
from hikkoshi.app.screens.help import help_screen, problems_screen
from hikkoshi.app.screens.mapping import MappingScreen
from hikkoshi.app.screens.shown import Showing
from hikkoshi.app.session import Session
from hikkoshi.app.signs import Signs
from hikkoshi.app.uploading import MOVE, PLAN, Uploading
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.app.widgets.lines import Lines
from hikkoshi.app.widgets.pair_list import VIEWS, PairList
from hikkoshi.app.words import why_not
from hikkoshi.app.work import Ended, Told, Work
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.relation import Relation
from hikkoshi.mail.message import Problem, without_remarks
from hikkoshi.move.plan import Plan
from hikkoshi.move.receipt import Receipt

FLAGS_DIFFER = Relation.READ | Relation.FLAGS


class MainScreen(Showing):
    """What the user works with. Handlers here own the state; jobs only post messages."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in SCREEN]

    def __init__(self, session: Session, rows: Rows, signs: Signs, problems: Sequence[Problem] = ()) -> None:
        super().__init__(rows, session.server, signs)
        self.session = session
        self.work = Work(self.post_message)
        self.uploading = Uploading(self)
        self.looking = Looking(self)
        self.flagging = Flagging(self)
        self.history = History(self)
        self._own_problems = tuple(problems)
        self._waiting: Look | None = None
        self._leaving = False

    @property
    def moving(self) -> bool:
        """Whether mail is being uploaded."""
        return self.uploading.moving

    # Starting

    def on_mount(self) -> None:
        """Show what the index remembers at once, and look at both sides."""
        self.show_remembered()
        self.looking.refresh(first=True)

    def on_resize(self, event: events.Resize) -> None:
        """Below a size at which nothing can be read, say which size is needed."""
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.set_class(small, "-small")
        if small:
            self.query_one("#small", Lines).show(too_small(event.size.width, event.size.height))
        self.paint_title()
        self.tell_keys()

    # Folders and rows

    @on(LineList.Moved, "#folders")
    def _folder_moved(self) -> None:
        self.load()

    @on(LineList.Moved, "#panes")
    def _row_moved(self) -> None:
        self.tell_row()

    @on(PairList.Reshaped)
    def _reshaped(self) -> None:
        self.paint_heads()

    @on(PairList.Selected)
    def _selected(self) -> None:
        self.tell_selection()
        if self._waiting and not self.panes.dragged:
            self.take(self._waiting)

    @on(KeyBar.Pressed)
    async def _bar_pressed(self, event: KeyBar.Pressed) -> None:
        if event.action == "mark":
            self.panes.action_mark()
        else:
            await self.run_action(event.action)

    def action_other_list(self) -> None:
        """Between the folders and the mail; where the screen is narrow the folders show only now."""
        to_folders = self.panes.has_focus
        self.query_one("#left").set_class(to_folders, "-open")
        (self.folders if to_folders else self.panes).focus()

    def action_filter(self) -> None:
        """All rows, those that differ, what is missing."""
        self.next_filter()

    def action_flip(self) -> None:
        """Both sides or one of them."""
        self.panes.set_view(VIEWS[(VIEWS.index(self.panes.view) + 1) % len(VIEWS)])
        self.paint_heads()

    def action_missing(self) -> None:
        """Select all that the server lacks of this folder."""
        pair = self.folders.pair
        self._select(self.table.of_view(pair.id if pair else None))

    def action_all_missing(self) -> None:
        """Select all that the server lacks."""
        self._select(self.table.of_view(None))

    def _select(self, rows: list[int]) -> None:
        if not rows:
            self.say(_("The server lacks nothing of this.") if self.folders.whole else self._why_unknown())
            return
        self.selection.add(rows)
        self.panes.reselected()

    def action_back(self) -> None:
        """End what is going on: a gesture, a move, the selection."""
        if self.panes.cancel_gesture():
            return
        if self.uploading.moving:
            self.uploading.stop()
        elif self.work.name in (PLAN, PLAN_RESUME, SYNC_FLAGS, UNDO):
            self.work.cancel.set("user")
        elif self.selection.count:
            self.selection.clear()
            self.panes.reselected()
        elif self.folders.has_focus:
            self.action_other_list()

    # Uploading

    def action_upload(self) -> None:
        """Upload what is selected, else the row under the cursor, else say why not."""
        if self.busy():
            return
        row = self.panes.current
        ids = self.selection.uploads() if self.selection.count else []
        if not ids and not self.selection.count and row is not None and self.table.find(row.id):
            ids = [row.id]
        if ids:
            self.uploading.plan(ids)
        elif self.selection.count:
            self.say(_("The server lacks nothing of what is selected."))
        else:
            self.say(why_not(row) or _("Another copy of this mail stands for it; upload that one."))

    def action_flags(self) -> None:
        """Set flags on the server as they are on this PC: of what is selected, else of all rows of the list."""
        if self.busy():
            return
        ids = self.selection.ids() if self.selection.count else self.rows.ids_like(FLAGS_DIFFER)
        if ids:
            self.flagging.plan(ids)
        else:
            self.say(_("Read state and flags are the same on both sides."))

    def action_history(self) -> None:
        """Past moves and their receipts."""
        if not self.busy(needs_snapshot=False):
            self.history.open()

    def begin_move(self, plan: Plan) -> None:
        """A move begins: show how it goes."""
        self.selection.clear()
        self.panes.reselected()
        self.panel.begin(plan.load.messages, plan.load.size)
        self.panel.display = True
        self.panel.paint()
        self.call_later(self.tell_keys)

    def end_move(self) -> None:
        """The move ended: both sides were compared again."""
        self.panel.display = False
        self.take_compared()
        self.tell_keys()

    # Looking at both sides, and what jobs tell

    def action_refresh(self) -> None:
        """Look at both sides again."""
        if not self.busy(needs_snapshot=False):
            self.looking.refresh()

    def action_mapping(self) -> None:
        """Change the mapping."""

        def done(overrides: dict[str, str] | None) -> None:
            if overrides is not None and not self.busy():
                self.looking.remap(overrides)

        if not self.busy():
            self.app.push_screen(MappingScreen(self.folders.pairs, self.session.overrides, self.signs), done)

    def take(self, look: Look) -> None:
        """Both sides were compared, perhaps not to their ends: show that."""
        if self._waiting and self._waiting is not look:
            self._waiting.page.index.close()
        # Rows do not change under a pointer that is selecting some.
        self._waiting = look if self.panes.dragged else None
        if self._waiting:
            return
        self.snapshot, self.rooms = look.snapshot, look.snapshot.rooms
        self.show_page(look.page, self.rows.go_over(look.page, self.selection.ids()), whole=look.snapshot.whole)
        if look.snapshot.whole:
            number = len(without_remarks(self._problems))
            problems = ngettext("{n} problem: p", "{n} problems: p", number).format(n=number) if number else ""
            self.tell_state(problems, bad=bool(problems))

    @property
    def _problems(self) -> tuple[Problem, ...]:
        return (*(self.snapshot.problems if self.snapshot else ()), *self._own_problems)

    def busy(self, *, needs_snapshot: bool = True) -> bool:
        """Whether nothing new can begin now; says why."""
        if self.uploading.moving:
            self.say(_("Mail is being uploaded; wait for its end, or stop it with Esc."))
        elif self.work.busy:
            whole = self.snapshot is None or self.snapshot.whole
            self.say(_("Both sides are being looked at; wait a moment.") if whole else self._why_unknown())
        elif needs_snapshot and self.snapshot is None:
            self.say(_("The two sides were not compared yet: press r to try again."))
        elif needs_snapshot and self.snapshot is not None and not self.snapshot.whole:
            self.say(self._why_unknown())
        else:
            return False
        return True

    def _why_unknown(self) -> str:
        if self.work.busy:
            return _("The server is still being listed; wait until that is done.")
        return _("The server was not listed to its end, so it is not known yet what it lacks: press r to go on.")

    def on_told(self, message: Told) -> None:
        """A job tells how it goes."""
        self._part_of(self.work.name).told(message.event)

    def on_ended(self, message: Ended) -> None:
        """A job ended."""
        self.work.ended()
        if self._leaving:
            whole = isinstance(message.result, Receipt) and message.result.complete
            self.app.exit(return_code=0 if whole else 1)
        elif isinstance(message.error, HikkoshiError):
            if message.name == MOVE:
                self.end_move()
            self.looking.failed(message.name, message.error)
        elif message.error is not None:
            raise message.error
        else:
            self._part_of(message.name).ended(message.name, message.result)
        self.looking.fill_search()

    def _part_of(self, job: str) -> Part:
        """Who hears of a job."""
        parts: tuple[Part, ...] = (self.uploading, self.flagging, self.history)
        return next((part for part in parts if job in part.jobs), self.looking)

    def take_compared(self) -> None:
        """Both sides were compared again by a job that changed something: show that."""
        if self.session.snapshot is not None:
            self.take(Look(self.session.snapshot, self.rows.read()))

    # Leaving and other screens

    def action_quit(self) -> None:
        """Leave; a running move is asked about first."""
        if not self.uploading.moving:
            self.work.stop("user")
            self.app.exit()
            return

        def answered(leave: bool | None) -> None:
            if leave:
                self.leave("user")

        self.uploading.asking = leave_while_moving()
        self.app.push_screen(self.uploading.asking, answered)

    def leave(self, reason: str) -> None:
        """Leave for good: a move ends between two mails and is written down first."""
        self.work.stop(reason)
        if self.uploading.moving:
            self._leaving = True
            self.panel.stopping()
        else:
            self.app.exit()

    def action_help(self) -> None:
        """All keys and signs."""
        self.app.push_screen(help_screen(self.signs))

    def action_problems(self) -> None:
        """What could not be read or compared."""
        self.app.push_screen(problems_screen(self._problems))
