"""The plan of an upload, before anything is sent."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from hikkoshi.accounts.pacing import budget_lines
from hikkoshi.advice.hazards import hazards
from hikkoshi.advice.offers import how_far, left_text, load_text
from hikkoshi.advice.preflight import repair_text
from hikkoshi.advice.report import reserve_text, size_text
from hikkoshi.app.proposal import Proposal
from hikkoshi.app.row_text import cut, subject
from hikkoshi.app.screens.dialog import Answer, Dialog, Line
from hikkoshi.app.screens.findings import found_lines
from hikkoshi.app.signs import Signs
from hikkoshi.app.words import amount, percent, room_name
from hikkoshi.i18n import N_, _, ngettext
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.offers import Kind
from hikkoshi.move.plan import Plan
from hikkoshi.move.room import Outlook
from hikkoshi.move.telling import counts_text, local_time

if TYPE_CHECKING:
    from hikkoshi.accounts.resuming import ResumePlan

UPLOAD, FINDINGS, REPAIRS = "upload", "findings", "repairs"
_KINDS = {
    Kind.NEWEST: N_("Newest"),
    Kind.SMALLEST: N_("Smallest"),
    Kind.FOLDER: N_("Whole folders"),
    Kind.YEAR: N_("Whole years"),
}
_NAME = 38  # cells for a folder's name
_NAMED = 20  # refused mails that are named one by one


def confirm(proposal: Proposal, signs: Signs) -> Dialog[str]:
    """Show the plan and ask: gives UPLOAD, FINDINGS, REPAIRS, the kind of a part that fits (its value), or ''.

    Where it does not fit there is nothing to say yes to but a part.
    """
    plan, resuming = proposal.plan, proposal.resuming
    lines = [
        *(_resume_lines(resuming) if resuming else ()),
        *plan_lines(plan, signs),
        *_budget_lines(proposal),
        *found_lines(proposal.found),
        *_repair_lines(proposal),
    ]
    no, close = Answer(_("Cancel"), ""), Answer(_("Close"), "")
    if not plan.items and resuming:
        return Dialog(_("Nothing is left to be sent"), lines, [Answer(_("Note that the move has ended"), UPLOAD), no])
    if not plan.items:
        return Dialog(_("Nothing can be uploaded"), lines, [close])
    if plan.fits is False:
        parts = [Answer(_(_KINDS[offer.kind]), offer.kind.value) for offer in proposal.offers]
        title = _("It does not fit: nothing was sent")
        return Dialog(title, lines + _offer_lines(proposal), [*parts, close], first=len(parts))
    title = ngettext("Upload {n:,} mail, {size}?", "Upload {n:,} mails, {size}?", plan.load.messages).format(
        n=plan.load.messages, size=size_text(plan.load.size)
    )
    if proposal.offer is not None:
        lines = [(how_far(proposal.offer), "strong"), (left_text(proposal.offer.left), ""), ("", ""), *lines]
    if plan.fits is None:
        go = Answer(_("Upload without knowing the limit"), UPLOAD, danger=True)
        more = _looks(proposal)
        return Dialog(title, lines, [go, *more, no], first=1 + len(more))
    return Dialog(title, lines, [Answer(_("Upload"), UPLOAD), *_looks(proposal), no])


def _looks(proposal: Proposal) -> list[Answer[str]]:
    """What else can be looked at, or chosen, before an upload."""
    found = proposal.found
    answers = [Answer(_("Mails…"), FINDINGS)] if found and found.mails else []
    return answers + ([Answer(_("Repairs…"), REPAIRS)] if found and found.offered() else [])


def _budget_lines(proposal: Proposal) -> list[Line]:
    lines = budget_lines(proposal.budget, proposal.plan, size_text)
    return [("", ""), *((line, "") for line in lines)] if lines else []


def _repair_lines(proposal: Proposal) -> list[Line]:
    return [
        (_("Mended: {what}").format(what=repair_text(repair)), "good")
        for repair in Repair
        if repair in proposal.repairs
    ]


def _offer_lines(proposal: Proposal) -> list[Line]:
    if not proposal.offers:
        return []
    lines: list[Line] = [("", ""), (_("This part of it fits:"), "strong")]
    lines += [
        (f"  {_(_KINDS[offer.kind])}: {load_text(offer.load)}, {how_far(offer)}", "") for offer in proposal.offers
    ]
    return lines


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
    lines.append((counts_text(move), ""))
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
        kept = _("{amount} of it are kept free for incoming mail").format(amount=amount(room, room.reserve))
        lines.append((reserve_text(room) or kept, "dim"))
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
