"""The main screen: folders, gauges, the two panes, and what the keys do."""

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from hikkoshi.app.heads import head_lines, title_line
from hikkoshi.app.keys import SCREEN, SELECT
from hikkoshi.app.rows import Rows
from hikkoshi.app.screens.confirm import leave_while_moving
from hikkoshi.app.screens.dialog import note
from hikkoshi.app.screens.error import CLOSE, QUIT, RETRY, error_screen
from hikkoshi.app.screens.help import help_screen, problems_screen
from hikkoshi.app.screens.mapping import MappingScreen
from hikkoshi.app.selection import Selection, UploadTable
from hikkoshi.app.session import Session
from hikkoshi.app.signs import Signs, kinds_of
from hikkoshi.app.uploading import MOVE, PLAN, Uploading
from hikkoshi.app.widgets.folder_list import Facts, FolderList
from hikkoshi.app.widgets.gauge import Gauges
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.app.widgets.lines import Lines
from hikkoshi.app.widgets.move_panel import MovePanel
from hikkoshi.app.widgets.pair_list import VIEWS, PairList
from hikkoshi.app.words import outlook_text, progress_text, row_text, selection_text, why_not, worst
from hikkoshi.app.work import Ended, Told, Work
from hikkoshi.errors import Cancelled, HikkoshiError
from hikkoshi.i18n import N_, _, ngettext
from hikkoshi.index.queries import FolderPair
from hikkoshi.index.relation import DIFFERENT, UPLOAD, Relation
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report
from hikkoshi.mail.folders import Role
from hikkoshi.move.plan import Plan
from hikkoshi.move.receipt import Receipt
from hikkoshi.move.room import Load, Outlook, Room

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot
    from hikkoshi.app.main import HikkoshiApp

REFRESH, REMAP = "refresh", "remap"
FILTERS = (
    (Relation.SAME, N_("all"), N_("There is no mail here.")),
    (DIFFERENT, N_("differing"), N_("Nothing differs here.")),
    (UPLOAD, N_("missing"), N_("The server lacks nothing of this.")),
)
_WIDE, _NARROW = "-wide", "-narrow"


