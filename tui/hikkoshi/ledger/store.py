"""The ledger: every upload step by step, written down before and after it happens.

A step is a batch of mails: one transaction, on the disk before the batch goes out, has also what became of the ones
before it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Any, Self

from hikkoshi.errors import LedgerError
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, Landing, Learnt, Move, Sending, Settling, State
from hikkoshi.ledger.schema import open_ledger

_COLUMNS = (
    "folder, place, size, fields, target, flags, id, state, body, date, date_source, uidvalidity, uidnext, uid,"
    " reason, verified, native, sent_at, repairs, notes"
)


class Ledger:
    """The ledger file, opened by one thread for itself. Each method that writes returns once it is on the disk."""

    def __init__(self, path: Path) -> None:
        self.db: sqlite3.Connection = open_ledger(path)
        self.path = path

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @contextmanager
    def _write(self) -> Iterator[None]:
        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:  # a full disk may have ended it
                    self.db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise LedgerError(
                _("The ledger {path} cannot be written ({reason}). The move stops here; nothing is lost.").format(
                    path=self.path, reason=error
                )
            ) from error

    def _read(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self.db.execute(query, values)
        except sqlite3.Error as error:
            raise LedgerError(
                _(
                    "The ledger {path} cannot be read ({reason}). Nothing is sent without it; see to the disk and start "
                    "again."
                ).format(path=self.path, reason=error)
            ) from error

    def begin(self, server: str, store: str, items: Iterable[Item]) -> tuple[int, list[int]]:
        """Write a plan down. The move's id and the items' ids, in their order."""
        with self._write():
            move = self.db.execute(
                "INSERT INTO move (server, store, started, state) VALUES (?, ?, ?, ?)",
                (server, store, int(time()), State.RUNNING),
            ).lastrowid
            first = self.db.execute("SELECT ifnull(max(id), 0) + 1 FROM item").fetchone()[0]
            rows = [
                (id_, move, i.folder, i.native, i.place, i.size, i.fields, i.target, i.flags, ItemState.PLANNED)
                for id_, i in enumerate(items, first)
            ]
            self.db.executemany(
                "INSERT INTO item (id, move, folder, native, place, size, fields, target, flags, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        return int(move or 0), [row[0] for row in rows]

    def step(
        self,
        *,
        landed: Iterable[Landing] = (),
        settled: Iterable[Settling] = (),
        sending: Iterable[Sending] = (),
    ) -> None:
        """Note in one transaction what became of mails, and what goes next, before its first byte goes out."""
        now = int(time())
        with self._write():
            self.db.executemany(
                "UPDATE item SET state = ?, uidvalidity = ?, uid = ? WHERE id = ?",
                [(ItemState.LANDED, each.uidvalidity, each.uid, each.item) for each in landed],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, reason = ? WHERE id = ?",
                [(each.state, each.reason, each.item) for each in settled],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, body = ?, flags = ?, date = ?, date_source = ?, uidvalidity = ?,"
                " uidnext = ?, repairs = ?, notes = ?, sent_at = ? WHERE id = ?",
                [
                    (
                        ItemState.SENDING,
                        s.body,
                        s.flags,
                        s.date,
                        s.date_source,
                        s.uidvalidity,
                        s.uidnext,
                        s.repairs,
                        s.notes,
                        now,
                        s.item,
                    )
                    for s in sending
                ],
            )

    def verified(self, items: Iterable[tuple[int, str]]) -> None:
        """Note how mails were read back: (item, how)."""
        with self._write():
            self.db.executemany(
                "UPDATE item SET state = ?, verified = ? WHERE id = ?",
                [(ItemState.VERIFIED, how, item) for item, how in items],
            )

    def finish(self, move: int, state: State, reason: str = "") -> None:
        """End a move."""
        with self._write():
            self.db.execute(
                "UPDATE move SET state = ?, reason = ?, ended = ? WHERE id = ?", (state, reason, int(time()), move)
            )

    def tell(self, move: int) -> None:
        """Note that the user has been told how this move ended."""
        with self._write():
            self.db.execute("UPDATE move SET told = 1 WHERE id = ?", (move,))

    def untold(self, server: str) -> list[Move]:
        """Moves to `server` that did not reach their end and that the user has not been told of, oldest first."""
        rows = self._read(
            "SELECT id, server, store, started, ended, state, reason FROM move"
            " WHERE server = ? AND told = 0 AND state != ? ORDER BY id",
            (server, State.DONE),
        )
        return [
            Move(id_, server, store, started, ended, State(state), reason, self.counts(id_))
            for id_, server, store, started, ended, state, reason in rows
        ]

    def moves(self, server: str) -> tuple[int, int]:
        """How many moves to `server` there were, and how many of them have ended: it changes with each that is made."""
        return next(self._read("SELECT count(*), count(ended) FROM move WHERE server = ?", (server,)))

    def counts(self, move: int) -> dict[ItemState, int]:
        """How many items of a move are in each state."""
        rows = self._read("SELECT state, count(*) FROM item WHERE move = ? GROUP BY state", (move,))
        return {ItemState(state): count for state, count in rows}

    def items(self, move: int) -> list[Item]:
        """The items of a move in the order of the plan."""
        rows = self._read(f"SELECT {_COLUMNS} FROM item WHERE move = ? ORDER BY id", (move,))  # noqa: S608
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

    def uploads(self, server: str) -> Iterator[Item]:
        """Everything that ever arrived on `server` by us."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE uid IS NOT NULL AND state IN (?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (*ARRIVED, server),
        )
        return (_item(row) for row in rows)

    def upload_at(self, server: str, target: str, uidvalidity: int, uid: int) -> Item | None:
        """What arrived on `server` by us as this message, None if it is none of ours."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE target = ? AND uidvalidity = ? AND uid = ? AND state IN (?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?) ORDER BY id DESC LIMIT 1",
            (target, uidvalidity, uid, *ARRIVED, server),
        )
        return next(map(_item, rows), None)

    def uploads_of_other_times(self, server: str, target: str, uidvalidity: int) -> list[Item]:
        """What arrived in the folder `target` when it had another UIDVALIDITY than this."""
        rows = self._read(
            f"SELECT {_COLUMNS} FROM item WHERE target = ? AND uidvalidity != ? AND uid IS NOT NULL AND state IN (?, ?)"  # noqa: S608
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (target, uidvalidity, *ARRIVED, server),
        )
        return [_item(row) for row in rows]

    def uids(self, server: str, target: str, uidvalidity: int) -> set[int]:
        """The UIDs of what arrived in the folder `target` under this UIDVALIDITY."""
        rows = self._read(
            "SELECT uid FROM item WHERE target = ? AND uidvalidity = ? AND uid IS NOT NULL AND state IN (?, ?)"
            " AND move IN (SELECT id FROM move WHERE server = ?)",
            (target, uidvalidity, *ARRIVED, server),
        )
        return {row[0] for row in rows}

    def sent_since(self, server: str, when: int) -> list[tuple[int, int]]:
        """(when it was sent, bytes in CRLF form) of each mail that went to `server` from `when` on, oldest first."""
        rows = self._read(
            "SELECT sent_at, size FROM item WHERE sent_at >= ? AND state IN (?, ?, ?, ?)"
            " AND move IN (SELECT id FROM move WHERE server = ?) ORDER BY sent_at",
            (when, *ARRIVED, ItemState.SENDING, ItemState.DOUBTFUL, server),
        )
        return [(sent_at, size) for sent_at, size in rows]

    def learn(self, server: str, name: str, value: int) -> None:
        """Remember what a server has shown of itself, in place of what was known by that name."""
        with self._write():
            self.db.execute(
                "INSERT OR REPLACE INTO learnt (server, name, value, at) VALUES (?, ?, ?, ?)",
                (server, name, value, int(time())),
            )

    def forget(self, server: str, name: str) -> None:
        """Forget what was learnt by that name."""
        with self._write():
            self.db.execute("DELETE FROM learnt WHERE server = ? AND name = ?", (server, name))

    def learnt(self, server: str) -> dict[str, Learnt]:
        """What is known of a server, by name."""
        rows = self._read("SELECT name, value, at FROM learnt WHERE server = ?", (server,))
        return {name: Learnt(value, at) for name, value, at in rows}

    def readdress(self, moves: Iterable[tuple[int, int, int]]) -> None:
        """Note under which UIDVALIDITY and UID uploads are found now: (item, UIDVALIDITY, UID)."""
        with self._write():
            self.db.executemany(
                "UPDATE item SET uidvalidity = ?, uid = ? WHERE id = ?",
                [(uidvalidity, uid, item) for item, uidvalidity, uid in moves],
            )

    def uploads_mark(self) -> str:
        """A text that changes whenever an upload arrives, is settled or is found under another UID; '' without any.

        It reads an index and the moves, not the uploads.
        """
        uploads = next(self._read("SELECT count(uid), sum(uid), sum(uidvalidity) FROM item INDEXED BY item_uid"))
        moves = next(self._read("SELECT count(*), count(ended) FROM move"))
        return f"{uploads} {moves}" if uploads[0] else ""


def _item(row: tuple[Any, ...]) -> Item:
    values = list(row)
    values[7] = ItemState(values[7])
    return Item(*values)
