"""Which local folder goes to which server folder, and changing that."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from hikkoshi.app.row_text import cut, cut_start
from hikkoshi.app.signs import KINDS, Signs
from hikkoshi.app.widgets.key_bar import KeyBar
from hikkoshi.app.widgets.line_list import LineList
from hikkoshi.i18n import N_, _
from hikkoshi.index.queries import FolderPair
from hikkoshi.mail.folders import LEFT_OUT, Role

_ROLE, _STATE = 10, 9  # cells
_ARROW = next(kind for kind in KINDS if kind.name == "only-local")
_ROLES = {
    Role.INBOX: N_("inbox"),
    Role.SENT: N_("sent"),
    Role.DRAFTS: N_("drafts"),
    Role.ARCHIVE: N_("archive"),
    Role.ALL: N_("all mail"),
    Role.JUNK: N_("junk"),
    Role.TRASH: N_("trash"),
    Role.OUTBOX: N_("outbox"),
    Role.TEMPLATES: N_("templates"),
}


class MappingList(LineList):
    """One line for each local folder."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"mapping--cursor", "mapping--changed", "mapping--dim"}
    DEFAULT_CSS = """
    MappingList { background: $surface; color: $row-text; height: auto; max-height: 100%; }
    MappingList > .mapping--cursor { background: $row-cursor; }
    MappingList > .mapping--changed { color: $bar-key; text-style: bold; }
    MappingList > .mapping--dim { color: $row-left-out; }
    """

    def __init__(self, pairs: Sequence[FolderPair], overrides: dict[str, str], signs: Signs) -> None:
        super().__init__(id="pairs")
        self.pairs = [pair for pair in pairs if pair.local is not None]
        self.overrides = overrides
        self._signs = signs
        self._before = dict(overrides)

    def on_mount(self) -> None:
        """Show the folders."""
        self.resize_to(len(self.pairs))

    def name_of(self, pair: FolderPair) -> str:
        """The server folder that a local folder goes to, as it stands in this screen."""
        return self.overrides.get(pair.local or "", "" if self._taken_back(pair) else pair.server or "")

    def _taken_back(self, pair: FolderPair) -> bool:
        return pair.local in self._before and pair.local not in self.overrides

    def line_at(self, position: int, width: int) -> Strip:
        """Local folder, sign, server folder, role, whether it is there."""
        pair = self.pairs[position]
        local = pair.local or ""
        changed = self.overrides.get(local) != self._before.get(local)
        style = self.rich_style
        if changed:
            style += self.get_component_rich_style("mapping--changed", partial=True)
        elif pair.role in LEFT_OUT:
            style += self.get_component_rich_style("mapping--dim", partial=True)
        if position == self.cursor:
            style += self.get_component_rich_style("mapping--cursor", partial=True)
        there = _("there") if pair.exists else _("new")
        if pair.server is None:
            # Nothing goes there, so no folder will be made for it.
            there = _("left out")
        state = _("changed") if changed else _("your word") if local in self.overrides else there
        name = self.name_of(pair) or _("(chosen by role and name)")
        half = (width - _ROLE - _STATE - 8) // 2
        more, arrow = self._signs.more, self._signs.of(_ARROW)
        role = _(_ROLES[pair.role]) if pair.role in _ROLES else ""
        folders = f" {cut_start(local, half, more)}  {arrow}  {cut_start(name, half, more)}"
        text = f"{folders} {cut(role, _ROLE, more)} {cut(state, _STATE, more)}"
        return Strip([Segment(set_cell_size(text, width), style)], width)

    def on_click(self, event: events.Click) -> None:
        """A click chooses a line, a double click changes it."""
        if self.is_line(event.screen_offset):
            self.move_to(self.position_at(event.screen_offset))
            if event.chain == 2:
                self.call_later(self.screen.run_action, "edit")