class MainScreen(Screen[None]):
    """What the user works with. Handlers here own the state; jobs only post messages."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - an instance attribute to Textual
        (0, _NARROW),
        (100, "-normal"),
        (150, _WIDE),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (30, "-high"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in SCREEN]

    def __init__(self, session: Session, rows: Rows, signs: Signs) -> None:
        super().__init__()
        self.session, self.rows, self.signs = session, rows, signs
        self.work = Work(self.post_message)
        self.selection = Selection()
        self.uploading = Uploading(self)
        self.snapshot: Snapshot | None = None
        self.rooms: tuple[Room, ...] = ()
        self._table = UploadTable()
        self._sent: set[int] = set()
        self._outlooks: list[Outlook] = []
        self._filter = 0
        self._state = ""
        self._state_bad = False
        self._said = ""
        self._leaving = False

    # Building

    def compose(self) -> ComposeResult:
        """Title, gauges, folders beside the panes, the move, the status, the keys."""
        yield Lines(id="title")
        yield Gauges(self.signs, id="gauges")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield FolderList(self.signs, id="folders")
                yield Facts(id="facts")
            with Vertical(id="right"):
                yield Lines(id="heads")
                yield PairList(self.selection, self.signs, id="panes")
        yield MovePanel(self.signs, id="moving")
        yield Lines(id="status")
        yield KeyBar(id="keys")
        yield Lines(id="small")

    def on_mount(self) -> None:
        """Show what the index remembers at once, and look at both sides."""
        self.panes.row_at = self.rows.at
        self.panes.is_sent = self._sent.__contains__
        self.rows.hold()
        self._adopt(self.rows.pairs())
        self.gauges.tell((), {})
        self.panes.focus()
        self._refresh(first=True)

    def on_resize(self, event: events.Resize) -> None:
        """Below a size at which nothing can be read, say which size is needed."""
        small = event.size.width < 40 or event.size.height < 10
        self.set_class(small, "-small")
        if small:
            text = _(" {width} x {height} is too small: 40 x 10 are needed.")
            self.query_one("#small", Lines).show(
                [([(text.format(width=event.size.width, height=event.size.height), "bad")], [])]
            )
        self.call_after_refresh(self._paint_heads)
        self._tell_keys()

    @property
    def hikkoshi(self) -> "HikkoshiApp":
        """The application."""
        from hikkoshi.app.main import HikkoshiApp

        assert isinstance(self.app, HikkoshiApp)
        return self.app

    @property
    def panes(self) -> PairList:
        """The two panes."""
        return self.query_one("#panes", PairList)

    @property
    def folders(self) -> FolderList:
        """The folder list."""
        return self.query_one("#folders", FolderList)

    @property
    def gauges(self) -> Gauges:
        """The quota gauges."""
        return self.query_one("#gauges", Gauges)

    @property
    def panel(self) -> MovePanel:
        """What tells of a running move."""
        return self.query_one("#moving", MovePanel)

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
        self.query_one("#facts", Facts).tell(self.folders.counts, self.signs)
        self._paint_heads()
        self._tell_selection()
        self._tell_keys()

    def recount(self) -> None:
        """Counts of folders changed while mail lands."""
        self.folders.pairs = self.rows.pairs()
        self.folders.refresh()
        self.query_one("#facts", Facts).tell(self.folders.counts, self.signs)

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
        status = self.query_one("#status", Lines)
        position = f"{min(self.panes.cursor + 1, self.panes.count):,}/{self.panes.count:,} "
        if self._said:
            status.show([([(f" {self._said}", "bad")], [(position, "head")])])
        elif self.selection.count:
            parts = [(f" {selection_text(self.selection)}", "strong")]
            outlook = worst(self._outlooks)
            if self.selection.sendable and outlook:
                parts.append((f" {self.signs.more} {outlook_text(outlook)}", "good" if outlook.fits else "bad"))
            status.show([(parts, [(position, "head")])])
        else:
            row = self.panes.current
            text = row_text(row, kinds_of(row.relation)) if row else ""
            status.show([([(f" {text}", "")], [(position, "head")])])

    def _paint_title(self) -> None:
        line = title_line(
            self.snapshot, self.session.server, self._state, self.size.width, self.signs, bad=self._state_bad
        )
        self.query_one("#title", Lines).show([line])

    def _paint_heads(self) -> None:
        self._paint_title()
        heads = self.query_one("#heads", Lines)
        pair = self.folders.pair
        sent = pair is not None and pair.role is Role.SENT
        filter_name = "" if self._filter == 0 else _(FILTERS[self._filter][1])
        heads.show(head_lines(pair, self.panes, self.signs, filter_name, sent=sent))

    def _tell_keys(self) -> None:
        keys = [(_(key.name).split(",")[0], _(key.label), key.action) for key in (*SELECT, *SCREEN) if key.label]
        labels = {"filter": _("Show: {what}").format(what=_(FILTERS[self._filter][1]))}
        keys = [(name, labels.get(action, label), action) for name, label, action in keys]
        order = ["mark", "missing", "upload", "filter", "other_list", "help", "quit", "refresh", "mapping", "flip"]
        keys.sort(key=lambda key: order.index(key[2]))
        if self.uploading.moving:
            keys.insert(0, (_("Esc"), _("Stop the upload"), "back"))
        self.query_one(KeyBar).tell(keys)

    # Folders and rows

    @on(LineList.Moved, "#folders")
    def _folder_moved(self) -> None:
        self._load()

    @on(LineList.Moved, "#panes")
    def _row_moved(self) -> None:
        self._said = ""
        self._paint_status()

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
        views = VIEWS
        self.panes.set_view(views[(views.index(self.panes.view) + 1) % len(views)])
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
            self._take(self.session.snapshot)
        self._tell_keys()

    # Looking at both sides

    def action_refresh(self) -> None:
        """Look at both sides again."""
        if not self._busy(needs_snapshot=False):
            self._refresh()

    def _refresh(self, *, first: bool = False) -> None:
        session = self.session

        def look(report: Report, cancel: Cancel) -> "tuple[str, Snapshot]":
            left_behind = session.left_behind() if first else ""
            return left_behind, session.refresh(report, cancel)

        self._tell_state(_("looking at both sides"))
        self.work.start(REFRESH, look)

    def action_mapping(self) -> None:
        """Change the mapping."""
        if self._busy():
            return

        def done(overrides: dict[str, str] | None) -> None:
            if overrides is not None and not self._busy():
                self._tell_state(_("comparing"))
                session = self.session
                self.work.start(REMAP, lambda report, cancel: ("", session.remap(overrides, report, cancel)))

        self.app.push_screen(MappingScreen(self.folders.pairs, self.session.overrides, self.signs), done)

    def _take(self, snapshot: "Snapshot") -> None:
        self.snapshot, self.rooms = snapshot, snapshot.rooms
        self.rows.hold()
        self._adopt(snapshot.pairs)
        number = len(snapshot.problems)
        problems = ngettext("{n} problem: p", "{n} problems: p", number).format(n=number) if number else ""
        self._tell_state(problems, bad=bool(problems))

    def _tell_state(self, text: str, *, bad: bool = False) -> None:
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

    # Jobs

    def on_told(self, message: Told) -> None:
        """A job tells how it goes."""
        if self.uploading.moving:
            self.uploading.told(message.event)
        elif isinstance(message.event, Progress):
            self._tell_state(progress_text(message.event))

    def on_ended(self, message: Ended) -> None:
        """A job ended."""
        self.work.ended()
        if self._leaving:
            stopped = isinstance(message.result, Receipt) and not message.result.complete
            self.app.exit(return_code=1 if stopped or message.error else 0)
        elif isinstance(message.error, HikkoshiError):
            self._failed(message.name, message.error)
        elif message.error is not None:
            raise message.error
        elif message.name == PLAN:
            assert isinstance(message.result, Plan)
            self.uploading.planned(message.result)
        elif message.name == MOVE:
            assert isinstance(message.result, Receipt)
            self.uploading.ended(message.result)
        else:
            assert isinstance(message.result, tuple)
            left_behind, snapshot = message.result
            self._take(snapshot)
            if left_behind:
                self.app.push_screen(note(_("The last upload ended early"), [(left_behind, "")], _("Close")))

    def _failed(self, name: str, error: HikkoshiError) -> None:
        if name == MOVE:
            self.end_move()
        if name in (REFRESH, REMAP):
            when = self.snapshot.checked_at if self.snapshot else None
            self._tell_state(_("not up to date") if when else _("not compared"), bad=True)
            if isinstance(error, Cancelled):
                return

        def answered(answer: str | None) -> None:
            if answer == QUIT:
                self.app.exit(return_code=error.exit_code if self.snapshot is None else 0)
            elif answer == RETRY and not self.work.busy:
                self._refresh(first=self.snapshot is None)

        assert CLOSE  # the third answer: look at what is there
        self.app.push_screen(error_screen(error, rows_kept=bool(self.folders.pairs)), answered)

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

        self.app.push_screen(leave_while_moving(), answered)

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
        self.app.push_screen(problems_screen(self.snapshot.problems if self.snapshot else ()))
