"""What `hikkoshi upload` does: look at both sides, plan, ask, move, tell."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import click
import msgspec

from hikkoshi.accounts.pacing import budget_lines
from hikkoshi.accounts.resuming import ResumePlan, plan_resume
from hikkoshi.accounts.session import AccountSession
from hikkoshi.advice.hazards import hazards
from hikkoshi.advice.offers import left_text
from hikkoshi.advice.preflight import preflight_lines
from hikkoshi.advice.report import SCHEMA, plan_lines, quota_json, size_text
from hikkoshi.cli.fitting import Fitted, ask_about_unknown, fitted, may_ask
from hikkoshi.cli.looking import findings, look, with_chosen_repairs
from hikkoshi.cli.naming import name_failures
from hikkoshi.cli.options import to_options
from hikkoshi.cli.output import print_json, say
from hikkoshi.cli.work import new_cancel, open_session, refresh
from hikkoshi.errors import HikkoshiError, UsageError
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.mapping import find_local
from hikkoshi.index.queries import uploadable
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress
from hikkoshi.ledger.records import ARRIVED
from hikkoshi.mail.message import Problem, without_remarks
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.events import Tell, UploadEvent, Waiting
from hikkoshi.move.plan import Plan
from hikkoshi.move.preflight import Preflight
from hikkoshi.move.receipt import Failure, Receipt, refused
from hikkoshi.move.resume import Resumption
from hikkoshi.move.when import said_clock, time_json

ALL_MOVED, NOT_ALL_MOVED, NOT_STARTED, NO_ROOM = 0, 1, 2, 3
_NOT_STARTED = "not-started"
_ONLY = {"sent": Relation.SENT_GAP, "missing": Relation.ONLY_LOCAL, None: UPLOAD}


class Wishes(msgspec.Struct, frozen=True):
    """What the user asked of an upload: the command's own options."""

    folder: str | None = None
    only: str | None = None
    fit: str | None = None
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False
    no_quota_check: bool = False
    retry_refused: bool = False
    repairs: frozenset[Repair] = frozenset()
    resuming: bool = False
    move: int | None = None
    """With `resuming`: which move is gone on with, None for the last one that ended early."""

    @property
    def command(self) -> str:
        """What others are told that the account is used for."""
        return "upload" if not self.resuming else "resume" if self.move is None else f"resume {self.move}"

    @property
    def looks_first(self) -> bool:
        """Whether each mail is looked at before the plan is shown; else that is done while it is packed, once.

        Repairs are shown first, and the plan counts what they add.
        """
        return self.dry_run or not self.yes or bool(self.repairs)


def upload_account(values: Mapping[str, Any], wishes: Wishes) -> int:
    """Upload for the account that the options name. With `as_json` one that cannot start prints its object, too."""
    account: str | None = None
    try:
        options = to_options(values)
        account = str(options.address)
        return run_upload(open_session(options, values.get("password_command")), wishes)
    except HikkoshiError as error:
        if wishes.as_json:
            print_json(_report(account, problem=str(error), move=wishes.move))
        raise


def run_upload(session: AccountSession, wishes: Wishes) -> int:
    """Look at both sides, plan, ask, move, tell; gives the exit status. Raises what hinders it from starting."""
    try:
        return _run_upload(session, wishes)
    finally:
        session.hang_up()


def _run_upload(session: AccountSession, wishes: Wishes) -> int:
    cancel = new_cancel()
    # Only where nobody is asked: a server may have hung up before a person has answered.
    at_once = wishes.yes and not wishes.dry_run
    snapshot = refresh(session, cancel, keep=wishes.yes or wishes.dry_run, alone=wishes.command if at_once else "")
    if left := session.left_behind():
        say(left)
    try:
        session.ready()
    except HikkoshiError:
        _tell_problems(snapshot.problems)
        raise
    resumed = plan_resume(session, wishes.move) if wishes.resuming else None
    if wishes.resuming and resumed is None:
        return _nothing_to_resume(session, wishes)
    if wishes.retry_refused:
        session.retry_refused()
    whole = resumed.plan if resumed else session.plan(_wanted(session, wishes.folder, wishes.only))
    whole = with_chosen_repairs(session, whole, wishes.repairs, cancel)
    chosen = fitted(whole, snapshot.rooms, wishes.fit)
    plan = chosen.plan
    found = look(session, plan, cancel) if wishes.looks_first else Preflight()
    if not (wishes.as_json and (wishes.yes or wishes.dry_run)):
        looks = preflight_lines(found, wishes.repairs)
        looks += budget_lines(session.budget(), plan, size_text)
        for line in (snapshot.description, f"{snapshot.server}:", *plan_lines(plan), *looks, *chosen.lines()):
            click.echo(line, err=wishes.as_json)
    status = _refusal(plan, wishes)
    receipt = None
    if not status and not wishes.dry_run and (plan.items or (resumed and resumed.work)):
        if plan.items and not wishes.yes:
            _ask(plan, wishes)
        receipt = _move(session, plan, cancel, resumed.resumed if resumed else None)
    if resumed:
        _tell_left(resumed, receipt)
    _tell_problems(snapshot.problems)
    if chosen.taken:
        _tell_left_out(chosen, receipt)
    if wishes.as_json:
        print_json(
            {
                **_object(session, chosen, receipt, resumed),
                **findings(session, found, receipt, looked=wishes.looks_first),
            }
        )
    elif receipt:
        _print_receipt(receipt)
    return status or _end_status(chosen, receipt, snapshot.problems)


