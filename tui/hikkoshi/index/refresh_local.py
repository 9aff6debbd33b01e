"""Bringing the index up to what this PC has now. Only what changed is read again."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial

from hikkoshi.errors import LocalChanged, LocalError
from hikkoshi.i18n import _
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.local.look import Changes, Known
from hikkoshi.local.scan import AUTOMATIC, LocalScan
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.flags import unpack
from hikkoshi.mail.folders import Folder, is_text
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.identity import HAS_ID, canonical_digest
from hikkoshi.mail.message import Message, Problem, without_remarks


def refresh_local(index: Index, store: LocalStore, report: Report, cancel: Cancel) -> list[Problem]:
    """Take over what changed on this PC. What could not be read is told, and the rest goes on."""
    with LocalRefresh(index, store, cancel) as refresh:
        refresh.start()
        return refresh.finish(report)


class LocalRefresh:
    """`refresh_local` in two steps, so that the server can be asked while the children read.

    `children`: see `LocalScan`. Both steps belong to the thread that opened the index. Use it in a `with`.
    """

    def __init__(self, index: Index, store: LocalStore, cancel: Cancel, children: int = AUTOMATIC) -> None:
        self._index, self._store, self._cancel, self._count = index, store, cancel, children
        self._problems: list[Problem] = []
        self._folders: list[Folder] = []
        self._rows: list[int] = []
        self._scan: LocalScan | None = None

    def __enter__(self) -> "LocalRefresh":
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._scan:
            self._scan.close()

    def start(self) -> None:
        """Look at all folders and let the children begin to read those that changed."""
        self._problems = list(self._store.problems())
        self._folders = _with_text_names(self._store.folders(), self._problems)
        ids = self._index.sync_folders(LOCAL, self._folders)
        self._rows = [ids[folder.native] for folder in self._folders]
        looked_at = [(folder, self._known(row)) for folder, row in zip(self._folders, self._rows, strict=True)]
        self._scan = LocalScan(self._store, looked_at, self._count, self._cancel.check)
        self._scan.start()

    def finish(self, report: Report) -> list[Problem]:
        """Take over what is read; the problems found. Raises `Cancelled` between two messages."""
        changed = False
        for number, folder in enumerate(self._folders):
            self._cancel.check()
            report(Progress(Stage.SCAN, folder.name, number, len(self._folders)))
            changed = self._refresh_folder(number, folder, self._rows[number]) or changed
        if changed:
            _read_lookalikes(self._index, self._store, self._cancel)
        report(Progress(Stage.SCAN, "", len(self._folders), len(self._folders)))
        return self._problems

    def _known(self, row: int) -> Known:
        last, stamp = _last_and_stamp(self._index.stamp(row))
        return Known(stamp, partial(self._flags_by_place, row), partial(self._last, row, last))

    def _flags_by_place(self, row: int, beginning: str) -> dict[str, frozenset[str]]:
        rows = self._index.db.execute(
            "SELECT place, flags FROM message WHERE folder = ? AND place >= ? AND place < ?",
            (row, beginning, beginning + chr(sys.maxunicode)),
        )
        flags: dict[int, frozenset[str]] = {
            id_: unpack(text) for id_, text in self._index.db.execute("SELECT id, flags FROM flagset")
        }
        return {place: flags[set_] for place, set_ in rows}

    def _last(self, row: int, place: str) -> tuple[str, frozenset[str]] | None:
        """Place and flags of a folder's last mail, which is the one at `place` if that is still there."""
        one = "SELECT place, flagset.flags FROM message JOIN flagset ON flagset.id = message.flags WHERE "
        found = self._index.db.execute(f"{one} folder = ? AND place = ?", (row, place)).fetchone()
        if not found:  # it was deleted; this walks over all mails of the folder
            search = "(SELECT id FROM message WHERE folder = ? ORDER BY CAST(place AS INTEGER) DESC LIMIT 1)"
            found = self._index.db.execute(f"{one} message.id = {search}", (row,)).fetchone()
        return (found[0], unpack(found[1])) if found else None

    def _refresh_folder(self, number: int, folder: Folder, row: int) -> bool:
        """Take over one folder; whether anything changed. After problems it is read again next time, and told again."""
        assert self._scan is not None, "start() comes first"
        found: list[Problem] = []
        changed = True
        try:
            try:
                changed = self._take(self._scan.changes(found), row)
            except LocalChanged:
                # The mail client has just written to it: once more, and it will be whole.
                found = []
                changed = self._take(self._scan.again(number, found), row)
        except LocalError as error:
            found = [Problem(folder.name, str(error))]
        except OSError as error:
            what = _(
                "This folder cannot be read ({reason}); its mail was not compared. See that you may read its file."
            )
            found = [Problem(folder.name, what.format(reason=error.strerror or error))]
        if without_remarks(found):
            self._index.set_stamp(row, None)
        self._problems += found
        return changed

    def _take(self, changes: Changes | None, row: int) -> bool:
        if changes is None or changes.nothing:
            return False
        index = self._index
        with index.transaction():
            if changes.afresh:
                index.clear(row)
            elif changes.gone or changes.moved:
                known = index.places(row)
                index.remove(known[place][0] for place in changes.gone if place in known)
                index.move(
                    (known[place][0], now, flags) for place, (now, flags) in changes.moved.items() if place in known
                )
            last = _Last("" if changes.afresh else _last_and_stamp(index.stamp(row))[0])
            index.add(row, self._cancel.while_not(last.of(changes.messages)))
            index.set_stamp(row, f"{last.place}\n{changes.stamp}")
        return True


