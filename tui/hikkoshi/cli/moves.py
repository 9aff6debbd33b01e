"""`hikkoshi moves`: past moves, and the receipt of one. Needs no server and no password."""

from typing import Any

import click

from hikkoshi.cli.options import merged, shared_options
from hikkoshi.i18n import _


@click.command(
    help=_(
        "List past moves, or print the receipt of the move with this number: each mail, where from, where to, what was "
        "sent and how it was verified, or why it was not moved.\n"
        "\n"
        "Of all accounts, or of the one that --server names. Nothing is asked of any server.\n"
        "\n"
        "\b\n"
        "Exit status:\n"
        "0  printed\n"
        "2  there is no such move, or the ledger cannot be read"
    )
)
@shared_options
@click.argument("move", type=int, required=False)
@click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
@click.pass_context
def moves(context: click.Context, /, move: int | None, as_json: bool, **given: Any) -> None:
    """Run the command."""
    from hikkoshi.cli.history import list_moves, print_receipt

    server = merged(context, given).get("server")
    context.exit(list_moves(server, as_json=as_json) if move is None else print_receipt(move, server, as_json=as_json))
