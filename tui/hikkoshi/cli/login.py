"""Getting the password for a command, and keeping one that was typed if the user wants that."""

import sys

import click

from hikkoshi.accounts.address import Address
from hikkoshi.accounts.secrets import keep_password, keyring_password, keyring_usable, run_password_command
from hikkoshi.errors import SecretError
from hikkoshi.i18n import _


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
    text = _("Password for {account}").format(account=address)
    return str(click.prompt(text, hide_input=True, err=True)), True


def offer_to_keep(address: Address, password: str) -> None:
    """Ask whether a password that was typed shall be kept in the keyring, where there is one."""
    if keyring_usable() and click.confirm(_("Keep the password in this PC's keyring?"), default=False, err=True):
        kept = keep_password(address, password)
        click.echo(_("The password is kept.") if kept else _("The keyring did not take it."), err=True)