def _wanted(session: AccountSession, folder: str | None, only: str | None) -> list[int]:
    with Index(session.index_path) as index:
        names = None
        if folder is not None:
            found = find_local((entry.folder for entry in index.folders(0)), folder)
            if not found:
                raise UsageError(_("There is no local folder “{name}”. Nothing was sent.").format(name=folder))
            names = [each.native for each in found]
        return list(uploadable(index, names, _ONLY[only]))


def _refusal(plan: Plan, wishes: Wishes) -> int:
    """The exit status of a plan that is not to be started, 0 if it may be."""
    for refusal in plan.refused:
        _name(_("Not moved"), refused(refusal))
    if plan.fits is False:
        resuming = _(
            "The rest of the move does not fit; nothing was sent. Free room on the server, or send what fits of it (--fit)."
        )
        uploading = _(
            "The plan does not fit; nothing was sent. Free room on the server, upload what fits of it (--fit), or fewer "
            "folders (--folder)."
        )
        say(resuming if wishes.resuming else uploading)
        return NO_ROOM
    if plan.fits is None and not wishes.no_quota_check and not may_ask(yes=wishes.yes, dry_run=wishes.dry_run):
        say(
            _(
                "The server's quota is not known; nothing was sent. Say it with --quota-limit SIZE, or take the risk of "
                "a full mailbox with --no-quota-check."
            )
        )
        return NOT_STARTED
    return 0


def _ask(plan: Plan, wishes: Wishes) -> None:
    if not sys.stdin.isatty():
        raise UsageError(_("There is no terminal to ask on. Nothing was sent; say --yes to upload without asking."))
    if plan.fits is None and not wishes.no_quota_check:
        ask_about_unknown()
        return
    if not click.confirm(_("Upload now?"), default=False, err=True):
        raise HikkoshiError(_("Nothing was sent."))


def _nothing_to_resume(session: AccountSession, wishes: Wishes) -> int:
    text = _("No move ended early; there is nothing to go on with.")
    say(text)
    if wishes.as_json:
        print_json(_report(session.server, state=_NOT_STARTED, problem=text))
    return ALL_MOVED


def _tell_left(chosen: ResumePlan, receipt: Receipt | None) -> None:
    """What of the move that is gone on with was not sent; a receipt names the rest of it itself."""
    name_failures(_("Not sent again"), chosen.there, chosen.move.id if receipt else None)
    if receipt:
        before = sum(chosen.move.counts.get(state, 0) for state in ARRIVED)
        text = ngettext(
            "{n:,} mail of this move had arrived before.", "{n:,} mails of this move had arrived before.", before
        )
        say(text.format(n=before))
        return
    name_failures(_("Not moved"), chosen.gone)
    name_failures(_("In doubt"), chosen.doubtful)


def _tell_left_out(chosen: Fitted, receipt: Receipt | None) -> None:
    """What does not fit, summed up: there may be thousands."""
    say(left_text(chosen.left))
    if receipt and not receipt.waiting:  # those of a move that is gone on with wait, and are told as such
        text = _("“hikkoshi moves {move}” names each of them, and another upload with more room sends them.")
        say(text.format(move=receipt.move))


def _move(session: AccountSession, plan: Plan, cancel: Cancel, resumed: Resumption | None) -> Receipt:
    tell, close = _progress_bar(plan)
    try:
        return session.upload(plan, tell, cancel, resumed)
    finally:
        close()


def _progress_bar(plan: Plan) -> tuple[Tell, Callable[[], None]]:
    """A progress bar by bytes on a terminal, and how to end it. A terminal that is gone stops nothing."""
    bar = click.progressbar(
        length=plan.load.size, label=_("Uploading"), file=sys.stderr, show_pos=False, hidden=not sys.stderr.isatty()
    )
    shown = 0

    def tell(event: UploadEvent) -> None:
        nonlocal shown
        if isinstance(event, Waiting):
            bar.label = _("Waiting until {time}: the server asks for it").format(time=said_clock(event.until))
            with suppress(OSError):
                bar.render_progress()
        if isinstance(event, Progress):
            bar.label = _("Uploading")
            with suppress(OSError):
                bar.update(event.bytes_done - shown)
            shown = event.bytes_done

    def close() -> None:
        with suppress(OSError):
            bar.render_finish()

    return tell, close


