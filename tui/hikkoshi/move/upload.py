"""Carrying out a plan: folder by folder, mail by mail, each step in the ledger before and after it happens."""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import TypeVar

from hikkoshi.errors import (
    Cancelled,
    CommandRefused,
    ConnectFailed,
    ConnectionLost,
    HikkoshiError,
    LedgerError,
    LocalError,
    ProtocolBroken,
)
from hikkoshi.i18n import _
from hikkoshi.index.landing import landed, new_folder
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage
from hikkoshi.ledger.store import Item, ItemState, Ledger, State
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.flags import pack
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message
from hikkoshi.move.events import Landed, NotMoved, Rooms, Tell
from hikkoshi.move.link import Link
from hikkoshi.move.meter import Meter
from hikkoshi.move.plan import Plan, PlanItem
from hikkoshi.move.receipt import Receipt, make_receipt, subject
from hikkoshi.move.room import Load, fits, outlook
from hikkoshi.move.source import Parcel, pack_parcel
from hikkoshi.move.verify import GONE, Sent, at_risk, read_back
from hikkoshi.server.writer import sendable_flags

T = TypeVar("T")

_READ_BACK_EVERY = 50
"""Mails between two readings back: one FETCH for all of them, and at most so many to look at after a cut."""

_BROKEN_IN_A_ROW = 3
"""BADs without a mail arriving in between, after which the server is left alone (Dovecot itself hangs up at three)."""


_TRIES = 3
"""Times that one mail is sent or looked for, a cut line in between."""


class _NoRoom(HikkoshiError):
    """The rest of the plan no longer fits."""


