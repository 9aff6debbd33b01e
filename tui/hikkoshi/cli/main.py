"""The entry point `hikkoshi`: without a command it opens the screen."""

import sys
from typing import Any

import click

from hikkoshi import __version__
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, detect_language, set_language

# Before the commands are loaded: their help texts are translated as they are made.
set_language(detect_language())

from hikkoshi.cli.check import check  # noqa: E402
from hikkoshi.cli.options import merged, shared_options  # noqa: E402
from hikkoshi.cli.upload import upload  # noqa: E402

CRASHED = 70
"""EX_SOFTWARE of sysexits.h: a fault of the program itself."""


@click.group(
    invoke_without_command=True,
    help=_(
        "Move a POP client's mail to IMAP: see both sides, see what differs, upload what is missing, watch the quota."
        "\n\nWithout a command the full-screen program opens."
    ),
    epilog=_("Example: hikkoshi --local ~/.thunderbird --server imaps://taro@imap.example.co.jp"),
)
@shared_options
@click.version_option(__version__, prog_name="hikkoshi")
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Open the screen, or hand the shared options to the command."""
    context.obj = given
    if context.invoked_subcommand is None:
        # Textual costs 140 ms to import: only for the screen.
        from hikkoshi.cli.screen import open_screen

        context.exit(open_screen(merged(context, given)))


cli.add_command(check)
cli.add_command(upload)


def main(arguments: list[str] | None = None) -> None:
    """Run `hikkoshi` and exit. Errors become a sentence on standard error and the status that their class has."""
    try:
        status = cli.main(args=arguments, prog_name="hikkoshi", standalone_mode=False)
    except HikkoshiError as error:
        click.echo(f"hikkoshi: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo(_("Stopped."), err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