def _end_status(chosen: Fitted, receipt: Receipt | None, problems: tuple[Problem, ...]) -> int:
    if (
        chosen.plan.refused
        or chosen.left.messages
        or without_remarks(problems)
        or (receipt and (not receipt.complete or receipt.unread))
    ):
        return NOT_ALL_MOVED
    return ALL_MOVED


def _print_receipt(receipt: Receipt) -> None:
    for title, failures in (
        (_("Arrived, but the server has it otherwise"), receipt.changed),
        (_("Arrived, and not read back"), receipt.unread),
        (_("In doubt"), receipt.doubtful),
        (_("Not moved"), receipt.failed),
    ):
        for failure in failures:
            _name(title, failure)
    _print_waiting(receipt)
    # Last, where a person looks first: thousands of names may stand above.
    text = ngettext("{n:,} mail arrived", "{n:,} mails arrived", receipt.landed).format(n=receipt.landed)
    click.echo(
        _("{arrived} ({size}); {n:,} read back and found as sent.").format(
            arrived=text, size=size_text(receipt.bytes), n=receipt.read_back
        )
    )
    if n := receipt.flags_stored:
        text = ngettext(
            "{n:,} mail had lost flags on the way; they were set again.",
            "{n:,} mails had lost flags on the way; they were set again.",
            n,
        )
        click.echo(text.format(n=n))
    if receipt.problem:
        say(receipt.problem)


def _print_waiting(receipt: Receipt) -> None:
    """Mails that were not begun, summed up: there may be thousands."""
    folders = Counter(failure.folder for failure in receipt.waiting)
    for folder, count in folders.items():
        text = ngettext(
            "Not moved: {folder}: {n:,} mail; the upload ended before it",
            "Not moved: {folder}: {n:,} mails; the upload ended before them",
            count,
        )
        say(text.format(folder=folder, n=count))
    if folders:
        say(
            _("“hikkoshi moves {move}” names each of them, and “hikkoshi resume {move}” goes on with them.").format(
                move=receipt.move
            )
        )


def _tell_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        say(f"{problem.where}: {problem.what}")


def _name(title: str, failure: Failure) -> None:
    say(f"{title}: {failure.folder}: {failure.subject}: {failure.reason}")


def _object(
    session: AccountSession, chosen: Fitted, receipt: Receipt | None, resumed: ResumePlan | None
) -> dict[str, Any]:
    assert session.snapshot is not None
    earlier = resumed.move.id if resumed else None
    plan = chosen.plan
    failed = [refused(refusal) for refusal in plan.refused]
    if receipt:
        failed += receipt.failed + receipt.doubtful + receipt.waiting
    return _report(
        session.server,
        plan={
            "messages": plan.load.messages,
            "bytes": plan.load.size,
            "fits": plan.fits,
            "hazards": hazards(plan),
            "folders": [
                {"server": s.name, "new": s.new, "messages": s.load.messages, "bytes": s.load.size} for s in plan.shares
            ],
            **chosen.as_json(),
        },
        moved={
            "messages": receipt.landed if receipt else 0,
            "bytes": receipt.bytes if receipt else 0,
            "read_back": receipt.read_back if receipt else 0,
        },
        state=receipt.state.value if receipt else _NOT_STARTED,
        not_moved=[_failure(failure) for failure in failed],
        changed=[_failure(failure) for failure in (receipt.changed if receipt else ())],
        flags_set_again=receipt.flags_stored if receipt else 0,
        not_read_back=[_failure(failure) for failure in (receipt.unread if receipt else ())],
        move=receipt.move if receipt else earlier,
        goes_on_at=time_json(receipt.goes_on_at) if receipt else None,
        quota=quota_json(session.snapshot.rooms),
        problem=receipt.problem if receipt else "",
    )


def _report(account: str | None, **known: Any) -> dict[str, Any]:
    """The object of `upload --json`; what is not known (it could not be begun, or not be ended) is null."""
    names = (
        "move", "goes_on_at", "plan", "moved", "state", "not_moved", "changed", "flags_set_again", "not_read_back", "quota",
        "problem",
        "findings",
    )  # fmt: skip
    return {"schema": SCHEMA, "account": account, **dict.fromkeys(names), **known}


def _failure(failure: Failure) -> dict[str, str]:
    return {"folder": failure.folder, "subject": failure.subject, "reason": failure.reason}
