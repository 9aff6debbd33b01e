"""The options that every command takes, before or behind its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hikkoshi.errors import UsageError
from hikkoshi.i18n import _

if TYPE_CHECKING:
    from hikkoshi.accounts.options import Options

F = TypeVar("F", bound=Callable[..., Any])


def _shared() -> list[Callable[[F], F]]:
    return [
        click.option(
            "--local",
            metavar="PATH",
            type=click.Path(path_type=Path),
            help=_("The mail on this PC: a Thunderbird profile, an mbox file or a folder of them, or a Maildir."),
        ),
        click.option(
            "--server",
            metavar="URL",
            help=_("The IMAP account, as imaps://user@host:993; imap:// asks for STARTTLS."),
        ),
        click.option("--local-account", metavar="NAME", help=_("Which POP account of a profile is compared.")),
        click.option(
            "--password-command", metavar="CMD", help=_("A shell command that prints the password on its first line.")
        ),
        click.option(
            "--ca-file",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help=_("Certificates (PEM) of a private CA to trust besides the system's."),
        ),
        click.option(
            "--quota-limit",
            metavar="SIZE",
            help=_("A limit of your own, needed where the server tells none: 1G, 500M."),
        ),
        click.option(
            "--reserve",
            metavar="SIZE|PERCENT",
            help=_("What stays free for incoming mail (default: 5%, or as much as came within 30 days)."),
        ),
        click.option(
            "--daily-budget",
            metavar="SIZE|none",
            help=_("How much may go up in 24 hours (default: 500 MB to Gmail, else no limit); none switches it off."),
        ),
        click.option("--max-rate", metavar="SIZE", help=_("Send no more than so many bytes a second: 500K.")),
        click.option("--max-mails", metavar="N", help=_("Send no more than so many mails a second: 4, 0.5.")),
        click.option(
            "--map",
            "mapping",
            metavar="LOCAL=SERVER",
            multiple=True,
            help=_("Put a local folder's mail into this server folder (repeatable)."),
        ),
    ]


def shared_options(command: F) -> F:
    """Give a command the shared options; what stands behind its name wins over what stands before it."""
    for option in reversed(_shared()):
        command = option(command)
    return command


def fit_option(command: F) -> F:
    """Give a command --fit."""
    return click.option(
        "--fit",
        type=click.Choice(["newest", "smallest", "folder", "year"]),
        help=_(
            "Where not all of it fits, what does: the newest mails, the smallest ones, whole folders or whole years."
        ),
    )(command)


def merged(context: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """The shared options of a command and of the group before it."""
    before: Mapping[str, Any] = context.obj or {}
    values = {name: value if value else before.get(name) for name, value in given.items()}
    values["mapping"] = (*(before.get("mapping") or ()), *(given.get("mapping") or ()))
    return values


def to_options(values: Mapping[str, Any]) -> "Options":
    """The typed record of the shared options. Raises `UsageError`."""
    # What the values become takes 15 ms to load, and help needs none of it.
    from hikkoshi.accounts.address import (
        parse_address,
        parse_budget,
        parse_mails,
        parse_mapping,
        parse_rate,
        parse_reserve,
        parse_size,
    )
    from hikkoshi.accounts.options import Options
    from hikkoshi.move.room import AUTOMATIC

    local, server = values.get("local"), values.get("server")
    if not local or not server:
        raise UsageError(
            _(
                "Both sides are needed: --local PATH for the mail on this PC and --server imaps://user@host for the "
                "server. See hikkoshi --help."
            )
        )
    address = parse_address(server)
    ca_file: Path | None = values.get("ca_file")
    if ca_file and not ca_file.is_file():
        raise UsageError(_("The certificate file {path} is not there.").format(path=ca_file))
    quota_limit, reserve = values.get("quota_limit"), values.get("reserve")
    budget, rate, mails = (values.get(name) for name in ("daily_budget", "max_rate", "max_mails"))
    return Options(
        local=local.expanduser(),
        address=address,
        local_account=values.get("local_account") or None,
        ca_file=ca_file,
        quota_limit=parse_size(quota_limit) if quota_limit else None,
        reserve=parse_reserve(reserve) if reserve else AUTOMATIC,
        mapping=parse_mapping(values.get("mapping") or ()),
        daily_budget=parse_budget(budget) if budget else None,
        max_rate=parse_rate(rate) if rate else None,
        max_mails=parse_mails(mails) if mails else None,
    )
