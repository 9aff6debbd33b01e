"""Pairing the mails that SQL alone cannot settle: several copies, reused Message-IDs, changed headers, doubt."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from hikkoshi.index.compare import WHYS, Copy, gather
from hikkoshi.index.pairing import PairRow, pair_up
from hikkoshi.index.plain_mails import is_plain
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import SERVER_ROW
from hikkoshi.index.scope import Scope
from hikkoshi.index.standing import Standing
from hikkoshi.index.store import Index
from hikkoshi.mail.identity import identify

_WHY = {why: number for number, why in enumerate(WHYS)}
_PENDING = Relation.ONLY_LOCAL | Relation.SENT_GAP | Relation.ELSEWHERE


def pair_others(index: Index, scope: Scope, standings: Mapping[int, Standing], *, whole: bool) -> None:
    """Write the rows of all mails in scope that are not plain. `whole`: see `account.compare`."""
    places = {folder: standing.place for folder, standing in standings.items()}
    index.db.execute("CREATE TEMP TABLE IF NOT EXISTS other (key INTEGER PRIMARY KEY)")
    index.db.execute("DELETE FROM other")
    index.db.execute(
        f"INSERT INTO other SELECT message.key FROM {scope.source} WHERE {scope.where}"
        f" GROUP BY message.key HAVING NOT {is_plain(scope)}"
    )
    partial: set[int] = set()

    def rows() -> Iterator[tuple[object, ...]]:
        for copies in _by_key(index, scope, partial):
            for mail in gather(copies, lambda id_: _fields(index, id_)):
                found = list(pair_up(mail, places, partial))
                number = min(map(_row_id, found))
                for row in found:
                    yield _values(row, number, standings, whole=whole)

    index.db.executemany(
        "INSERT INTO pair (id, view, local, server, mail, relation, lead, why, date) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows(),
    )


def _row_id(row: PairRow) -> int:
    if row.local:
        return row.local.id
    assert row.server
    return row.server.id + SERVER_ROW


def _values(row: PairRow, mail: int, standings: Mapping[int, Standing], *, whole: bool) -> tuple[object, ...]:
    shown = row.local or row.server
    assert shown
    relation = row.relation
    if not whole and relation & _PENDING:
        relation = relation & ~_PENDING | Relation.PENDING
    return (
        _row_id(row),
        standings[shown.folder].view,
        row.local and row.local.id,
        row.server and row.server.id,
        mail,
        int(relation),
        row.lead,
        _WHY[row.why],
        shown.date,
    )


def _by_key(index: Index, scope: Scope, partial: set[int]) -> Iterator[list[Copy]]:
    """The copies of each key; `partial` gets the row ids of those that are headers only."""
    found = index.db.execute(
        "SELECT message.key, message.id, side, folder, message.size, flagset.flags, date, partial, proved,"
        " message.fields, message.body, proof.fields, proof.size, proof.body"
        " FROM other CROSS JOIN message INDEXED BY message_key ON message.key = other.key"
        " JOIN flagset ON flagset.id = message.flags LEFT JOIN proof ON proof.message = message.id"
        f" WHERE {scope.where} ORDER BY other.key, message.id"
    )
    for _key, rows in groupby(found, key=lambda row: row[0]):
        partial.clear()
        yield [_copy(row, partial) for row in rows]


def _copy(row: tuple[Any, ...], partial: set[int]) -> Copy:
    _key, id_, side, folder, size, flags, date, is_partial, proved, fields, body, *source = row
    if is_partial:
        partial.add(id_)
    if proved:
        fields, size, body = source
    identity = identify(fields)
    return Copy(
        id_,
        side,
        folder,
        identity.message_id,
        identity.digest,
        identity.strong,
        size,
        flags,
        date,
        body,
        bool(proved),
    )


def _fields(index: Index, id_: int) -> bytes:
    return bytes(index.db.execute("SELECT fields FROM message WHERE id = ?", (id_,)).fetchone()[0])