class _Last:
    """Remembers the place of the last of a folder's messages, which come in the folder's order."""

    def __init__(self, place: str) -> None:
        self.place = place

    def of(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages."""
        message = None
        for message in messages:
            yield message
        # A file's name may be anything; only the place in an mbox is asked for again.
        if message and "\n" not in message.place and is_text(message.place):
            self.place = message.place


def _last_and_stamp(text: str | None) -> tuple[str, str | None]:
    """What the index keeps of a folder: the place of its last mail, and the store's stamp on a line of its own."""
    last, line_end, stamp = (text or "").partition("\n")
    return (last, stamp) if line_end else ("", None)


def _with_text_names(folders: Iterable[Folder], problems: list[Problem]) -> list[Folder]:
    """The folders whose names are text; one that an old system named in another encoding is told."""
    named = []
    for folder in folders:
        if is_text(folder.native):
            named.append(folder)
        else:
            what = _(
                "The name of this folder is no text in UTF-8; its mail was not compared. Rename it, and look again."
            )
            problems.append(Problem(sanitise(folder.name), what))
    return named


def _read_lookalikes(index: Index, store: LocalStore, cancel: Cancel) -> None:
    """Read the bodies of local mails without Message-ID and with the same headers: only their bytes tell them apart.

    After a first comparison only those are looked for that changed since.
    """
    compared = bool(index.db.execute("SELECT compared FROM state").fetchone()[0])
    which = "key IN (SELECT key FROM touched WHERE NOT key & ?)" if compared else "NOT key & ?"
    rows = index.db.execute(
        "SELECT message.id, place, folder.native FROM message JOIN folder ON folder.id = message.folder"
        " WHERE message.side = ? AND body IS NULL AND key IN ("
        f"  SELECT key FROM message WHERE side = ? AND {which} GROUP BY key HAVING count(*) > 1)",
        (LOCAL, LOCAL, HAS_ID),
    ).fetchall()
    folders = {indexed.folder.native: indexed.folder for indexed in index.folders(LOCAL)}
    digests = []
    for id_, place, native in rows:
        cancel.check()
        try:
            stored = store.read(folders[native], place)
        except (LocalError, OSError):
            # It changed since the scan a moment ago; the next refresh reads it, and until then it is in doubt.
            continue
        digests.append((id_, canonical_digest(upload_form(stored, mbox=store.is_mbox(folders[native])))))
    with index.transaction():
        index.set_bodies(digests)
