"""The question before a move is undone, and what became of it."""

from hikkoshi.accounts.undoing import UndoPlan
from hikkoshi.advice.report import size_text
from hikkoshi.app.screens.dialog import Answer, Dialog, Line, named_lines, note
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.telling import local_time
from hikkoshi.move.undo import UndoResult


def confirm_undo(plan: UndoPlan) -> Dialog[bool]:
    """Ask whether the mails of a move shall be removed from the server; Enter alone does not say yes."""
    when = local_time(plan.move.started)
    if not plan.mails:
        text = _("Of the move {id} of {when} no mail is on the server.").format(id=plan.move.id, when=when)
        return note(_("Nothing to undo"), [(text, "")], _("Close"))
    title = ngettext(
        "Remove {n:,} mail, {size}, from the server?", "Remove {n:,} mails, {size}, from the server?", plan.mails
    ).format(n=plan.mails, size=size_text(plan.bytes))
    lines: list[Line] = [
        (_("That is what the move {id} of {when} brought there.").format(id=plan.move.id, when=when), ""),
        ("", ""),
        (
            _(
                "A mail is removed only while it is there as it was after the move and its original can be read on this PC. "
                "Each one that stays is named; mail that the server changed as it arrived stays."
            ),
            "",
        ),
        *named_lines(_("These stay:"), plan.doubtful),
    ]
    return Dialog(title, lines, [Answer(_("Remove"), True, danger=True), Answer(_("Cancel"), False)], first=1)


def undone(result: UndoResult) -> Dialog[bool]:
    """Tell how many mails are gone from the server, and name each that is not."""
    title = _("The move is undone") if result.complete else _("Not all mail was removed")
    text = ngettext("{n:,} mail ({size}) was removed.", "{n:,} mails ({size}) were removed.", result.removed)
    lines: list[Line] = [
        (text.format(n=result.removed, size=size_text(result.bytes)), "good" if result.complete else "")
    ]
    if result.problem:
        lines += [("", ""), (sanitise(result.problem), "bad")]
    lines += named_lines(_("Stays on the server"), result.kept)
    lines += named_lines(_("Not there any more"), result.vanished)
    lines += named_lines(_("It is not known whether these were removed:"), result.open)
    return note(title, lines, _("Close"))
