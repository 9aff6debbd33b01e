"""`python -m hikkoshi.demo`: the program on a sample store and a server in memory. Nothing of it stays behind."""

import sys

import click

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.screen import ScreenSession
from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _, detect_language, set_language

set_language(detect_language())


@click.command(help=_("Show hikkoshi on a sample store and an embedded server. Nothing of it stays on this PC."))
@click.option("--check", "check_only", is_flag=True, help=_("Print the comparison without a screen."))
@click.option("--json", "as_json", is_flag=True, help=_("With --check: print one JSON object."))
def demo(check_only: bool, as_json: bool) -> int:
    """Run the demo; its exit status. A comparison that finds differences is a success here."""
    from hikkoshi.demo.start import start_demo

    running = start_demo()
    try:
        options = Options(local=running.local, address=parse_address(running.url))
        store = ScreenSession.open_store(options)
        session = ScreenSession(options, store, running.password, files_in(running.folder / "files"))
        if check_only:
            from hikkoshi.cli.checking import NOT_CHECKED, run_check

            status = run_check(session, as_json=as_json)
            return status if status == NOT_CHECKED else 0
        # Textual costs 140 ms to import: only for the screen.
        from hikkoshi.app.main import run_app

        return run_app(session)
    finally:
        running.close()


def main() -> None:
    """Run it and exit."""
    try:
        sys.exit(demo.main(prog_name="python -m hikkoshi.demo", standalone_mode=False))
    except HikkoshiError as error:
        click.echo(f"hikkoshi: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)


if __name__ == "__main__":
    main()
