"""Two sides of any size put straight into an index: what a scan and a listing would have left there.

Of the mails of a folder most are on both sides. The rest are what the evidence has to settle: mails that only one side
has, flags that differ, copies, mails in another folder than the mapped one, mails without Message-ID, Message-IDs that
were used again for other mails, headers whose bytes a server has changed.
"""

import hashlib
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

from hikkoshi.index.mapping import Target, map_folders
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message

_FIRST = 1_262_304_000
_SEEN, _UNSEEN, _FLAGGED = frozenset({"\\Seen"}), frozenset[str](), frozenset({"\\Flagged", "\\Seen"})


def plant(path: Path, count: int, folders: int) -> None:
    """An index with `count` mails on each side, spread over so many folders."""
    each = count // folders
    with Index(path) as index:
        for side in (LOCAL, SERVER):
            ids = index.sync_folders(side, [_folder(side, number) for number in range(folders)])
            for number, id_ in enumerate(ids.values()):
                with index.transaction():
                    index.set_stamp(id_, "1")
                    index.add(id_, _mails(side, number * each, each))


def replant(path: Path, number: int) -> int:
    """Take a local folder out and put it in again, one mail less; how many mails."""
    with Index(path) as index:
        entry = index.folders(LOCAL)[number]
        each = index.db.execute("SELECT count(*) FROM message WHERE folder = ?", (entry.id,)).fetchone()[0]
        with index.transaction():
            index.clear(entry.id)
            return index.add(entry.id, _mails(LOCAL, number * each, each - 1))


def targets(index: Index) -> dict[str, Target]:
    """The mapping: each folder to the one of the same name."""
    local, server = ([entry.folder for entry in index.folders(side)] for side in (LOCAL, SERVER))
    return map_folders(local, server, {}, "/".join)


def _folder(side: int, number: int) -> Folder:
    name = f"Projects/{number:04}"
    return Folder(name, ("Projects", f"{number:04}"), Role.NONE, name if side == SERVER else f"/mail/{name}")


def _mails(side: int, first: int, count: int) -> Iterator[Message]:
    """The mails numbered from `first`; what a mail is, its number decides."""
    place = 0
    for number in range(first, first + count):
        kind = number % 200
        if kind == 1 + side:  # only on one side; the other has a mail of its own instead, so that both have `count`
            shown, copies = 10**9 + 2 * number + side, 1
        elif kind == 10:  # two copies here, one there
            shown, copies = number, 2 if side == LOCAL else 1
        elif kind == 11:
            shown, copies = number, 0 if side == LOCAL else 1
        elif kind == 20:  # in the next folder on the server
            shown, copies = number + (count if side == SERVER else 0), 1
        else:
            shown, copies = number, 1
        flags = _FLAGGED if number % 50 == 3 else _SEEN if number % 10 else _UNSEEN
        if side == SERVER and number % 100 == 31:
            flags = _UNSEEN
        for _ in range(copies):
            place += 1
            fields = _fields(shown, changed=side == SERVER and number % 500 == 41)
            where = str(place) if side == SERVER else f"{place * 8192}:8192"
            yield Message(where, 2000 + shown % 7919, flags, _FIRST + shown % 300_000_000, fields)


def _fields(number: int, *, changed: bool) -> bytes:
    token = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).hexdigest()
    lines = [
        f"Date: {formatdate(_FIRST + number % 300_000_000)}",
        f"From: Taro Yamada <taro{number % 997}@example.jp>",
        f"To: office-{number % 31}@example.co.jp",
        f"Subject: =?UTF-8?B?5omT44Gh5ZCI44KP44Gb?= {number}",
    ]
    if number % 500 == 41:
        # Bytes that Cyrus turns into X.
        lines.append(f"Subject: caf{'X' if changed else chr(0xE9)} {number}")
    if number % 100 != 61:
        # One in a thousand uses the Message-ID of another mail again.
        shown = "reused" + str(number // 4000) if number % 1000 == 71 else token
        lines.append(f"Message-ID: <{shown}.{number % 7}@mail.example.jp>")
    return "\r\n".join(lines).encode("latin-1")
