"""What becomes of a mail that is sent, and what ends the sending."""

import msgspec

from hikkoshi.errors import HikkoshiError
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ItemState
from hikkoshi.move.batch import Letter
from hikkoshi.move.plan import PlanItem


class NoRoom(HikkoshiError):
    """The rest of the plan no longer fits."""


class FolderReplaced(HikkoshiError):
    """The target folder has another UIDVALIDITY than when the move began."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A folder was made anew on the server while mail was uploaded to it. The move stopped; "
                "refresh to see what is there, and upload again."
            )
        )


class Outcome(msgspec.Struct, frozen=True):
    """What became of a mail: LANDED with its UID, or FAILED, DOUBTFUL or still SENDING with the reason.

    `letter` None: it was never packed. `too_large`: it was refused for its size.
    """

    item: PlanItem
    id: int
    state: ItemState
    letter: Letter | None = None
    uid: int = 0
    uidvalidity: int = 0
    reason: str = ""
    too_large: bool = False
