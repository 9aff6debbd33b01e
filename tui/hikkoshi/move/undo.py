r"""Taking the mails of one move away from the server again: exactly its UIDs, each only while nothing of it has changed.

A mail is removed only where all of this holds, each time seen anew:
- its folder has the UIDVALIDITY under which it arrived, and its UID is not below the UIDNEXT that was saved before it was
  sent: a lower one is not ours;
- the server has it as it was after the move: size, INTERNALDATE, flags, and the digest of all its bytes as they were sent;
- its original on this PC can be read now with the digest that it had when it was sent: live mail, outside of trash and junk.

What is about to be removed is written down as UNDOING before \Deleted is set on it, with UNCHANGEDSINCE (RFC 7162) where
the server counts changes. Then the flags are looked at once more, and UID EXPUNGE (RFC 4315) names those mails only: other
mail that has \Deleted stays. A mail that stays after all gets its \Deleted taken away. After a cut line or a kill the next
run takes up UNDOING mails: one that is gone from the folder is removed, another is looked at like all others.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from hikkoshi.errors import Cancelled, CommandRefused, ConnectFailed, ConnectionLost, HikkoshiError, ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.index.landing import removed
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.ledger.records import Item, ItemState, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import DELETED, folded
from hikkoshi.move.link import Link
from hikkoshi.move.original import Originals
from hikkoshi.move.receipt import Failure, subject
from hikkoshi.move.unchanged import against, difference, flags_text, gone_text, is_ours, same_flags
from hikkoshi.server import failures
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.conversation import GMAIL
from hikkoshi.server.readback import Found
from hikkoshi.server.records import FolderStatus

AT_ONCE = 100
"""Mails that are looked at and removed together."""
_TRIES = 3
_DELETED = DELETED.casefold()


class UndoRefused(HikkoshiError):
    """This server offers no way to remove exactly the mails of a move; nothing was changed."""


class UndoResult(msgspec.Struct, frozen=True):
    """How it ended: `removed` mails of `bytes` (CRLF form) are gone from the server, or would go in a dry run.

    `kept`: those that stay, each with its reason. `vanished`: those that others had deleted or moved. `open`: those of
    which it is not known, since the line was cut.
    """

    state: State
    removed: int
    bytes: int
    kept: tuple[Failure, ...] = ()
    open: tuple[Failure, ...] = ()
    problem: str = ""
    vanished: tuple[Failure, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all mails of the move were removed."""
        return self.state is State.DONE and not self.kept and not self.open and not self.vanished


def refuse(bulk: Bulk) -> None:
    """Raise `UndoRefused` where this server cannot remove exactly the mails that it is told to."""
    if bulk.offers(GMAIL):
        raise UndoRefused(
            _(
                "This server silently merges copies of a mail (X-GM-EXT-1): what is removed could be the only copy, with "
                "other labels, of a mail that was there before. Nothing was removed; remove the mails there by hand."
            )
        )
    if not bulk.offers("UIDPLUS"):
        raise UndoRefused(
            _(
                "This server can only remove all mails of a folder that are marked as deleted, not just those of a move "
                "(it lacks UIDPLUS). Nothing was removed; remove the mails there by hand."
            )
        )


