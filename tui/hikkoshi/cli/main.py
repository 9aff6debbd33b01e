"""The entry point `hikkoshi`: without a command it opens the screen."""

import sys
from io import TextIOWrapper
from typing import Any

import click

from hikkoshi import __version__
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, detect_language, set_language

# Before the commands are loaded: their help texts are translated as they are made.
set_language(detect_language())

from hikkoshi.cli.check import check  # noqa: E402
from hikkoshi.cli.moves import moves  # noqa: E402
from hikkoshi.cli.options import merged, shared_options  # noqa: E402
from hikkoshi.cli.resume import resume  # noqa: E402
from hikkoshi.cli.sync_flags import sync_flags  # noqa: E402
from hikkoshi.cli.undo import undo  # noqa: E402
from hikkoshi.cli.upload import upload  # noqa: E402

CRASHED = 70
"""EX_SOFTWARE of sysexits.h: a fault of the program itself."""


@click.group(
    invoke_without_command=True,
    help=_(
        "Move a POP client's mail to IMAP: see both sides, see what differs, upload what is missing, watch the quota."
        "\n\nWithout a command the full-screen program opens."
    ),
    epilog=_("Example: hikkoshi --local ~/.thunderbird --server imaps://taro@example.jp"),
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
cli.add_command(moves)
cli.add_command(resume)
cli.add_command(undo)
cli.add_command(sync_flags)


def main(arguments: list[str] | None = None) -> None:
    """Run `hikkoshi` and exit. Errors become a sentence on standard error and the status that their class has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal or pipe that cannot show every letter is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = cli.main(args=arguments, prog_name="hikkoshi", standalone_mode=False)
    except HikkoshiError as error:
        _say(f"hikkoshi: {error}")
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        _say(_("Stopped."))
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - a fault of the program shall not pass for an answer of its commands
        import traceback

        # Only the lines of the program: what they worked on (passwords, mail) is on none of them.

        for line in traceback.format_tb(error.__traceback__):
            _say(line.rstrip())
        _say(f"{type(error).__name__}: {error}")
        _say(_("hikkoshi: This is a fault of the program itself. What was done until now is written down."))
        sys.exit(CRASHED)
    sys.exit(status if isinstance(status, int) else 0)


def _say(text: str) -> None:
    from hikkoshi.cli.output import say

    say(text)
