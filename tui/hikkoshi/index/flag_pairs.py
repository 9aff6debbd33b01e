"""The pairs whose flags differ, with all that is needed to change the server's; and noting what was changed."""

import json
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hikkoshi.index.relation import Relation
from hikkoshi.index.store import Index
from hikkoshi.mail.flags import FORWARDED, pack, unpack
from hikkoshi.mail.folders import LEFT_OUT

_UNCERTAIN = Relation.AMBIGUOUS | Relation.LEFT_OUT | Relation.PENDING


class FlagPair(msgspec.Struct, frozen=True, gc=False):
    """A pair whose flags differ: its row, the row ids of its folders, the UID, both packed sets of flags."""

    row: int
    local_folder: int
    server_folder: int
    uid: int
    ours: str
    theirs: str


class Kept(msgspec.Struct, frozen=True):
    """Which flags the mails of a local folder have, any of them: what is written down in it at all."""

    anything: bool
    forwarded: bool
    keywords: bool


def flag_pairs(
    index: Index, ids: Iterable[int] | None = None, natives: Iterable[str] | None = None
) -> Iterator[FlagPair]:
    """Pairs with other flags, of these rows (None: of all) and these local folders (None: of all), by folder and UID.

    Only pairs of which is certain that both are the same mail, and that neither copy lies in a folder that is left out.
    """
    rows = index.db.execute(
        "SELECT pair.id, l.folder, s.folder, s.place, ours.flags, theirs.flags FROM pair"
        " JOIN message l ON l.id = pair.local JOIN message s ON s.id = pair.server"
        " JOIN folder here ON here.id = l.folder JOIN folder there ON there.id = s.folder"
        " JOIN flagset ours ON ours.id = l.flags JOIN flagset theirs ON theirs.id = s.flags"
        " WHERE relation & ? != 0 AND relation & ? = 0 AND l.flags != s.flags"
        " AND here.role NOT IN (SELECT value FROM json_each(?)) AND there.role NOT IN (SELECT value FROM json_each(?))"
        " AND (? IS NULL OR pair.id IN (SELECT value FROM json_each(?)))"
        " AND (? IS NULL OR here.native IN (SELECT value FROM json_each(?)))"
        " ORDER BY there.position, s.place",
        (
            int(Relation.READ | Relation.FLAGS),
            int(_UNCERTAIN),
            *[json.dumps(sorted(LEFT_OUT))] * 2,
            *_twice(ids),
            *_twice(natives),
        ),
    )
    return (FlagPair(*row) for row in rows)


def kept_flags(index: Index, folder: int) -> Kept:
    """What the mails of a local folder have."""
    rows = index.db.execute(
        "SELECT flags FROM flagset WHERE id IN (SELECT DISTINCT flags FROM message WHERE folder = ?)", (folder,)
    )
    flags = {flag.casefold() for row in rows for flag in unpack(row[0])}
    keywords = {flag for flag in flags if not flag.startswith("\\")}
    forwarded = FORWARDED.casefold() in keywords
    return Kept(bool(flags), forwarded, bool(keywords - {FORWARDED.casefold()}))


def note_flags(index: Index, native: str, uidvalidity: int, flags: Mapping[int, frozenset[str]]) -> None:
    """Note the flags that mails of the server folder `native` have by UID, for the next comparison.

    HIGHESTMODSEQ stays what the last look left, so that the next one hears of these mails, and of others', once more.
    """
    folder = index.server_folder(native)
    if folder is None or index.stamp(folder) != str(uidvalidity) or not flags:
        return
    with index.transaction():
        rows = index.db.execute(
            "SELECT message.id, place, flagset.flags FROM message JOIN flagset ON flagset.id = message.flags"
            " WHERE folder = ? AND place IN (SELECT value FROM json_each(?))",
            (folder, json.dumps(list(flags))),
        ).fetchall()
        index.update_flags((id_, flags[uid]) for id_, uid, before in rows if pack(flags[uid]) != before)


def fields_at(index: Index, native: str, uids: Iterable[int]) -> dict[int, bytes]:
    """The raw identity fields of mails of the server folder `native` by UID."""
    rows = index.db.execute(
        "SELECT place, fields FROM message WHERE folder = ? AND place IN (SELECT value FROM json_each(?))",
        (index.server_folder(native), json.dumps(list(uids))),
    )
    return dict(rows.fetchall())


def _twice(values: Iterable[int] | Iterable[str] | None) -> tuple[str | None, str | None]:
    text = None if values is None else json.dumps(list(values))
    return text, text
