"""Past moves and their receipts. Needs no server and no password; all of it reads the ledger only."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hikkoshi.errors import UsageError
from hikkoshi.i18n import _
from hikkoshi.ledger.records import Move
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.mail_receipt import MailReceipt, mail_receipts


def past_moves(path: Path, server: str | None = None) -> list[Move]:
    """The moves in the ledger `path` to one account (user@host) or to all, oldest first; none where there is no ledger."""
    if not path.exists():
        return []
    with Ledger(path) as ledger:
        return ledger.history(server)


@contextmanager
def receipt_of(path: Path, move: int, server: str | None = None) -> Iterator[tuple[Move, Iterator[MailReceipt]]]:
    """One move and the receipt of each of its mails, read as they are asked for. Raises `UsageError` where there is none."""
    if not path.exists():
        raise _no_such(move)
    with Ledger(path) as ledger:
        found = ledger.move(move)
        if found is None or (server is not None and found.server != server):
            raise _no_such(move)
        # A reader that goes away in the middle leaves mails that nobody asks for: they are closed before the ledger is.
        with closing(mail_receipts(ledger, move)) as mails:
            yield found, mails


def _no_such(move: int) -> UsageError:
    return UsageError(_("There is no move {move}. “hikkoshi moves” lists those that there are.").format(move=move))
