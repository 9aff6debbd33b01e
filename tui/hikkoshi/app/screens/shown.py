"""What the main screen shows of a comparison: folders, rows, limits, and the lines around them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hikkoshi.app.heads import bar_keys, head_lines, status_line, title_line
from hikkoshi.app.rows import Page, Rows, Wanted
from hikkoshi.app.screens.parts import Parts
from hikkoshi.app.selection import Selection, UploadTable
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.lines import Lines
from hikkoshi.i18n import N_, _
from hikkoshi.index.relation import DIFFERENT, UPLOAD, Relation
from hikkoshi.mail.folders import Role
from hikkoshi.move.room import Load, Outlook, Room

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot

FILTERS = (
    (Relation.SAME, N_("all"), N_("There is no mail here.")),
    (DIFFERENT, N_("differing"), N_("Nothing differs here.")),
    (UPLOAD, N_("missing"), N_("The server lacks nothing of this.")),
)


class Showing(Parts):
    """The state of what is on the screen, and how it is painted. What changes it is in `MainScreen`."""

    def __init__(self, rows: Rows, server: str, signs: Signs) -> None:
        super().__init__(Selection(), signs)
        self.rows, self.server = rows, server
        self.snapshot: Snapshot | None = None
        self.rooms: tuple[Room, ...] = ()
        self.table = UploadTable()
        self._sent: set[int] = set()
        self._outlooks: list[Outlook] = []
        self._filter = 0
        self._state = ""
        self._state_bad = False
        self._said = ""

    @property
    def moving(self) -> bool:
        """Whether mail is being uploaded."""
        raise NotImplementedError

    def show_remembered(self) -> None:
        """Show what the index remembers of the last time."""
        self.panes.row_at = self.rows.at
        self.panes.is_sent = self._sent.__contains__
        page = self.rows.read()
        self.rows.go_over(page, ())
        self.show_page(page, (), whole=not any(pair.pending for pair in page.pairs))
        self.gauges.tell((), {})
        self.panes.focus()

    # What was compared

    def show_page(self, page: Page, selected: Sequence[int], *, whole: bool) -> None:
        """Show what was compared anew; cursors, what is in view, and these selected rows stay."""
        self._sent.clear()
        self._sent.update(pair.id for pair in page.pairs if pair.role is Role.SENT)
        self.table = page.table
        self.selection.use(page.table, selected)
        self.folders.show(page.pairs, whole=whole)
        wanted = self._wanted()
        self._tell_empty()
        self.panes.show_again(page.ids if page.wanted == wanted else self.rows.ids(wanted))
        self._show_around()

    def load(self) -> None:
        """Show the rows of the folder under the cursor."""
        self._tell_empty()
        self.panes.show(self.rows.ids(self._wanted()))
        self._said = ""
        self._show_around()

    def _wanted(self) -> Wanted:
        pair = self.folders.pair
        return Wanted(pair.id if pair else None, FILTERS[self._filter][0])

    def _tell_empty(self) -> None:
        if not self.folders.pairs:
            text = _("Both sides are being looked at…")
        elif self.folders.whole or not self._filter:
            text = _(FILTERS[self._filter][2])
        else:
            text = _("Not known yet: the server was not listed to its end.")
        self.panes.empty_text = text

    def _show_around(self) -> None:
        self._tell_facts()
        self.paint_heads()
        self._tell_load()
        self.tell_keys()

    def _tell_facts(self) -> None:
        folders = self.folders
        whole = bool(folders.pairs) and folders.whole
        self.facts.tell(folders.counts, folders.pending, self.signs, whole=whole)

    def recount(self) -> None:
        """Counts of folders changed while mail lands."""
        self.folders.pairs = self.rows.pairs()
        self.folders.refresh()
        self._tell_facts()

    def next_filter(self) -> None:
        """All rows, those that differ, what is missing."""
        self._filter = (self._filter + 1) % len(FILTERS)
        self.load()

    # The lines around

    def show_rooms(self, rooms: tuple[Room, ...], loads: dict[str, Load]) -> None:
        """The limits, and what would come on top."""
        self.rooms = rooms
        self._outlooks = self.gauges.tell(rooms, loads)

    def say(self, text: str) -> None:
        """Say something in the status line until the next key."""
        self._said = text
        self._paint_status()

    def tell_state(self, text: str, *, bad: bool = False) -> None:
        """Say in the title how things stand."""
        self._state, self._state_bad = text, bad
        self.paint_title()

    def tell_row(self) -> None:
        """Another row is under the cursor: say what is true of it."""
        self._said = ""
        self._paint_status()

    def tell_selection(self) -> None:
        """Other rows are selected: say how many, and where that would lead."""
        self._said = ""
        self._tell_load()

    def tell_keys(self) -> None:
        """Show in the key bar what can be done now."""
        keys = bar_keys(_(FILTERS[self._filter][1]), moving=self.moving)
        self.query_one(KeyBar).tell(keys)

    def _tell_load(self) -> None:
        if not self.moving:
            self.show_rooms(self.rooms, self.selection.loads)
        self._paint_status()

    def _paint_status(self) -> None:
        panes = self.panes
        line = status_line(self._said, self.selection, self._outlooks, panes.current, self.signs)
        position = f"{min(panes.cursor + 1, panes.count):,}/{panes.count:,} "
        self.query_one("#status", Lines).show([(line, [(position, "head")])])

    def paint_title(self) -> None:
        """What is compared, and how things stand."""
        line = title_line(self.snapshot, self.server, self._state, self.size.width, self.signs, bad=self._state_bad)
        self.query_one("#title", Lines).show([line])

    def paint_heads(self) -> None:
        """The lines over the panes and over all."""
        self.paint_title()
        pair = self.folders.pair
        sent = pair is not None and pair.role is Role.SENT
        filter_name = "" if self._filter == 0 else _(FILTERS[self._filter][1])
        self.query_one("#heads", Lines).show(head_lines(pair, self.panes, self.signs, filter_name, sent=sent))
