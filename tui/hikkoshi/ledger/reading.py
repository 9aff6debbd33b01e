"""What the ledger tells of moves and their mails: the reading half of it."""

import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from hikkoshi.errors import LedgerError
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, Learnt, Move, State

_COLUMNS = (
    "folder, place, size, fields, target, flags, id, state, body, date, date_source, uidvalidity, uidnext, uid,"
    " reason, verified, native, sent_at, repairs, notes, risky, there_size, there_flags, there_date,"
    " source_size, source_body, sent_fields"
)


_OTHERS_SENT = (ItemState.SENDING, ItemState.DOUBTFUL, ItemState.REMOVED, ItemState.VANISHED)


class Reading:
    """The reading half of a ledger."""

    db: sqlite3.Connection
    path: Path

    def _read(self, query: str, values: Sequence[object] = ()) -> Generator[tuple[Any, ...], None, None]:
        try:
            yield from self.db.execute(query, values)
        except sqlite3.Error as error:
            raise LedgerError(
                _(
                    "The ledger {path} cannot be read ({reason}). Nothing is sent without it; see to the disk and start "
                    "again."
                ).format(path=self.path, reason=error)
            ) from error

    def untold(self, server: str) -> list[Move]:
        """Moves to `server`, or undoings, that did not reach their end and that the user has not been told of, oldest first."""
        unfinished = "state NOT IN (?, ?) OR EXISTS (SELECT 1 FROM item WHERE item.move = move.id AND item.state = ?)"
        return list(
            self._moves(
                f"WHERE server = ? AND told = 0 AND ({unfinished})", server, State.DONE, State.UNDONE, ItemState.UNDOING
            )
        )

    def history(self, server: str | None = None) -> list[Move]:
        """The moves to `server`, or to all servers, oldest first."""
        return list(self._moves("WHERE ? IS NULL OR server = ?", server, server))

    def move(self, id_: int) -> Move | None:
        """One move, None if there is none of this number."""
        return next(self._moves("WHERE id = ?", id_), None)

    def _moves(self, which: str, *values: object) -> Iterator[Move]:
        columns = "id, server, store, started, ended, state, reason, undone"
        rows = self._read(f"SELECT {columns} FROM move {which} ORDER BY id", values)  # noqa: S608
        for id_, server, store, started, ended, state, reason, undone in list(rows):
            by_state = list(
                self._read("SELECT state, count(*), sum(size) FROM item WHERE move = ? GROUP BY state", (id_,))
            )
            counts = {ItemState(name): count for name, count, _size in by_state}
            sizes = {ItemState(name): size for name, _count, size in by_state}
            yield Move(id_, server, store, started, ended, State(state), reason, counts, sizes, undone)

    def moves(self, server: str) -> tuple[int, int]:
        """How often there was a move to `server`, and how many have ended: it changes with each that is made."""
        return next(self._read("SELECT ifnull(sum(runs), 0), count(ended) FROM move WHERE server = ?", (server,)))

    def counts(self, move: int) -> dict[ItemState, int]:
        """How many items of a move are in each state."""
        rows = self._read("SELECT state, count(*) FROM item WHERE move = ? GROUP BY state", (move,))
        return {ItemState(state): count for state, count in rows}

    def items(self, move: int) -> list[Item]:
        """The items of a move in the order of the plan."""
        return list(self.each_item(move))

    def each_item(self, move: int) -> Generator[Item, None, None]:
        """The same, one after the other: a move may have a million. Who does not take all of them closes it."""
        query = f"SELECT {_COLUMNS} FROM item WHERE move = ? ORDER BY id"  # noqa: S608
        with closing(self._read(query, (move,))) as rows:
            yield from map(_item, rows)

    def some(self, ids: Iterable[int]) -> list[Item]:
        """The items with these numbers, as they are now."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",  # noqa: S608
            (json.dumps(list(ids)),),
        )
        return [_item(row) for row in rows]

    def written(self) -> float:
        """When it was last written to, in seconds since 1970."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return max(file.stat().st_mtime for file in files if file.exists() and file.stat().st_size)

    def in_doubt(self, server: str) -> list[Item]:
        """Items sent to `server` without a known result."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE state = ? AND move IN (SELECT id FROM move WHERE server = ?)",  # noqa: S608
            (ItemState.SENDING, server),
        )
        return [_item(row) for row in rows]

    def unread(self, server: str) -> list[Item]:
        """What arrived on `server` and was not read back, by folder."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE state = ? AND uid IS NOT NULL"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?) ORDER BY target, uidvalidity, id",
            (ItemState.LANDED, server),
        )
        return [_item(row) for row in rows]

    def uploads(self, server: str) -> Iterator[Item]:
        """Everything that ever arrived on `server` by us."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE uid IS NOT NULL AND state IN (?, ?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (*ARRIVED, server),
        )
        return (_item(row) for row in rows)

    def upload_at(self, server: str, target: str, uidvalidity: int, uid: int) -> Item | None:
        """What arrived on `server` by us as this message, None if it is none of ours."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE target = ? AND uidvalidity = ? AND uid = ? AND state IN (?, ?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?) ORDER BY id DESC LIMIT 1",
            (target, uidvalidity, uid, *ARRIVED, server),
        )
        return next(map(_item, rows), None)

    def uploads_of_other_times(self, server: str, target: str, uidvalidity: int) -> list[Item]:
        """What arrived in the folder `target` when it had another UIDVALIDITY than this."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE target = ? AND uidvalidity != ? AND uid IS NOT NULL AND state IN (?, ?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (target, uidvalidity, *ARRIVED, server),
        )
        return [_item(row) for row in rows]

    def uids(self, server: str, target: str, uidvalidity: int) -> set[int]:
        """The UIDs of what arrived in the folder `target` under this UIDVALIDITY."""
        rows = self._read(
            "SELECT uid FROM item WHERE target = ? AND uidvalidity = ? AND uid IS NOT NULL AND state IN (?, ?, ?)"
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (target, uidvalidity, *ARRIVED, server),
        )
        return {row[0] for row in rows}

    def sent_since(self, server: str, when: int) -> list[tuple[int, int]]:
        """(when it was sent, bytes in CRLF form) of each mail that went to `server` from `when` on, oldest first."""
        rows = self._read(
            "SELECT sent_at, size FROM item WHERE sent_at >= ? AND state IN (?, ?, ?, ?, ?, ?, ?)"
            " AND move IN (SELECT id FROM move WHERE server = ?) ORDER BY sent_at",
            (when, *ARRIVED, *_OTHERS_SENT, server),
        )
        return [(sent_at, size) for sent_at, size in rows]

    def learnt(self, server: str) -> dict[str, Learnt]:
        """What is known of a server, by name."""
        rows = self._read("SELECT name, value, at FROM learnt WHERE server = ?", (server,))
        return {name: Learnt(value, at) for name, value, at in rows}

    def uploads_mark(self) -> str:
        """A text that changes whenever an upload arrives, is settled or is found under another UID; '' without any.

        It reads an index and the moves, not the uploads.
        """
        uploads = next(self._read("SELECT count(uid), sum(uid), sum(uidvalidity) FROM item INDEXED BY item_uid"))
        moves = next(self._read("SELECT ifnull(sum(runs), 0), count(ended) FROM move"))
        return f"{uploads} {moves}" if uploads[0] else ""


def _item(row: tuple[Any, ...]) -> Item:
    values = list(row)
    values[7] = ItemState(values[7])
    values[20] = None if values[20] is None else bool(values[20])
    return Item(*values)
