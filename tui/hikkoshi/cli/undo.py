"""`hikkoshi undo`: taking the mails of one move away from the server again."""

from typing import Any

import click

from hikkoshi.cli.options import merged, shared_options
from hikkoshi.i18n import _


@click.command(
    help=_(
        "Remove the mails of the move of this number from the server again: exactly those, and each only while it is there "
        "as it was sent, with the flags that it had after the move, and its original can be read on this PC. Each mail that "
        "stays is named with its reason; mail that the server changed as it arrived stays.\n"
        "\n"
        "Not possible on servers without UIDPLUS, and on those that merge copies of a mail (Gmail).\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  all mails that the move had brought are removed (with --dry-run: would be)\n"
        "1  some stay or are not there any more, or it ended early; each is named with its reason\n"
        "2  it could not start; nothing was removed"
    )
)
@shared_options
@click.argument("move", type=int)
@click.option("--dry-run", is_flag=True, help=_("Look at each mail, say what would be removed, and change nothing."))
@click.option("--yes", is_flag=True, help=_("Do not ask."))
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.pass_context
def undo(context: click.Context, /, move: int, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """Run the command."""
    from hikkoshi.cli.undoing import UndoWishes, undo_account

    wishes = UndoWishes(move, dry_run=dry_run, yes=yes, as_json=as_json)
    context.exit(undo_account(merged(context, given), wishes))
