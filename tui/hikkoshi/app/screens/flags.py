"""The question before flags are set on the server, and what became of it."""

from hikkoshi.advice.flags import flag_folder_text
from hikkoshi.app.screens.dialog import Answer, Dialog, Line, named_lines, note
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.flag_plan import FlagPlan
from hikkoshi.move.flag_sync import FlagResult

ADD, REMOVE, NOTHING = "add", "remove", ""


def confirm_flags(plan: FlagPlan, *, removing: bool) -> Dialog[str]:
    """Ask whether these flags shall be set; what only the server has is taken away where that is asked for."""
    lines: list[Line] = [(flag_folder_text(folder), "") for folder in plan.folders]
    if plan.server_more:
        text = ngettext(
            "{n:,} mail has flags on the server that it lacks on this PC; they stay.",
            "{n:,} mails have flags on the server that they lack on this PC; they stay.",
            plan.server_more,
        )
        lines += [("", ""), (text.format(n=plan.server_more), "dim")]
    lines += named_lines(_("These cannot be set:"), plan.left)
    more = [Answer(_("Take those away, too…"), REMOVE)] if plan.server_more else []
    if not plan.mails:
        head = _("On the server nothing is to be added")
        return Dialog(
            head, lines or [(_("What the PC has, the server has."), "good")], [*more, Answer(_("Close"), NOTHING)]
        )
    title = ngettext("Set flags of {n:,} mail on the server?", "Set flags of {n:,} mails on the server?", plan.mails)
    lines += [("", ""), (_("What was changed on the server since it was looked at stays as it is."), "dim")]
    go = Answer(_("Set and take away"), ADD, danger=True) if removing else Answer(_("Set flags"), ADD)
    return Dialog(title.format(n=plan.mails), lines, [go, *more, Answer(_("Cancel"), NOTHING)])


def flags_result(result: FlagResult) -> Dialog[bool]:
    """Tell how many mails have their flags, and name each that has not."""
    title = _("The flags are set") if result.complete else _("Not all flags were set")
    text = ngettext("{n:,} mail changed on the server.", "{n:,} mails changed on the server.", result.changed)
    lines: list[Line] = [(text.format(n=result.changed), "good" if result.complete else "")]
    if result.problem:
        lines += [("", ""), (sanitise(result.problem), "bad")]
    lines += named_lines(_("Not changed:"), result.left)
    return note(title, lines, _("Close"))
