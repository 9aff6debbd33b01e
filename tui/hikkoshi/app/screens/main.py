"""The main screen: folders, gauges, the two panes, and what the keys do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import BindingType

from hikkoshi.app.heads import LEAST_HEIGHT, LEAST_WIDTH, bar_keys, head_lines, status_line, title_line, too_small
from hikkoshi.app.keys import SCREEN
from hikkoshi.app.looking import Looking
from hikkoshi.app.rows import Rows
from hikkoshi.app.screens.confirm import leave_while_moving
from hikkoshi.app.screens.help import help_screen, problems_screen
from hikkoshi.app.screens.mapping import MappingScreen
from hikkoshi.app.screens.parts import Parts
from hikkoshi.app.selection import Selection, UploadTable
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
from hikkoshi.i18n import N_, _, ngettext
from hikkoshi.index.queries import FolderPair
from hikkoshi.index.relation import DIFFERENT, UPLOAD, Relation
from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Problem
from hikkoshi.move.plan import Plan
from hikkoshi.move.receipt import Receipt
from hikkoshi.move.room import Load, Outlook, Room

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot

FILTERS = (
    (Relation.SAME, N_("all"), N_("There is no mail here.")),
    (DIFFERENT, N_("differing"), N_("Nothing differs here.")),
    (UPLOAD, N_("missing"), N_("The server lacks nothing of this.")),
)


class MainScreen(Parts):
    """What the user works with. Handlers here own the state; jobs only post messages."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in SCREEN]

    def __init__(self, session: Session, rows: Rows, signs: Signs, problems: Sequence[Problem] = ()) -> None:
        super().__init__(Selection(), signs)
        self.session, self.rows = session, rows
        self.work = Work(self.post_message)
        self.uploading = Uploading(self)
        self.looking = Looking(self)
        self.snapshot: Snapshot | None = None
        self.rooms: tuple[Room, ...] = ()
        self._table = UploadTable()
        self._own_problems = tuple(problems)
        self._sent: set[int] = set()
        self._outlooks: list[Outlook] = []
        self._filter = 0
        self._state = ""
        self._state_bad = False
        self._said = ""
        self._leaving = False

    # Starting

    def on_mount(self) -> None:
        """Show what the index remembers at once, and look at both sides."""
        self.panes.row_at = self.rows.at
        self.panes.is_sent = self._sent.__contains__
        self.rows.hold()
        self._adopt(self.rows.pairs())
        self.gauges.tell((), {})
        self.panes.focus()
        self.looking.refresh(first=True)

    def on_resize(self, event: events.Resize) -> None:
        """Below a size at which nothing can be read, say which size is needed."""
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.set_class(small, "-small")
        if small:
            self.query_one("#small", Lines).show(too_small(event.size.width, event.size.height))
        self._paint_title()
        self._tell_keys()

    # Showing

    def _adopt(self, pairs: tuple[FolderPair, ...]) -> None:
        """Show what was compared anew. What was selected had other row ids: it is selected no longer."""
        self._sent.clear()
        self._sent.update(pair.id for pair in pairs if pair.role is Role.SENT)
        self._table = self.rows.uploads(pairs)
        self.selection.use(self._table)
        position = self.panes.cursor
        self.folders.show(pairs)
        self._load(position)

    def _load(self, position: int = 0) -> None:
        """Show the rows of the folder under the cursor."""
        only, _name, empty = FILTERS[self._filter]
        pair = self.folders.pair
        self.panes.empty_text = _(empty) if self.folders.pairs else _("Both sides are being looked at…")
        self.panes.show(self.rows.ids(pair.id if pair else None, only), position)
        self.facts.tell(self.folders.counts if self.folders.pairs else None, self.signs)
        self._paint_heads()
        self._tell_selection()
        self._tell_keys()

    def recount(self) -> None:
        """Counts of folders changed while mail lands."""
        self.folders.pairs = self.rows.pairs()
        self.folders.refresh()
        self.facts.tell(self.folders.counts, self.signs)

    def show_rooms(self, rooms: tuple[Room, ...], loads: dict[str, Load]) -> None:
        """The limits, and what would come on top."""
        self.rooms = rooms
        self._outlooks = self.gauges.tell(rooms, loads)

    def say(self, text: str) -> None:
        """Say something in the status line until the next key."""
        self._said = text
        self._paint_status()

    def _tell_selection(self) -> None:
        self._said = ""
        if not self.uploading.moving:
            self.show_rooms(self.rooms, self.selection.loads)
        self._paint_status()

    def _paint_status(self) -> None:
        panes = self.panes
        line = status_line(self._said, self.selection, self._outlooks, panes.current, self.signs)
        position = f"{min(panes.cursor + 1, panes.count):,}/{panes.count:,} "
        self.query_one("#status", Lines).show([(line, [(position, "head")])])

    def _paint_title(self) -> None:
        line = title_line(
            self.snapshot, self.session.server, self._state, self.size.width, self.signs, bad=self._state_bad
        )
        self.query_one("#title", Lines).show([line])

    def _paint_heads(self) -> None:
        self._paint_title()
        pair = self.folders.pair
        sent = pair is not None and pair.role is Role.SENT
        filter_name = "" if self._filter == 0 else _(FILTERS[self._filter][1])
        self.query_one("#heads", Lines).show(head_lines(pair, self.panes, self.signs, filter_name, sent=sent))

    def _tell_keys(self) -> None:
        keys = bar_keys(_(FILTERS[self._filter][1]), moving=self.uploading.moving)
        self.query_one(KeyBar).tell(keys)

    # Folders and rows

    @on(LineList.Moved, "#folders")
    def _folder_moved(self) -> None:
        self._load()

    @on(LineList.Moved, "#panes")
    def _row_moved(self) -> None:
        self._said = ""
        self._paint_status()

    @on(PairList.Reshaped)
    def _reshaped(self) -> None:
        self._paint_heads()

    @on(PairList.Selected)
    def _selected(self) -> None:
        self._tell_selection()

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
        self._filter = (self._filter + 1) % len(FILTERS)
        self._load()

    def action_flip(self) -> None:
        """Both sides or one of them."""
        self.panes.set_view(VIEWS[(VIEWS.index(self.panes.view) + 1) % len(VIEWS)])
        self._paint_heads()

    def action_missing(self) -> None:
        """Select all that the server lacks of this folder."""
        pair = self.folders.pair
        self._select(self._table.of_view(pair.id if pair else None))

    def action_all_missing(self) -> None:
        """Select all that the server lacks."""
        self._select(self._table.of_view(None))

    def _select(self, rows: list[int]) -> None:
        if not rows:
            self.say(_("The server lacks nothing of this."))
            return
        self.selection.add(rows)
        self.panes.reselected()

    def action_back(self) -> None:
        """End what is going on: a gesture, a move, the selection."""
        if self.panes.cancel_gesture():
            return
        if self.uploading.moving:
            self.uploading.stop()
        elif self.selection.count:
            self.selection.clear()
            self.panes.reselected()
        elif self.folders.has_focus:
            self.action_other_list()

    # Uploading

    def action_upload(self) -> None:
        """Upload what is selected, else the row under the cursor, else say why not."""
        if self._busy():
            return
        row = self.panes.current
        ids = self.selection.uploads() if self.selection.count else []
        if not ids and not self.selection.count and row is not None and self._table.find(row.id):
            ids = [row.id]
        if ids:
            self.uploading.plan(ids)
        elif self.selection.count:
            self.say(_("The server lacks nothing of what is selected."))
        else:
            self.say(why_not(row) or _("Another copy of this mail stands for it; upload that one."))

    def begin_move(self, plan: Plan) -> None:
        """A move begins: show how it goes."""
        self.selection.clear()
        self.panes.reselected()
        self.panel.begin(plan.load.messages, plan.load.size)
        self.panel.display = True
        self.panel.paint()
        self.call_later(self._tell_keys)

    def end_move(self) -> None:
        """The move ended: both sides were compared again."""
        self.panel.display = False
        if self.session.snapshot is not None:
            self.take(self.session.snapshot)
        self._tell_keys()

    # Looking at both sides, and what jobs tell

    def action_refresh(self) -> None:
        """Look at both sides again."""
        if not self._busy(needs_snapshot=False):
            self.looking.refresh()

    def action_mapping(self) -> None:
        """Change the mapping."""

        def done(overrides: dict[str, str] | None) -> None:
            if overrides is not None and not self._busy():
                self.looking.remap(overrides)

        if not self._busy():
            self.app.push_screen(MappingScreen(self.folders.pairs, self.session.overrides, self.signs), done)

    def take(self, snapshot: "Snapshot") -> None:
        """Both sides were compared: show that."""
        self.snapshot, self.rooms = snapshot, snapshot.rooms
        self.rows.hold()
        self._adopt(snapshot.pairs)
        number = len(self._problems)
        problems = ngettext("{n} problem: p", "{n} problems: p", number).format(n=number) if number else ""
        self.tell_state(problems, bad=bool(problems))

    @property
    def _problems(self) -> tuple[Problem, ...]:
        return (*(self.snapshot.problems if self.snapshot else ()), *self._own_problems)

    def tell_state(self, text: str, *, bad: bool = False) -> None:
        """Say in the title how things stand."""
        self._state, self._state_bad = text, bad
        self._paint_title()

    def _busy(self, *, needs_snapshot: bool = True) -> bool:
        """Whether nothing new can begin now; says why."""
        if self.uploading.moving:
            self.say(_("Mail is being uploaded; wait for its end, or stop it with Esc."))
        elif self.work.busy:
            self.say(_("Both sides are being looked at; wait a moment."))
        elif needs_snapshot and self.snapshot is None:
            self.say(_("The two sides were not compared yet: press r to try again."))
        else:
            return False
        return True

    def on_told(self, message: Told) -> None:
        """A job tells how it goes."""
        (self.uploading if self.uploading.moving else self.looking).told(message.event)

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
        elif message.name in (PLAN, MOVE):
            self.uploading.ended(message.result)
        else:
            self.looking.ended(message.result)

    # Leaving and other screens

    def action_quit(self) -> None:
        """Leave; a running move is asked about first."""
        if not self.uploading.moving:
            self.work.cancel.set("user")
            self.app.exit()
            return

        def answered(leave: bool | None) -> None:
            if leave:
                self.leave("user")

        self.uploading.asking = leave_while_moving()
        self.app.push_screen(self.uploading.asking, answered)

    def leave(self, reason: str) -> None:
        """Leave for good: a move ends between two mails and is written down first."""
        self.work.cancel.set(reason)
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
