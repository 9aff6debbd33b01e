"""Past moves, and the receipt of one of them, mail by mail."""

from collections.abc import Sequence

from hikkoshi.advice.receipts import bytes_there, fate_text, mail_lines, readable
from hikkoshi.advice.report import size_text
from hikkoshi.app.row_text import short_size
from hikkoshi.app.screens.dialog import Line
from hikkoshi.app.screens.records import Choice, Records
from hikkoshi.app.widgets.record_list import Column, Record
from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.records import ARRIVED, Move, State
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.mail_receipt import Fate, MailReceipt
from hikkoshi.move.telling import counts_text, local_time, state_text

RECEIPT, RESUME, UNDO = "receipt", "resume", "undo"
_ENDED = (State.DONE, State.UNDONE)
_MAIL_LINES = 9
_FATES = {Fate.MOVED: "", Fate.NOT_MOVED: "bad", Fate.IN_DOUBT: "bad", Fate.REMOVED: "dim", Fate.GONE: ""}


def moves_records(moves: Sequence[Move]) -> Records:
    """The moves of an account, in the order given."""

    def detail(position: int) -> list[Line]:
        move = moves[position]
        return [
            (state_text(move), "" if move.state in _ENDED else "bad"),
            (counts_text(move) + f"; {size_text(bytes_there(move))}", ""),
            (_("from {store}").format(store=sanitise(move.store)), "dim"),
        ]

    return Records(
        title=_("Past moves"),
        columns=(Column(5, right=True), Column(16), Column(12, right=True), Column(10, right=True), Column()),
        count=len(moves),
        record=lambda position: _move_record(moves[position]),
        detail=detail,
        choices=(
            Choice("enter", _("Enter"), _("Receipt"), RECEIPT),
            Choice("c", "c", _("Go on with it"), RESUME),
            Choice("x", "x", _("Undo it"), UNDO),
        ),
        head=() if moves else [(_("Nothing was moved yet."), "")],
        detail_height=3,
    )


def _move_record(move: Move) -> Record:
    arrived = sum(move.counts.get(state, 0) for state in ARRIVED)
    texts = (
        str(move.id),
        local_time(move.started),
        ngettext("{n:,} mail", "{n:,} mails", arrived).format(n=arrived),
        size_text(bytes_there(move)),
        state_text(move),
    )
    return Record(texts, "dim" if move.state is State.UNDONE else "" if move.state is State.DONE else "bad")


def receipt_records(move: Move, mails: Sequence[MailReceipt]) -> Records:
    """The receipt of a move; what did not arrive stands first."""
    ordered = sorted(mails, key=lambda mail: (_weight(mail), mail.item))

    def detail(position: int) -> list[Line]:
        return [(line, "strong" if number == 0 else "") for number, line in enumerate(mail_lines(ordered[position]))]

    return Records(
        title=_("Receipt of the move {id}, {when}").format(id=move.id, when=local_time(move.started)),
        columns=(Column(13), Column(), Column(), Column(5, right=True)),
        count=len(ordered),
        record=lambda position: _mail_record(ordered[position]),
        detail=detail,
        head=[(counts_text(move), ""), (state_text(move), "dim")],
        detail_height=_MAIL_LINES,
    )


def _weight(mail: MailReceipt) -> int:
    """What somebody has to look at comes first."""
    if mail.fate is not Fate.MOVED:
        return 0 if mail.fate is not Fate.REMOVED else 3
    return 2 if mail.as_sent else 1


def _mail_record(mail: MailReceipt) -> Record:
    folders = f"{sanitise(mail.folder)} > {readable(mail.target)}"
    style = _FATES[mail.fate]
    if mail.fate is Fate.MOVED and not mail.as_sent:
        style = "bad"
    return Record((fate_text(mail.fate), mail.subject, folders, short_size(mail.size)), style)
