"""How many rows of each folder pair say the same, kept up to date, so that screens and reports only ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from hikkoshi.index.store import Index

_WHAT = "view, relation, lead, local IS NOT NULL, count(*) FROM pair"
_BY = "GROUP BY 1, 2, 3, 4"


def count_all(index: Index) -> None:
    """Count every row anew."""
    index.db.execute("DELETE FROM tally")
    index.db.execute(f"INSERT INTO tally SELECT {_WHAT} {_BY}")


@contextmanager
def counted(index: Index, ids: str) -> Iterator[None]:
    """Keep the counts true while the rows whose ids the query `ids` gives are changed inside."""
    _add(index, ids, -1)
    yield
    _add(index, ids, 1)
    index.db.execute("DELETE FROM tally WHERE rows = 0")


def _add(index: Index, ids: str, sign: int) -> None:
    found = index.db.execute(f"SELECT {_WHAT} WHERE id IN ({ids}) {_BY}").fetchall()
    index.db.executemany(
        "INSERT INTO tally (view, relation, lead, here, rows) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
        [(*what, sign * rows) for *what, rows in found],
    )
