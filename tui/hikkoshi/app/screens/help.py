"""All keys, and what the signs mean. Made from the tables that the screen itself works with."""

from hikkoshi.app.keys import HELP
from hikkoshi.app.row_text import cut
from hikkoshi.app.screens.dialog import Dialog, Line, note
from hikkoshi.app.signs import KINDS, SAME, Signs
from hikkoshi.i18n import _
from hikkoshi.mail.message import Problem

_KEY = 14  # cells


def help_screen(signs: Signs) -> Dialog[bool]:
    """The help page."""
    lines: list[Line] = [(_("Signs between the panes"), "head")]
    lines += [(f"  {signs.of(kind)}  {_(kind.meaning)}", "") for kind in (*KINDS, SAME)]
    others = (
        (signs.unread, _("unread on that side")),
        (signs.flagged, _("flagged")),
        (signs.answered, _("answered")),
        (signs.forwarded, _("forwarded")),
        (signs.selected, _("selected")),
    )
    lines += [("", ""), (_("Signs of a mail"), "head")]
    lines += [(f"  {sign}  {meaning}", "") for sign, meaning in others]
    gauge = (
        (signs.used, _("used")),
        (signs.after, _("what is selected")),
        (signs.free, _("free")),
        (signs.reserve, _("kept free for incoming mail")),
    )
    lines += [("", ""), (_("Signs of the gauge"), "head")]
    lines += [(f"  {sign}  {meaning}", "") for sign, meaning in gauge]
    lines += [("", ""), (_("Keys"), "head")]
    lines += [(f"  {cut(_(key.name), _KEY, signs.more)} {_(key.help)}", "") for key in HELP if key.name]
    lines += [
        ("", ""),
        (_("Mouse"), "head"),
        (_("  Click a row to select it, drag over rows to select them; Ctrl adds, Shift extends."), ""),
        (_("  Hold Shift (Option on a Mac) to select text with your terminal instead."), ""),
    ]
    return note(_("Help"), lines, _("Close"))


def problems_screen(problems: tuple[Problem, ...]) -> Dialog[bool]:
    """What could not be read or compared."""
    lines: list[Line] = []
    for problem in problems:
        lines += [(problem.where, "strong"), (f"  {problem.what}", "")]
    return note(_("Problems"), lines or [(_("There are none."), "good")], _("Close"))