class MappingScreen(ModalScreen["dict[str, str] | None"]):
    """The mapping editor; gives the user's corrections, or None if nothing is to change."""

    EDIT = "#edit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", show=False),
        Binding("s,f2", "save", show=False),
        Binding("delete,backspace", "automatic", show=False),
        Binding("escape", "leave", show=False),
    ]
    DEFAULT_CSS = """
    MappingScreen { align: center middle; background: $background 60%; }
    MappingScreen #dialog { width: 94%; max-width: 110; height: auto; max-height: 94%; background: $panel; padding: 1 2 0 2; }
    MappingScreen #title { text-style: bold; color: $primary; height: auto; margin-bottom: 1; }
    MappingScreen #edit { display: none; margin-top: 1; background: $row-absent; color: $row-text; }
    MappingScreen #edit.open { display: block; }
    MappingScreen KeyBar { margin-top: 1; background: $panel; }
    """

    def __init__(self, pairs: Sequence[FolderPair], overrides: Mapping[str, str], signs: Signs) -> None:
        super().__init__()
        self._list = MappingList(pairs, dict(overrides), signs)
        self._before = dict(overrides)
        self._names = sorted({pair.server for pair in pairs if pair.exists and pair.server})

    def compose(self) -> ComposeResult:
        """The list, the line to write in, the keys."""
        with Vertical(id="dialog"):
            yield Static(Content(_("Which local folder goes to which server folder")), id="title", markup=False)
            yield self._list
            yield Input(
                id="edit",
                placeholder=_("Server folder; levels with /; empty: chosen by role and name"),
                compact=True,
                suggester=SuggestFromList(self._names, case_sensitive=False),
            )
            yield KeyBar(id="mapping-keys")

    def on_mount(self) -> None:
        """Begin in the list."""
        self._list.focus()
        self._tell_keys()

    def _tell_keys(self) -> None:
        writing = self.query_one(self.EDIT).has_class("open")
        keys = (
            [(_("Enter"), _("Take"), "take"), (_("Right"), _("Complete"), ""), (_("Esc"), _("Back"), "leave")]
            if writing
            else [
                (_("Enter"), _("Change"), "edit"),
                (_("Del"), _("Automatic"), "automatic"),
                ("s", _("Save and compare"), "save"),
                (_("Esc"), _("Leave as it was"), "leave"),
            ]
        )
        self.query_one(KeyBar).tell(keys)

    @on(KeyBar.Pressed)
    async def _pressed(self, event: KeyBar.Pressed) -> None:
        if event.action:
            await self.run_action(event.action)

    def action_edit(self) -> None:
        """Write another server folder for the line under the cursor."""
        if not self._list.count:
            return
        line = self.query_one(self.EDIT, Input)
        line.add_class("open")
        line.value = self._list.name_of(self._list.pairs[self._list.cursor])
        line.focus()
        self._tell_keys()

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Take what was written."""
        line = self.query_one(self.EDIT, Input)
        local = self._list.pairs[self._list.cursor].local or ""
        name = line.value.strip().strip("/")
        if not name:
            self._list.overrides.pop(local, None)
        elif name != self._list.name_of(self._list.pairs[self._list.cursor]):
            self._list.overrides[local] = name
        self._close_line()

    def action_automatic(self) -> None:
        """Let role and name choose again."""
        if self._list.count:
            self._list.overrides.pop(self._list.pairs[self._list.cursor].local or "", None)
            self._list.refresh()

    def action_save(self) -> None:
        """Done: remember and compare again."""
        changed = self._list.overrides != self._before
        self.dismiss(self._list.overrides if changed else None)

    def action_leave(self) -> None:
        """Out of the line, or out of the screen with nothing changed."""
        if self.query_one(self.EDIT).has_class("open"):
            self._close_line()
        else:
            self.dismiss(None)

    def _close_line(self) -> None:
        self.query_one(self.EDIT).remove_class("open")
        self._list.focus()
        self._list.refresh()
        self._tell_keys()
