"""Waiting for a server that still stores what it was sent over a connection that is gone.

What had reached it before the cut is carried out all the same, some time after the client has noticed: a look at once
would miss it, and the mail would be sent twice.
"""

from collections.abc import Callable
from contextlib import suppress
from time import time

from hikkoshi.errors import CommandRefused
from hikkoshi.ledger.store import Ledger
from hikkoshi.server.conversation import Conversation

QUIET = 2.0
"""Seconds without a new mail, after which it is done: 4 MiB, or 50 mails, are stored by any server in that time."""
_LONG_AGO = 60.0
"""Seconds after the last step of a move, from which on nothing is waited for."""


def wait_until_quiet(connection: Conversation, native: str, wait: Callable[[float], object]) -> None:
    """Wait until no mail comes into a folder for QUIET seconds. Raises what `examine` raises."""
    seen = -1
    while (there := connection.examine(native).uidnext) != seen:
        seen = there
        wait(QUIET)


def wait_for_stragglers(ledger: Ledger, server: str, connection: Conversation, wait: Callable[[float], object]) -> None:
    """The same for every folder of a move that ended a moment ago with mail on its way; before they are listed."""
    folders = sorted({item.target for item in ledger.in_doubt(server)})
    if folders and time() - ledger.written() < _LONG_AGO:
        for native in folders:
            with suppress(CommandRefused):  # it is gone; settling says so
                wait_until_quiet(connection, native, wait)
