"""What `hikkoshi undo` does: look at both sides, ask, remove, tell."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hikkoshi.accounts.session import AccountSession
from hikkoshi.accounts.undoing import UndoPlan, plan_undo, undo
from hikkoshi.advice.report import SCHEMA, size_text
from hikkoshi.cli.naming import name_failures
from hikkoshi.cli.options import to_options
from hikkoshi.cli.output import print_json, say, status_line
from hikkoshi.cli.work import new_cancel, open_session, refresh
from hikkoshi.errors import HikkoshiError, UsageError
from hikkoshi.i18n import _, ngettext
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.receipt import Failure
from hikkoshi.move.telling import local_time

if TYPE_CHECKING:
    from hikkoshi.move.undo import UndoResult

ALL_REMOVED, SOME_STAY = 0, 1


class UndoWishes(msgspec.Struct, frozen=True):
    """The command's own options."""

    move: int
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False


def undo_account(values: Mapping[str, Any], wishes: UndoWishes) -> int:
    """Undo a move of the account that the options name. With `as_json` one that cannot start prints its object, too."""
    account: str | None = None
    try:
        options = to_options(values)
        account = str(options.address)
        return run_undo(open_session(options, values.get("password_command")), wishes)
    except HikkoshiError as error:
        if wishes.as_json:
            print_json(_report(account, wishes, problem=str(error)))
        raise


def run_undo(session: AccountSession, wishes: UndoWishes) -> int:
    """Look at both sides, ask, remove, tell; gives the exit status. Raises what hinders it from starting."""
    cancel = new_cancel()
    try:
        plan_undo(session, wishes.move)  # a wrong number costs no look
        # Only where nobody is asked: a server may have hung up before a person has answered.
        at_once = wishes.yes and not wishes.dry_run
        refresh(session, cancel, keep=wishes.yes or wishes.dry_run, alone=f"undo {wishes.move}" if at_once else "")
        plan = plan_undo(session, wishes.move)
        if not (wishes.as_json and (wishes.yes or wishes.dry_run)):
            click.echo(_line(plan), err=wishes.as_json)
        if plan.mails and not wishes.yes and not wishes.dry_run:
            _ask()
        result = _undo(session, plan, cancel, wishes)
    finally:
        session.hang_up()
    for failure in result.kept:
        say(_("Stays on the server") + f": {failure.folder}: {failure.subject}: {failure.reason}")
    name_failures(_("Not there any more"), result.vanished, wishes.move)
    name_failures(_("Not known"), result.open, wishes.move)
    if wishes.as_json:
        print_json(_object(session.server, wishes, result))
    else:
        click.echo(_removed_text(result, dry_run=wishes.dry_run))
    if result.problem:
        say(result.problem)
    return ALL_REMOVED if result.complete else SOME_STAY


def _line(plan: UndoPlan) -> str:
    text = ngettext(
        "Move {move} of {when}: {n:,} mail ({size}) is on the server.",
        "Move {move} of {when}: {n:,} mails ({size}) are on the server.",
        plan.mails,
    )
    return text.format(
        move=plan.move.id, when=local_time(plan.move.started), n=plan.mails, size=size_text(plan.bytes)
    ) + " " + sanitise(plan.move.server)  # fmt: skip


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError(_("There is no terminal to ask on. Nothing was removed; say --yes to undo without asking."))
    if not click.confirm(_("Remove them from the server now?"), default=False, err=True):
        raise HikkoshiError(_("Nothing was removed."))


def _undo(session: AccountSession, plan: UndoPlan, cancel: Cancel, wishes: UndoWishes) -> "UndoResult":
    report, clear = status_line()
    try:
        return undo(session, plan, report, cancel, dry_run=wishes.dry_run)
    finally:
        clear()


def _removed_text(result: "UndoResult", *, dry_run: bool) -> str:
    if dry_run:
        text = ngettext(
            "{n:,} mail ({size}) would be removed.", "{n:,} mails ({size}) would be removed.", result.removed
        )
    else:
        text = ngettext("{n:,} mail ({size}) was removed.", "{n:,} mails ({size}) were removed.", result.removed)
    return text.format(n=result.removed, size=size_text(result.bytes))


def _object(account: str, wishes: UndoWishes, result: "UndoResult") -> dict[str, Any]:
    return _report(
        account,
        wishes,
        state=result.state.value,
        removed={"messages": result.removed, "bytes": result.bytes},
        kept=[_failure(each) for each in result.kept],
        not_there=[_failure(each) for each in result.vanished],
        not_known=[_failure(each) for each in result.open],
        problem=result.problem,
    )


def _report(account: str | None, wishes: UndoWishes, **known: Any) -> dict[str, Any]:
    """The object of `undo --json`; what is not known (it could not be begun) is null."""
    names = ("state", "removed", "kept", "not_there", "not_known", "problem")
    head = {"schema": SCHEMA, "account": account, "move": wishes.move, "dry_run": wishes.dry_run}
    return {**head, **dict.fromkeys(names), **known}


def _failure(failure: Failure) -> dict[str, str]:
    return {"folder": failure.folder, "subject": failure.subject, "reason": failure.reason}
