"""Getting the password for a command, and keeping one that was typed if the user wants that."""

import sys
from collections.abc import Callable

import click

from hikkoshi.accounts.address import Address
from hikkoshi.accounts.secrets import (
    forget_password,
    keep_password,
    keyring_password,
    keyring_usable,
    run_password_command,
)
from hikkoshi.errors import LoginRefused, SecretError, ServerError
from hikkoshi.i18n import _

_TRIES = 3


def get_password(address: Address, command: str | None) -> tuple[str, bool]:
    """The password, and whether it was typed just now. Raises `SecretError` where there is no way to get one."""
    if command:
        return run_password_command(command), False
    if kept := keyring_password(address):
        return kept, False
    if not sys.stdin.isatty():
        raise SecretError(
            _("No password: there is no terminal to ask on and no keyring that keeps it. Use --password-command CMD.")
        )
    return _ask(address), True


def get_tried_password(address: Address, command: str | None, try_login: Callable[[str], None]) -> tuple[str, bool]:
    """As `get_password`, but one that the server refuses is asked for again while there is still a terminal to ask on.

    What a command prints is not tried: another run would print the same. Raises `LoginRefused` after three tries.
    """
    password, typed = get_password(address, command)
    if command or not sys.stdin.isatty():
        return password, typed
    for number in range(1, _TRIES + 1):
        try:
            try_login(password)
        except LoginRefused as error:
            if number == _TRIES:
                raise
            click.echo(str(error), err=True)
            if not typed:
                forget_password(address)
            password, typed = _ask(address), True
        except ServerError:
            # The screen tells what is wrong with the line, and shows what it remembers.
            break
        else:
            break
    return password, typed


def _ask(address: Address) -> str:
    return str(click.prompt(_("Password for {account}").format(account=address), hide_input=True, err=True))


def offer_to_keep(address: Address, password: str) -> None:
    """Ask whether a password that was typed shall be kept in the keyring, where there is one."""
    if keyring_usable() and click.confirm(_("Keep the password in this PC's keyring?"), default=False, err=True):
        kept = keep_password(address, password)
        click.echo(_("The password is kept.") if kept else _("The keyring did not take it."), err=True)
