"""`hikkoshi upload`: the same move as on the screen, without one."""

from typing import Any

import click

from hikkoshi.cli.options import fit_option, merged, shared_options
from hikkoshi.i18n import _
from hikkoshi.mail.repairs import ALL, Repair

# As plain texts: click knows the members of an enumeration by other names.
_REPAIRS = [*(repair.value for repair in Repair), ALL]


@click.command(
    help=_(
        "Upload what is missing on the server, without a screen.\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  all of the plan is on the server, and was read back\n"
        "1  some mail was not moved, or not read back; each is named with its reason\n"
        "2  it could not start\n"
        "3  the plan does not fit; nothing was sent"
    )
)
@shared_options
@click.option("--folder", metavar="F", help=_("Only mail of this local folder."))
@click.option(
    "--only",
    type=click.Choice(["sent", "missing"]),
    help=_("Only the sent gap, or only what is nowhere on the server."),
)
@fit_option
@click.option(
    "--retry-refused", is_flag=True, help=_("Send mail as large as one that the server refused for its size.")
)
@click.option("--dry-run", is_flag=True, help=_("Show the plan and send nothing."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.option("--no-quota-check", is_flag=True, help=_("Upload although the quota is not known."))
@click.option(
    "--repair",
    "repairs",
    metavar="NAME",
    multiple=True,
    type=click.Choice(_REPAIRS),
    help=_(
        "Mend what servers refuse or change, in mail that has it (repeatable): {names}. Nothing is mended unless it is said."
    ).format(names=", ".join(_REPAIRS)),
)
@click.pass_context
def upload(
    context: click.Context,
    /,
    folder: str | None,
    only: str | None,
    fit: str | None,
    retry_refused: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    no_quota_check: bool,
    repairs: tuple[str, ...],
    **given: Any,
) -> None:
    """Run the command."""
    from hikkoshi.cli.uploading import Wishes, upload_account

    wishes = Wishes(
        folder, only, fit, dry_run=dry_run, yes=yes, as_json=as_json, no_quota_check=no_quota_check,
        retry_refused=retry_refused, repairs=frozenset(Repair) if ALL in repairs else frozenset(map(Repair, repairs)),
    )  # fmt: skip
    context.exit(upload_account(merged(context, given), wishes))
