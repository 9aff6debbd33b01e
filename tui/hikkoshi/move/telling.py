"""How moves stand and what a look has settled, in words."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.records import ARRIVED, ItemState, Move, State
from hikkoshi.move.settle import Settled


def tell_settled(settled: Settled) -> str:
    """Sentences on what became of mails that were in doubt, '' if there were none."""
    told = []
    if n := settled.arrived:
        text = ngettext(
            "{n:,} mail whose answer had not come has arrived.",
            "{n:,} mails whose answer had not come have arrived.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.missing:
        text = ngettext(
            "{n:,} mail whose answer had not come has not arrived, and can be sent again.",
            "{n:,} mails whose answer had not come have not arrived, and can be sent again.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.doubtful:
        text = ngettext(
            "{n:,} mail whose answer had not come stays in doubt: it is never sent again by itself.",
            "{n:,} mails whose answer had not come stay in doubt: they are never sent again by themselves.",
            n,
        )
        told.append(text.format(n=n))
    if n := settled.open:
        text = ngettext(
            "Of {n} mail it is not known whether it arrived, since its folder cannot be read now.",
            "Of {n} mails it is not known whether they arrived, since their folders cannot be read now.",
            n,
        )
        told.append(text.format(n=n))
    return " ".join(told)


def tell_unfinished(moves: Iterable[Move]) -> str:
    """Sentences on moves that ended early, '' if there is none."""
    return "\n".join(_tell(move) for move in moves)


def state_text(move: Move) -> str:
    """How a move stands or ended, as a few words."""
    if move.state is State.RUNNING:
        return _("not ended: it is under way, or the program was cut off")
    if move.state is State.DONE:
        return _("carried out to its end")
    if move.state is State.UNDONE:
        return _("undone")
    return _("ended early ({reason})").format(reason=_reason(move))


def count_texts(move: Move) -> list[str]:
    """What became of how many mails, as words; first those that arrived, of how many."""
    counts = move.counts
    total = sum(count for state, count in counts.items() if state is not ItemState.REFUSED)
    arrived = sum(counts.get(state, 0) for state in ARRIVED)
    texts = [
        ngettext("{arrived:,} of {n:,} mail is there", "{arrived:,} of {n:,} mails are there", total).format(
            arrived=arrived, n=total
        )
    ]
    unsure = counts.get(ItemState.SENDING, 0) + counts.get(ItemState.DOUBTFUL, 0)
    for count, text in (
        (counts.get(ItemState.LANDED, 0), _("{n:,} not read back")),
        (counts.get(ItemState.REMOVED, 0), _("{n:,} removed again")),
        (counts.get(ItemState.VANISHED, 0), _("{n:,} not there any more")),
        (counts.get(ItemState.FAILED, 0), _("{n:,} not taken")),
        (counts.get(ItemState.PLANNED, 0), _("{n:,} not begun")),
        (unsure, _("{n:,} in doubt")),
        (counts.get(ItemState.REFUSED, 0), _("{n:,} left out by the plan")),
    ):
        if count:
            texts.append(text.format(n=count))
    return texts


def counts_text(move: Move) -> str:
    """What became of how many mails, on one line."""
    return _(", ").join(count_texts(move))


def local_time(when: int) -> str:
    """Seconds since 1970 UTC in this PC's time."""
    return datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _tell(move: Move) -> str:
    if undoing := move.counts.get(ItemState.UNDOING, 0):
        return ngettext(
            "Undoing the move {move} ended early: {n} mail was about to be removed from the server. “hikkoshi undo {move}” "
            "goes on with it.",
            "Undoing the move {move} ended early: {n} mails were about to be removed from the server. “hikkoshi undo {move}” "
            "goes on with it.",
            undoing,
        ).format(move=move.id, n=undoing)
    total = sum(count for state, count in move.counts.items() if state is not ItemState.REFUSED)
    arrived = sum(move.counts.get(state, 0) for state in ARRIVED)
    doubtful = move.counts.get(ItemState.SENDING, 0) + move.counts.get(ItemState.DOUBTFUL, 0)
    text = _(
        "The upload of {when} ended early ({reason}): {arrived} of {total} mails arrived. Nothing was lost; “hikkoshi "
        "resume {move}” goes on with it, and another upload sends only what is missing, too."
    ).format(
        move=move.id,
        when=local_time(move.started),
        reason=_reason(move),
        arrived=arrived,
        total=total,
    )
    if doubtful:
        text += " " + ngettext(
            "Of {n} mail it is not known whether it arrived.",
            "Of {n} mails it is not known whether they arrived.",
            doubtful,
        ).format(n=doubtful)
    return text


def _reason(move: Move) -> str:
    texts = {
        State.NO_ROOM: _("no room was left"),
        State.CONNECTION_LOST: _("the connection was lost"),
        State.THROTTLED: _("the server asked for less"),
        State.BUDGET_SPENT: _("the day's budget was spent"),
        State.FAILED: _("an error ended it"),
    }
    if move.state in texts:
        return texts[move.state]
    return _("the terminal was closed") if move.reason == "SIGHUP" else _("the program was ended")
