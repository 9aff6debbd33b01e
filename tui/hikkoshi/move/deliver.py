"""Sending batches into one folder and learning what became of each mail, whatever happens to the line.

Some batches are on their way at a time: one is stored by the server while others are read and sent. Before a byte of a batch
leaves, the ledger has each of its mails as SENDING. What is not answered is looked for on the server, by UIDs from the
saved UIDNEXT on; only what is certainly not there is sent again.
"""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from hikkoshi.errors import CommandRefused, ConnectionLost, LocalError, ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ItemState, Landing, Sending, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import pack
from hikkoshi.mail.identity import identify
from hikkoshi.move.batch import Letter
from hikkoshi.move.evidence import DOUBT, Sighting, judge
from hikkoshi.move.lanes import LanePosting
from hikkoshi.move.link import Link
from hikkoshi.move.outcome import FolderReplaced, NoRoom, Outcome
from hikkoshi.move.plan import PlanItem
from hikkoshi.move.quiet import wait_until_quiet
from hikkoshi.server.answers import Says, read_error
from hikkoshi.server.appending import Posting
from hikkoshi.server.records import FolderStatus

_IN_THE_AIR = 4
"""Batches. With two the server waits while the next one is packed: 2,000 mails of 4 KiB take 1.6 s instead of 1.4."""
_BROKEN_IN_A_ROW = 3
"""BADs without a mail arriving in between, after which the server is left alone (Dovecot itself hangs up at three)."""
_CUTS_IN_A_ROW = 3
"""Cut lines without a mail arriving in between, after which the move ends."""
_LANES_FROM = 8
"""Mails for which opening more connections, three round trips, is worth while."""
_CUT = (ConnectionLost, ProtocolBroken, LocalError, OSError)
"""What ends a connection in the middle: the line, nonsense, or a mail that changed on this PC while it was sent."""


