"""What panes and reports ask of the index: folder pairs with their counts, ids of rows, windows of rows."""

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable
from operator import add

import msgspec
from msgspec.structs import astuple

from hikkoshi.index.compare import WHYS
from hikkoshi.index.relation import DIFFERENT, UPLOAD, Relation
from hikkoshi.index.schema import SERVER_ROW
from hikkoshi.index.store import Index, IndexedMessage
from hikkoshi.mail.folders import LEFT_OUT, Role


class Counts(msgspec.Struct, frozen=True):
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
        return Counts(*map(add, astuple(self), astuple(other)))

    @property
    def work(self) -> int:
        """What makes `check` say 1: mail to upload, states to look at, doubts to settle."""
        return self.only_local + self.sent_gap + self.read_state + self.flags + self.ambiguous


class FolderPair(msgspec.Struct, frozen=True):
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
    pending: int = 0
    """Mails of this PC of which nothing is said yet: the server was not listed to its end."""


class Row(msgspec.Struct, frozen=True):
    """One row of the panes. `server_folder` names where the server's copy lies; `why` is a WHY_ code."""

    id: int
    view: int
    relation: Relation
    why: str
    local: IndexedMessage | None
    server: IndexedMessage | None
    local_folder: str
    server_folder: str


# The counts of Counts that stand on the leading row of a mail; the others stand on each row.
_OF_MAILS = {
    "only_local": Relation.ONLY_LOCAL,
    "only_server": Relation.ONLY_SERVER,
    "elsewhere": Relation.ELSEWHERE,
    "sent_gap": Relation.SENT_GAP,
    "ambiguous": Relation.AMBIGUOUS,
}
_OF_ROWS = {
    "read_state": Relation.READ,
    "flags": Relation.FLAGS,
    "duplicates_local": Relation.DUPLICATE_LOCAL,
    "duplicates_server": Relation.DUPLICATE_SERVER,
}


def _counted(relation: Relation, lead: bool, here: bool, rows: int) -> tuple[Counts, int]:
    """What rows that say the same add to the counts, and to the number of differing rows."""
    names = [name for name, fact in _OF_ROWS.items() if relation & fact]
    if lead:
        names += [name for name, fact in _OF_MAILS.items() if relation & fact]
    if here and relation & Relation.LEFT_OUT:
        names.append("left_out")
    differs = relation & DIFFERENT and (lead or relation & (Relation.READ | Relation.FLAGS))
    return Counts(**dict.fromkeys(names, rows)), rows if differs else 0


def folder_pairs(index: Index) -> list[FolderPair]:
    """The folder pairs in the order of the PC's folders, server folders that nothing maps to behind them."""
    counts: dict[int, tuple[Counts, int]] = {}
    pending: defaultdict[int, int] = defaultdict(int)
    for view, relation, lead, here, rows in index.db.execute("SELECT view, relation, lead, here, rows FROM tally"):
        pending[view] += rows if lead and relation & Relation.PENDING else 0
        before, differing = counts.get(view, (Counts(), 0))
        more, differ = _counted(Relation(relation), bool(lead), bool(here), rows)
        counts[view] = before + more, differing + differ
    found = index.db.execute(
        "SELECT view.id, s.id, l.name, s.name, view.target, view.role, l.stamp, s.stamp, l.id, l.messages, s.messages"
        " FROM view LEFT JOIN folder l ON l.id = view.local LEFT JOIN folder s ON s.id = view.server"
        " ORDER BY view.position"
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
            counts=counts.get(id_, (Counts(), 0))[0],
            differing=counts.get(id_, (Counts(), 0))[1],
            local_messages=local_messages or 0,
            server_messages=server_messages or 0,
            known=(local_id is None or local_stamp is not None) and (server_id is None or server_stamp is not None),
            pending=pending[id_],
        )
        for (
            id_, server_id, local, server, target, role, local_stamp, server_stamp, local_id, local_messages,
            server_messages,
        ) in found
    ]  # fmt: skip


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
                why=WHYS[why],
                local=local,
                server=server,
                local_folder=names[local.folder] if local else "",
                server_folder=names[server.folder] if server else "",
            )
        )
    return result


def mail_keys(index: Index, ids: Iterable[int]) -> dict[int, int]:
    """What mail each of these rows is about, as a number, by row id; rows that are gone are missing.

    Ids are given again when the last messages of an index were forgotten. A row of an earlier comparison is the same
    mail now only where this number, too, is the same.
    """
    rows = index.db.execute(
        "SELECT pair.id, message.key FROM json_each(?) CROSS JOIN pair ON pair.id = value"
        f" CROSS JOIN message ON message.id = value % {SERVER_ROW}",
        (json.dumps(list(ids)),),
    )
    return dict(rows.fetchall())


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


def upload_sums(index: Index, append_limit: int | None) -> tuple[list[tuple[str, int, int]], "array[int]"]:
    """What `uploadable` names, summed up: (native name of the target, mails, bytes in CRLF form) of what can go.

    And the row ids of what cannot: empty mail, and mail of more than `append_limit` bytes.
    """
    # Where a mail's copies have a fact that an upload settles, the row that leads has it, too, and goes for them.
    going = (
        f"FROM pair JOIN message ON message.id = pair.local WHERE lead AND relation & {int(UPLOAD)} != 0"
        " AND (message.size > 0 AND (? IS NULL OR message.size <= ?))"
    )
    limits = (append_limit, append_limit)
    sums = index.db.execute(
        f"SELECT target, count(*), sum(size) FROM (SELECT folder, size {going}) JOIN folder ON folder.id = folder"
        " GROUP BY target",
        limits,
    ).fetchall()
    rest = index.db.execute(f"SELECT pair.id {going} = 0 ORDER BY pair.id", limits)
    return sums, array("q", (row for (row,) in rest))


def upload_targets(index: Index) -> list[str]:
    """Native names of the server's folders that have mail to get, those to be made as well."""
    rows = index.db.execute(
        "SELECT DISTINCT target FROM tally JOIN view ON view.id = tally.view"
        " WHERE here AND relation & ? != 0 AND target IS NOT NULL ORDER BY target",
        (int(UPLOAD),),
    )
    return [native for (native,) in rows]


def upload_sizes(index: Index) -> list[tuple[int, int, int]]:
    """(row id, view, bytes in CRLF form) of all that `uploadable` names, by row id."""
    return index.db.execute(
        "SELECT pair.id, view, message.size FROM pair JOIN message ON message.id = pair.local"
        " WHERE lead AND relation & ? != 0 ORDER BY pair.id",
        (int(UPLOAD),),
    ).fetchall()
