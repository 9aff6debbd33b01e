"""What became of mails, until it is written down: in the ledger, in one step with what goes next, and then told."""

from collections.abc import Callable, Iterable

from hikkoshi.ledger.records import ItemState, Landing, Sending, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import pack
from hikkoshi.move.batch import Letter
from hikkoshi.move.outcome import Outcome
from hikkoshi.move.plan import PlanItem


class Journal:
    """Collects outcomes. `report` hears those that are written down."""

    def __init__(self, ledger: Ledger, report: Callable[[list[Outcome]], None]) -> None:
        self._ledger, self._report = ledger, report
        self._outcomes: list[Outcome] = []

    def landed(self, letter: Letter, uidvalidity: int, uid: int) -> None:
        """A mail is on the server."""
        self._outcomes.append(Outcome(letter.item, letter.id, ItemState.LANDED, letter, uid, uidvalidity))

    def ended(self, letter: Letter, state: ItemState, reason: str, *, too_large: bool = False) -> None:
        """A mail is not there, is in doubt, or is left to the next start."""
        self._outcomes.append(Outcome(letter.item, letter.id, state, letter, reason=reason, too_large=too_large))

    def refused(self, item: PlanItem, id_: int, reason: str) -> None:
        """A mail could not be packed."""
        self._outcomes.append(Outcome(item, id_, ItemState.FAILED, reason=reason))

    def write_down(self, letters: Iterable[Letter], uidvalidity: int) -> None:
        """One transaction: the outcomes, and the `letters` that go next into the folder with this UIDVALIDITY."""
        outcomes, self._outcomes = self._outcomes, []
        sending = [_sending(letter, uidvalidity) for letter in letters]
        landed = [Landing(o.id, o.uidvalidity, o.uid) for o in outcomes if o.state is ItemState.LANDED]
        settled = [Settling(o.id, o.state, o.reason) for o in outcomes if o.state is not ItemState.LANDED]
        if outcomes or sending:
            self._ledger.step(landed=landed, settled=settled, sending=sending)
        if outcomes:
            self._report(outcomes)


def _sending(letter: Letter, uidvalidity: int) -> Sending:
    parcel = letter.parcel
    return Sending(
        item=letter.id,
        body=parcel.digest,
        flags=pack(letter.flags),
        date=parcel.dated.when,
        date_source=parcel.dated.source,
        uidvalidity=uidvalidity,
        uidnext=letter.uidnext,
        risky=parcel.risky,
        repairs=" ".join(sorted(parcel.repairs)),
        notes=letter.notes,
        mended=parcel.mended,
    )
