"""Writing and reading the rows of both sides: folders and messages."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hikkoshi.errors import IndexUnusable
from hikkoshi.i18n import _
from hikkoshi.index.schema import SERVER, open_index
from hikkoshi.mail.flags import pack, unpack
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.identity import identify
from hikkoshi.mail.message import Message

_BATCH = 1000  # rows an INSERT transaction step; more gains nothing measurable


@dataclass(frozen=True, slots=True)
class IndexedFolder:
    """A folder as the index has it. `known`: its messages are in the index. `target`: see the schema."""

    id: int
    side: int
    folder: Folder
    known: bool
    target: str | None


@dataclass(frozen=True, slots=True)
class IndexedMessage:
    """A message of the index with its row id and its folder's row id."""

    id: int
    folder: int
    message: Message


class Index:
    """The index of one account, opened by one thread for itself. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.db: sqlite3.Connection = open_index(path)
        self.path = path

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def hold(self) -> None:
        """Read what the index has now, whatever others write meanwhile, until `release` or the next `hold`.

        Does nothing where the file keeps no WAL (network file systems): a reader would block the writer there.
        """
        self.release()
        if self.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            self.db.execute("BEGIN")
            # The view is fixed by the first read, not by BEGIN.
            self.db.execute("SELECT 1 FROM folder LIMIT 1").fetchone()

    def release(self) -> None:
        """Read the newest state again."""
        if self.db.in_transaction:
            self.db.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that is done inside, or nothing of it. Raises `IndexUnusable` where it cannot be written."""
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
            raise IndexUnusable(
                _(
                    "The index {path} cannot be written ({reason}). No mail is concerned; make room on the disk, and start "
                    "again."
                ).format(path=self.path, reason=error)
            ) from error

    def sync_folders(self, side: int, folders: Iterable[Folder]) -> dict[str, int]:
        """Make the side's folders those given, messages of the ones that went away dropped. Ids by native name."""
        ids: dict[str, int] = {}
        with self.transaction():
            for position, folder in enumerate(folders):
                row = (folder.name, json.dumps(folder.path), folder.role, folder.account, position)
                ids[folder.native] = self.db.execute(
                    "INSERT INTO folder (name, path, role, account, position, side, native)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (side, native)"
                    " DO UPDATE SET name = excluded.name, path = excluded.path,"
                    " role = excluded.role, account = excluded.account, position = excluded.position RETURNING id",
                    (*row, side, folder.native),
                ).fetchone()[0]
            gone = [
                (row[0],)
                for row in self.db.execute("SELECT id, native FROM folder WHERE side = ?", (side,))
                if row[1] not in ids
            ]
            self.db.executemany("DELETE FROM folder WHERE id = ?", gone)
        return ids

    def folders(self, side: int | None = None) -> list[IndexedFolder]:
        """The folders of one side or of both, in the side's own order."""
        rows = self.db.execute(
            "SELECT id, side, name, path, role, native, account, stamp IS NOT NULL, target FROM folder"
            " WHERE ? IS NULL OR side = ? ORDER BY side, position",
            (side, side),
        )
        return [
            IndexedFolder(
                id=row[0],
                side=row[1],
                folder=Folder(row[2], tuple(json.loads(row[3])), Role(row[4]), row[5], row[6]),
                known=bool(row[7]),
                target=row[8],
            )
            for row in rows
        ]

    def stamp(self, folder: int) -> str | None:
        """The stamp under which the folder's messages were read, None if they are not in the index."""
        found = self.db.execute("SELECT stamp FROM folder WHERE id = ?", (folder,)).fetchone()
        return found[0] if found else None

    def set_stamp(self, folder: int, stamp: str | None) -> None:
        """Note the stamp; None says that the folder's contents are not known."""
        self.db.execute("UPDATE folder SET stamp = ? WHERE id = ?", (stamp, folder))

    def clear(self, folder: int) -> None:
        """Forget the folder's messages."""
        self.db.execute("DELETE FROM message WHERE folder = ?", (folder,))

    def add(self, folder: int, messages: Iterable[Message], step: Callable[[int], None] | None = None) -> int:
        """Add messages inside the caller's transaction; `step` hears the count now and then. How many there were."""
        batch: list[tuple[object, ...]] = []
        count = 0
        for message in messages:
            batch.append(_row(folder, message))
            count += 1
            if len(batch) >= _BATCH:
                self._insert(batch)
                batch.clear()
                if step:
                    step(count)
        self._insert(batch)
        return count

    def _insert(self, rows: list[tuple[object, ...]]) -> None:
        self.db.executemany(
            "INSERT OR REPLACE INTO message (folder, place, size, flags, date, fields, partial, message_id, digest,"
            " strong) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def server_uids(self, folder: int) -> dict[int, tuple[int, str]]:
        """UID -> (row id, packed flags) of a server folder."""
        rows = self.db.execute("SELECT id, place, flags FROM message WHERE folder = ?", (folder,))
        return {int(place): (id_, flags) for id_, place, flags in rows}

    def update_flags(self, changes: Iterable[tuple[int, frozenset[str]]]) -> None:
        """Set the flags of messages by row id."""
        self.db.executemany("UPDATE message SET flags = ? WHERE id = ?", ((pack(f), i) for i, f in changes))

    def remove(self, ids: Iterable[int]) -> None:
        """Forget messages by row id."""
        self.db.executemany("DELETE FROM message WHERE id = ?", ((i,) for i in ids))

    def messages(self, ids: Iterable[int]) -> dict[int, IndexedMessage]:
        """The messages with these row ids; ids that are gone are missing from the answer."""
        rows = self.db.execute(
            "SELECT id, folder, place, size, flags, date, fields, partial FROM message"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {
            row[0]: IndexedMessage(
                row[0], row[1], Message(row[2], row[3], unpack(row[4]), row[5], row[6], bool(row[7]))
            )
            for row in rows
        }

    def totals(self, side: int) -> tuple[int, int, int]:
        """(folders, messages, bytes in CRLF form) of a side, left-out folders included."""
        folders = self.db.execute("SELECT count(*) FROM folder WHERE side = ?", (side,)).fetchone()[0]
        messages, size = self.db.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM message JOIN folder ON folder.id = message.folder"
            " WHERE side = ?",
            (side,),
        ).fetchone()
        return folders, messages, size

    def server_folder(self, native: str) -> int | None:
        """Row id of a server folder by its native name."""
        found = self.db.execute("SELECT id FROM folder WHERE side = ? AND native = ?", (SERVER, native)).fetchone()
        return found[0] if found else None


def _row(folder: int, message: Message) -> tuple[object, ...]:
    identity = identify(message.fields)
    return (
        folder,
        message.place,
        message.size,
        pack(message.flags),
        message.date,
        message.fields,
        message.partial,
        identity.message_id,
        identity.digest,
        identity.strong,
    )
