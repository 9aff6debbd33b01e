"""What the ledger knows of messages on the server: that they are our uploads, whatever the server made of them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.mail.identity import keys

Upload = tuple[str, int, int]
"""(native folder name, UIDVALIDITY, UID) of something that we uploaded."""


class Proof(msgspec.Struct, frozen=True):
    """The source of an upload: its raw identity fields, its size in CRLF form, its canonical digest."""

    fields: bytes
    size: int
    body: bytes | None


class Proofs(Protocol):
    """The uploads of one account that arrived."""

    @property
    def mark(self) -> str:
        """A text that changes whenever an upload arrives or is settled."""
        ...

    def all(self) -> Iterable[tuple[Upload, Proof]]:
        """Every upload."""
        ...

    def at(self, upload: Upload) -> Proof | None:
        """One upload, None if it is none of ours."""
        ...


class KnownProofs(msgspec.Struct, frozen=True):
    """Proofs in memory."""

    uploads: Mapping[Upload, Proof] = msgspec.field(default_factory=dict)

    @property
    def mark(self) -> str:
        """See `Proofs`."""
        return str(len(self.uploads))

    def all(self) -> Iterable[tuple[Upload, Proof]]:
        """See `Proofs`."""
        return self.uploads.items()

    def at(self, upload: Upload) -> Proof | None:
        """See `Proofs`."""
        return self.uploads.get(upload)


def look_up(index: Index, proofs: Proofs) -> None:
    """Mark the messages that came since the last time, and are our uploads. Inside the caller's transaction.

    Without new mail and new uploads nothing of the ledger is read.
    """
    mark, after = index.db.execute("SELECT ledger, looked_up FROM state").fetchone()
    last = index.db.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]
    now = proofs.mark
    if mark == now and last <= after:
        return
    if now:
        found = _among_new(index, proofs, after) if mark == now else _among_uploads(index, proofs)
        for id_, key, proof in found:
            _mark(index, id_, key, proof)
    index.db.execute("UPDATE state SET ledger = ?, looked_up = ?", (now, last))


def _mark(index: Index, id_: int, key: int, proof: Proof) -> None:
    theirs = keys(proof.fields)
    index.db.execute("UPDATE message SET proved = 1, key = ?, evidence = ? WHERE id = ?", (*theirs, id_))
    index.db.execute(
        "INSERT OR REPLACE INTO proof (message, fields, size, body) VALUES (?, ?, ?, ?)",
        (id_, proof.fields, proof.size, proof.body),
    )
    index.db.executemany("INSERT OR IGNORE INTO touched VALUES (?)", [(key,), (theirs[0],)])


def _among_new(index: Index, proofs: Proofs, after: int) -> list[tuple[int, int, Proof]]:
    """(row id, key, proof) of the messages with higher row ids than `after` that are uploads."""
    rows = index.db.execute(
        "SELECT message.id, key, native, stamp, place FROM message JOIN folder ON folder.id = folder"
        " WHERE message.id > ? AND message.side = ? AND stamp IS NOT NULL",
        (after, SERVER),
    ).fetchall()
    looked_up = ((id_, key, proofs.at((native, int(stamp), uid))) for id_, key, native, stamp, uid in rows)
    return [(id_, key, proof) for id_, key, proof in looked_up if proof]


def _among_uploads(index: Index, proofs: Proofs) -> list[tuple[int, int, Proof]]:
    """(row id, key, proof) of all uploads that are not marked yet."""
    folders = {
        (native, int(stamp)): id_
        for id_, native, stamp in index.db.execute(
            "SELECT id, native, stamp FROM folder WHERE side = ? AND stamp IS NOT NULL", (SERVER,)
        )
    }
    found = []
    for (native, uidvalidity, uid), proof in proofs.all():
        folder = folders.get((native, uidvalidity))
        if folder is None:
            continue
        row = index.db.execute(
            "SELECT id, key FROM message WHERE folder = ? AND place = ? AND NOT proved", (folder, uid)
        ).fetchone()
        if row:
            found.append((row[0], row[1], proof))
    return found
