"""What a comparison has to know of each folder: its role, where it is mapped to, and the line that shows its mail."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import astuple

from hikkoshi.index.mapping import Target
from hikkoshi.index.pairing import Place
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index, IndexedFolder
from hikkoshi.mail.folders import LEFT_OUT, Role


class Standing(msgspec.Struct, frozen=True):
    """A row of the table `standing`: `view` shows the folder's mail; `target` is a folder's row id.

    `sent`: mail sent is kept here; also true of a server folder that a local one of role sent is mapped to.
    `known`: False for a server folder that could not be opened; its mail is not compared.
    """

    folder: int
    view: int
    role: Role
    target: int | None
    sent: bool
    known: bool

    @property
    def place(self) -> Place:
        """The same for pairing."""
        return Place(self.role, self.target, self.sent)

    @property
    def left_out(self) -> bool:
        """Whether its mail is listed but not compared."""
        return self.role in LEFT_OUT


def standings(folders: Iterable[IndexedFolder], targets: Mapping[str, Target]) -> dict[int, Standing]:
    """The standing of each folder, by row id. `targets`: by native name of the local folder.

    The mail of a server folder that several local folders go to is shown beside the first of them.
    """
    folders = list(folders)
    server = {entry.folder.native: entry.id for entry in folders if entry.side == SERVER}
    # Where the user has sent mail put into another folder, that folder is where the gap is closed.
    sent = {
        targets[entry.folder.native].native
        for entry in folders
        if entry.side == LOCAL and entry.folder.role is Role.SENT
    }
    found: dict[int, Standing] = {}
    view_of: dict[int, int] = {}
    for entry in folders:
        role = entry.folder.role
        if entry.side == LOCAL:
            target = server.get(targets[entry.folder.native].native)
            found[entry.id] = Standing(entry.id, entry.id, role, target, role is Role.SENT, known=True)
            if target is not None:
                view_of.setdefault(target, entry.id)
    for entry in folders:
        if entry.side == SERVER:
            role, is_sent = entry.folder.role, entry.folder.role is Role.SENT or entry.folder.native in sent
            view = view_of.get(entry.id, entry.id)
            found[entry.id] = Standing(entry.id, view, role, None, is_sent, entry.known)
    return found


def write_views(index: Index, folders: Iterable[IndexedFolder], targets: Mapping[str, Target]) -> None:
    """Write the lines of the folder list: the PC's folders in their order, server folders alone behind them."""
    folders = list(folders)
    server = {entry.folder.native: entry.id for entry in folders if entry.side == SERVER}
    rows: list[tuple[object, ...]] = []
    beside: set[int] = set()
    for entry in folders:
        if entry.side == LOCAL:
            native = targets[entry.folder.native].native
            there = server.get(native)
            beside.update([there] if there is not None else [])
            rows.append((entry.id, entry.id, there, native, entry.folder.role, len(rows)))
    for entry in folders:
        if entry.side == SERVER and entry.id not in beside:
            rows.append((entry.id, None, entry.id, entry.folder.native, entry.folder.role, len(rows)))
    index.db.execute("DELETE FROM view")
    index.db.executemany("INSERT INTO view (id, local, server, target, role, position) VALUES (?, ?, ?, ?, ?, ?)", rows)


def renew_standings(index: Index, now: Mapping[int, Standing], *, touch: bool) -> None:
    """Write the standings; with `touch` the mail of folders for which something changed counts as touched."""
    rows = index.db.execute("SELECT folder, view, role, target, sent, known FROM standing").fetchall()
    before = {row[0]: Standing(row[0], row[1], Role(row[2]), row[3], bool(row[4]), bool(row[5])) for row in rows}
    for folder, standing in now.items():
        if touch and before.get(folder) != standing:
            index.db.execute("INSERT OR IGNORE INTO touched SELECT key FROM message WHERE folder = ?", (folder,))
    index.db.execute("DELETE FROM standing")
    index.db.executemany("INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?)", map(astuple, now.values()))
