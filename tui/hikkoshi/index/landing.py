"""Noting in the index what an upload just put on the server, or an undo took away, until the next comparison settles it."""

import json
from collections.abc import Iterable, Sequence

from hikkoshi.index.relation import DUPLICATE, Relation
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index, ServerState
from hikkoshi.index.tally import counted
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message


def new_folder(index: Index, folder: Folder, uidvalidity: int) -> None:
    """Note a folder that was made on the server, and show it beside the local folders mapped to it."""
    with index.transaction():
        position = index.db.execute("SELECT count(*) FROM folder WHERE side = ?", (SERVER,)).fetchone()[0]
        row = index.db.execute(
            "INSERT INTO folder (side, name, path, role, native, account, position, stamp)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET stamp = excluded.stamp RETURNING id",
            (
                SERVER,
                folder.name,
                json.dumps(folder.path),
                folder.role,
                folder.native,
                folder.account,
                position,
                str(uidvalidity),
            ),
        ).fetchone()[0]
        index.db.execute("UPDATE view SET server = ? WHERE target = ? AND server IS NULL", (row, folder.native))


def made_anew(index: Index, folder: int, uidvalidity: int) -> None:
    """Note that the server folder with this row was deleted with all its mail and made again; the next look lists it all."""
    with index.transaction():
        index.clear(folder)
        index.set_stamp(folder, str(uidvalidity))
        index.set_server_state(folder, ServerState(uidvalidity, 1, 0, None, complete=True))


def landed(index: Index, pair: int, native: str, uidvalidity: int, message: Message) -> None:
    """Note that the local mail of row `pair` is now the message `message` of the server folder `native`."""
    landed_all(index, native, uidvalidity, [(pair, message)])


def removed(index: Index, native: str, uidvalidity: int, uids: Iterable[int]) -> None:
    """Note that mails of a server folder are gone; the next comparison says what that means."""
    folder = index.server_folder(native)
    if folder is None or index.stamp(folder) != str(uidvalidity):
        return
    with index.transaction():
        ids = index.db.execute(
            "SELECT id FROM message WHERE folder = ? AND place IN (SELECT value FROM json_each(?))",
            (folder, json.dumps(list(uids))),
        ).fetchall()
        index.remove(id_ for (id_,) in ids)


def landed_all(index: Index, native: str, uidvalidity: int, mails: Sequence[tuple[int, Message]]) -> None:
    """`landed` for a batch of (pair, message), in one transaction.

    A folder without mail may have had another UIDVALIDITY when it was listed: Courier 5.0 settles it with the first mail.
    """
    folder = index.server_folder(native)
    if folder is None:
        return
    anew = index.stamp(folder) != str(uidvalidity)
    if anew and index.db.execute("SELECT 1 FROM message WHERE folder = ? LIMIT 1", (folder,)).fetchone():
        return
    with index.transaction():
        if anew:
            index.set_stamp(folder, str(uidvalidity))
        index.add(folder, [message for _pair, message in mails])
        with counted(index, ",".join(str(int(pair)) for pair, _message in mails)):
            for pair, message in mails:
                row = index.db.execute(
                    "SELECT id FROM message WHERE folder = ? AND place = ?", (folder, int(message.place))
                ).fetchone()[0]
                index.db.execute(
                    "UPDATE pair SET server = ?, relation = relation & ? WHERE id = ?",
                    (row, int(DUPLICATE | Relation.COPY), pair),
                )
