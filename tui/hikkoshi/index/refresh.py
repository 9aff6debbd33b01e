"""Bringing the index up to what both sides have now. Only what changed is read again."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hikkoshi.errors import CommandRefused, LocalChanged, LocalError
from hikkoshi.i18n import _
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.flags import pack
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.mail.message import Message, Problem

if TYPE_CHECKING:
    from hikkoshi.server.bulk import Bulk


def refresh_local(index: Index, store: LocalStore, report: Report, cancel: Cancel) -> list[Problem]:
    """Read the folders of this PC whose stamp changed. What could not be read is told, and the rest goes on."""
    problems = list(store.problems())
    folders = _with_text_names(store.folders(), problems)
    ids = index.sync_folders(LOCAL, folders)
    for number, folder in enumerate(folders):
        cancel.check()
        report(Progress(Stage.SCAN, folder.name, number, len(folders)))
        problems += _refresh_local_folder(index, store, folder, ids[folder.native], cancel)
    _read_lookalikes(index, store, cancel)
    report(Progress(Stage.SCAN, "", len(folders), len(folders)))
    return problems


def _with_text_names(folders: Iterable[Folder], problems: list[Problem]) -> list[Folder]:
    """The folders whose names are text; one that an old system named in another encoding is told."""
    named = []
    for folder in folders:
        if _is_text(folder.native):
            named.append(folder)
        else:
            what = _(
                "The name of this folder is no text in UTF-8; its mail was not compared. Rename it, and look again."
            )
            problems.append(Problem(sanitise(folder.name), what))
    return named


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refresh_local_folder(index: Index, store: LocalStore, folder: Folder, row: int, cancel: Cancel) -> list[Problem]:
    """Read one folder if it changed; the problems found. After those it is read again next time, and told again."""
    try:
        if store.stamp(folder) == index.stamp(row):
            return []
        try:
            found = _scan(index, store, folder, row, cancel)
        except LocalChanged:
            # The mail client has just written to it: once more, and it will be whole.
            found = _scan(index, store, folder, row, cancel)
    except LocalError as error:
        found = [Problem(folder.name, str(error))]
    except OSError as error:
        what = _("This folder cannot be read ({reason}); its mail was not compared. See that you may read its file.")
        found = [Problem(folder.name, what.format(reason=error.strerror or error))]
    if found:
        index.set_stamp(row, None)
    return found


def _scan(index: Index, store: LocalStore, folder: Folder, row: int, cancel: Cancel) -> list[Problem]:
    found: list[Problem] = []
    # Taken before the reading: what is written meanwhile is read the next time.
    stamp = store.stamp(folder)
    with index.transaction():
        index.clear(row)
        index.set_stamp(row, stamp)
        index.add(row, _while_not(cancel, _with_text_places(folder, store.scan(folder, found), found)))
    return found


def _with_text_places(folder: Folder, messages: Iterable[Message], problems: list[Problem]) -> Iterator[Message]:
    """The messages whose file names are text, as with the names of folders."""
    for message in messages:
        if _is_text(message.place):
            yield message
        else:
            what = _("The name of the file {name} is no text in UTF-8; this mail was not compared. Rename it.")
            problems.append(Problem(folder.name, what.format(name=sanitise(message.place))))


def refresh_server(
    index: Index, bulk: "Bulk", folders: Iterable[Folder], report: Report, cancel: Cancel
) -> list[Problem]:
    """List what is new on the server and the flags of what was there. A folder that cannot be opened is told."""
    folders = [folder for folder in folders if folder.selectable]
    ids = index.sync_folders(SERVER, folders)
    problems = []
    for number, folder in enumerate(folders):
        cancel.check()
        report(Progress(Stage.LIST, folder.name, number, len(folders)))
        try:
            _refresh_folder(index, bulk, folder, ids[folder.native], cancel)
        except CommandRefused as error:
            index.set_stamp(ids[folder.native], None)
            problems.append(
                Problem(
                    folder.name,
                    _("The server did not open this folder ({reason}); its mail was not compared.").format(
                        reason=error
                    ),
                )
            )
    report(Progress(Stage.LIST, "", len(folders), len(folders)))
    return problems


def _refresh_folder(index: Index, bulk: "Bulk", folder: Folder, row: int, cancel: Cancel) -> None:
    status = bulk.examine(folder.native)
    stamp = str(status.uidvalidity)
    with index.transaction():
        if index.stamp(row) != stamp:
            index.clear(row)
        index.set_stamp(row, stamp)
        known = index.server_uids(row)
        if not status.messages:
            index.clear(row)
            return
        first: int | None = 1
        if known:
            now = dict(bulk.list_flags())
            _refresh_flags(index, now, known)
            # Not the highest known and one more: we may have noted our own uploads beyond mail of other clients
            # that was never listed.
            first = min(now.keys() - known.keys(), default=None)
        if first is not None:
            new = (message for message in bulk.list_new(first) if int(message.place) not in known)
            index.add(row, _while_not(cancel, new))


def _refresh_flags(index: Index, now: dict[int, frozenset[str]], known: dict[int, tuple[int, str]]) -> None:
    index.remove(row for uid, (row, _flags) in known.items() if uid not in now)
    index.update_flags((row, now[uid]) for uid, (row, flags) in known.items() if uid in now and pack(now[uid]) != flags)


def _while_not(cancel: Cancel, messages: Iterable[Message]) -> Iterable[Message]:
    for message in messages:
        cancel.check()
        yield message


def _read_lookalikes(index: Index, store: LocalStore, cancel: Cancel) -> None:
    """Read the bodies of local mails without Message-ID and with the same headers: only their bytes tell them apart."""
    rows = index.db.execute(
        "SELECT message.id, place, folder.native FROM message JOIN folder ON folder.id = message.folder"
        " WHERE side = ? AND body IS NULL AND digest IN ("
        "  SELECT digest FROM message JOIN folder ON folder.id = message.folder"
        "  WHERE side = ? AND message_id IS NULL GROUP BY digest HAVING count(*) > 1)",
        (LOCAL, LOCAL),
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
        digests.append((canonical_digest(upload_form(stored, mbox=store.is_mbox(folders[native]))), id_))
    with index.transaction():
        index.db.executemany("UPDATE message SET body = ? WHERE id = ?", digests)
