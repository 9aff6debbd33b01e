"""Bringing the index up to what this PC has now. Only what changed is read again."""

from collections.abc import Iterable, Iterator

from hikkoshi.errors import LocalChanged, LocalError
from hikkoshi.i18n import _
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.identity import HAS_ID, canonical_digest
from hikkoshi.mail.message import Message, Problem


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
        index.add(row, cancel.while_not(_with_text_places(folder, store.scan(folder, found), found)))
    return found


def _with_text_places(folder: Folder, messages: Iterable[Message], problems: list[Problem]) -> Iterator[Message]:
    """The messages whose file names are text, as with the names of folders."""
    for message in messages:
        if _is_text(message.place):
            yield message
        else:
            what = _("The name of the file {name} is no text in UTF-8; this mail was not compared. Rename it.")
            problems.append(Problem(folder.name, what.format(name=sanitise(message.place))))


def _read_lookalikes(index: Index, store: LocalStore, cancel: Cancel) -> None:
    """Read the bodies of local mails without Message-ID and with the same headers: only their bytes tell them apart."""
    rows = index.db.execute(
        "SELECT message.id, place, folder.native FROM message JOIN folder ON folder.id = message.folder"
        " WHERE message.side = ? AND body IS NULL AND key IN ("
        "  SELECT key FROM message WHERE side = ? AND NOT key & ? GROUP BY key HAVING count(*) > 1)",
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
