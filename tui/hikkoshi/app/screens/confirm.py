"""The plan of an upload, before anything is sent."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from hikkoshi.advice.hazards import hazards
from hikkoshi.advice.report import size_text
from hikkoshi.app.row_text import cut, subject
from hikkoshi.app.screens.dialog import Answer, Dialog, Line
from hikkoshi.app.signs import Signs
from hikkoshi.app.words import amount, percent, room_name
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.plan import Plan
from hikkoshi.move.room import Outlook
from hikkoshi.move.telling import count_texts, local_time

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan

_NAME = 38  # cells for a folder's name
_NAMED = 20  # refused mails that are named one by one


def confirm(plan: Plan, signs: Signs, resuming: "ResumePlan | None" = None) -> Dialog[bool]:
    """Show the plan and ask. Where it does not fit there is nothing to say yes to."""
    load = plan.load
    title = ngettext("Upload {n:,} mail, {size}?", "Upload {n:,} mails, {size}?", load.messages).format(
        n=load.messages, size=size_text(load.size)
    )
    lines = [*(_resume_lines(resuming) if resuming else ()), *plan_lines(plan, signs)]
    no = Answer(_("Cancel"), False)
    if not plan.items and resuming:
        return Dialog(_("Nothing is left to be sent"), lines, [Answer(_("Note that the move has ended"), True), no])
    if not plan.items:
        return Dialog(_("Nothing can be uploaded"), lines, [Answer(_("Close"), False)])
    if plan.fits is False:
        return Dialog(_("It does not fit: nothing was sent"), lines, [Answer(_("Close"), False)])
    if plan.fits is None:
        go = Answer(_("Upload without knowing the limit"), True, danger=True)
        return Dialog(title, lines, [go, no], first=1)
    return Dialog(title, lines, [Answer(_("Upload"), True), no])


def plan_lines(plan: Plan, signs: Signs) -> list[Line]:
    """The plan as lines: folders, limits, what does not go."""
    lines: list[Line] = []
    for share in plan.shares:
        name = _("{folder} (new)").format(folder=share.name) if share.new else share.name
        mails = ngettext("{n:,} mail", "{n:,} mails", share.load.messages).format(n=share.load.messages)
        lines.append((_columns(f"  {name}", mails, size_text(share.load.size), signs), ""))
    for outlook in plan.outlooks:
        lines += [("", ""), *_outlook_lines(outlook)]
    for hazard in hazards(plan):
        lines += [("", ""), (hazard, "")]
    return lines + _refused_lines(plan)


def _resume_lines(resuming: "ResumePlan") -> list[Line]:
    """What is said of a move that is gone on with, before its plan."""
    move = resuming.move
    when = local_time(move.started)
    lines: list[Line] = [(_("This goes on with the move {id} of {when}.").format(id=move.id, when=when), "strong")]
    lines.append((", ".join(count_texts(move)), ""))
    for head, failures in (
        (_("Not sent again:"), resuming.there),
        (_("No longer on this PC:"), resuming.gone),
        (_("It is not known whether these arrived; they are not sent:"), resuming.doubtful),
    ):
        if failures:
            lines += [("", ""), (f"{head} {len(failures):,}", "bad")]
            lines += [(f"  {each.subject} ({sanitise(each.folder)})", "") for each in failures[:_NAMED]]
    return [*lines, ("", "")]


def _columns(name: str, mails: str, size: str, signs: Signs) -> str:
    return cut(name, _NAME, signs.more) + " " * max(1, 14 - cell_len(mails)) + mails + " " * (13 - len(size)) + size


def _outlook_lines(outlook: Outlook) -> list[Line]:
    room = outlook.room
    if room.limit is None:
        return [
            (_("{name}: nobody knows the limit.").format(name=room_name(room)), "bad"),
            (
                _(
                    "The server tells no quota. {used} are used, {after} would be. If the mailbox fills up, "
                    "new mail to you may be turned away. Give --quota-limit when you start hikkoshi if you know the limit."
                ).format(used=amount(room, room.used), after=amount(room, outlook.after)),
                "",
            ),
        ]
    lines: list[Line] = [
        (
            _("{name}: now {used} ({before}), then {after} ({later}) of {limit}").format(
                name=room_name(room),
                used=amount(room, room.used),
                before=percent(room.used, room.limit),
                after=amount(room, outlook.after),
                later=percent(outlook.after, room.limit),
                limit=amount(room, room.limit),
            ),
            "bad" if outlook.missing else "good",
        )
    ]
    if room.reserve:
        lines.append(
            (_("{amount} of it are kept free for incoming mail").format(amount=amount(room, room.reserve)), "dim")
        )
    if outlook.missing:
        lines.append((_("{amount} too much.").format(amount=amount(room, outlook.missing)), "bad"))
        lines.append((_("Select less, or make room on the server, and try again."), ""))
    return lines


def _refused_lines(plan: Plan) -> list[Line]:
    if not plan.refused:
        return []
    head = ngettext("{n} mail does not go:", "{n} mails do not go:", len(plan.refused)).format(n=len(plan.refused))
    lines: list[Line] = [("", ""), (head, "bad")]
    if len(plan.refused) <= _NAMED:
        return lines + [(f"  {subject(each.item.message.fields)}: {each.reason}", "") for each in plan.refused]
    reasons = Counter(each.reason for each in plan.refused)
    return lines + [(f"  {number:,}: {reason}", "") for reason, number in reasons.most_common()]


def stop_move() -> Dialog[bool]:
    """Ask whether the running move shall end."""
    lines: Sequence[Line] = [
        (_("The mail under way is finished first, and all that arrived is written down."), ""),
        (_("Another upload later sends only what is missing."), ""),
    ]
    return Dialog(_("Stop the upload?"), lines, [Answer(_("Stop"), True), Answer(_("Go on"), False)], first=1)


def leave_while_moving() -> Dialog[bool]:
    """Ask whether to stop the move and leave."""
    lines: Sequence[Line] = [
        (_("Mail is being uploaded. The mail under way is finished first, and all that arrived is written down."), ""),
    ]
    return Dialog(
        _("Stop the upload and leave?"), lines, [Answer(_("Stop and leave"), True), Answer(_("Go on"), False)], first=1
    )
