"""Reading the rows of both sides: folders, what was known of them, messages by row id; and the file's transactions.

Writing messages is in `hikkoshi.index.writing`.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from hikkoshi.errors import IndexUnusable
from hikkoshi.i18n import _
from hikkoshi.index.schema import SERVER, open_index
from hikkoshi.index.writing import Writing
from hikkoshi.mail.flags import unpack
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message


class IndexedFolder(msgspec.Struct, frozen=True):
    """A folder as the index has it. `known`: its messages are in the index. `target`: see the schema."""

    id: int
    side: int
    folder: Folder
    known: bool
    target: str | None


class IndexedMessage(msgspec.Struct, frozen=True):
    """A message of the index with its row id and its folder's row id."""

    id: int
    folder: int
    message: Message


class ServerState(msgspec.Struct, frozen=True):
    """What the last look at a server folder left: when the folder has the same now, nothing in it has changed.

    `messages`: how many there were. `modseq`: HIGHESTMODSEQ (RFC 7162), None where the server keeps none.
    `complete`: False where a first listing was cut short, so that older mail may not be in the index.
    """

    uidvalidity: int
    uidnext: int
    messages: int
    modseq: int | None = None
    complete: bool = True


class Index(Writing):
    """The index of one account, opened by one thread for itself. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.db: sqlite3.Connection = open_index(path)
        self.path = path
        self.forget_flagsets()

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def keep_little(self) -> None:
        """Keep at most 8 MiB of the file in memory, enough for whom only reads windows of rows."""
        self.db.execute("PRAGMA cache_size = -8192")

    def hold(self) -> None:
        """Read what the index has now, whatever others write meanwhile, until `release` or the next `hold`.

        Does nothing where the file keeps no WAL (network file systems): a reader would block the writer there.
        """
        self.release()
        if self.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            self.db.execute("BEGIN")
            # The view is fixed by the first read, not by BEGIN.
            self.db.execute("SELECT 1 FROM folder LIMIT 1").fetchone()

    @property
    def held(self) -> bool:
        """Whether `hold` has effect."""
        return self.db.in_transaction

    def release(self) -> None:
        """Read the newest state again."""
        if self.held:
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
                self.forget_flagsets()
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
            for id_, native in self.db.execute("SELECT id, native FROM folder WHERE side = ?", (side,)).fetchall():
                if native not in ids:
                    self.clear(id_)
                    self.db.execute("DELETE FROM folder WHERE id = ?", (id_,))
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

    def server_state(self, folder: int) -> ServerState | None:
        """What the last look at a server folder left, None if there was none or its contents are not known."""
        found = self.db.execute(
            "SELECT stamp, uidnext, exist, modseq, complete FROM folder"
            " WHERE id = ? AND stamp IS NOT NULL AND uidnext IS NOT NULL",
            (folder,),
        ).fetchone()
        return ServerState(int(found[0]), found[1], found[2], found[3], bool(found[4])) if found else None

    def set_server_state(self, folder: int, state: ServerState) -> None:
        """Note what a look at a server folder left; its stamp becomes the UIDVALIDITY."""
        self.db.execute(
            "UPDATE folder SET stamp = ?, uidnext = ?, exist = ?, modseq = ?, complete = ? WHERE id = ?",
            (str(state.uidvalidity), state.uidnext, state.messages, state.modseq, state.complete, folder),
        )

    def places(self, folder: int) -> dict[str, tuple[int, str]]:
        """Place -> (row id, packed flags) of a folder's messages."""
        rows = self.db.execute(
            "SELECT place, message.id, flagset.flags FROM message JOIN flagset ON flagset.id = message.flags"
            " WHERE folder = ?",
            (folder,),
        )
        return {str(place): (id_, flags) for place, id_, flags in rows}

    def server_uids(self, folder: int) -> dict[int, tuple[int, str]]:
        """UID -> (row id, packed flags) of a server folder."""
        return {int(place): known for place, known in self.places(folder).items()}

    def messages(self, ids: Iterable[int]) -> dict[int, IndexedMessage]:
        """The messages with these row ids; ids that are gone are missing from the answer."""
        rows = self.db.execute(
            "SELECT message.id, folder, place, size, flagset.flags, date, fields, partial FROM message"
            " JOIN flagset ON flagset.id = message.flags WHERE message.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {
            row[0]: IndexedMessage(
                row[0], row[1], Message(str(row[2]), row[3], unpack(row[4]), row[5], row[6], bool(row[7]))
            )
            for row in rows
        }

    def totals(self, side: int) -> tuple[int, int, int]:
        """(folders, messages, bytes in CRLF form) of a side, left-out folders included."""
        found: tuple[int, int, int] = self.db.execute(
            "SELECT count(*), coalesce(sum(messages), 0), coalesce(sum(bytes), 0) FROM folder WHERE side = ?", (side,)
        ).fetchone()
        return found

    def server_folder(self, native: str) -> int | None:
        """Row id of a server folder by its native name."""
        found = self.db.execute("SELECT id FROM folder WHERE side = ? AND native = ?", (SERVER, native)).fetchone()
        return found[0] if found else None
