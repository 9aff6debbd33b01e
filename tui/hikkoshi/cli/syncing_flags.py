"""What `hikkoshi sync-flags` does: look at both sides, plan, ask, set flags, tell."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hikkoshi.accounts.flags import plan_flags, sync_flags
from hikkoshi.accounts.session import AccountSession
from hikkoshi.advice.flags import flag_plan_json, flag_plan_lines
from hikkoshi.advice.report import SCHEMA
from hikkoshi.cli.options import to_options
from hikkoshi.cli.output import print_json, say, status_line
from hikkoshi.cli.work import new_cancel, open_session, refresh
from hikkoshi.errors import HikkoshiError, UsageError
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.mapping import find_local
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.mail.message import Problem, without_remarks
from hikkoshi.move.flag_plan import FlagPlan

if TYPE_CHECKING:
    from hikkoshi.move.flag_sync import FlagResult

DONE, NOT_ALL_DONE = 0, 1
_NOT_STARTED = "not-started"


class FlagWishes(msgspec.Struct, frozen=True):
    """The command's own options."""

    folder: str | None = None
    remove: bool = False
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False


def sync_account(values: Mapping[str, Any], wishes: FlagWishes) -> int:
    """Set the flags for the account that the options name. With `as_json` one that cannot start prints its object, too."""
    account: str | None = None
    try:
        options = to_options(values)
        account = str(options.address)
        return run_sync(open_session(options, values.get("password_command")), wishes)
    except HikkoshiError as error:
        if wishes.as_json:
            print_json(_report(account, problem=str(error)))
        raise


def run_sync(session: AccountSession, wishes: FlagWishes) -> int:
    """Look at both sides, plan, ask, set flags, tell; gives the exit status. Raises what hinders it from starting."""
    cancel = new_cancel()
    try:
        at_once = wishes.yes and not wishes.dry_run
        # Only where nobody is asked: a server may have hung up before a person has answered.
        snapshot = refresh(session, cancel, keep=at_once, alone="sync-flags" if at_once else "")
        plan = plan_flags(session, natives=_natives(session, wishes.folder), remove=wishes.remove)
        if not (wishes.as_json and (wishes.yes or wishes.dry_run)):
            for line in (snapshot.description, f"{snapshot.server}:", *flag_plan_lines(plan)):
                click.echo(line, err=wishes.as_json)
        result = None
        if plan.mails and not wishes.dry_run:
            if not wishes.yes:
                _ask()
            result = _sync(session, plan, cancel)
    finally:
        session.hang_up()
    _tell(plan, result, snapshot.problems)
    if wishes.as_json:
        print_json(_object(session, plan, result))
    elif result:
        click.echo(_changed(result.changed))
    complete = result.complete if result else not plan.left
    return DONE if complete and not without_remarks(snapshot.problems) else NOT_ALL_DONE


def _natives(session: AccountSession, folder: str | None) -> list[str] | None:
    if folder is None:
        return None
    with Index(session.index_path) as index:
        found = find_local((entry.folder for entry in index.folders(LOCAL)), folder)
    if not found:
        raise UsageError(_("There is no local folder “{name}”. Nothing was changed.").format(name=folder))
    return [each.native for each in found]


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            _("There is no terminal to ask on. Nothing was changed; say --yes to change flags without asking.")
        )
    if not click.confirm(_("Change the flags on the server now?"), default=False, err=True):
        raise HikkoshiError(_("Nothing was changed."))


def _sync(session: AccountSession, plan: FlagPlan, cancel: Cancel) -> "FlagResult":
    report, clear = status_line()
    try:
        return sync_flags(session, plan, report, cancel)
    finally:
        clear()


def _changed(count: int) -> str:
    return ngettext("{n:,} mail changed on the server.", "{n:,} mails changed on the server.", count).format(n=count)


def _tell(plan: FlagPlan, result: "FlagResult | None", problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        say(f"{problem.where}: {problem.what}")
    for failure in result.left if result else plan.left:
        say(_("Not changed") + f": {failure.folder}: {failure.subject}: {failure.reason}")
    if result and result.problem:
        say(result.problem)


def _object(session: AccountSession, plan: FlagPlan, result: "FlagResult | None") -> dict[str, Any]:
    left = result.left if result else plan.left
    return _report(
        session.server,
        plan=flag_plan_json(plan),
        changed=result.changed if result else 0,
        state=result.state.value if result else _NOT_STARTED,
        not_changed=[{"folder": each.folder, "subject": each.subject, "reason": each.reason} for each in left],
        problem=result.problem if result else "",
    )


def _report(account: str | None, **known: Any) -> dict[str, Any]:
    """The object of `sync-flags --json`; what is not known (it could not be begun) is null."""
    names = ("plan", "changed", "state", "not_changed", "problem")
    return {"schema": SCHEMA, "account": account, **dict.fromkeys(names), **known}
