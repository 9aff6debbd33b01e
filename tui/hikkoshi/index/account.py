"""Comparing the two sides as the index has them: all mail the first time, later what was touched.

The result lives in the index: `pair` has the rows that the panes show, `tally` their counts.
"""

from collections.abc import Mapping

from hikkoshi.index.mapping import Target
from hikkoshi.index.other_mails import pair_others
from hikkoshi.index.plain_mails import pair_plain
from hikkoshi.index.proofs import Proofs, look_up
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER_ROW, make_late_indexes
from hikkoshi.index.scope import scope
from hikkoshi.index.standing import Standing, renew_standings, standings, write_views
from hikkoshi.index.store import Index
from hikkoshi.index.tally import count_all, counted

# Looking a touched mail up costs about three times a step of the walk over all.
_MUCH = 3

_STALE = (
    "SELECT pair FROM gone UNION"
    f" SELECT message.id + side * {SERVER_ROW} FROM touched CROSS JOIN message INDEXED BY message_key"
    " ON message.key = touched.key"
)
"""The ids that the rows of the touched mails have, and have had."""


def compare(index: Index, targets: Mapping[str, Target], proofs: Proofs, *, whole: bool = True) -> None:
    """Compare what changed since the last time. `targets`: by native name of the local folder.

    `whole`: False while the server is still being listed; of mail that it is not known to have nothing is said then.
    """
    folders = index.folders()
    with index.transaction():
        make_late_indexes(index.db)
        index.db.executemany(
            "UPDATE folder SET target = ? WHERE side = ? AND native = ?",
            [(target.native, LOCAL, native) for native, target in targets.items()],
        )
        now = standings(folders, targets)
        write_views(index, folders, targets)
        look_up(index, proofs)
        compared, was_whole = index.db.execute("SELECT compared, whole FROM state").fetchone()
        renew_standings(index, now, touch=bool(compared))
        if compared and not was_whole:
            _touch_pending(index)
        if compared and not _is_much(index):
            _compare_touched(index, now, whole=whole)
        else:
            _compare_all(index, now, whole=whole)
        index.db.execute("UPDATE state SET compared = 1, whole = ?", (whole,))
        index.db.execute("DELETE FROM touched")
        index.db.execute("DELETE FROM gone")


def is_compared(index: Index) -> bool:
    """Whether both sides were compared when the server had been listed to its end."""
    return bool(index.db.execute("SELECT compared AND whole FROM state").fetchone()[0])


def _touch_pending(index: Index) -> None:
    """What was said while the server was being listed is looked at again."""
    index.db.execute(
        "INSERT OR IGNORE INTO touched SELECT key FROM pair JOIN message ON message.id = pair.local WHERE relation & ?",
        (int(Relation.PENDING),),
    )


def _is_much(index: Index) -> bool:
    touched = index.db.execute("SELECT count(*) FROM touched").fetchone()[0]
    messages = index.db.execute("SELECT sum(messages) FROM folder").fetchone()[0] or 0
    return bool(touched * _MUCH > messages)


def _compare_all(index: Index, standings: Mapping[int, Standing], *, whole: bool) -> None:
    every = scope(standings, touched=False)
    index.db.execute("DROP INDEX IF EXISTS pair_view")
    index.db.execute("DROP INDEX IF EXISTS pair_missing")
    index.db.execute("DELETE FROM pair")
    pair_plain(index, every, standings, whole=whole)
    pair_others(index, every, standings, whole=whole)
    make_late_indexes(index.db)
    count_all(index)


def _compare_touched(index: Index, standings: Mapping[int, Standing], *, whole: bool) -> None:
    touched = scope(standings, touched=True)
    index.db.execute("CREATE TEMP TABLE IF NOT EXISTS stale (id INTEGER PRIMARY KEY)")
    index.db.execute("DELETE FROM stale")
    index.db.execute(f"INSERT INTO stale {_STALE}")
    with counted(index, "SELECT id FROM stale"):
        index.db.execute("DELETE FROM pair WHERE id IN (SELECT id FROM stale)")
        pair_plain(index, touched, standings, whole=whole)
        pair_others(index, touched, standings, whole=whole)
