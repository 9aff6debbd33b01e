"""Moves of an account that ended early: telling them once."""

import msgspec

from hikkoshi.accounts.options import Files
from hikkoshi.errors import LedgerError
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.records import State
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.telling import tell_unfinished


class Leftovers(msgspec.Struct, frozen=True):
    """Sentences on moves that ended early, '' if there is none, and what `Ledger.moves` says behind that."""

    text: str
    moves: tuple[int, int]


def take(files: Files, server: str, seen: tuple[int, int]) -> Leftovers:
    """Tell what was not told yet. `seen`: what `Ledger.moves` said when the server was looked at."""
    with Ledger(files.ledger) as ledger:
        moves = ledger.untold(server)
        if not moves:
            return Leftovers("", seen)
        try:
            with MoveLock(files.lock, "check"):
                unchanged = seen == ledger.moves(server)
                for move in moves:
                    if move.state is State.RUNNING:
                        # Its process is gone, or it would hold the lock.
                        ledger.finish(move.id, State.STOPPED)
                    ledger.tell(move.id)
                now = ledger.moves(server) if unchanged else seen
        except LedgerError:
            return Leftovers("", seen)
        return Leftovers(tell_unfinished(moves), now)
