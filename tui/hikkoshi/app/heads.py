"""The lines around the panes as text: title, heads, status, keys. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from hikkoshi.app.keys import SCREEN, SELECT
from hikkoshi.app.row_text import cut, head_text
from hikkoshi.app.selection import Selection
from hikkoshi.app.signs import Signs, kinds_of
from hikkoshi.app.widgets.lines import Part, Shown
from hikkoshi.app.widgets.pair_list import BOTH, GUTTER, LOCAL, PairList, shape_of
from hikkoshi.app.words import outlook_text, row_text, selection_text, worst
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.queries import FolderPair, Row
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.room import Outlook

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot

_LEAST = 20
"""Cells from which on a piece of the store's description says something."""

_BAR = (
    "mark",
    "missing",
    "upload",
    "filter",
    "other_list",
    "help",
    "quit",
    "flags",
    "history",
    "refresh",
    "mapping",
    "flip",
)
"""Actions of the key bar by weight: at 80 columns the first seven fit."""

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
"""Cells below which nothing of the panes can be read."""


def too_small(width: int, height: int) -> list[Shown]:
    """What is shown instead of everything where the terminal is too small."""
    here = _(" {width} x {height} is too small.").format(width=width, height=height)
    needed = _(" {width} x {height} are needed.").format(width=LEAST_WIDTH, height=LEAST_HEIGHT)
    return [([(here, "bad")], []), ([(needed, "strong")], [])]


def title_line(snapshot: "Snapshot | None", server: str, state: str, width: int, signs: Signs, *, bad: bool) -> Shown:
    """Which store is compared with which account, and when that was, in `width` cells."""
    name = " hikkoshi "
    right: list[Part] = [(f"{server} ", "strong")]
    checked: list[Part] = []
    if snapshot and snapshot.whole:
        checked = [(_(" checked {time} ").format(time=snapshot.checked_at.strftime("%H:%M")), "head")]
    if state:
        left = width - cell_len(name) - sum(cell_len(text) for text, _style in (*right, *checked)) - 3
        fitting = state if cell_len(state) <= left else cut(state, max(0, left), signs.more)
        right.append((f" {fitting} ", "bad" if bad else "good"))
    right += checked
    room = width - cell_len(name) - sum(cell_len(text) for text, _style in right) - 4
    if snapshot is None or room < _LEAST:
        return [(name, "key")], right
    return [(name, "key"), (f" {cut(sanitise(snapshot.description), room, signs.more)} ", "")], right


def head_lines(pair: FolderPair | None, panes: PairList, signs: Signs, only: str, *, sent: bool) -> list[Shown]:
    """Two lines over the panes: the folders, and the names of the columns."""
    width = panes.scrollable_content_region.width
    shape = shape_of(width, panes.view)
    local, server = _names(pair)
    if only:
        local = f"{local}  [{only}]"
    columns = head_text(shape, signs, sent=sent)
    gap = " " * GUTTER
    if panes.view == BOTH:
        names = cut(f" {local}", shape.width, signs.more) + gap + cut(f" {server}", shape.width, signs.more)
        columns = columns + gap + columns
    else:
        names = gap + cut(f" {local if panes.view == LOCAL else server}", shape.width, signs.more)
        columns = gap + columns
    assert cell_len(names) <= max(width, 0) or width < GUTTER
    return [([(set_cell_size(names, width), "strong")], []), ([(columns, "head")], [])]


def status_line(
    said: str, selection: Selection, outlooks: Sequence[Outlook], row: Row | None, signs: Signs
) -> list[Part]:
    """What was just said, else what is selected and where that leads, else what is true of the row."""
    if said:
        return [(f" {said}", "bad")]
    if not selection.count:
        return [(f" {row_text(row, kinds_of(row.relation)) if row else ''}", "")]
    parts: list[Part] = [(f" {selection_text(selection)}", "strong")]
    outlook = worst(outlooks)
    if selection.sendable and outlook:
        parts.append((f" {signs.more} {outlook_text(outlook)}", "good" if outlook.fits else "bad"))
    return parts


def bar_keys(filter_name: str, *, moving: bool) -> list[tuple[str, str, str]]:
    """(name, label, action) of the keys in the bar, those that are needed most first."""
    keys = {
        key.action: (_(key.name).split(",")[0], _(key.label), key.action) for key in (*SELECT, *SCREEN) if key.label
    }
    keys["filter"] = (keys["filter"][0], _("Show: {what}").format(what=filter_name), "filter")
    stop = [(_("Esc"), _("Stop the upload"), "back")] if moving else []
    return stop + [keys[action] for action in _BAR]


def _names(pair: FolderPair | None) -> tuple[str, str]:
    if pair is None:
        return _("This PC: all folders"), _("Server: all folders")
    local = server = ""
    if pair.local is None:
        local = _("This PC: no such folder")
    else:
        mails = ngettext("{n:,} mail", "{n:,} mails", pair.local_messages).format(n=pair.local_messages)
        local = _("This PC: {folder} ({mails})").format(folder=pair.local, mails=mails)
    if pair.server is None:
        server = _("Server: no folder")
    elif not pair.exists:
        server = _("Server: {folder} (new)").format(folder=pair.server)
    else:
        mails = ngettext("{n:,} mail", "{n:,} mails", pair.server_messages).format(n=pair.server_messages)
        server = _("Server: {folder} ({mails})").format(folder=pair.server, mails=mails)
    return local, server
