"""`hikkoshi sync-flags`: read state, flags and keywords of the PC's mail, set on the server's."""

from typing import Any

import click

from hikkoshi.cli.options import merged, shared_options
from hikkoshi.i18n import _


@click.command(
    "sync-flags",
    help=_(
        "Set read state, flags and keywords of the PC's mail on the server's copies.\n"
        "\n"
        "Flags are added; what the PC lacks is taken away only with --remove. What was changed on the server since it was "
        "looked at is left as it is.\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  all of it is done, or there was nothing to do\n"
        "1  some mail was not changed; each is named with its reason\n"
        "2  it could not start"
    ),
)
@shared_options
@click.option("--folder", metavar="F", help=_("Only mail of this local folder."))
@click.option(
    "--remove",
    is_flag=True,
    help=_(
        "Also take away what the server has and the PC has not; what the PC's store cannot hold, junk marks and \\Deleted "
        "stay."
    ),
)
@click.option("--dry-run", is_flag=True, help=_("Show the plan and change nothing."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.pass_context
def sync_flags(
    context: click.Context,
    /,
    folder: str | None,
    remove: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run the command."""
    from hikkoshi.cli.syncing_flags import FlagWishes, sync_account

    wishes = FlagWishes(folder, remove=remove, dry_run=dry_run, yes=yes, as_json=as_json)
    context.exit(sync_account(merged(context, given), wishes))
