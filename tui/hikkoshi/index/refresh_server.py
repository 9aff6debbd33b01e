"""Bringing the index up to what the server has now. Only what changed is asked for again."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from hikkoshi.errors import ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index, ServerState
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.garbage import seldom_collected
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.mail.flags import pack, unpack
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem
from hikkoshi.server.news import Flags, Gone, Inquiry, KnownFolder, Left, Mails, News, Opened, Ranges, Refused, Settled
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.searches import within

if TYPE_CHECKING:
    from hikkoshi.index.readdress import Readdressing
    from hikkoshi.server.bulk import Bulk

_ROWS = 5000
_SECONDS = 0.5
"""Rows, or time, between two commits of a listing that comes in: often enough for a screen, seldom enough for the disk."""
_MANY_RANGES = 500

OnRows: TypeAlias = Callable[[int, int], None]
"""Hears the row id of a server folder and how many of its mails have come in by now."""


def refresh_server(
    index: Index,
    bulk: "Bulk",
    folders: Iterable[Folder],
    report: Report,
    cancel: Cancel,
    *,
    states: Mapping[str, FolderStatus] | None = None,
    on_rows: OnRows | None = None,
    uploads: "Readdressing | None" = None,
) -> list[Problem]:
    """List what is new on the server, and take over what changed. A folder that cannot be opened is told.

    `states`: as `Overview.states` has them; without them each folder is opened to learn its state. What is listed is
    written as it comes in; a look that is cut short is gone on with by the next one, with what is missing. `uploads`:
    finds our own again where a folder has a new UIDVALIDITY.
    """
    folders = [folder for folder in folders if folder.selectable]
    ids = index.sync_folders(SERVER, folders)
    problems: list[Problem] = []
    done = 0

    def came(desk: "_Desk", count: int) -> None:
        report(Progress(Stage.LIST, desk.folder.name, done, len(folders)))
        if on_rows:
            on_rows(desk.row, count)

    desks = {folder.native: _Desk(index, ids[folder.native], folder, came) for folder in folders}
    report(Progress(Stage.LIST, "", done, len(folders)))
    looks = [desk.look((states or {}).get(native)) for native, desk in desks.items()]
    try:
        with seldom_collected(), closing(bulk.catch_up(looks)) as news:
            for item in cancel.while_not(news):
                desk = desks[item.native]
                if uploads and isinstance(item, Opened) and item.afresh:
                    uploads.remember(desk.row, item.native, item.status.uidvalidity)
                desk.take(item)
                if uploads and isinstance(item, Settled) and item.whole:
                    uploads.settle(desk.row, item.native, item.status.uidvalidity)
                if isinstance(item, Opened):
                    report(Progress(Stage.LIST, desk.folder.name, done, len(folders)))
                elif isinstance(item, Settled | Refused):
                    done += 1
                if isinstance(item, Refused):
                    problems.append(_problem(desk.folder, item))
    except ProtocolBroken:
        # Perhaps what it says of changes is not to be trusted. The next look compares all flags instead.
        for desk in desks.values():
            desk.distrust()
        raise
    finally:
        for desk in desks.values():
            desk.flush()
    report(Progress(Stage.LIST, "", len(folders), len(folders)))
    return problems


def _problem(folder: Folder, refused: Refused) -> Problem:
    what = _("The server did not open this folder ({reason}); its mail was not compared.")
    return Problem(folder.name, what.format(reason=refused.error))


class _Desk:
    """Where the news of one folder are worked up. `folder`: the folder; `row`: its id."""

    def __init__(self, index: Index, row: int, folder: Folder, came: Callable[["_Desk", int], None]) -> None:
        self._index = index
        self.row = row
        self.folder = folder
        self._came = came
        self._state = index.server_state(row) if index.stamp(row) is not None else None
        self._coming: list[Message] = []
        self._arrived = 0
        self._since = 0.0
        self._settled = False
        self._afresh = False

    def look(self, state: FolderStatus | None) -> Inquiry:
        """What to ask the server about this folder."""
        known = None
        if self._state is not None:
            s = self._state
            known = KnownFolder(s.uidvalidity, s.uidnext, s.messages, s.modseq, s.complete, self._uids, self._keywords)
        return Inquiry(self.folder.native, known, state, self._count)

    def take(self, news: News) -> None:
        """Work up one piece of news."""
        match news:
            case Opened():
                self._open(news)
            case Mails():
                self._add([message for _uid, message in news.mails])
            case Flags():
                self.flush()
                self._change_flags(news)
            case Gone():
                self.flush()
                self._remove(self._rows_in(news.uids))
            case Left():
                self.flush()
                known = self._index.server_uids(self.row)
                left = set(within(sorted(known), news.uids))
                self._remove(id_ for uid, (id_, _flags) in known.items() if uid not in left)
            case Settled():
                self.flush()
                self._settled = True
                self._set_state(news.status, complete=news.whole)
            case Refused():
                self.flush()
                self._settled = True
                with self._index.transaction():
                    self._index.set_stamp(self.row, None)

    def flush(self) -> None:
        """Write what has come in."""
        if not self._coming:
            return
        messages, self._coming = self._coming, []
        with self._index.transaction():
            if not self._afresh:
                messages = self._without_known(messages)
            self._index.add(self.row, messages)
        self._came(self, self._arrived)

    def distrust(self) -> None:
        """Let the next look ask for all flags, if this one did not come to its end."""
        state = self._index.server_state(self.row)
        if state is not None and state.modseq is not None and not self._settled:
            self._set_state(FolderStatus(state.messages, state.uidvalidity, state.uidnext), complete=state.complete)

    def _open(self, opened: Opened) -> None:
        self._afresh = opened.afresh
        if not opened.afresh:
            return
        self._coming.clear()
        with self._index.transaction():
            self._index.clear(self.row)
            self._write_state(opened.status, complete=False)

    def _add(self, messages: list[Message]) -> None:
        if not self._coming:
            self._since = monotonic()
        self._coming += messages
        self._arrived += len(messages)
        if len(self._coming) >= _ROWS or monotonic() - self._since > _SECONDS:
            self.flush()

    def _without_known(self, messages: list[Message]) -> list[Message]:
        """The mails that are new; of the others, our own uploads perhaps, the flags are taken over."""
        known = self._rows_at(int(message.place) for message in messages)
        changed = [
            (known[uid][0], message.flags)
            for message in messages
            if (uid := int(message.place)) in known and pack(message.flags) != known[uid][1]
        ]
        self._index.update_flags(changed)
        return [message for message in messages if int(message.place) not in known]

    def _change_flags(self, news: Flags) -> None:
        known = self._index.server_uids(self.row) if news.whole else self._rows_at(news.flags)
        packed = {flags: pack(flags) for flags in set(news.flags.values())}
        changed = [
            (id_, flags)
            for uid, (id_, before) in known.items()
            if (flags := news.flags.get(uid)) is not None and packed[flags] != before
        ]
        gone = [id_ for uid, (id_, _flags) in known.items() if uid not in news.flags] if news.whole else []
        if changed or gone:
            with self._index.transaction():
                self._index.update_flags(changed)
                self._index.remove(gone)

    def _remove(self, ids: Iterable[int]) -> None:
        gone = list(ids)
        if gone:
            with self._index.transaction():
                self._index.remove(gone)

    def _rows_at(self, uids: Iterable[int]) -> dict[int, tuple[int, str]]:
        rows = self._index.db.execute(
            "SELECT message.id, place, flagset.flags FROM message JOIN flagset ON flagset.id = message.flags"
            " WHERE folder = ? AND place IN (SELECT value FROM json_each(?))",
            (self.row, json.dumps(list(uids))),
        )
        return {uid: (id_, flags) for id_, uid, flags in rows}

    def _rows_in(self, uids: Ranges) -> list[int]:
        if len(uids) > _MANY_RANGES:
            known = self._index.server_uids(self.row)
            return [known[uid][0] for uid in within(sorted(known), uids)]
        return [
            row[0]
            for low, high in uids
            for row in self._index.db.execute(
                "SELECT id FROM message WHERE folder = ? AND place BETWEEN ? AND ?", (self.row, low, high)
            )
        ]

    def _uids(self) -> set[int]:
        self.flush()
        return {row[0] for row in self._index.db.execute("SELECT place FROM message WHERE folder = ?", (self.row,))}

    def _keywords(self) -> frozenset[str]:
        rows = self._index.db.execute(
            "SELECT flags FROM flagset WHERE id IN (SELECT flags FROM message WHERE folder = ?)", (self.row,)
        )
        return frozenset(flag for row in rows for flag in unpack(row[0]) if not flag.startswith("\\"))

    def _count(self) -> int:
        self.flush()
        return int(self._index.db.execute("SELECT messages FROM folder WHERE id = ?", (self.row,)).fetchone()[0])

    def _set_state(self, status: FolderStatus, *, complete: bool) -> None:
        with self._index.transaction():
            self._write_state(status, complete=complete)

    def _write_state(self, status: FolderStatus, *, complete: bool) -> None:
        state = ServerState(status.uidvalidity, max(status.uidnext, 1), status.messages, status.modseq, complete)
        self._index.set_stamp(self.row, str(status.uidvalidity))
        self._index.set_server_state(self.row, state)
