"""The ledger: every upload step by step, written down before and after it happens.

A step is a batch of mails: one transaction, on the disk before the batch goes out, has also what became of the ones
before it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Self

from hikkoshi.errors import LedgerError
from hikkoshi.i18n import _
from hikkoshi.ledger.reading import Reading
from hikkoshi.ledger.records import Item, ItemState, Landing, Sending, Settling, State, There
from hikkoshi.ledger.schema import open_ledger
from hikkoshi.mail.flags import pack


class Ledger(Reading):
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

    def begin(self, server: str, store: str, items: Iterable[Item]) -> tuple[int, list[int]]:
        """Write a plan down, PLANNED and REFUSED mails. The move's id and the items' ids, in their order."""
        with self._write():
            move = self.db.execute(
                "INSERT INTO move (server, store, started, state) VALUES (?, ?, ?, ?)",
                (server, store, int(time()), State.RUNNING),
            ).lastrowid
            first = self.db.execute("SELECT ifnull(max(id), 0) + 1 FROM item").fetchone()[0]
            rows = [
                (
                    id_,
                    move,
                    i.folder,
                    i.native,
                    i.place,
                    i.size,
                    i.fields,
                    i.target,
                    i.flags,
                    i.repairs,
                    i.state,
                    i.reason,
                )
                for id_, i in enumerate(items, first)
            ]
            self.db.executemany(
                "INSERT INTO item (id, move, folder, native, place, size, fields, target, flags, repairs, state, reason)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        return int(move or 0), [row[0] for row in rows]

    def resume(self, move: int, items: Iterable[Item], settled: Iterable[Settling] = ()) -> None:
        """Open a move again, and plan these of its items anew: where they lie on this PC now, and where they go.

        `settled`: what became of others.
        """
        with self._write():
            self.db.execute(
                "UPDATE move SET runs = runs + 1, state = ?, reason = '', ended = NULL, told = 0 WHERE id = ?",
                (State.RUNNING, move),
            )
            self.db.executemany(
                "UPDATE item SET folder = ?, native = ?, place = ?, size = ?, fields = ?, target = ?, flags = ?,"
                " state = ?, reason = '', repairs = ?, sent_fields = NULL, source_size = NULL, source_body = NULL"
                " WHERE id = ? AND move = ?",
                [
                    (
                        i.folder,
                        i.native,
                        i.place,
                        i.size,
                        i.fields,
                        i.target,
                        i.flags,
                        ItemState.PLANNED,
                        i.repairs,
                        i.id,
                        move,
                    )
                    for i in items
                ],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, reason = ? WHERE id = ? AND move = ?",
                [(each.state, each.reason, each.item, move) for each in settled],
            )

    def undo(self, move: int) -> None:
        """Note that a move's mails are about to be taken away from the server."""
        with self._write():
            self.db.execute("UPDATE move SET runs = runs + 1, told = 0 WHERE id = ?", (move,))

    def step(
        self,
        *,
        landed: Iterable[Landing] = (),
        settled: Iterable[Settling] = (),
        sending: Iterable[Sending] = (),
    ) -> None:
        """Note in one transaction what became of mails, and what goes next, before its first byte goes out."""
        now, sending = int(time()), list(sending)
        with self._write():
            self.db.executemany(
                "UPDATE item SET state = ?, uidvalidity = ?, uid = ?, reason = '' WHERE id = ?",
                [(ItemState.LANDED, each.uidvalidity, each.uid, each.item) for each in landed],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, reason = ? WHERE id = ?",
                [(each.state, each.reason, each.item) for each in settled],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, body = ?, flags = ?, date = ?, date_source = ?, uidvalidity = ?,"
                " uidnext = ?, repairs = ?, notes = ?, risky = ?, sent_at = ? WHERE id = ?",
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
                        s.risky,
                        now,
                        s.item,
                    )
                    for s in sending
                ],
            )
            self.db.executemany(
                "UPDATE item SET size = ?, sent_fields = ?, source_size = ?, source_body = ? WHERE id = ?",
                [
                    (s.mended.size, s.mended.fields, s.mended.source_size, s.mended.source_body, s.item)
                    for s in sending
                    if s.mended
                ],
            )

    def verified(self, items: Iterable[tuple[int, str]], there: Mapping[int, There] | None = None) -> None:
        """Note how mails were read back, (item, how), and what the server said of them, by item."""
        with self._write():
            self.db.executemany(
                "UPDATE item SET state = ?, verified = ?, reason = '' WHERE id = ?",
                [(ItemState.VERIFIED, how, item) for item, how in items],
            )
            self._found(there or {})

    def found(self, there: Mapping[int, There]) -> None:
        """Note what the server says of mails now, by item, after this program changed something in them."""
        with self._write():
            self._found(there)

    def _found(self, there: Mapping[int, There]) -> None:
        self.db.executemany(
            "UPDATE item SET there_size = ?, there_flags = ?, there_date = ? WHERE id = ?",
            [(found.size, pack(found.flags), found.date, item) for item, found in there.items()],
        )

    def undoing(self, items: Iterable[int]) -> None:
        """Note that mails are about to be taken away from the server."""
        with self._write():
            self.db.executemany("UPDATE item SET state = ? WHERE id = ?", [(ItemState.UNDOING, id_) for id_ in items])

    def undone(
        self,
        *,
        removed: Iterable[int] = (),
        kept: Iterable[int] = (),
        vanished: Mapping[int, str] | None = None,
        reason: str = "",
    ) -> None:
        """Note which of them are gone from the server (`reason`: a sentence on that), and which stay after all.

        `vanished`: those that others have deleted or moved, each with a sentence on that.
        """
        with self._write():
            self.db.executemany(
                "UPDATE item SET state = ?, reason = ? WHERE id = ?",
                [(ItemState.REMOVED, reason, id_) for id_ in removed],
            )
            self.db.executemany(
                "UPDATE item SET state = iif(verified = '', ?, ?) WHERE id = ?",
                [(ItemState.LANDED, ItemState.VERIFIED, id_) for id_ in kept],
            )
            self.db.executemany(
                "UPDATE item SET state = ?, reason = ? WHERE id = ?",
                [(ItemState.VANISHED, why, id_) for id_, why in (vanished or {}).items()],
            )

    def end_undo(self, move: int) -> None:
        """Note that a move is undone; when it had ended by itself stays."""
        with self._write():
            self.db.execute(
                "UPDATE move SET state = ?, reason = '', undone = ?, ended = ifnull(ended, ?) WHERE id = ?",
                (State.UNDONE, int(time()), int(time()), move),
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

    def readdress(self, moves: Iterable[tuple[int, int, int]]) -> None:
        """Note under which UIDVALIDITY and UID uploads are found now: (item, UIDVALIDITY, UID).

        The UIDNEXT from before means nothing any more.
        """
        with self._write():
            self.db.executemany(
                "UPDATE item SET uidvalidity = ?, uid = ?, uidnext = NULL WHERE id = ?",
                [(uidvalidity, uid, item) for item, uidvalidity, uid in moves],
            )
