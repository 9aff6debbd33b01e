"""Undoing a move of an account: what it brought to the server is removed again, as far as nothing of it has changed.

    chosen = plan_undo(session, 12)
    result = undo(session, chosen, report, cancel)

Both block; they belong in the thread that the session's other work runs in. A `refresh` comes first, by which the originals
on this PC are found where a client has compacted its files.
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import UsageError
from hikkoshi.i18n import _
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Report
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.records import ARRIVED, ItemState, Move, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.receipt import Failure, subject

if TYPE_CHECKING:
    from hikkoshi.move.undo import UndoResult


class UndoPlan(msgspec.Struct, frozen=True):
    """What an undo of `move` would look at: `mails` of `bytes` (CRLF form). `doubtful`: mails that it leaves alone."""

    move: Move
    mails: int
    bytes: int
    doubtful: tuple[Failure, ...] = ()


def plan_undo(session: AccountSession, move: int) -> UndoPlan:
    """What there is to undo of a move. Raises `UsageError` where this account and store have none of that number."""
    with Ledger(session.files.ledger) as ledger:
        found = ledger.move(move)
        if found is None or found.server != session.server:
            raise UsageError(
                _("This account has no move {move}. “hikkoshi moves” lists those that there are.").format(move=move)
            )
        if found.store != str(session.store.path):
            raise UsageError(
                _(
                    "The move {move} was of other mail, {store}: say that with --local, since nothing is removed whose "
                    "original cannot be read. Nothing was removed."
                ).format(move=move, store=found.store)
            )
        doubtful = [item for item in ledger.items(move) if item.state in (ItemState.SENDING, ItemState.DOUBTFUL)]
    reason = _("it is not certain which mail on the server it is, so none is removed for it")
    return UndoPlan(
        move=found,
        mails=sum(found.counts.get(state, 0) for state in ARRIVED),
        bytes=sum(found.sizes.get(state, 0) for state in ARRIVED),
        doubtful=tuple(Failure(subject(item.fields), item.folder, reason) for item in doubtful),
    )


def undo(
    session: AccountSession, plan: UndoPlan, report: Report, cancel: Cancel, *, dry_run: bool = False
) -> "UndoResult":
    """Remove the mails of a move, then compare again: the session's snapshot is new afterwards. Needs a snapshot.

    `dry_run`: look at every mail and change nothing. Raises `UndoRefused` on servers that offer no safe way, `AccountBusy`
    while a move runs, both with nothing changed, and what connecting raises.
    """
    from hikkoshi.move.link import Link
    from hikkoshi.move.original import Originals
    from hikkoshi.move.undo import Undo, refuse

    number = plan.move.id
    with ExitStack() as stack:
        stack.enter_context(MoveLock(session.files.lock, f"undo {number}"))
        index = stack.enter_context(Index(session.files.index))
        ledger = stack.enter_context(Ledger(session.files.ledger))
        link = stack.enter_context(Link(session.login, cancel, session.take_kept()))
        refuse(link.bulk)
        if not dry_run:
            if plan.move.state is State.RUNNING:
                # Its process is gone, or it would hold the lock.
                ledger.finish(number, State.STOPPED)
            ledger.undo(number)
        arrived = [item for item in ledger.each_item(number) if item.state in ARRIVED and item.uid is not None]
        result = Undo(
            arrived,
            originals=Originals(session.store, session.store.folders(), index),
            index=index,
            ledger=ledger,
            link=link,
            report=report,
            cancel=cancel,
            dry_run=dry_run,
        ).run()
        if not dry_run:
            _write_end(ledger, number)
    session.compare_again(report)
    return replace(result, kept=(*result.kept, *plan.doubtful))


def _write_end(ledger: Ledger, move: int) -> None:
    counts = ledger.counts(move)
    if counts.get(ItemState.REMOVED, 0):
        ledger.end_undo(move)
    if not counts.get(ItemState.UNDOING, 0):
        ledger.tell(move)  # there is nothing to be told of at the next start
