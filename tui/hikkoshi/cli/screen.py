"""Opening the full-screen program."""

from collections.abc import Mapping
from typing import Any

from hikkoshi.accounts.screen import ScreenSession
from hikkoshi.cli.login import get_tried_password, offer_to_keep
from hikkoshi.cli.options import to_options


def open_screen(values: Mapping[str, Any]) -> int:
    """Run the screen for the options given; its exit status."""
    options = to_options(values)
    store = ScreenSession.open_store(options)
    password, typed = get_tried_password(
        options.address,
        values.get("password_command"),
        lambda password: ScreenSession.try_login(options, password),
    )

    from hikkoshi.app.main import run_app

    session = ScreenSession(options, store, password)
    status = run_app(session, theme=session.theme)
    if typed and session.snapshot is not None:
        # It got in with it. Asked behind the screen, which a keyring's own question would spoil.
        offer_to_keep(options.address, password)
    return status
