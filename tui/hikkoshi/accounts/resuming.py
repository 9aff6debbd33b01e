"""Going on with a move of an account that ended early: what is left of it as a plan, which `upload` carries out.

    chosen = plan_resume(session)
    session.upload(chosen.plan, report, cancel, chosen.resumed)

It blocks, and belongs in the thread that the session's other work runs in. A `refresh` comes first: it lists both sides and
settles what was in doubt.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import UsageError
from hikkoshi.i18n import _
from hikkoshi.index.finding import local_rows_like
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item, ItemState, Move, Settling, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.repairs import as_repairs
from hikkoshi.move.plan import Plan, Refusal
from hikkoshi.move.preflight import with_repairs
from hikkoshi.move.receipt import Failure, refused, subject
from hikkoshi.move.resume import LEFT, Placed, Resumption, find, gone

_UNSETTLED = UPLOAD | Relation.AMBIGUOUS | Relation.LEFT_OUT | Relation.PENDING


class ResumePlan(msgspec.Struct, frozen=True):
    """What is left of `move`: `plan` and `resumed` are for `AccountSession.upload`.

    `there`: mails that have meanwhile come to the server otherwise. `gone`: mails that are no longer on this PC.
    `doubtful`: mails that may be on the server, and are not sent. `unread`: how many arrived and were not read back.
    """

    move: Move
    plan: Plan
    resumed: Resumption
    there: tuple[Failure, ...]
    gone: tuple[Failure, ...]
    doubtful: tuple[Failure, ...]
    unread: int

    @property
    def work(self) -> bool:
        """Whether anything is to be done, be it only to note that the move has come to its end."""
        return bool(self.plan.items or self.resumed.settled or self.unread or self.move.state is not State.DONE)


def plan_resume(session: AccountSession, move: int | None = None) -> ResumePlan | None:
    """What is left of a move (None: of the last one that did not end). Needs a snapshot.

    None where no move ended early. Raises `UsageError` for one that is not this account's and store's, or is undone.
    """
    with Ledger(session.files.ledger) as ledger:
        chosen = _choose(ledger.history(session.server), str(session.store.path), move)
        if chosen is None:
            return None
        items = ledger.items(chosen.id)
    left = [item for item in items if item.state in LEFT]
    natives, there = _on_this_pc(session, left)
    found = find(left, there)
    targets = {
        found[item.id]: item.target for item in left if item.id in found and natives[found[item.id]] == item.native
    }
    plan = _mended_as_chosen(session, session.plan(sorted(found.values()), targets), left, found)
    arrived = {placed.row.id for placed in there if not placed.row.relation & _UNSETTLED}
    by_row = {row: id_ for id_, row in found.items()}
    missing = [item for item in left if item.id not in found]
    settled = [gone(item) for item in missing]
    settled += [Settling(by_row[each.item.row], ItemState.REFUSED, each.reason) for each in plan.refused]
    return ResumePlan(
        move=chosen,
        plan=replace(plan, refused=tuple(each for each in plan.refused if each.item.row not in arrived)),
        resumed=Resumption(chosen.id, by_row, tuple(settled)),
        there=_failures(each for each in plan.refused if each.item.row in arrived),
        gone=tuple(_failure(item, gone(item).reason) for item in missing),
        doubtful=tuple(
            _failure(item, item.reason or _("the server's answer did not come"))
            for item in items
            if item.state in (ItemState.SENDING, ItemState.DOUBTFUL)
        ),
        unread=sum(1 for item in items if item.state is ItemState.LANDED),
    )


def _choose(moves: Sequence[Move], store: str, number: int | None) -> Move | None:
    """The move that is meant."""
    if number is None:
        ended = (State.DONE, State.UNDONE)
        return next((move for move in reversed(moves) if move.store == store and move.state not in ended), None)
    chosen = next((move for move in moves if move.id == number), None)
    if chosen is None:
        raise UsageError(
            _("This account has no move {move}. “hikkoshi moves” lists those that there are.").format(move=number)
        )
    if chosen.store != store:
        raise UsageError(
            _("The move {move} was of other mail, {store}: say that with --local. Nothing was sent.").format(
                move=number, store=chosen.store
            )
        )
    if chosen.state is State.UNDONE:
        raise UsageError(
            _("The move {move} was undone. Nothing was sent; “hikkoshi upload” sends what is missing now.").format(
                move=number
            )
        )
    return chosen


def _mended_as_chosen(session: AccountSession, plan: Plan, left: Iterable[Item], found: Mapping[int, int]) -> Plan:
    """The plan with the repairs that were chosen for its mails when the move was planned."""
    chosen = {found[item.id]: as_repairs(item.repairs) for item in left if item.repairs and item.id in found}
    with Index(session.files.index) as index:
        return with_repairs(plan, index, frozenset(), chosen)


def _on_this_pc(session: AccountSession, items: Iterable[Item]) -> tuple[dict[int, str], list[Placed]]:
    """The mails of this PC that may be these items, and the native names of their folders by row."""
    with Index(session.files.index) as index:
        folders = {entry.id: entry.folder.native for entry in index.folders()}
        there = [
            Placed(folders[row.local.folder], row)
            for row in local_rows_like(index, (item.fields for item in items))
            if row.local is not None
        ]
    return {placed.row.id: placed.native for placed in there}, there


def _failure(item: Item, reason: str) -> Failure:
    return Failure(subject(item.fields), item.folder, reason)


def _failures(refusals: Iterable[Refusal]) -> tuple[Failure, ...]:
    return tuple(refused(each) for each in refusals)
