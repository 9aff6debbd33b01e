"""What panes and reports ask of the index: folder pairs with their counts, ids of rows, windows of rows."""

import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, fields

from hikkoshi.index.relation import DIFFERENT, UPLOAD, Relation
from hikkoshi.index.store import Index, IndexedMessage
from hikkoshi.mail.folders import LEFT_OUT, Role


@dataclass(frozen=True, slots=True)
class Counts:
    """The differences as `check --json` names them."""

    only_local: int = 0
    only_server: int = 0
    read_state: int = 0
    flags: int = 0
    elsewhere: int = 0
    sent_gap: int = 0
    duplicates_local: int = 0
    duplicates_server: int = 0
    ambiguous: int = 0
    left_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    @property
    def work(self) -> int:
        """What makes `check` say 1: mail to upload, states to look at, doubts to settle."""
        return self.only_local + self.sent_gap + self.read_state + self.flags + self.ambiguous


@dataclass(frozen=True, slots=True)
class FolderPair:
    """One line of the folder list. `server` is a display name; `exists`: it is on the server already."""

    id: int
    local: str | None
    server: str | None
    target: str | None
    exists: bool
    role: Role
    counts: Counts
    differing: int
    """Rows with any difference; a sent mail that is only here is one, though it counts twice above."""
    local_messages: int
    server_messages: int
    known: bool
    """False: one of its sides could not be read or opened, so what is said of it is not the whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the panes. `server_folder` names where the server's copy lies; `why` is a WHY_ code."""

    id: int
    view: int
    relation: Relation
    why: str
    local: IndexedMessage | None
    server: IndexedMessage | None
    local_folder: str
    server_folder: str


_COUNT_COLUMNS = (
    f"sum(lead AND relation & {int(Relation.ONLY_LOCAL)} != 0),"
    f"sum(lead AND relation & {int(Relation.ONLY_SERVER)} != 0),"
    f"sum(relation & {int(Relation.READ)} != 0),"
    f"sum(relation & {int(Relation.FLAGS)} != 0),"
    f"sum(lead AND relation & {int(Relation.ELSEWHERE)} != 0),"
    f"sum(lead AND relation & {int(Relation.SENT_GAP)} != 0),"
    f"sum(relation & {int(Relation.DUPLICATE_LOCAL)} != 0),"
    f"sum(relation & {int(Relation.DUPLICATE_SERVER)} != 0),"
    f"sum(lead AND relation & {int(Relation.AMBIGUOUS)} != 0),"
    f"sum(local IS NOT NULL AND relation & {int(Relation.LEFT_OUT)} != 0)"
)
_DIFFERING = (
    f"sum(relation & {int(DIFFERENT)} != 0 AND (lead OR relation & {int(Relation.READ | Relation.FLAGS)} != 0))"
)


def folder_pairs(index: Index) -> list[FolderPair]:
    """The folder pairs in the order of the PC's folders, server folders that nothing maps to behind them."""
    found = index.db.execute(f"SELECT view, {_DIFFERING}, {_COUNT_COLUMNS} FROM pair GROUP BY view")  # noqa: S608
    counts = {view: (differing, Counts(*numbers)) for view, differing, *numbers in found}
    messages = dict(index.db.execute("SELECT folder, count(*) FROM message GROUP BY folder"))
    rows = index.db.execute(
        "SELECT view.id, l.id, s.id, l.name, s.name, view.target, view.role, l.stamp, s.stamp FROM view"
        " LEFT JOIN folder l ON l.id = view.local LEFT JOIN folder s ON s.id = view.server ORDER BY view.id"
    )
    return [
        FolderPair(
            id=id_,
            local=local,
            # Nothing goes into a folder that is left out, so none is made for it.
            server=server or (None if Role(role) in LEFT_OUT else target),
            target=target,
            exists=server_id is not None,
            role=Role(role),
            counts=counts.get(id_, (0, Counts()))[1],
            differing=counts.get(id_, (0, Counts()))[0],
            local_messages=messages.get(local_id, 0),
            server_messages=messages.get(server_id, 0),
            known=(local_id is None or local_stamp is not None) and (server_id is None or server_stamp is not None),
        )
        for id_, local_id, server_id, local, server, target, role, local_stamp, server_stamp in rows
    ]


def total(pairs: Iterable[FolderPair]) -> Counts:
    """The counts of all folder pairs together."""
    return sum((pair.counts for pair in pairs), Counts())


def row_ids(index: Index, view: int | None, only: Relation = Relation.SAME) -> "array[int]":
    """Ids of the rows of one folder pair (None: of all), newest first; `only`: those with any of these facts."""
    rows = index.db.execute(
        "SELECT id FROM pair WHERE (? IS NULL OR view = ?) AND (? = 0 OR relation & ? != 0)"
        " ORDER BY date IS NULL, date DESC, id",
        (view, view, int(only), int(only)),
    )
    return array("q", (row[0] for row in rows))


def rows(index: Index, ids: Iterable[int]) -> list[Row]:
    """The rows with these ids, in the order of the ids; rows that are gone are missing."""
    wanted = list(ids)
    found = {
        row[0]: row
        for row in index.db.execute(
            "SELECT pair.id, view, relation, why, local, server FROM pair"
            " WHERE pair.id IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted),),
        )
    }
    messages = index.messages(m for row in found.values() for m in row[4:6] if m is not None)
    names = dict(index.db.execute("SELECT id, name FROM folder"))
    result = []
    for id_ in wanted:
        if id_ not in found:
            continue
        _id, view, relation, why, local_id, server_id = found[id_]
        local, server = messages.get(local_id), messages.get(server_id)
        result.append(
            Row(
                id=id_,
                view=view,
                relation=Relation(relation),
                why=why,
                local=local,
                server=server,
                local_folder=names[local.folder] if local else "",
                server_folder=names[server.folder] if server else "",
            )
        )
    return result


def uploadable(index: Index, natives: Iterable[str] | None = None, facts: Relation = UPLOAD) -> "array[int]":
    """Row ids that an upload of these local folders (None: all) would send, of those facts only: each mail once.

    A mail of which several copies lie in these folders is sent as the one that counts its facts, if that is among them.
    """
    rows = index.db.execute(
        "SELECT id FROM (SELECT pair.id, pair.view, date,"
        " row_number() OVER (PARTITION BY mail ORDER BY lead DESC, pair.id) AS copy"
        " FROM pair JOIN view ON view.id = pair.view JOIN folder ON folder.id = view.local"
        " WHERE pair.local IS NOT NULL AND relation & ? != 0"
        " AND (? IS NULL OR folder.native IN (SELECT value FROM json_each(?))))"
        " WHERE copy = 1 ORDER BY view, date, id",
        (int(facts), *([json.dumps(list(natives))] * 2 if natives is not None else [None, None])),
    )
    return array("q", (row[0] for row in rows))


def upload_sizes(index: Index) -> list[tuple[int, int, int]]:
    """(row id, view, bytes in CRLF form) of all that `uploadable` names, by row id."""
    return index.db.execute(
        "SELECT pair.id, view, message.size FROM pair JOIN message ON message.id = pair.local"
        " WHERE lead AND relation & ? != 0 ORDER BY pair.id",
        (int(UPLOAD),),
    ).fetchall()