class _FolderReplaced(HikkoshiError):
    """The target folder has another UIDVALIDITY than when the move began."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A folder was made anew on the server while mail was uploaded to it. The move stopped; "
                "refresh to see what is there, and upload again."
            )
        )


class Upload:
    """One move. `run` it once, in a thread of its own."""

    def __init__(
        self,
        plan: Plan,
        *,
        server: str,
        store: LocalStore,
        folders: Mapping[str, Folder],
        index: Index,
        ledger: Ledger,
        link: Link,
        meter: Meter,
        tell: Tell,
        cancel: Cancel,
    ) -> None:
        """`folders`: the local ones by native name."""
        self._plan, self._server, self._store, self._folders = plan, server, store, folders
        self._index, self._ledger, self._link, self._meter = index, ledger, link, meter
        self._tell, self._cancel = tell, cancel
        self._done = Load()
        self._left: dict[str, Load] = {share.target: share.load for share in plan.shares}
        self._to_read_back: list[Sent] = []
        self._target, self._target_name, self._uidvalidity, self._uidnext = "", "", 0, 0
        self._permanent: frozenset[str] | None = None
        self._broken = 0

    def run(self) -> Receipt:
        """Do it. Whatever happens, what was done is in the ledger and in the receipt."""
        ordered = sorted(self._plan.items, key=lambda item: item.target)
        move, ids = self._ledger.begin(self._server, str(self._store.path), map(_ledger_item, ordered))
        state, problem = State.DONE, ""
        try:
            for target, group in groupby(zip(ordered, ids, strict=True), key=lambda pair: pair[0].target):
                self._folder(target, list(group))
        except Cancelled as error:
            state, problem = State.STOPPED, str(error)
        except _NoRoom as error:
            state, problem = State.NO_ROOM, str(error)
        except (ConnectionLost, ConnectFailed) as error:
            state, problem = State.CONNECTION_LOST, str(error)
        except LedgerError:
            raise
        except HikkoshiError as error:
            state, problem = State.FAILED, str(error)
        if state in (State.STOPPED, State.NO_ROOM):
            self._last_read_back()
        self._ledger.finish(move, state, self._cancel.reason if state is State.STOPPED else state.value)
        return make_receipt(self._ledger, move, state, problem)

    def _last_read_back(self) -> None:
        try:
            self._read_back()
        except HikkoshiError:
            # The mails are down as landed; that they were not read back is in the receipt's count.
            self._to_read_back.clear()

    def _folder(self, target: str, group: list[tuple[PlanItem, int]]) -> None:
        self._cancel.check()
        self._target, self._target_name = target, group[0][0].target_name
        try:
            self._steady(self._open_target)
        except (CommandRefused, ProtocolBroken) as error:
            for item, id_ in group:
                self._fail(item, id_, _("its folder could not be made or opened: {reason}").format(reason=error))
                self._passed(item)
            if isinstance(error, ProtocolBroken):
                self._link.renew()
            return
        for item, id_ in group:
            self._cancel.check()
            self._watch_room()
            self._one(item, id_)
            self._passed(item)
            if len(self._to_read_back) >= _READ_BACK_EVERY:
                self._read_back()
        self._read_back()

    def _passed(self, item: PlanItem) -> None:
        self._left[item.target] += Load(-item.message.size, -1)
        self._done += Load(item.message.size, 1)
        self._report()

    def _open_target(self) -> None:
        """Learn the folder's UIDVALIDITY and UIDNEXT, making it first where the plan says that it is new."""
        new = any(share.new for share in self._plan.shares if share.target == self._target)
        if new and self._index.server_folder(self._target) is None:
            self._link.session.create(self._target)
        status = self._link.bulk.examine(self._target)
        if new:
            made = [folder for folder in self._link.session.folders() if folder.native == self._target]
            for folder in made:
                new_folder(self._index, folder, status.uidvalidity)
        self._uidvalidity, self._uidnext = status.uidvalidity, status.uidnext
        self._permanent = status.permanent_flags

    def _one(self, item: PlanItem, id_: int) -> None:
        """Send one mail, whatever becomes of it; raises only what ends the move."""
        try:
            parcel = pack_parcel(self._store, self._folders[item.local_native], item.message)
        except (LocalError, OSError) as error:
            self._fail(item, id_, str(error))
            return
        try:
            self._deliver(item, id_, parcel)
        except CommandRefused as error:
            self._refused(item, id_, error)
        except ProtocolBroken as error:
            self._broke(item, id_, parcel, error)

    def _deliver(self, item: PlanItem, id_: int, parcel: Parcel) -> None:
        """Send one mail; after a cut line look whether it arrived before it is sent again."""
        for number in range(_TRIES):
            try:
                if number == 0 or not self._arrived_after_all(item, id_, parcel):
                    self._send(item, id_, parcel)
            except ConnectionLost:
                if number == _TRIES - 1:
                    raise
                self._link.renew()
            else:
                return

    def _send(self, item: PlanItem, id_: int, parcel: Parcel) -> None:
        flags, _dropped = sendable_flags(item.message.flags, self._permanent)
        self._ledger.sending(
            id_,
            body=parcel.digest,
            flags=pack(flags),
            date=parcel.dated.when,
            date_source=parcel.dated.source,
            uidvalidity=self._uidvalidity,
            uidnext=self._uidnext,
        )
        appended = self._link.bulk.append(self._target, parcel.content, flags, parcel.dated.when)
        uid = appended.uid
        if uid is None:
            found = self._find(item, id_)
            if found is None:
                return
            if len(found) != 1:
                self._ledger.settle(id_, ItemState.DOUBTFUL, _("the server took it and does not show where it is"))
                return
            uid = found[0]
        elif appended.uidvalidity is not None and appended.uidvalidity != self._uidvalidity:
            self._ledger.landed(id_, appended.uidvalidity, uid)
            raise _FolderReplaced
        self._landed(item, id_, uid, parcel)

    def _landed(self, item: PlanItem, id_: int, uid: int, parcel: Parcel) -> None:
        flags = frozenset(sendable_flags(item.message.flags, self._permanent)[0])
        self._ledger.landed(id_, self._uidvalidity, uid)
        self._uidnext = max(self._uidnext, uid + 1)
        self._broken = 0
        self._meter.sent(item.message.size)
        there = Message(str(uid), item.message.size, flags, parcel.dated.when, item.message.fields)
        landed(self._index, item.row, self._target, self._uidvalidity, there)
        self._to_read_back.append(
            Sent(id_, uid, len(parcel.content), flags, parcel.dated.when, parcel.digest, at_risk(parcel.content))
        )
        self._tell(Landed(item.row, self._target))

    def _find(self, item: PlanItem, id_: int, *, anew: bool = False) -> list[int] | None:
        """UIDs at or above the saved UIDNEXT that are this mail; None where the server does not let us look.

        `anew`: on a new connection, where the folder may have become another one.
        """
        try:
            if anew and self._link.bulk.examine(self._target).uidvalidity != self._uidvalidity:
                raise _FolderReplaced
            return self._link.bulk.find_appended(self._target, self._uidnext, item.message.size, item.message.fields)
        except CommandRefused as error:
            # Still in doubt: the next start's listing settles it.
            self._ledger.settle(id_, ItemState.SENDING, str(error))
            return None

    def _arrived_after_all(self, item: PlanItem, id_: int, parcel: Parcel) -> bool:
        """After a cut: whether the mail under way is on the server, or may be: doubt is written down."""
        found = self._find(item, id_, anew=True)
        if found is None:
            return True
        if len(found) == 1:
            self._landed(item, id_, found[0], parcel)
        elif found:
            self._ledger.settle(id_, ItemState.DOUBTFUL, _("several mails on the server could be it"))
        return bool(found)

    def _refused(self, item: PlanItem, id_: int, error: CommandRefused) -> None:
        self._fail(item, id_, str(error))
        if error.code == "OVERQUOTA":
            raise _NoRoom(
                _("The server says that the mailbox is full. The move stopped; what arrived until now is whole.")
            )

    def _broke(self, item: PlanItem, id_: int, parcel: Parcel, error: ProtocolBroken) -> None:
        """A BAD concerns this mail only, unless they come one after another. Other nonsense may hide an OK."""
        self._broken += 1
        self._link.renew()
        if not self._arrived_after_all(item, id_, parcel):
            self._fail(item, id_, str(error))
        if self._broken >= _BROKEN_IN_A_ROW:
            raise error

    def _fail(self, item: PlanItem, id_: int, reason: str) -> None:
        self._ledger.settle(id_, ItemState.FAILED, reason)
        self._tell(NotMoved(item.row, subject(item.message.fields), item.local_folder, reason))

    def _watch_room(self) -> None:
        """Read the limits again when it is time, and stop before the reserve if others filled the box."""
        if not self._meter.due:
            return
        current = self._steady(lambda: self._meter.read(self._link.session, list(self._left)))
        self._tell(Rooms(tuple(current)))
        if fits(outlook(current, self._left)) is False:
            raise _NoRoom(
                _(
                    "Meanwhile other mail filled the mailbox, and the rest no longer fits. What arrived until now is whole."
                )
            )

    def _read_back(self) -> None:
        if not self._to_read_back:
            return
        batch, self._to_read_back = self._to_read_back, []
        self._report(Stage.VERIFY)
        try:
            found = self._steady(lambda: list(read_back(self._link.bulk, self._target, batch)))
        except (CommandRefused, ProtocolBroken) as error:
            text = _("it could not be read back: {reason}").format(reason=error)
            found = [(mail.item, text) for mail in batch]
            if isinstance(error, ProtocolBroken):
                self._link.renew()
        self._ledger.verified((item, how) for item, how in found if how != GONE)
        for item, how in found:
            if how == GONE:
                self._ledger.settle(item, ItemState.DOUBTFUL, _("it arrived, but is no longer in its folder"))

    def _steady(self, ask: Callable[[], T]) -> T:
        """Ask the server, once more on new connections if the line is cut. Only for questions that change nothing."""
        try:
            return ask()
        except ConnectionLost:
            self._link.renew()
            return ask()

    def _report(self, stage: Stage = Stage.UPLOAD) -> None:
        load = self._plan.load
        self._tell(Progress(stage, self._target_name, self._done.messages, load.messages, self._done.size, load.size))


def _ledger_item(item: PlanItem) -> Item:
    return Item(
        folder=item.local_folder,
        place=item.message.place,
        size=item.message.size,
        fields=item.message.fields,
        target=item.target,
        flags=pack(item.message.flags),
    )
