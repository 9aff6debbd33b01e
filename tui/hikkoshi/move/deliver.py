"""Sending batches into one folder and learning what became of each mail, whatever happens to the line.

Some batches are on their way at a time: one is stored by the server while others are read and sent. Before a byte of a batch
leaves, the ledger has each of its mails as SENDING. What is not answered is looked for on the server, by UIDs from the
saved UIDNEXT on; only what is certainly not there is sent again.
"""

from collections import deque
from collections.abc import Callable, Iterable

from hikkoshi.errors import CommandRefused, ConnectionLost
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ItemState
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.identity import identify
from hikkoshi.move.batch import Letter
from hikkoshi.move.evidence import DOUBT, Sighting, judge
from hikkoshi.move.flights import CUT, Flight, Flights
from hikkoshi.move.journal import Journal
from hikkoshi.move.link import Link
from hikkoshi.move.outcome import FolderReplaced, NoRoom, Outcome
from hikkoshi.move.plan import PlanItem
from hikkoshi.move.quiet import wait_until_quiet
from hikkoshi.move.room import Load
from hikkoshi.move.suspects import Suspects, Verdict
from hikkoshi.server.answers import Answer, Says, read_error
from hikkoshi.server.records import Appended, FolderStatus

_IN_THE_AIR = 4
"""Batches. With two the server waits while the next one is packed: 2,000 mails of 4 KiB take 1.6 s instead of 1.4."""
_BROKEN_IN_A_ROW = 3
"""BADs without a mail arriving in between, after which the server is left alone (Dovecot itself hangs up at three)."""
_CUTS_IN_A_ROW = 3
"""Cut lines without a mail arriving in between, after which the move ends."""
_MADE_AT_MOST = 2
"""Times that one folder is made again while mail is sent into it."""


