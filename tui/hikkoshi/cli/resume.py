"""`hikkoshi resume`: going on with a move that ended early."""

from typing import Any

import click

from hikkoshi.cli.options import fit_option, merged, shared_options
from hikkoshi.i18n import _


@click.command(
    help=_(
        "Go on with the move of this number, or with the last one that ended early: both sides are looked at, what was in "
        "doubt is settled, and what is left is sent as part of the same move. Mails that stay in doubt are listed and not "
        "sent.\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  all mail of the move is on the server and was read back, or there is\n"
        "   nothing to go on with\n"
        "1  some mail was not moved, is in doubt or was not read back; each is named\n"
        "   with its reason\n"
        "2  it could not start\n"
        "3  the rest does not fit; nothing was sent"
    )
)
@shared_options
@click.argument("move", type=int, required=False)
@fit_option
@click.option("--dry-run", is_flag=True, help=_("Show the plan and send nothing."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.option("--no-quota-check", is_flag=True, help=_("Upload although the quota is not known."))
@click.pass_context
def resume(
    context: click.Context,
    /,
    move: int | None,
    fit: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    no_quota_check: bool,
    **given: Any,
) -> None:
    """Run the command."""
    from hikkoshi.cli.uploading import Wishes, upload_account

    wishes = Wishes(
        fit=fit, dry_run=dry_run, yes=yes, as_json=as_json, no_quota_check=no_quota_check, resuming=True, move=move
    )
    context.exit(upload_account(merged(context, given), wishes))
