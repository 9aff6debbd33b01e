"""What `hikkoshi check` does: compare both sides, print the report, give the exit status."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click
from msgspec.structs import asdict

from hikkoshi.accounts.session import AccountSession, Snapshot
from hikkoshi.advice.report import (
    SCHEMA,
    count_lines,
    failed_json,
    folders_json,
    plan_lines,
    problems_json,
    quota_json,
    size_text,
)
from hikkoshi.cli.options import to_options
from hikkoshi.cli.output import print_json, say
from hikkoshi.cli.work import new_cancel, open_session, refresh
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, ngettext
from hikkoshi.index.queries import Counts, FolderPair
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.message import Problem, without_remarks
from hikkoshi.move.plan import Outline
from hikkoshi.move.receipt import refused

NOTHING_TO_DO, DIFFERENT, NOT_CHECKED = 0, 1, 2


def check_account(values: Mapping[str, Any], *, as_json: bool, strict: bool) -> int:
    """Check the account that the options name. With `as_json` a check that cannot be made prints its object, too."""
    account: str | None = None
    try:
        options = to_options(values)
        account = str(options.address)
        session = open_session(options, values.get("password_command"))
        return run_check(session, as_json=as_json, strict=strict)
    except HikkoshiError as error:
        if as_json:
            print_json(failed_json(account, datetime.now().astimezone(), Problem(account or "hikkoshi", str(error))))
        raise


def run_check(session: AccountSession, *, as_json: bool = False, strict: bool = False) -> int:
    """Compare, print the report, and give the exit status. Raises what refreshing raises, with nothing printed."""
    snapshot = refresh(session, new_cancel())
    plan = session.outline()
    if left := session.left_behind():
        say(left)
    if as_json:
        print_json(_object(session, snapshot, plan))
    else:
        _print(snapshot, plan)
    return _status(snapshot, strict=strict)


def _status(snapshot: Snapshot, *, strict: bool) -> int:
    if without_remarks(snapshot.problems):
        return NOT_CHECKED
    different = snapshot.counts != Counts() if strict else snapshot.counts.work
    return DIFFERENT if different else NOTHING_TO_DO


def _object(session: AccountSession, snapshot: Snapshot, plan: Outline) -> dict[str, Any]:
    local, server = snapshot.local_total, snapshot.server_total
    return {
        "schema": SCHEMA,
        "account": snapshot.server,
        "checked_at": snapshot.checked_at.isoformat(timespec="seconds"),
        "local": {"kind": session.store.kind, "folders": local[0], "messages": local[1], "bytes": local[2]},
        "server": {
            "host": session.options.address.host,
            "folders": server[0],
            "messages": server[1],
            "bytes": server[2],
        },
        "quota": quota_json(snapshot.rooms),
        "differences": asdict(snapshot.counts),
        "upload": {"messages": plan.load.messages, "bytes": plan.load.size, "fits": plan.fits},
        "folders": folders_json(snapshot.pairs),
        "problems": problems_json(without_remarks(snapshot.problems)),
        "remarks": problems_json([each for each in snapshot.problems if each.remark]),
    }


def _print(snapshot: Snapshot, plan: Outline) -> None:
    click.echo(sanitise(snapshot.description))
    click.echo(_side_line(_("This PC:"), snapshot.local_total))
    click.echo(_side_line(snapshot.server + ":", snapshot.server_total))
    click.echo()
    for pair in snapshot.pairs:
        click.echo(_pair_line(pair))
    click.echo()
    for count, text in count_lines(snapshot.counts):
        if count:
            click.echo(f"{count:>9,}  {text}")
    if snapshot.counts == Counts():
        click.echo(_("Both sides have the same mail."))
    click.echo()
    for line in plan_lines(plan):
        click.echo(line)
    for refusal in plan.refused:
        failure = refused(refusal)
        click.echo(
            _("Would not go: {folder}: {subject}: {reason}").format(
                folder=sanitise(failure.folder), subject=failure.subject, reason=sanitise(failure.reason)
            )
        )
    for problem in snapshot.problems:
        say(f"{problem.where}: {problem.what}")


def _side_line(name: str, totals: tuple[int, int, int]) -> str:
    folders = ngettext("{n:,} folder", "{n:,} folders", totals[0]).format(n=totals[0])
    messages = ngettext("{n:,} mail", "{n:,} mails", totals[1]).format(n=totals[1])
    return f"{name} {folders}, {messages}, {size_text(totals[2])}"


def _pair_line(pair: FolderPair) -> str:
    local = sanitise(pair.local or _("(nothing)"))
    server = sanitise(pair.server or _("(nothing)"))
    if pair.server and not pair.exists:
        server += " " + _("(new)")
    found = [f"{count:,} {text}" for count, text in count_lines(pair.counts) if count]
    return f"{local} - {server}: " + (", ".join(found) or _("the same"))
