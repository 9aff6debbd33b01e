"""The server folders that mail goes into: opened, made where they are new, and made again where they were taken away."""

from msgspec.structs import replace

from hikkoshi.i18n import _
from hikkoshi.index.landing import made_anew, new_folder
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import ARRIVED, Item, ItemState, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.folders import Folder
from hikkoshi.move.link import Link
from hikkoshi.move.plan import Plan
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.session import ServerSession


class Targets:
    """The folders that a plan names, on the server and in the index."""

    def __init__(self, plan: Plan, index: Index, link: Link) -> None:
        self._new = {share.target for share in plan.shares if share.new}
        self._index, self._link = index, link

    def open(self, target: str) -> FolderStatus:
        """A folder's UIDVALIDITY and UIDNEXT; it is made first where the plan says that it is new.

        Raises `CommandRefused` where it cannot be made or opened, and what a cut line raises.
        """
        if target not in self._new or self._index.server_folder(target) is not None:
            return self._link.steady(lambda: self._link.bulk.examine(target))
        return self._make(target)

    def make_anew(self, target: str, before: int) -> FolderStatus:
        """Make and open a folder that had the UIDVALIDITY `before`, and forget what is known of its mail.

        Where it is there after all, with that UIDVALIDITY, it is only opened.
        """
        status = self._make(target)
        row = self._index.server_folder(target)
        if row is not None and status.uidvalidity != before:
            made_anew(self._index, row, status.uidvalidity)
        return status

    def _make(self, target: str) -> FolderStatus:
        def make(session: ServerSession) -> list[Folder]:
            session.create(target)
            return [folder for folder in session.folders() if folder.native == target]

        made = self._link.steady(lambda: self._link.with_session(make))
        status = self._link.steady(lambda: self._link.bulk.examine(target))
        for folder in made:
            if self._index.server_folder(target) is None:
                new_folder(self._index, folder, status.uidvalidity)
        return status


def gone_with_their_folder(ledger: Ledger, move: int, target: str, before: int) -> list[Item]:
    """Note the mails of a move that had arrived in a folder that was taken away since; `before`: its UIDVALIDITY."""
    reason = _("it arrived, but its folder was deleted on the server afterwards, and the mail with it")
    gone = [
        replace(item, reason=reason)
        for item in ledger.items(move)
        if item.target == target and item.uidvalidity == before and item.state in ARRIVED
    ]
    ledger.step(settled=[Settling(item.id, ItemState.DOUBTFUL, reason) for item in gone])
    return gone
