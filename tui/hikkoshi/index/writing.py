"""Writing messages into the index, and noting which mails were touched, so that only those are compared again."""

import json
import sqlite3
from collections.abc import Callable, Iterable

from hikkoshi.index.schema import SERVER_ROW
from hikkoshi.mail.flags import pack
from hikkoshi.mail.identity import keys
from hikkoshi.mail.message import Message

_BATCH = 1000  # rows in one INSERT; more gains nothing measurable
_MANY_FLAGSETS = 10_000

Row = tuple[object, ...]


class Writing:
    """The writing half of an index. Every method belongs into the caller's transaction."""

    db: sqlite3.Connection
    _flagsets: dict[frozenset[str], int]

    def forget_flagsets(self) -> None:
        """Ids that were given to sets of flags in a transaction that was taken back mean nothing."""
        self._flagsets = {}

    def add(self, folder: int, messages: Iterable[Message], step: Callable[[int], None] | None = None) -> int:
        """Add messages; one at a place that is taken takes the other's stead. `step` hears the count now and then.

        How many there were.
        """
        side = int(self.db.execute("SELECT side FROM folder WHERE id = ?", (folder,)).fetchone()[0])
        batch: list[Row] = []
        count = 0
        for message in messages:
            batch.append(self._row(folder, side, message))
            count += 1
            if len(batch) >= _BATCH:
                self._insert(folder, batch)
                batch.clear()
                if step:
                    step(count)
        self._insert(folder, batch)
        return count

    def _row(self, folder: int, side: int, message: Message) -> Row:
        place, size, flags, date, fields, partial = (
            message.place, message.size, message.flags, message.date, message.fields, message.partial,
        )  # fmt: skip
        flagset = self._flagsets.get(flags) or self._flagset(flags)
        key, evidence = keys(fields)
        return (folder, side, int(place) if side else place, size, flagset, date, partial, 0, key, evidence, fields)

    def _flagset(self, flags: frozenset[str]) -> int:
        packed = pack(flags)
        self.db.execute("INSERT OR IGNORE INTO flagset (flags) VALUES (?)", (packed,))
        id_ = int(self.db.execute("SELECT id FROM flagset WHERE flags = ?", (packed,)).fetchone()[0])
        if len(self._flagsets) < _MANY_FLAGSETS:
            self._flagsets[flags] = id_
        return id_

    def _insert(self, folder: int, rows: list[Row]) -> None:
        if not rows:
            return
        self.db.execute("SAVEPOINT batch")
        try:
            self._insert_rows(folder, rows)
        except sqlite3.IntegrityError:
            self.db.execute("ROLLBACK TO batch")
            rows = list({row[2]: row for row in rows}.values())
            taken = self.db.execute(
                "SELECT id FROM message WHERE folder = ? AND place IN (SELECT value FROM json_each(?))",
                (folder, json.dumps([row[2] for row in rows])),
            ).fetchall()
            self.remove(id_ for (id_,) in taken)
            self._insert_rows(folder, rows)
        self.db.execute("RELEASE batch")

    def _insert_rows(self, folder: int, rows: list[Row]) -> None:
        self.db.executemany(
            "INSERT INTO message (folder, side, place, size, flags, date, partial, proved, key, evidence, fields)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._count(folder, len(rows), sum(row[3] for row in rows))  # type: ignore[misc]
        if self._compared():
            self.db.executemany("INSERT OR IGNORE INTO touched VALUES (?)", ((row[8],) for row in rows))

    def update_flags(self, changes: Iterable[tuple[int, frozenset[str]]]) -> None:
        """Set the flags of messages by row id."""
        rows = [(self._flagsets.get(flags) or self._flagset(flags), id_) for id_, flags in changes]
        self.db.executemany("UPDATE message SET flags = ? WHERE id = ?", rows)
        self._touch(id_ for _flags, id_ in rows)

    def move(self, changes: Iterable[tuple[int, str, frozenset[str]]]) -> None:
        """Set place and flags of local messages by row id: files that were renamed."""
        rows = [(place, self._flagsets.get(flags) or self._flagset(flags), id_) for id_, place, flags in changes]
        # Two files may have changed names; a place of its own for each keeps them apart meanwhile.
        self.db.executemany("UPDATE message SET place = ? WHERE id = ?", [(f"\0{row[2]}", row[2]) for row in rows])
        self.db.executemany("UPDATE message SET place = ?, flags = ? WHERE id = ?", rows)
        self._touch(id_ for _place, _flags, id_ in rows)

    def remove(self, ids: Iterable[int]) -> None:
        """Forget messages by row id."""
        listed = json.dumps(list(ids))
        self._forget("id IN (SELECT value FROM json_each(?))", listed)

    def clear(self, folder: int) -> None:
        """Forget the folder's messages."""
        self._forget("folder = ?", folder)

    def set_bodies(self, bodies: Iterable[tuple[int, bytes]]) -> None:
        """Set the canonical digests of messages by row id."""
        rows = [(body, id_) for id_, body in bodies]
        self.db.executemany("UPDATE message SET body = ? WHERE id = ?", rows)
        self._touch(id_ for _body, id_ in rows)

    def _forget(self, which: str, value: object) -> None:
        if self._compared():
            self.db.execute(f"INSERT OR IGNORE INTO touched SELECT key FROM message WHERE {which}", (value,))
            self.db.execute(
                f"INSERT OR IGNORE INTO gone SELECT id + side * {SERVER_ROW} FROM message WHERE {which}",
                (value,),
            )
        counts = self.db.execute(
            f"SELECT folder, count(*), sum(size) FROM message WHERE {which} GROUP BY folder",
            (value,),
        ).fetchall()
        for folder, messages, size in counts:
            self._count(folder, -messages, -size)
        self.db.execute(
            f"DELETE FROM proof WHERE message IN (SELECT id FROM message WHERE proved AND {which})", (value,)
        )
        self.db.execute(
            f"DELETE FROM looked WHERE message IN (SELECT id FROM message WHERE side = 0 AND {which})", (value,)
        )
        searched = self.db.execute("SELECT searched FROM state").fetchone()[0]
        self.db.execute(
            f"DELETE FROM words WHERE rowid IN (SELECT id FROM message WHERE id <= ? AND {which})", (searched, value)
        )
        self.db.execute(f"DELETE FROM message WHERE {which}", (value,))
        # The ids of the last rows are given again: what comes under them was neither looked up in the ledger nor made
        # searchable.
        self.db.execute(
            "UPDATE state SET looked_up = min(looked_up, last), searched = min(searched, last)"
            " FROM (SELECT coalesce(max(id), 0) AS last FROM message)"
        )

    def _touch(self, ids: Iterable[int]) -> None:
        if self._compared():
            self.db.execute(
                "INSERT OR IGNORE INTO touched SELECT key FROM message WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )

    def _count(self, folder: int, messages: int, size: int) -> None:
        self.db.execute(
            "UPDATE folder SET messages = messages + ?, bytes = bytes + ? WHERE id = ?", (messages, size, folder)
        )

    def _compared(self) -> bool:
        """Whether there is a comparison that changes must be noted for."""
        return bool(self.db.execute("SELECT compared FROM state").fetchone()[0])
