"""What went wrong, in the sentence that the error brings, and what can be done."""

from hikkoshi.app.screens.dialog import Answer, Dialog, Line
from hikkoshi.errors import HikkoshiError, LoginRefused, UsageError
from hikkoshi.i18n import _
from hikkoshi.mail.headers import sanitise

RETRY, QUIT, CLOSE = "retry", "quit", "close"


def error_screen(error: HikkoshiError, *, rows_kept: bool) -> Dialog[str]:
    """Tell the error. `rows_kept`: rows of an earlier look are on the screen and can be looked at."""
    lines: list[Line] = [(sanitise(str(error)), "")]
    if isinstance(error, UsageError):
        # What was asked for makes no sense, and both sides are as they were.
        return Dialog(_("That did not work"), lines, [Answer(_("Close"), CLOSE)])
    if rows_kept:
        lines += [("", ""), (_("What is shown is as it was when both sides were last compared."), "dim")]
    answers = [Answer(_("Quit"), QUIT), Answer(_("Close"), CLOSE)]
    if not isinstance(error, LoginRefused):
        # The same password once more would be refused once more, and servers lock out those who try too often.
        answers.insert(0, Answer(_("Try again"), RETRY))
    return Dialog(_("That did not work"), lines, answers)
