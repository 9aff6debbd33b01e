"""Whether mail may be sent: not where it is not known for certain what the server has."""

from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.ledger.store import Ledger


def see_all(*, whole: bool, server_whole: bool) -> None:
    """Raise where an upload could bring a mail twice, since not all of the server was looked at; see `Snapshot`."""
    if not whole:
        raise HikkoshiError(
            _(
                "The server was not listed to its end, so it is not known yet which mail it lacks. Nothing was sent; "
                "look again, and upload what is missing then."
            )
        )
    if not server_whole:
        raise HikkoshiError(
            _(
                "A folder of the server could not be opened, and mail that seems to be missing may be in it. Nothing "
                "was sent, so that no mail is there twice; see that the folder can be read, and start again."
            )
        )


def see_that_nothing_moved(ledger: Ledger, server: str, seen: tuple[int, int]) -> None:
    """Raise where a plan was made without what another hikkoshi, or a cut line, has put on the server since.

    `seen`: what `Ledger.moves` said when the server was looked at.
    """
    if ledger.moves(server) != seen or ledger.in_doubt(server):
        raise HikkoshiError(
            _(
                "Since the server was looked at, mail was uploaded to it of which this plan does not know. Nothing was "
                "sent, so that no mail is there twice; look again, and upload what is missing then."
            )
        )
