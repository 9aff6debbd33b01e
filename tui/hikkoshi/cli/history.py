"""What `hikkoshi moves` does: read the ledger and print."""

from contextlib import ExitStack

import click

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.history import past_moves, receipt_of
from hikkoshi.accounts.options import ledger_path
from hikkoshi.advice.receipts import SCHEMA, mail_json, move_json, move_line, no_move_json, receipt_lines
from hikkoshi.cli.output import print_json, print_json_list
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _

PRINTED = 0


def list_moves(server: str | None, *, as_json: bool) -> int:
    """Print the moves to the account that `server` (a URL) names, or to all. With `as_json` what cannot be printed, too."""
    try:
        found = past_moves(ledger_path(), _account(server))
    except HikkoshiError as error:
        if as_json:
            print_json({"schema": SCHEMA, "problem": str(error), "moves": None})
        raise
    if as_json:
        print_json({"schema": SCHEMA, "problem": "", "moves": [move_json(each) for each in found]})
        return PRINTED
    for each in found:
        click.echo(move_line(each))
    if not found:
        click.echo(_("Nothing was moved yet."))
    return PRINTED


def print_receipt(move: int, server: str | None, *, as_json: bool) -> int:
    """Print the receipt of one move. Raises `UsageError` where there is none of that number; with `as_json` it is printed."""
    with ExitStack() as stack:
        try:
            found, mails = stack.enter_context(receipt_of(ledger_path(), move, _account(server)))
        except HikkoshiError as error:
            if as_json:
                print_json(no_move_json(move, str(error)))
            raise
        if as_json:
            print_json_list({"schema": SCHEMA, "problem": "", **move_json(found)}, "receipt", map(mail_json, mails))
        else:
            for line in receipt_lines(found, mails):
                click.echo(line)
    return PRINTED


def _account(server: str | None) -> str | None:
    return str(parse_address(server)) if server else None