class Undo:
    """One undoing. `run` it once, in a thread of its own. `dry_run`: look at everything, and change nothing."""

    def __init__(
        self,
        items: Iterable[Item],
        *,
        originals: Originals,
        index: Index,
        ledger: Ledger,
        link: Link,
        report: Report,
        cancel: Cancel,
        dry_run: bool = False,
    ) -> None:
        """`items`: of one move, that have arrived."""
        self._items = sorted(items, key=lambda item: (item.target, item.uid or 0))
        self._originals, self._index, self._ledger, self._link = originals, index, ledger, link
        self._report, self._cancel, self._dry_run = report, cancel, dry_run
        self._gone: dict[int, Item] = {}
        self._reasons: dict[int, str] = {}
        self._vanished: set[int] = set()

    def run(self) -> UndoResult:
        """Do it. Whatever happens, what became of each mail is in the ledger and in the result."""
        refuse(self._link.bulk)
        state, problem = State.DONE, ""
        try:
            for target, group in groupby(self._items, key=lambda item: item.target):
                items = list(group)
                for start in range(0, len(items), AT_ONCE):
                    self._cancel.check()
                    self._tell(target)
                    self._portion(target, items[start : start + AT_ONCE])
        except Cancelled as error:
            state, problem = State.STOPPED, str(error)
        except (ConnectionLost, ConnectFailed) as error:
            state, problem = State.CONNECTION_LOST, str(error)
        except ProtocolBroken as error:
            state, problem = State.FAILED, str(error)
        self._tell("")
        left = [item for item in self._items if item.id not in self._gone and item.id not in self._reasons]
        unknown = _("it was not looked at, or not to the end; undo again to go on")
        return UndoResult(
            state=state,
            removed=len(self._gone),
            bytes=sum(item.size for item in self._gone.values()),
            kept=tuple(
                _failure(item, self._reasons[item.id])
                for item in self._items
                if item.id in self._reasons and item.id not in self._vanished
            ),
            open=tuple(_failure(item, unknown) for item in left),
            problem=problem,
            vanished=tuple(_failure(i, self._reasons[i.id]) for i in self._items if i.id in self._vanished),
        )

    def _portion(self, target: str, items: Sequence[Item]) -> None:
        """Remove some mails of one folder; after a cut line once more, from what is written down."""
        for attempt in range(1, _TRIES + 1):
            try:
                self._take(target, self._as_written(items))
            except CommandRefused as error:
                for item in items:
                    if item.id not in self._gone:
                        self._reasons.setdefault(item.id, str(error))
            except ConnectionLost:
                if attempt == _TRIES:
                    raise
                self._link.renew()
                continue
            return

    def _as_written(self, items: Sequence[Item]) -> list[Item]:
        ids = {item.id for item in items}
        return [item for item in self._ledger.some(ids) if item.id not in self._gone and item.id not in self._reasons]

    def _take(self, target: str, items: list[Item]) -> None:
        bulk = self._link.bulk
        status = bulk.examine(target) if self._dry_run else bulk.select(target)
        folder = _Folder(bulk, target, status)
        reasons = {item.id: against(item, status, dry_run=self._dry_run) for item in items}
        looked = [item for item in items if not reasons[item.id]]
        # Servers may call it BAD to be asked for mails of an empty folder.
        found = bulk.read_back(target, *_asked(looked)) if status.messages else Found()
        for item in looked:
            reasons[item.id] = difference(item, found)
            if not reasons[item.id] and not self._originals.has(item):
                reasons[item.id] = _("its original cannot be read on this PC now as it was sent")
        missing = [item for item in looked if item.uid not in found.facts]
        gone = [item for item in missing if item.state is ItemState.UNDOING]
        vanished = [item for item in missing if item.state is not ItemState.UNDOING]
        chosen = [item for item in looked if not reasons[item.id]]
        if self._dry_run:
            self._note(target, reasons, [*gone, *chosen], vanished)
            return
        vanished += folder.see_unchanged(chosen, reasons)
        chosen = [item for item in chosen if not reasons[item.id]]
        if chosen:
            self._ledger.undoing(item.id for item in chosen)
            try:
                gone += folder.remove(chosen, reasons)
            except ProtocolBroken as error:
                # The server did not understand: what it may have marked is not to stay so.
                self._link.renew()
                folder = _Folder(self._link.bulk, target, self._link.bulk.select(target))
                gone += folder.unmark(chosen, str(error), reasons)
        marked = [i for i in items if i.state is ItemState.UNDOING and reasons[i.id] and i not in gone]
        folder.unmark([item for item in marked if is_ours(item, status)], "", reasons)
        kept = [item.id for item in [*chosen, *marked] if reasons[item.id]]
        told = _("it arrived, and was removed again by “hikkoshi undo”")
        self._ledger.undone(
            removed=[item.id for item in gone],
            kept=kept,
            vanished={item.id: reasons[item.id] for item in vanished},
            reason=told,
        )
        if gone or vanished:
            removed(self._index, target, status.uidvalidity, [item.uid or 0 for item in [*gone, *vanished]])
        self._note(target, reasons, gone, vanished)

    def _note(self, target: str, reasons: dict[int, str], gone: list[Item], vanished: list[Item]) -> None:
        self._vanished.update(item.id for item in vanished)
        self._gone.update((item.id, item) for item in gone)
        self._reasons.update((id_, reason) for id_, reason in reasons.items() if reason and id_ not in self._gone)
        self._tell(target)

    def _tell(self, target: str) -> None:
        done = len(self._gone) + len(self._reasons)
        self._report(Progress(Stage.UNDO, failures.readable(target), done, len(self._items)))


