"""What a move did."""

from hikkoshi.advice.report import size_text
from hikkoshi.app.screens.dialog import Dialog, Line, named_lines, note
from hikkoshi.i18n import _, ngettext
from hikkoshi.ledger.records import State
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.receipt import Receipt


def receipt_screen(receipt: Receipt) -> Dialog[bool]:
    """Tell how many mails arrived and were read back, and name each that did not."""
    title = _("All mail arrived") if receipt.complete else _("Not all mail arrived")
    return note(title, receipt_lines(receipt), _("Close"))


def receipt_lines(receipt: Receipt) -> list[Line]:
    """The receipt as lines."""
    arrived = ngettext(
        "{n:,} mail arrived, {size}; {m:,} read back without a difference.",
        "{n:,} mails arrived, {size}; {m:,} read back without a difference.",
        receipt.landed,
    ).format(n=receipt.landed, size=size_text(receipt.bytes), m=receipt.read_back)
    lines: list[Line] = [(arrived, "good" if receipt.complete else "")]
    if receipt.problem:
        lines += [("", ""), (sanitise(receipt.problem), "bad")]
    if receipt.not_sent:
        text = ngettext("{n:,} mail was not sent.", "{n:,} mails were not sent.", receipt.not_sent)
        lines += [("", ""), (text.format(n=receipt.not_sent), "bad")]
        if receipt.state is not State.DONE:
            lines.append((_("Another upload sends what is missing, and only that."), ""))
    lines += named_lines(_("Not moved:"), receipt.failed)
    lines += named_lines(_("It is not known whether these arrived:"), receipt.doubtful)
    lines += named_lines(_("Arrived, but the server has them otherwise than they were sent:"), receipt.changed)
    return lines