class _LeftAlone(Exception):
    """The server answered one BAD after another."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Delivery:
    """Sending into one folder, whose `status` was learnt just before. `report` hears outcomes that are written down."""

    def __init__(
        self,
        link: Link,
        ledger: Ledger,
        target: str,
        status: FolderStatus,
        report: Callable[[list[Outcome]], None],
        make_anew: Callable[[int], FolderStatus],
    ) -> None:
        """`make_anew`: makes the folder again that is gone, given the UIDVALIDITY that it had."""
        self._link, self._target, self._journal = link, target, Journal(ledger, report)
        self._patience, self._make_anew = link.patience, make_anew
        self._uidvalidity, self.uidnext = status.uidvalidity, status.uidnext
        self._flights = Flights(link, target)
        self._unsure: list[Letter] = []  # they may be on the server
        self._again: deque[Letter] = deque()  # they are not, and are to be sent
        self._careful = False  # one by one
        self._ours: set[int] = set()
        self._suspects = Suspects()
        self._replaced = self._full = False
        self._gone = False  # the folder
        self._made = 0
        self._ending = self._no_more = False
        self._empty = not status.messages
        self._broken = self._cuts = 0

    def send(self, letters: list[Letter]) -> None:
        """Send a batch. Returns when it is on its way, and earlier ones are written down."""
        self._collect(_IN_THE_AIR - 1)
        self._patience.pause()
        for letter in letters:
            letter.uidnext = self.uidnext
        self._write_down(letters)
        try:
            self._flights.post(letters)
        except NoRoom as error:
            # In the middle of a mail: the connection is cut, and nothing of that mail is stored. Earlier ones may be.
            self._no_more = True
            self._recover(error)
            raise
        except CUT as error:
            self._recover(error)

    @property
    def flying(self) -> Load:
        """What was sent, or is being sent, and is not answered."""
        return self._flights.load

    def refuse(self, item: PlanItem, id_: int, reason: str) -> None:
        """Note a mail that could not be packed; it is written down with what comes next."""
        self._journal.refused(item, id_, reason)

    def drain(self, *, ending: bool = False) -> None:
        """Wait for all answers, and write them down. The bulk connection is free then.

        `ending`: the move ends here, so what the server wants later is left to the next one.
        """
        self._ending = ending
        self._collect(0)
        self._write_down()

    def abandon(self) -> None:
        """Write down what is known; what is unanswered stays in doubt until the next start."""
        for letter in self._again:
            self._journal.ended(letter, ItemState.PLANNED, "")
        for letter in self._suspects.put_off:
            self._journal.ended(letter, ItemState.PLANNED, letter.refusal)
        self._again.clear()
        self._suspects.put_off.clear()
        self._write_down()

    def _collect(self, left: int) -> None:
        """Hear answers until no more than `left` batches are on their way."""
        try:
            while len(self._flights) > left:
                self._sort(self._flights.land())
                if self._unsure or self._again:
                    left = 0  # a connection with nothing else on its way is needed to look, and to send alone
            if self._unsure or self._again:
                self._look()
                self._send_again()
        except CUT as error:
            self._recover(error)
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        """End the move where the box is full or the folder another one, once all that is on its way is answered."""
        if not self._replaced and not self._full:
            return
        try:
            while self._flights:
                self._sort(self._flights.land())
            if not self._replaced:
                self._look()
        except CUT as error:
            self._blame(error)
        self._write_down()
        if self._replaced:
            raise FolderReplaced
        raise NoRoom(_("The server says that the mailbox is full. The move stopped; what arrived until now is whole."))

    def _sort(self, flight: Flight) -> None:
        """Take the answers to a batch."""
        posting = flight.posting
        for number, (letter, result) in enumerate(zip(flight.letters, posting.results, strict=True)):
            if result is None:
                (self._unsure if number in posting.begun else self._again).append(letter)
            elif isinstance(result, CommandRefused):
                alone = len(flight.letters) == 1 and not self._flights
                self._refused(letter, result, together=number in posting.together, alone=alone)
            elif result.uid is None:
                letter.taken = True
                self._unsure.append(letter)
                self._others_pass()
            else:
                uidvalidity = result.uidvalidity or self._uidvalidity
                self._replaced = self._replaced or not self._same_folder(uidvalidity)
                self._landed(letter, uidvalidity, result.uid)
        if posting.slowed:
            self._patience.told(Answer(Says.LATER), posting.slowed)
        elif any(isinstance(result, Appended) for result in posting.results):
            self._patience.smooth()

    def _refused(self, letter: Letter, refusal: CommandRefused, *, together: bool, alone: bool) -> None:
        answer = read_error(refusal)
        if answer.says is Says.FULL:
            self._full = True
            self._journal.ended(letter, ItemState.FAILED, str(refusal))
        elif answer.says is Says.NO_FOLDER and self._made < _MADE_AT_MOST:
            self._gone = True
            self._again.append(letter)
        elif self._patience.told_by(refusal) or together:
            # It is the time; or, of those together, one is to blame. Nothing is there, which is looked at all the same.
            self._unsure.append(letter)
        elif answer.says is Says.UNCLEAR:
            letter.refusal = str(refusal)
            verdict = self._suspects.refused(letter, alone=alone)
            if verdict is Verdict.TO_BLAME:
                self._journal.ended(letter, ItemState.FAILED, letter.refusal)
                return
            self._patience.told(Answer(Says.LATER), refusal.words)
            if verdict is Verdict.AGAIN:
                self._unsure.append(letter)
        else:
            self._journal.ended(letter, ItemState.FAILED, str(refusal), too_large=answer.too_large)

    def _same_folder(self, uidvalidity: int) -> bool:
        """Whether the folder that has this UIDVALIDITY is the one that was opened.

        Courier 5.0 numbers an empty folder anew each second until the first mail is in it.
        """
        if self._empty and not self._ours:
            self._uidvalidity = uidvalidity
        return uidvalidity == self._uidvalidity

    def _landed(self, letter: Letter, uidvalidity: int, uid: int) -> None:
        self._journal.landed(letter, uidvalidity, uid)
        if uidvalidity == self._uidvalidity:
            self._ours.add(uid)
            self.uidnext = max(self.uidnext, uid + 1)
        self._broken = self._cuts = 0
        self._others_pass()

    def _others_pass(self) -> None:
        self._patience.passed()
        for suspect in self._suspects.passed():
            for waiting in (self._again, self._unsure):
                if suspect in waiting:
                    waiting.remove(suspect)
            self._journal.ended(suspect, ItemState.FAILED, suspect.refusal)

    def _write_down(self, letters: Iterable[Letter] = ()) -> None:
        """One transaction: what became of earlier mails, and what goes next."""
        self._journal.write_down(letters, self._uidvalidity)

    def _recover(self, error: Exception) -> None:
        """After a connection ended in the middle: make it anew, look what arrived, send the rest."""
        while True:
            self._blame(error)
            self._write_down()
            if self._cuts >= _CUTS_IN_A_ROW:
                raise error
            self._link.renew()
            try:
                self._see_the_folder()
                self._look()
                self._write_down()
                if self._broken >= _BROKEN_IN_A_ROW:
                    raise _LeftAlone(error)
                self._send_again()
            except CUT as next_error:
                error = next_error
            except _LeftAlone as last:
                raise last.error from None
            else:
                return

    def _see_the_folder(self) -> None:
        """On a connection made anew: see that the folder is the one that it was, and wait until it is quiet."""
        try:
            status = self._link.patiently(lambda: self._link.bulk.examine(self._target))
        except CommandRefused:
            if self._made == _MADE_AT_MOST:
                raise
            self._gone = True
            return
        if not self._same_folder(status.uidvalidity):
            raise FolderReplaced
        if self._unsure:
            wait_until_quiet(self._link.bulk, self._target, self._link.wait)

    def _blame(self, error: Exception) -> None:
        """Take the answers that came; of the rest nobody knows."""
        later = self._patience.told_by(error)
        self._link.crowded_by(error)
        if isinstance(error, ConnectionLost) and not later:
            self._cuts += 1
        self._careful = self._careful or self._cuts > 1
        while self._flights:
            flight = self._flights.cut()
            self._sort(flight)
            for number in () if later else flight.posting.blamed:
                self._careful = True
                if number not in flight.posting.together:
                    flight.letters[number].reason = str(error)
                    self._broken += 1

    def _look(self) -> None:
        """Settle the mails that may be on the server by what is there."""
        if not self._unsure or self._gone:
            return
        lowest = min(letter.uidnext for letter in self._unsure)
        try:
            sightings = [
                Sighting(int(each.place), identify(each.fields).digest, each.size, each.flags, each.date)
                for each in self._link.patiently(lambda: list(self._link.bulk.list_from(self._target, lowest)))
                if int(each.place) not in self._ours
            ]
        except CommandRefused as error:
            # Still in doubt: the next start's listing settles it.
            for letter in self._unsure:
                self._journal.ended(letter, ItemState.SENDING, str(error))
            self._unsure.clear()
            return
        verdicts = judge([letter.trace() for letter in self._unsure], sightings, self._body_of)
        unsure, self._unsure = self._unsure, []
        for letter in unsure:
            verdict = verdicts[letter.id]
            if verdict == DOUBT:
                self._journal.ended(letter, ItemState.DOUBTFUL, _("several mails on the server could be it"))
            elif isinstance(verdict, int):
                self._landed(letter, self._uidvalidity, verdict)
            elif letter.reason:
                self._journal.ended(letter, ItemState.FAILED, letter.reason)
            elif letter.taken:
                reason = _("the server took it and does not show where it is")
                self._journal.ended(letter, ItemState.DOUBTFUL, reason)
            else:
                self._again.append(letter)

    def _body_of(self, uid: int) -> bytes | None:
        try:
            return self._link.bulk.digest_of(self._target, uid)
        except CommandRefused:
            return None

    def _send_again(self) -> None:
        """Send what certainly is not there: each mail by itself, so that each has its own answer.

        As long as the server asks to slow down they go one by one, and none behind one that it did not want now.
        """
        while (self._again or self._gone) and not (self._full or self._replaced or self._no_more):
            if self._ending and self._patience.slow:
                return
            self._patience.pause()
            self._suspects.new_round()
            if self._gone:
                self._start_anew()
            left = deque(sorted(self._again, key=lambda letter: letter.id))
            self._again.clear()
            try:
                while left and not self._must_stop():
                    count = 1 if self._careful or self._patience.slow else len(left)
                    self._flights.post([left.popleft() for _ in range(count)], singly=True)
                    while self._flights:
                        self._sort(self._flights.land())
                    self._look()
            finally:
                self._again += left
        self._careful = False

    def _must_stop(self) -> bool:
        """Whether what was just answered forbids to send the next mail at once."""
        wait = self._patience.is_told and self._suspects.enough
        return wait or self._full or self._replaced or self._gone

    def _start_anew(self) -> None:
        """Make the folder that another client took away, and let what is left go into it.

        Mail without an answer is not in the old one any more; in the one that is made it is looked for, as after a cut.
        """
        self._made += 1
        self._write_down()
        status = self._make_anew(self._uidvalidity)
        self._gone = False
        if status.uidvalidity != self._uidvalidity:
            self._ours.clear()
        self._uidvalidity, self.uidnext, self._empty = status.uidvalidity, status.uidnext, not status.messages
        for letter in (*self._again, *self._unsure):
            letter.uidnext = self.uidnext
        self._write_down((*self._again, *self._unsure))
        if self._unsure:
            wait_until_quiet(self._link.bulk, self._target, self._link.wait)
            self._look()
