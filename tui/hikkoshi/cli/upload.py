"""`hikkoshi upload`: the same move as on the screen, without one."""

import sys
from collections.abc import Callable
from typing import Any

import click

from hikkoshi.accounts.session import AccountSession
from hikkoshi.advice.report import SCHEMA, plan_lines, quota_json, size_text
from hikkoshi.cli.options import merged, shared_options, to_options
from hikkoshi.cli.work import new_cancel, open_session, print_json, refresh, say
from hikkoshi.errors import HikkoshiError, UsageError
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.mapping import find_local
from hikkoshi.index.queries import uploadable
from hikkoshi.index.relation import UPLOAD, Relation
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.message import Problem
from hikkoshi.move.events import NotMoved, Tell, UploadEvent
from hikkoshi.move.plan import Plan
from hikkoshi.move.receipt import Failure, Receipt, subject

ALL_MOVED, NOT_ALL_MOVED, NOT_STARTED, NO_ROOM = 0, 1, 2, 3
_ONLY = {"sent": Relation.SENT_GAP, "missing": Relation.ONLY_LOCAL, None: UPLOAD}


@click.command(
    help=_(
        "Upload what is missing on the server, without a screen.\n\nExit status: 0 all of the plan is on the server; 1 "
        "some mail was not moved, each named with its reason; 2 it could not start; 3 the plan does not fit, nothing "
        "was sent."
    )
)
@shared_options
@click.option("--folder", metavar="F", help=_("Only mail of this local folder."))
@click.option(
    "--only",
    type=click.Choice(["sent", "missing"]),
    help=_("Only the sent gap, or only what is nowhere on the server."),
)
@click.option("--dry-run", is_flag=True, help=_("Show the plan and send nothing."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.option("--no-quota-check", is_flag=True, help=_("Upload although the quota is not known."))
@click.pass_context
def upload(
    context: click.Context,
    /,
    folder: str | None,
    only: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    no_quota_check: bool,
    **given: Any,
) -> None:
    """Run the command."""
    values = merged(context, given)
    session = open_session(to_options(values), values.get("password_command"))
    cancel = new_cancel()
    snapshot = refresh(session, cancel)
    if left := session.left_behind():
        say(left)
    if not snapshot.server_whole:
        _tell_problems(snapshot.problems)
        raise HikkoshiError(
            _(
                "A folder of the server could not be opened, and mail that seems to be missing may be in it. Nothing was "
                "sent, so that no mail is there twice; see that the folder can be read, and start again."
            )
        )
    plan = session.plan(_wanted(session, folder, only))
    if not as_json:
        for line in plan_lines(plan):
            click.echo(line)
    status = _refusal(plan, no_quota_check=no_quota_check)
    if status or dry_run or not plan.items:
        if as_json:
            print_json(_object(session, plan, None))
        context.exit(status or _end_status(plan, None, snapshot.problems))
    if not yes:
        _ask()
    receipt = _move(session, plan, cancel, check_room=not no_quota_check)
    if as_json:
        print_json(_object(session, plan, receipt))
    else:
        _print_receipt(receipt)
    _tell_problems(snapshot.problems)
    context.exit(_end_status(plan, receipt, snapshot.problems))


def _wanted(session: AccountSession, folder: str | None, only: str | None) -> list[int]:
    with Index(session.index_path) as index:
        names = None
        if folder is not None:
            found = find_local((entry.folder for entry in index.folders(0)), folder)
            if not found:
                raise UsageError(_("There is no local folder “{name}”. Nothing was sent.").format(name=folder))
            names = [each.native for each in found]
        return list(uploadable(index, names, _ONLY[only]))


def _refusal(plan: Plan, *, no_quota_check: bool) -> int:
    """The exit status of a plan that is not to be started, 0 if it may be."""
    for refusal in plan.refused:
        name = sanitise(subject(refusal.item.message.fields))
        say(
            _("Not moved: {folder}: {subject}: {reason}").format(
                folder=refusal.item.local_folder, subject=name, reason=refusal.reason
            )
        )
    if plan.fits is False and not no_quota_check:
        say(_("The plan does not fit; nothing was sent. Free room on the server, or upload fewer folders (--folder)."))
        return NO_ROOM
    if plan.fits is None and not no_quota_check:
        say(
            _(
                "The server's quota is not known; nothing was sent. Say it with --quota-limit SIZE, or take the risk of "
                "a full mailbox with --no-quota-check."
            )
        )
        return NOT_STARTED
    return 0


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError(_("There is no terminal to ask on. Nothing was sent; say --yes to upload without asking."))
    if not click.confirm(_("Upload now?"), default=False, err=True):
        raise HikkoshiError(_("Nothing was sent."))


def _move(session: AccountSession, plan: Plan, cancel: Cancel, *, check_room: bool) -> Receipt:
    tell, close = _progress_bar(plan)
    try:
        return session.upload(plan, tell, cancel, check_room=check_room)
    finally:
        close()


def _progress_bar(plan: Plan) -> tuple[Tell, Callable[[], None]]:
    """A progress bar by bytes on a terminal; each mail that was not moved is told as it happens."""
    bar = click.progressbar(
        length=plan.load.size, label=_("Uploading"), file=sys.stderr, show_pos=False, hidden=not sys.stderr.isatty()
    )
    bar.__enter__()
    shown = 0

    def tell(event: UploadEvent) -> None:
        nonlocal shown
        if isinstance(event, NotMoved):
            say(
                _("Not moved: {folder}: {subject}: {reason}").format(
                    folder=event.folder, subject=event.subject, reason=event.reason
                )
            )
        elif isinstance(event, Progress):
            bar.update(event.bytes_done - shown)
            shown = event.bytes_done

    return tell, bar.render_finish


def _end_status(plan: Plan, receipt: Receipt | None, problems: tuple[Problem, ...]) -> int:
    if plan.refused or problems or (receipt and not receipt.complete):
        return NOT_ALL_MOVED
    return ALL_MOVED


def _print_receipt(receipt: Receipt) -> None:
    text = ngettext("{n:,} mail arrived", "{n:,} mails arrived", receipt.landed).format(n=receipt.landed)
    click.echo(
        _("{arrived} ({size}); {n:,} read back and found as sent.").format(
            arrived=text, size=size_text(receipt.bytes), n=receipt.read_back
        )
    )
    for title, failures in (
        (_("Arrived, but the server has it otherwise"), receipt.changed),
        (_("In doubt"), receipt.doubtful),
        (_("Not moved"), receipt.failed),
    ):
        for failure in failures:
            say(f"{title}: {sanitise(failure.folder)}: {failure.subject}: {failure.reason}")
    if receipt.not_sent:
        say(
            ngettext("{n:,} mail was not sent.", "{n:,} mails were not sent.", receipt.not_sent).format(
                n=receipt.not_sent
            )
        )
    if receipt.problem:
        say(receipt.problem)


def _tell_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        say(f"{sanitise(problem.where)}: {sanitise(problem.what)}")


def _object(session: AccountSession, plan: Plan, receipt: Receipt | None) -> dict[str, Any]:
    assert session.snapshot is not None
    refused = [
        Failure(subject(refusal.item.message.fields), refusal.item.local_folder, refusal.reason)
        for refusal in plan.refused
    ]
    failed = (*refused, *(receipt.failed + receipt.doubtful if receipt else ()))
    return {
        "schema": SCHEMA,
        "account": session.server,
        "plan": {
            "messages": plan.load.messages,
            "bytes": plan.load.size,
            "fits": plan.fits,
            "folders": [
                {"server": s.name, "new": s.new, "messages": s.load.messages, "bytes": s.load.size} for s in plan.shares
            ],
        },
        "moved": {
            "messages": receipt.landed if receipt else 0,
            "bytes": receipt.bytes if receipt else 0,
            "read_back": receipt.read_back if receipt else 0,
        },
        "state": receipt.state.value if receipt else "not-started",
        "not_moved": [_failure(failure) for failure in failed],
        "changed": [_failure(failure) for failure in (receipt.changed if receipt else ())],
        "not_sent": receipt.not_sent if receipt else 0,
        "quota": quota_json(session.snapshot.rooms),
        "problem": receipt.problem if receipt else "",
    }


def _failure(failure: Failure) -> dict[str, str]:
    return {"folder": failure.folder, "subject": failure.subject, "reason": failure.reason}
