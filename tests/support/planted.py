"""Two sides planted straight into an index, and what the comparison says of them.

with planted(tmp_path) as sides:
    sides.put(LOCAL, "Inbox", mail(1), mail(2))
    sides.put(SERVER, "INBOX", mail(1))
    assert sides.counts() == Counts(only_local=1)
"""

import itertools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from hikkoshi.index.account import compare
from hikkoshi.index.mapping import Target, map_folders
from hikkoshi.index.proofs import KnownProofs, Proof, Upload
from hikkoshi.index.queries import Counts, Row, folder_pairs, row_ids, rows, total, uploadable
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.mail.folders import Folder, role_by_name
from hikkoshi.mail.message import Message

UIDVALIDITY = 7


def fields(
    number: int, *, message_id: str | None = "", date: str | None = "", subject: str = "", sender: str = ""
) -> bytes:
    """Identity fields of mail `number`; '' is one made from the number, None is none."""
    lines = []
    if date is not None:
        lines.append(f"Date: {date or f'Sat, 9 Mar 2024 21:{number // 60 % 60:02}:{number % 60:02} +0900'}")
    lines += [f"From: {sender or 'taro@example.jp'}", "To: jiro@example.jp", f"Subject: {subject or f'mail {number}'}"]
    if message_id is not None:
        lines.append(f"Message-ID: <{message_id or f'{number}@example.jp'}>")
    return "\r\n".join(lines).encode()


def mail(
    number: int, flags: str = "", *, size: int = 0, partial: bool = False, raw: bytes | None = None, **given: str | None
) -> Message:
    """A message; `raw`: its identity fields as they are, else `given` goes to `fields`."""
    content = fields(number, **given) if raw is None else raw  # type: ignore[arg-type]
    return Message("", size or 1000 + 10 * number, frozenset(flags.split()), 1_700_000_000 + number, content, partial)


def folder(name: str) -> Folder:
    """A folder whose role is that of its last level's name; native and shown name are the same."""
    path = tuple(name.split("/"))
    return Folder(name, path, role_by_name(path[-1]), name)


class Planted:
    """An index and what was put into it."""

    def __init__(self, path: Path) -> None:
        self.index = Index(path / "index.sqlite")
        self.overrides: dict[str, str] = {}
        self.proofs: dict[Upload, Proof] = {}
        self._places = itertools.count(1)
        self._folders: tuple[dict[str, Folder], dict[str, Folder]] = ({}, {})

    def __enter__(self) -> "Planted":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.index.close()

    def put(self, side: int, name: str, *messages: Message) -> list[int]:
        """Put messages into a folder, which is made if it is not there; their places as numbers."""
        self._folders[side].setdefault(name, folder(name))
        ids = self.index.sync_folders(side, self._folders[side].values())
        self.index.set_stamp(ids[name], str(UIDVALIDITY))
        places = [next(self._places) for _ in messages]
        with self.index.transaction():
            self.index.add(ids[name], [replace(m, place=str(p)) for m, p in zip(messages, places, strict=True)])
        return places

    def bodies(self, bodies: Mapping[int, bytes]) -> None:
        """Give messages a body digest by their place."""
        ids = dict(self.index.db.execute("SELECT CAST(place AS INTEGER), id FROM message"))
        with self.index.transaction():
            self.index.set_bodies((ids[place], body) for place, body in bodies.items())

    def row(self, side: int, name: str) -> int:
        """The row id of a folder."""
        return next(e.id for e in self.index.folders(side) if e.folder.name == name)

    def targets(self) -> dict[str, Target]:
        """The mapping."""
        return map_folders(self._folders[LOCAL].values(), self._folders[SERVER].values(), self.overrides, "/".join)

    def compare(self, *, whole: bool = True) -> None:
        """Compare what changed."""
        compare(self.index, self.targets(), KnownProofs(self.proofs), whole=whole)

    def counts(self) -> Counts:
        """Compare, see that the rows and the totals agree, and give the counts."""
        self.compare()
        pairs = folder_pairs(self.index)
        self._check_rows()
        return total(pairs)

    def _check_rows(self) -> None:
        """Every message is on exactly one row, and a mail counts at most once."""
        for column, side in (("local", LOCAL), ("server", SERVER)):
            shown = Counter(
                r[0] for r in self.index.db.execute(f"SELECT {column} FROM pair WHERE {column} IS NOT NULL")
            )
            there = self.index.db.execute(
                "SELECT message.id FROM message JOIN folder ON folder.id = folder WHERE folder.side = ?", (side,)
            )
            assert shown == Counter(r[0] for r in there)
        leads = self.index.db.execute("SELECT mail FROM pair GROUP BY mail HAVING sum(lead) > 1").fetchall()
        assert leads == []

    def rows(self) -> list[Row]:
        """All rows of the last comparison."""
        return rows(self.index, row_ids(self.index, None))

    def sent_by_upload(self, *names: str) -> list[tuple[str, str]]:
        """(local folder, target) of what an upload (of these folders) would send."""
        ids = uploadable(self.index, names or None)
        targets = self.targets()
        return [(row.local_folder, targets[row.local_folder].native) for row in rows(self.index, ids)]

    def upload(self, *, rewrite: bool = False) -> int:
        """Put all that an upload would send on the server and note it as the ledger does. How many mails.

        `rewrite`: the server changes every header.
        """
        targets = self.targets()
        done = rows(self.index, uploadable(self.index))
        for row in done:
            assert row.local is not None
            message, native = row.local.message, targets[row.local_folder].native
            there = replace(message, fields=b"Subject: [rewritten]") if rewrite else message
            (uid,) = self.put(SERVER, native, there)
            body = self.index.db.execute("SELECT body FROM message WHERE id = ?", (row.local.id,)).fetchone()[0]
            self.proofs[native, UIDVALIDITY, uid] = proof(message, body or b"read when it was sent")
        return len(done)


def proof(message: Message, body: bytes | None = None) -> Proof:
    """What the ledger would know of an upload of `message`."""
    return Proof(message.fields, message.size, body)


def planted(path: Path) -> Planted:
    """Two empty sides in an index in the folder `path`."""
    return Planted(path)