class _Folder:
    """The folder that is open, and the mails of it that are to go."""

    def __init__(self, bulk: Bulk, native: str, status: FolderStatus) -> None:
        self._bulk, self._native = bulk, native
        # What changes from here on gets a higher MODSEQ than the folder had when it was opened; of what a FETCH shows of
        # one mail nothing follows for another, which may have changed between the two responses.
        self._since = (status.modseq or None) if bulk.has_modseq else None

    def see_unchanged(self, items: Sequence[Item], reasons: dict[int, str]) -> list[Item]:
        """See that the flags still are as they were, at the last moment; those that are not there any more."""
        if not items:
            return []
        self._bulk.noop()
        now = self._bulk.flags_now([item.uid or 0 for item in items])
        for item in items:
            flagging = now.get(item.uid or 0)
            if flagging is None:
                reasons[item.id] = gone_text()
            elif not same_flags(item, flagging.flags):
                reasons[item.id] = flags_text(flagging.flags)
        return [item for item in items if (item.uid or 0) not in now]

    def remove(self, items: Sequence[Item], reasons: dict[int, str]) -> list[Item]:
        r"""Set \Deleted and expunge; those that are gone. The reasons why others are not."""
        by_uid = {item.uid or 0: item for item in items}
        try:
            stored = self._bulk.store(by_uid, [DELETED], unchanged_since=self._since)
        except CommandRefused as error:
            return self.unmark(items, str(error), reasons)
        changed = [by_uid[uid] for uid in stored.modified]
        for item in changed:
            reasons[item.id] = _("it was changed on the server meanwhile")
        # Without CONDSTORE this is what a change made meanwhile is seen by.
        self._bulk.noop()
        now = self._bulk.flags_now(stored.done)
        wrong = [
            item
            for uid in stored.done
            if uid in now and not same_flags(item := by_uid[uid], now[uid].flags, marked=True)
        ]
        gone = [by_uid[uid] for uid in stored.done if uid not in now]
        gone += self.unmark(wrong, _("it was changed on the server meanwhile"), reasons)
        left = [by_uid[uid] for uid in stored.done if uid in now and by_uid[uid] not in wrong]
        if not left:
            return gone
        try:
            self._bulk.expunge(item.uid or 0 for item in left)
        except CommandRefused as error:
            return gone + self.unmark(left, str(error), reasons)
        self._bulk.noop()
        there = self._bulk.flags_now([item.uid or 0 for item in left])
        stayed = [item for item in left if item.uid in there]
        gone += [item for item in left if item.uid not in there]
        return gone + self.unmark(stayed, _("the server did not remove it"), reasons)

    def unmark(self, items: Sequence[Item], reason: str, reasons: dict[int, str]) -> list[Item]:
        r"""Take \Deleted away from mails that stay, for `reason` ('': it is known); those that are gone after all."""
        if not items:
            return []
        uids = [item.uid or 0 for item in items]
        self._bulk.noop()
        now = self._bulk.flags_now(uids)
        there = [uid for uid in uids if uid in now and _DELETED in folded(now[uid].flags)]
        if there:
            self._bulk.store(there, [DELETED], remove=True)
        gone = [item for item in items if item.uid not in now]
        for item in items:
            if item not in gone and reason:
                reasons[item.id] = reason
        return gone if reason else []


def _asked(items: Sequence[Item]) -> tuple[list[int], dict[int, int]]:
    """The UIDs of mails, and their sizes: all of them are read whole."""
    sizes = {item.uid or 0: item.size for item in items}
    return list(sizes), sizes


def _failure(item: Item, reason: str) -> Failure:
    return Failure(subject(item.fields), item.folder, reason)
