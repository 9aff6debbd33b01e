"""What was found in the bytes of this PC's mails, kept as long as these are unchanged: a second look costs a query."""

import json
from collections.abc import Iterable

import msgspec

from hikkoshi.index.store import Index
from hikkoshi.mail.findings import Examined
from hikkoshi.mail.message import Message

_WINDOW = 5000  # rows asked for at a time
_NOTHING = Examined(0)


class Looked(msgspec.Struct, frozen=True):
    """What was found in a mail; `date_source`: where the date it would be given comes from, '' if that is as usual."""

    found: Examined
    date_source: str = ""


def looked_at(index: Index, ids: Iterable[int]) -> dict[int, Looked]:
    """What was found in these mails, by row id; those that were not looked at are missing."""
    wanted = list(ids)
    found: dict[int, Looked] = {}
    for start in range(0, len(wanted), _WINDOW):
        rows = index.db.execute(
            "SELECT message, examined, date_source FROM looked WHERE message IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted[start : start + _WINDOW]),),
        )
        for id_, examined, source in rows:
            looks = _NOTHING if examined is None else msgspec.json.decode(examined, type=Examined)
            found[id_] = Looked(looks, source)
    return found


def keep_looks(index: Index, looks: Iterable[tuple[int, Message, Looked]]) -> None:
    """Keep what was found in mails, (row id, the mail that was looked at, what was found); not of rows that changed."""
    with index.transaction():
        index.db.executemany(
            "INSERT OR REPLACE INTO looked SELECT id, ?, ?, ? FROM message"
            " WHERE id = ? AND place = ? AND size = ? AND side = 0",
            [
                (
                    looked.found.findings,
                    msgspec.json.encode(looked.found) if looked.found != _NOTHING else None,
                    looked.date_source,
                    id_,
                    message.place,
                    message.size,
                )
                for id_, message, looked in looks
            ],
        )
