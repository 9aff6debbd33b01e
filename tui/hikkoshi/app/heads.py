"""The title line and the heads of the two panes, as text. Pure."""

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from hikkoshi.app.row_text import cut, head_text
from hikkoshi.app.signs import Signs
from hikkoshi.app.widgets.lines import Part, Shown
from hikkoshi.app.widgets.pair_list import BOTH, GUTTER, LOCAL, PairList, shape_of
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.queries import FolderPair
from hikkoshi.mail.headers import sanitise

if TYPE_CHECKING:
    from hikkoshi.accounts.session import Snapshot

_LEAST = 20
"""Cells from which on a piece of the store's description says something."""


def title_line(snapshot: "Snapshot | None", server: str, state: str, width: int, signs: Signs, *, bad: bool) -> Shown:
    """Which store is compared with which account, and when that was, in `width` cells."""
    right: list[Part] = [(f"{server} ", "strong")]
    if state:
        right.append((f" {state} ", "bad" if bad else "good"))
    if snapshot:
        right.append((_(" checked {time} ").format(time=snapshot.checked_at.strftime("%H:%M")), "head"))
    name = " hikkoshi "
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
