"""Comparing the two sides as the index has them, and writing the rows that the panes show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hikkoshi.index.compare import Copy, gather
from hikkoshi.index.mapping import Target
from hikkoshi.index.pairing import PairRow, Place, pair_up
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index, IndexedFolder
from hikkoshi.mail.folders import Role
from hikkoshi.mail.identity import Identity

Upload = tuple[str, int, int]
"""(native folder name, UIDVALIDITY, UID) of something that we uploaded."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the ledger knows of an upload: its source's identity, its size in CRLF form, its canonical digest."""

    identity: Identity
    size: int
    body: bytes | None


def compare(index: Index, targets: Mapping[str, Target], proofs: Mapping[Upload, Proof]) -> None:
    """Compare all that the index has and replace the pairs. `targets`: by native name of the local folder."""
    folders = index.folders()
    with index.transaction():
        index.db.executemany(
            "UPDATE folder SET target = ? WHERE side = ? AND native = ?",
            [(target.native, LOCAL, native) for native, target in targets.items()],
        )
        server = {entry.folder.native: entry.id for entry in folders if entry.side == SERVER}
        places = _places(folders, targets, server)
        local_view, server_view = _write_views(index, folders, targets, server)
        index.db.execute("DELETE FROM pair")
        partial = frozenset(row[0] for row in index.db.execute("SELECT id FROM message WHERE partial"))

        def view_of(row: PairRow) -> int:
            return local_view[row.local.folder] if row.local else server_view[row.server.folder]  # type: ignore[union-attr]

        index.db.executemany(
            "INSERT INTO pair (view, local, server, mail, relation, lead, why, date) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    view_of(row),
                    row.local and row.local.id,
                    row.server and row.server.id,
                    number,
                    int(row.relation),
                    row.lead,
                    row.why,
                    (row.local or row.server).date,  # type: ignore[union-attr]
                )
                for number, mail in enumerate(gather(_copies(index, proofs), lambda id_: _fields(index, id_)))
                for row in pair_up(mail, places, partial)
            ),
        )


def _places(folders: list[IndexedFolder], targets: Mapping[str, Target], server: Mapping[str, int]) -> dict[int, Place]:
    places = {}
    # Where the user has sent mail put into another folder, that folder is where the gap is closed.
    sent = {
        targets[entry.folder.native].native
        for entry in folders
        if entry.side == LOCAL and entry.folder.role is Role.SENT
    }
    for entry in folders:
        role, native = entry.folder.role, entry.folder.native
        if entry.side == LOCAL:
            places[entry.id] = Place(role, server.get(targets[native].native), role is Role.SENT)
        else:
            places[entry.id] = Place(role, None, role is Role.SENT or native in sent)
    return places


def _write_views(
    index: Index, folders: list[IndexedFolder], targets: Mapping[str, Target], server: Mapping[str, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Write the folder pairs; the view of each local and of each server folder, by folder row id.

    A server folder that several local folders go to shows its own mail beside the first of them.
    """
    index.db.execute("DELETE FROM view")
    local_view: dict[int, int] = {}
    server_view: dict[int, int] = {}

    def write(local: int | None, beside: int | None, target: str | None, role: Role) -> int:
        cursor = index.db.execute(
            "INSERT INTO view (local, server, target, role) VALUES (?, ?, ?, ?)", (local, beside, target, role)
        )
        return int(cursor.lastrowid or 0)

    for entry in folders:
        if entry.side == LOCAL:
            native = targets[entry.folder.native].native
            beside = server.get(native)
            view = write(entry.id, beside, native, entry.folder.role)
            local_view[entry.id] = view
            if beside is not None:
                server_view.setdefault(beside, view)
    for entry in folders:
        if entry.side == SERVER and entry.id not in server_view:
            server_view[entry.id] = write(None, entry.id, entry.folder.native, entry.folder.role)
    return local_view, server_view


def _copies(index: Index, proofs: Mapping[Upload, Proof]) -> Iterator[Copy]:
    rows = index.db.execute(
        "SELECT message.id, side, folder, message_id, digest, strong, size, flags, date, body,"
        " native, stamp, place"
        " FROM message JOIN folder ON folder.id = message.folder WHERE stamp IS NOT NULL OR side = ?",
        (LOCAL,),
    )
    for id_, side, folder, message_id, digest, strong, size, flags, date, body, native, stamp, place in rows:
        proof = proofs.get((native, int(stamp), int(place))) if side == SERVER and proofs else None
        if proof is None:
            yield Copy(id_, side, folder, message_id, digest, bool(strong), size, flags, date, body)
        else:
            known = proof.identity
            yield Copy(
                id_,
                side,
                folder,
                known.message_id,
                known.digest,
                known.strong,
                proof.size,
                flags,
                date,
                proof.body,
                True,
            )


def _fields(index: Index, id_: int) -> bytes:
    return bytes(index.db.execute("SELECT fields FROM message WHERE id = ?", (id_,)).fetchone()[0])