class _LeftAlone(Exception):
    """The server answered one BAD after another."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _Flight(msgspec.Struct, frozen=True):
    """A batch on its way."""

    letters: list[Letter]
    posting: Posting


class Delivery:
    """Sending into one folder, whose `status` was learnt just before. `report` hears outcomes that are written down."""

    def __init__(
        self,
        link: Link,
        ledger: Ledger,
        target: str,
        status: FolderStatus,
        report: Callable[[list[Outcome]], None],
    ) -> None:
        self._link, self._ledger, self._target, self._report = link, ledger, target, report
        self._uidvalidity, self.uidnext = status.uidvalidity, status.uidnext
        self._flights: deque[_Flight] = deque()
        self._unsure: list[Letter] = []  # they may be on the server
        self._again: deque[Letter] = deque()  # they are not, and are to be sent
        self._careful = False  # one by one
        self._outcomes: list[Outcome] = []  # not written down yet
        self._ours: set[int] = set()
        self._replaced = False
        self._full = False
        self._broken = self._cuts = 0

    def send(self, letters: list[Letter]) -> None:
        """Send a batch. Returns when it is on its way, and earlier ones are written down."""
        self._collect(_IN_THE_AIR - 1)
        for letter in letters:
            letter.uidnext = self.uidnext
        self._write_down(letters)
        try:
            self._post(letters)
        except _CUT as error:
            self._recover(error)

    def refuse(self, item: PlanItem, id_: int, reason: str) -> None:
        """Note a mail that could not be packed; it is written down with what comes next."""
        self._outcomes.append(Outcome(item, id_, ItemState.FAILED, reason=reason))

    def drain(self) -> None:
        """Wait for all answers, and write them down. The bulk connection is free then."""
        self._collect(0)
        self._write_down()

    def abandon(self) -> None:
        """Write down what is known; what is unanswered stays in doubt until the next start."""
        for letter in self._again:
            self._outcomes.append(Outcome(letter.item, letter.id, ItemState.PLANNED, letter))
        self._again.clear()
        self._write_down()

    def _post(self, letters: list[Letter], *, singly: bool = False) -> None:
        bulk = self._link.bulk
        mails = [letter.outgoing() for letter in letters]
        if not singly and not bulk.takes_hurried and len(letters) >= _LANES_FROM and self._link.lanes().count:
            dealt = LanePosting(len(letters))
            self._flights.append(_Flight(letters, dealt))
            self._link.lanes().post(self._target, mails, bulk, dealt)
            return
        flight = _Flight(letters, Posting(len(letters)))
        self._flights.append(flight)
        if bulk.takes_many and not singly:
            bulk.post_many(self._target, mails, flight.posting)
        else:
            bulk.post(self._target, mails, flight.posting)

    def _answers_to(self, posting: Posting) -> None:
        if isinstance(posting, LanePosting):
            self._link.lanes().answers_to(posting)
        else:
            self._link.bulk.answers_to(posting)

    def _collect(self, left: int) -> None:
        """Hear answers until no more than `left` batches are on their way."""
        try:
            while len(self._flights) > left:
                self._answers_to(self._flights[0].posting)
                self._sort(self._flights.popleft())
                if self._unsure:
                    left = 0  # a connection with nothing else on its way is needed to look
            if self._unsure:
                self._look()
                self._send_again()
        except _CUT as error:
            self._recover(error)
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        """End the move where the box is full or the folder another one, once all that is on its way is answered."""
        if not self._replaced and not self._full:
            return
        try:
            while self._flights:
                self._answers_to(self._flights[0].posting)
                self._sort(self._flights.popleft())
            if not self._replaced:
                self._look()
        except _CUT as error:
            self._blame(error)
        self._write_down()
        if self._replaced:
            raise FolderReplaced
        raise NoRoom(_("The server says that the mailbox is full. The move stopped; what arrived until now is whole."))

    def _sort(self, flight: _Flight) -> None:
        """Take the answers to a batch."""
        for number, (letter, result) in enumerate(zip(flight.letters, flight.posting.results, strict=True)):
            if result is None:
                (self._unsure if number in flight.posting.begun else self._again).append(letter)
            elif isinstance(result, CommandRefused):
                answer = read_error(result)
                full = answer.says is Says.FULL
                self._full = self._full or full
                if number in flight.posting.together and not full:
                    # All or nothing: one of them is to blame. Nothing is there, which is looked at all the same.
                    self._unsure.append(letter)
                else:
                    self._ended(letter, ItemState.FAILED, str(result), too_large=answer.too_large)
            elif result.uid is None:
                letter.taken = True
                self._unsure.append(letter)
            else:
                uidvalidity = result.uidvalidity or self._uidvalidity
                self._replaced = self._replaced or uidvalidity != self._uidvalidity
                self._landed(letter, uidvalidity, result.uid)

    def _landed(self, letter: Letter, uidvalidity: int, uid: int) -> None:
        self._outcomes.append(Outcome(letter.item, letter.id, ItemState.LANDED, letter, uid, uidvalidity))
        if uidvalidity == self._uidvalidity:
            self._ours.add(uid)
            self.uidnext = max(self.uidnext, uid + 1)
        self._broken = self._cuts = 0

    def _ended(self, letter: Letter, state: ItemState, reason: str, *, too_large: bool = False) -> None:
        self._outcomes.append(Outcome(letter.item, letter.id, state, letter, reason=reason, too_large=too_large))

    def _write_down(self, letters: Iterable[Letter] = ()) -> None:
        """One transaction: what became of earlier mails, and what goes next."""
        outcomes, self._outcomes = self._outcomes, []
        sending = [
            Sending(
                item=letter.id,
                body=letter.parcel.digest,
                flags=pack(letter.flags),
                date=letter.parcel.dated.when,
                date_source=letter.parcel.dated.source,
                uidvalidity=self._uidvalidity,
                uidnext=letter.uidnext,
                risky=letter.parcel.risky,
                repairs=" ".join(sorted(letter.parcel.repairs)),
                notes=letter.notes,
                mended=letter.parcel.mended,
            )
            for letter in letters
        ]
        landed = [each for each in outcomes if each.state is ItemState.LANDED]
        if outcomes or sending:
            self._ledger.step(
                landed=[Landing(each.id, each.uidvalidity, each.uid) for each in landed],
                settled=[
                    Settling(each.id, each.state, each.reason)
                    for each in outcomes
                    if each.state is not ItemState.LANDED
                ],
                sending=sending,
            )
        if outcomes:
            self._report(outcomes)

    def _recover(self, error: Exception) -> None:
        """After a connection ended in the middle: make it anew, look what arrived, send the rest."""
        while True:
            self._blame(error)
            self._write_down()
            if self._cuts >= _CUTS_IN_A_ROW:
                raise error
            self._link.renew()
            try:
                if self._link.bulk.examine(self._target).uidvalidity != self._uidvalidity:
                    raise FolderReplaced
                if self._unsure:
                    wait_until_quiet(self._link.bulk, self._target, self._link.wait)
                self._look()
                self._write_down()
                if self._broken >= _BROKEN_IN_A_ROW:
                    raise _LeftAlone(error)
                self._send_again()
            except _CUT as next_error:
                error = next_error
            except _LeftAlone as last:
                raise last.error from None
            else:
                return

    def _blame(self, error: Exception) -> None:
        """Take the answers that came; of the rest nobody knows."""
        if isinstance(error, ConnectionLost):
            self._cuts += 1
        self._careful = self._careful or self._cuts > 1
        while self._flights:
            flight = self._flights.popleft()
            if isinstance(flight.posting, LanePosting):
                self._finish_lanes(flight.posting)
            self._sort(flight)
            for number in flight.posting.blamed:
                self._careful = True
                if number not in flight.posting.together:
                    flight.letters[number].reason = str(error)
                    self._broken += 1

    def _finish_lanes(self, posting: LanePosting) -> None:
        try:
            self._link.lanes().answers_to(posting)
        except _CUT:
            return  # each mail's answer, or that there was none, is in the posting

    def _look(self) -> None:
        """Settle the mails that may be on the server by what is there."""
        if not self._unsure:
            return
        lowest = min(letter.uidnext for letter in self._unsure)
        try:
            sightings = [
                Sighting(int(each.place), identify(each.fields).digest, each.size, each.flags, each.date)
                for each in self._link.bulk.list_from(self._target, lowest)
                if int(each.place) not in self._ours
            ]
        except CommandRefused as error:
            # Still in doubt: the next start's listing settles it.
            for letter in self._unsure:
                self._ended(letter, ItemState.SENDING, str(error))
            self._unsure.clear()
            return
        verdicts = judge([letter.trace() for letter in self._unsure], sightings, self._body_of)
        unsure, self._unsure = self._unsure, []
        for letter in unsure:
            verdict = verdicts[letter.id]
            if verdict == DOUBT:
                self._ended(letter, ItemState.DOUBTFUL, _("several mails on the server could be it"))
            elif isinstance(verdict, int):
                self._landed(letter, self._uidvalidity, verdict)
            elif letter.reason:
                self._ended(letter, ItemState.FAILED, letter.reason)
            elif letter.taken:
                reason = _("the server took it and does not show where it is")
                self._ended(letter, ItemState.DOUBTFUL, reason)
            else:
                self._again.append(letter)

    def _body_of(self, uid: int) -> bytes | None:
        try:
            return self._link.bulk.digest_of(self._target, uid)
        except CommandRefused:
            return None

    def _send_again(self) -> None:
        """Send what certainly is not there: each mail by itself, so that each has its own answer."""
        self._again = deque(sorted(self._again, key=lambda letter: letter.id))
        while self._again and not self._full and not self._replaced:
            count = 1 if self._careful else len(self._again)
            letters = [self._again.popleft() for _ in range(count)]
            self._post(letters, singly=True)
            while self._flights:
                self._answers_to(self._flights[0].posting)
                self._sort(self._flights.popleft())
            self._look()
        self._careful = False
