"""Carrying out a plan: folder by folder, batch by batch, each step in the ledger before and after it happens."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain, groupby

from msgspec.structs import replace

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
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.landing import landed_all
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage
from hikkoshi.ledger.records import Item, ItemState, Settling, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.flags import pack
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message
from hikkoshi.move.batch import Letter, Planned, batches
from hikkoshi.move.budget import Budget, BudgetSpent
from hikkoshi.move.deliver import Delivery
from hikkoshi.move.events import Landed, NotMoved, Rooms, Tell
from hikkoshi.move.flow import Flow
from hikkoshi.move.limits import SizeLearner
from hikkoshi.move.link import Link
from hikkoshi.move.meter import BYTES, Meter
from hikkoshi.move.notes import pack_notes, parcel_notes
from hikkoshi.move.opening import Targets, gone_with_their_folder
from hikkoshi.move.outcome import NoRoom, Outcome
from hikkoshi.move.patience import Throttled
from hikkoshi.move.plan import Plan, PlanItem, in_order, left_out_text
from hikkoshi.move.rate import Caps
from hikkoshi.move.reading import ReadingBack
from hikkoshi.move.receipt import Receipt, make_receipt, subject
from hikkoshi.move.resume import Resumption
from hikkoshi.move.room import Load, fits, outlook
from hikkoshi.move.source import pack_parcel
from hikkoshi.move.today import Today
from hikkoshi.move.verify import Sent
from hikkoshi.move.watch import RoomWatch
from hikkoshi.server.records import FolderStatus
from hikkoshi.server.writer import sendable_flags

_ENDS = (Cancelled, NoRoom, Throttled, BudgetSpent)
"""What ends a move at a point where all is well."""


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
        resumed: Resumption | None = None,
        budget: Budget | None = None,
        caps: Caps | None = None,
    ) -> None:
        """`folders`: the local ones by native name. `resumed`: the earlier move that this one is the rest of.

        `budget`: what may go in a day; `caps`: what may go in a second; None for no limit.
        """
        self._plan, self._server, self._store, self._folders = plan, server, store, folders
        self._index, self._ledger, self._link, self._meter = index, ledger, link, meter
        self._tell, self._cancel, self._resumed = tell, cancel, resumed
        self._done = Load()
        self._left: dict[str, Load] = {share.target: share.load for share in plan.shares}
        self._sizes = SizeLearner(ledger, server)
        self._flow = Flow()
        self._watch = RoomWatch(link.another, meter, list(self._left), lambda: not link.patience.slow)
        self._streamed = 0
        self._reading = ReadingBack(link, ledger, store_lost=True)
        self._target, self._target_name = "", ""
        self._permanent: frozenset[str] | None = None
        self._targets = Targets(plan, index, link)
        self._move = 0
        self._rows: dict[int, int] = {}
        self._put_off = 0
        self._today = Today(budget, plan.items) if budget else None
        self._caps = caps
        link.patience.tell = tell

    def run(self) -> Receipt:
        """Do it. Whatever happens, what was done is in the ledger and in the receipt."""
        ordered = in_order(self._plan.items)
        move, ids = self._begin(ordered)
        self._move, self._rows = move, {id_: item.row for item, id_ in zip(ordered, ids, strict=True)}
        state, problem, goes_on_at = State.DONE, "", None
        self._reading.expect(len(ordered))
        try:
            for target, group in groupby(zip(ordered, ids, strict=True), key=lambda pair: pair[0].target):
                self._folder(target, list(group))
            if self._today is not None:
                self._today.end()
        except Cancelled as error:
            state, problem = State.STOPPED, str(error)
        except NoRoom as error:
            state, problem = State.NO_ROOM, str(error)
        except Throttled as error:
            state, problem, goes_on_at = State.THROTTLED, str(error), error.until
        except BudgetSpent as error:
            state, problem, goes_on_at = State.BUDGET_SPENT, str(error), error.until
        except (ConnectionLost, ConnectFailed) as error:
            state, problem = State.CONNECTION_LOST, str(error)
        except LedgerError:
            self._reading.hang_up()
            raise
        except HikkoshiError as error:
            state, problem = State.FAILED, str(error)
        finally:
            self._watch.close()
        if state is State.DONE:
            state, problem = self._end()
        if state in (State.STOPPED, State.NO_ROOM, State.BUDGET_SPENT):
            self._last_read_back()
        self._reading.close()
        self._ledger.finish(move, state, self._cancel.reason if state is State.STOPPED else state.value)
        return replace(make_receipt(self._ledger, move, state, problem), goes_on_at=goes_on_at)

    def _end(self) -> tuple[State, str]:
        """How a move stands that nothing has interrupted, and a sentence where it is not done."""
        if self._put_off:
            return State.THROTTLED, _put_off(self._put_off)
        if self._resumed is not None and self._plan.left_out:
            return State.NO_ROOM, ""  # what was left out stays planned
        return State.DONE, ""

    def _begin(self, ordered: list[PlanItem]) -> tuple[int, list[int]]:
        """Write the plan down, with the mails that it leaves out. The move's number and the items' numbers."""
        if self._resumed is not None:
            numbers = self._resumed.items
            ids = [numbers[item.row] for item in ordered]
            again = [replace(_ledger_item(item), id=id_) for item, id_ in zip(ordered, ids, strict=True)]
            # They stay planned: it is this move that can be gone on with.
            left = (Settling(numbers[each.row], ItemState.PLANNED, left_out_text()) for each in self._plan.left_out)
            self._ledger.resume(self._resumed.move, again, chain(self._resumed.settled, left))
            return self._resumed.move, ids
        refused = chain(
            ((each.item, each.reason) for each in self._plan.refused),
            ((item, left_out_text()) for item in self._plan.left_out),
        )
        not_going = (replace(_ledger_item(item), state=ItemState.REFUSED, reason=reason) for item, reason in refused)
        move, ids = self._ledger.begin(
            self._server, str(self._store.path), chain(map(_ledger_item, ordered), not_going)
        )
        return move, ids[: len(ordered)]

    def _last_read_back(self) -> None:
        # If it fails: the mails are down as landed; that they were not read back is in the receipt's count.
        with suppress(HikkoshiError):
            self._read_back()

    def _folder(self, target: str, group: list[Planned]) -> None:
        self._cancel.check()
        if self._today is not None and not self._today.any_fits(group):
            return  # nor is the folder made
        self._target, self._target_name = target, group[0][0].target_name
        try:
            status = self._targets.open(target)
        except (CommandRefused, ProtocolBroken) as error:
            for item, id_ in group:
                self._fail(item, id_, _("its folder could not be made or opened: {reason}").format(reason=error))
                self._passed(item)
            if isinstance(error, ProtocolBroken):
                self._link.renew()
            return
        self._permanent = status.permanent_flags
        delivery = Delivery(self._link, self._ledger, target, status, self._outcomes, self._make_anew)
        try:
            self._send(group, delivery)
        except _ENDS:
            # What is on its way is waited for and written down.
            with suppress(*_ENDS):
                delivery.drain(ending=True)
            raise
        finally:
            delivery.abandon()
        self._read_back()

    def _send(self, group: list[Planned], delivery: Delivery) -> None:
        for whole in batches(group, lambda: self._flow.most, self._caps):
            self._cancel.check()
            batch = whole if self._today is None else self._today.take(whole, delivery.refuse)
            if not batch:
                continue
            self._watch_room(delivery, sum(item.size for item, _id in batch))
            letters = list(self._letters(batch, delivery))
            if letters:
                self._flow.sent()
                with self._watch.sending():
                    delivery.send(letters)
            if not self._reading.keep_up(self._target):
                delivery.drain()
                self._read_back()
        with self._watch.sending():
            delivery.drain()

    def _letters(self, batch: list[Planned], delivery: Delivery) -> Iterator[Letter]:
        for item, id_ in batch:
            try:
                parcel = pack_parcel(self._store, self._folders[item.local_native], item.message, item.repairs)
            except (LocalError, OSError) as error:
                delivery.refuse(item, id_, str(error))
                continue
            flags, dropped = sendable_flags(item.message.flags, self._permanent)
            self._meter.sent(parcel.size)
            notes = pack_notes(parcel_notes(parcel, item.message, dropped))
            heed = partial(self._heed_while_sending, delivery, parcel.size)
            yield Letter(item, id_, parcel, flags, delivery.uidnext, notes, heed=heed, caps=self._caps)

    def _outcomes(self, outcomes: list[Outcome]) -> None:
        """Note in the index what arrived, tell what became of each mail, and remember what is to be read back."""
        arrived: defaultdict[int, list[tuple[int, Message]]] = defaultdict(list)
        for each in outcomes:
            if each.state is ItemState.LANDED and each.letter is not None:
                letter = each.letter
                flags = frozenset(letter.flags)
                parcel = letter.parcel
                there = Message(str(each.uid), parcel.size, flags, parcel.dated.when, parcel.fields)
                arrived[each.uidvalidity].append((each.item.row, there))
                self._reading.add([_sent(each, letter)])
        for uidvalidity, mails in arrived.items():
            landed_all(self._index, self._target, uidvalidity, mails)
        self._flow.answered(sum(each.letter.parcel.size for each in outcomes if each.letter is not None))
        for each in outcomes:
            if each.state is ItemState.LANDED:
                self._sizes.landed(each.item.message.size)
                self._tell(Landed(each.item.row, self._target))
            elif each.letter is not None:
                self._meter.not_taken(each.letter.parcel.size)
            if each.too_large:
                self._sizes.refused(each.item.message.size)
            if each.state is ItemState.FAILED:
                self._tell_not_moved(each.item, each.reason)
            if each.state is not ItemState.PLANNED:
                self._passed(each.item)
            elif each.reason:
                self._put_off += 1

    def _passed(self, item: PlanItem) -> None:
        self._left[item.target] += Load(-item.size, -1)
        self._done += Load(item.size, 1)
        self._report()

    def _make_anew(self, before: int) -> FolderStatus:
        """The folder was taken away while mail is sent into it: make it again, and name what had arrived in it."""
        self._reading.forget()
        status = self._targets.make_anew(self._target, before)
        if status.uidvalidity != before:
            for item in gone_with_their_folder(self._ledger, self._move, self._target, before):
                self._tell(NotMoved(self._rows.get(item.id, 0), subject(item.fields), item.folder, item.reason))
        return status

    def _fail(self, item: PlanItem, id_: int, reason: str) -> None:
        self._ledger.step(settled=[Settling(id_, ItemState.FAILED, reason)])
        self._tell_not_moved(item, reason)

    def _tell_not_moved(self, item: PlanItem, reason: str) -> None:
        self._tell(NotMoved(item.row, subject(item.message.fields), item.local_folder, reason))

    def _watch_room(self, delivery: Delivery, size: int) -> None:
        """Read the limits again when it is time, and stop before the reserve if others filled the box."""
        self._flow.alone = self._watch.alone
        news = self._watch.news()
        if news is not None:
            self._tell(Rooms(news))
        doubtful = news is not None and fits(outlook(news, self._left)) is False
        if not doubtful and not self._meter.due_before(size):
            return
        with self._watch.sending():
            delivery.drain()  # what is on its way counts, too
        current = self._link.steady(lambda: self._meter.read(self._link.bulk, list(self._left)))
        self._tell(Rooms(tuple(current)))
        if fits(outlook(current, self._left)) is False:
            raise _filled()

    def _heed_while_sending(self, delivery: Delivery, own: int, size: int) -> None:
        """Before each piece, of `size` bytes, of a mail of `own` bytes that streams: stop where it is sure that the rest does
        not fit, whether or not mail that is not answered yet counts in what was read aside."""
        self._streamed += size
        if self._streamed >= BYTES:
            self._streamed = 0
            self._watch.ask_now()
        news = self._watch.news()
        if news is None:
            return
        self._streamed = 0
        self._tell(Rooms(news))
        flying = delivery.flying
        # This one is not whole, so the server does not count it.
        counted = Load(own - flying.size, 1 - flying.messages)
        if fits(outlook(news, {**self._left, self._target: self._left[self._target] + counted})) is False:
            raise _filled()

    def _read_back(self) -> None:
        if self._reading.left:
            self._report(Stage.VERIFY)
            self._reading.finish(self._target)

    def _report(self, stage: Stage = Stage.UPLOAD) -> None:
        load = self._plan.load
        self._tell(Progress(stage, self._target_name, self._done.messages, load.messages, self._done.size, load.size))


def _filled() -> NoRoom:
    return NoRoom(
        _("Meanwhile other mail filled the mailbox, and the rest no longer fits. What arrived until now is whole.")
    )


def _ledger_item(item: PlanItem) -> Item:
    return Item(
        folder=item.local_folder,
        native=item.local_native,
        place=item.message.place,
        size=item.message.size,
        fields=item.message.fields,
        target=item.target,
        flags=pack(item.message.flags),
        repairs=" ".join(sorted(item.repairs)),
    )


def _put_off(count: int) -> str:
    return ngettext(
        "{n:,} mail was refused several times with an answer that may be about the time. It is named, and can go later.",
        "{n:,} mails were refused several times with an answer that may be about the time. They are named, and can go later.",
        count,
    ).format(n=count)


def _sent(outcome: Outcome, letter: Letter) -> Sent:
    parcel = letter.parcel
    return Sent(
        item=outcome.id,
        uidvalidity=outcome.uidvalidity,
        uid=outcome.uid,
        size=parcel.size,
        flags=frozenset(letter.flags),
        date=parcel.dated.when,
        digest=parcel.digest,
        risky=parcel.risky,
    )
