"""Pairing by SQL alone what needs no thought: mails of which each side has at most one copy, and no doubt is left.

That is nearly all mail. A walk over the index by key gives a million pairs in two seconds; by `pairing.pair_up` alone
it takes thirty. What it says of a mail is what `pair_up` would say of it.
"""

import sqlite3
from collections.abc import Mapping
from functools import lru_cache

from hikkoshi.index.compare import CUT_SLACK, SIZE_SLACK, WHY_ALONE, WHY_HEADERS, WHY_LEDGER, WHY_MESSAGE_ID, WHYS
from hikkoshi.index.pairing import flags_relation
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import SERVER_ROW
from hikkoshi.index.scope import Scope
from hikkoshi.index.standing import Standing
from hikkoshi.index.store import Index
from hikkoshi.mail.folders import Role
from hikkoshi.mail.identity import HAS_ID, STRONG

_ALONE, _BY_ID, _BY_HEADERS, _BY_LEDGER = map(WHYS.index, (WHY_ALONE, WHY_MESSAGE_ID, WHY_HEADERS, WHY_LEDGER))


def is_plain(scope: Scope) -> str:
    """The condition on the copies of one key under which the mail is plain; `pair_plain` and its rest share it."""
    same_mail = (
        f"((message.key & {HAS_ID} AND max(size) <= 2 * min(size) + {CUT_SLACK}) OR (message.key & {STRONG} AND NOT max(proved)"
        f" AND max(size) - min(size) <= {SIZE_SLACK}))"
    )
    return (
        "(count(*) = 1 OR (count(*) = 2 AND sum(side) = 1 AND min(evidence) = max(evidence) AND NOT max(partial)"
        f" AND NOT max(folder IN ({scope.aside})) AND {same_mail}))"
    )


def pair_plain(index: Index, scope: Scope, standings: Mapping[int, Standing], *, whole: bool) -> None:
    """Write the rows of all plain mails in scope. `whole`: see `account.compare`."""
    _with_flag_relation(index.db)
    index.db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS place (folder INTEGER PRIMARY KEY, view, target, sent, aside, drafts)"
    )
    index.db.execute("DELETE FROM place")
    index.db.executemany(
        "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)",
        [
            (each.folder, each.view, each.target, each.sent, each.left_out, each.role is Role.DRAFTS)
            for each in standings.values()
        ],
    )
    index.db.execute(
        f"INSERT INTO pair (id, view, local, server, mail, relation, lead, why, date) {_ROWS}".format(
            source=scope.source, where=scope.where, plain=is_plain(scope), **_relations(whole=whole)
        )
    )


def _relations(*, whole: bool) -> dict[str, int]:
    """The facts by name; while the server is still being listed, what it seems not to have is pending."""
    pending = Relation.PENDING
    return {
        "only_local": int(Relation.ONLY_LOCAL if whole else pending),
        "sent_gap": int(Relation.SENT_GAP if whole else pending),
        "elsewhere": int(Relation.ELSEWHERE if whole else pending),
        "only_server": int(Relation.ONLY_SERVER),
        "left_out": int(Relation.LEFT_OUT),
    }


def _of(side: int, column: str) -> str:
    return f"max(CASE side WHEN {side} THEN {column} END)"


_GROUPS = (
    f"SELECT message.key AS key, max(proved) AS proved, max(partial) AS partial,"
    f" {_of(0, 'message.id')} AS local, {_of(0, 'folder')} AS here, {_of(0, 'flags')} AS ours, {_of(0, 'date')} AS sent_on,"
    f" {_of(1, 'message.id')} AS server, {_of(1, 'folder')} AS there, {_of(1, 'flags')} AS theirs, {_of(1, 'date')} AS came"
    " FROM {source} WHERE {where} GROUP BY message.key HAVING {plain}"
)
_ONLY_HERE = "(CASE WHEN p.aside OR partial THEN {left_out} ELSE {only_local} | p.sent * {sent_gap} END)"
_ONLY_THERE = "(CASE WHEN q.aside THEN {left_out} ELSE {only_server} END)"
_BOTH = (
    "((p.target IS NOT there) * {elsewhere} | (p.sent AND NOT q.sent) * {sent_gap}"
    " | CASE WHEN ours = theirs THEN 0 ELSE flag_relation(ours, theirs, p.drafts OR q.drafts) END)"
)
_ROW_ID = f"coalesce(local, server + {SERVER_ROW})"
_ROWS = (
    f"SELECT {_ROW_ID}, coalesce(p.view, q.view), local, server, {_ROW_ID},"
    f" CASE WHEN server IS NULL THEN {_ONLY_HERE} WHEN local IS NULL THEN {_ONLY_THERE} ELSE {_BOTH} END,"
    " CASE WHEN server IS NULL THEN NOT (p.aside OR partial) WHEN local IS NULL THEN NOT q.aside ELSE 1 END,"
    f" CASE WHEN server IS NULL OR local IS NULL THEN {_ALONE} WHEN proved THEN {_BY_LEDGER}"
    f" WHEN key & {HAS_ID} THEN {_BY_ID} ELSE {_BY_HEADERS} END,"
    " CASE WHEN local IS NULL THEN came ELSE sent_on END"
    f" FROM ({_GROUPS}) LEFT JOIN place p ON p.folder = here LEFT JOIN place q ON q.folder = there"
    # In the order of the rows' ids: filled at random the table takes twice as long.
    " ORDER BY 1"
)


def _with_flag_relation(db: sqlite3.Connection) -> None:
    """Teach SQL what two different sets of flags make of a pair."""
    flags = dict(db.execute("SELECT id, flags FROM flagset"))

    @lru_cache(maxsize=100_000)
    def relation(ours: int, theirs: int, drafts: int) -> int:
        return int(flags_relation(flags[ours], flags[theirs], drafts=bool(drafts)))

    db.create_function("flag_relation", 3, relation, deterministic=True)
