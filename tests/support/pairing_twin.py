"""The comparison the long way: every message an object, nothing remembered, no SQL that decides anything."""

from collections.abc import Mapping

from hikkoshi.index.compare import WHYS, Copy, gather
from hikkoshi.index.mapping import Target
from hikkoshi.index.pairing import pair_up
from hikkoshi.index.proofs import Proof, Upload
from hikkoshi.index.schema import SERVER
from hikkoshi.index.standing import standings
from hikkoshi.index.store import Index
from hikkoshi.mail.identity import identify

TwinRow = tuple[int | None, int | None, int, int, bool, str, int | None, frozenset[tuple[int | None, int | None]]]
"""(local, server, view, relation, lead, why, date, the (local, server) of all rows of the same mail)."""


def twin_rows(index: Index, targets: Mapping[str, Target], proofs: Mapping[Upload, Proof]) -> set[TwinRow]:
    """The rows that a comparison of the whole account gives; ids are row ids of messages."""
    folders = {entry.id: entry for entry in index.folders()}
    standing = standings(folders.values(), targets)
    copies, fields, partial = [], {}, set()
    for folder, entry in folders.items():
        if entry.side == SERVER and not entry.known:
            continue
        rows = index.db.execute(
            "SELECT message.id, place, size, flagset.flags, date, partial, fields, body FROM message"
            " JOIN flagset ON flagset.id = message.flags WHERE folder = ?",
            (folder,),
        )
        for id_, place, size, flags, date, is_partial, own, body in rows:
            fields[id_] = bytes(own)
            partial.update([id_] if is_partial else [])
            stamp = index.stamp(folder)
            proof = proofs.get((entry.folder.native, int(stamp or 0), int(place))) if entry.side == SERVER else None
            known = identify(proof.fields if proof else own)
            copies.append(
                Copy(
                    id_, entry.side, folder, known.message_id, known.digest, known.strong, proof.size if proof else size,
                    flags, date, proof.body if proof else body, proof is not None,
                )
            )  # fmt: skip
    found: set[TwinRow] = set()
    places = {folder: each.place for folder, each in standing.items()}
    for mail in gather(sorted(copies, key=lambda copy: copy.id), fields.__getitem__):
        rows_of_mail = list(pair_up(mail, places, partial))
        together = frozenset((row.local and row.local.id, row.server and row.server.id) for row in rows_of_mail)
        for row in rows_of_mail:
            shown = row.local or row.server
            assert shown
            local, server = row.local and row.local.id, row.server and row.server.id
            view = standing[shown.folder].view
            found.add((local, server, view, int(row.relation), row.lead, row.why, shown.date, together))
    return found


def indexed_rows(index: Index) -> set[TwinRow]:
    """The rows that the index has, in the same form."""
    rows = index.db.execute("SELECT local, server, view, relation, lead, why, date, mail FROM pair").fetchall()
    together: dict[int, set[tuple[int | None, int | None]]] = {}
    for local, server, *_rest, mail in rows:
        together.setdefault(mail, set()).add((local, server))
    return {
        (local, server, view, relation, bool(lead), WHYS[why], date, frozenset(together[mail]))
        for local, server, view, relation, lead, why, date, mail in rows
    }


def indexed_tally(index: Index) -> bool:
    """Whether the counts that are kept are those of the rows."""
    kept = set(index.db.execute("SELECT view, relation, lead, here, rows FROM tally"))
    now = set(
        index.db.execute("SELECT view, relation, lead, local IS NOT NULL, count(*) FROM pair GROUP BY 1, 2, 3, 4")
    )
    return kept == now
