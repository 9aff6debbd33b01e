"""Bringing the index up to what the server has now. Only what changed is asked for again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.mail.flags import pack
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Problem

if TYPE_CHECKING:
    from hikkoshi.server.bulk import Bulk


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
            index.add(row, cancel.while_not(new))


def _refresh_flags(index: Index, now: dict[int, frozenset[str]], known: dict[int, tuple[int, str]]) -> None:
    index.remove(row for uid, (row, _flags) in known.items() if uid not in now)
    index.update_flags((row, now[uid]) for uid, (row, flags) in known.items() if uid in now and pack(now[uid]) != flags)
