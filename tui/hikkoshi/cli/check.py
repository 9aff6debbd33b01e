"""`hikkoshi check`: compare without a screen, fetching no bodies."""

from typing import Any

import click

from hikkoshi.cli.options import merged, shared_options
from hikkoshi.i18n import _


@click.command(
    help=_(
        "Compare this PC with the server, without a screen.\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  nothing to do\n"
        "1  mail is only on this PC, missing in the sent folder, read on one side\n"
        "   only, flagged otherwise or in doubt (with --strict: any difference)\n"
        "2  it could not check, or not all of it"
    )
)
@shared_options
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.option("--strict", is_flag=True, help=_("Let every difference count for the exit status."))
@click.pass_context
def check(context: click.Context, /, as_json: bool, strict: bool, **given: Any) -> None:
    """Run the command."""
    # What a check needs takes twice as long to load as all that its help needs.
    from hikkoshi.cli.checking import check_account

    context.exit(check_account(merged(context, given), as_json=as_json, strict=strict))
