"""Batches on their way into one folder, over one connection or dealt out to several."""

from collections import deque
from contextlib import suppress

import msgspec

from hikkoshi.errors import ConnectionLost, LocalError, ProtocolBroken
from hikkoshi.move.batch import Letter
from hikkoshi.move.lanes import LanePosting
from hikkoshi.move.link import Link
from hikkoshi.move.room import Load
from hikkoshi.server.appending import Posting

CUT = (ConnectionLost, ProtocolBroken, LocalError, OSError)
"""What ends a connection in the middle: the line, nonsense, or a mail that changed on this PC while it was sent."""
_LANES_FROM = 8
"""Mails for which opening more connections, three round trips, is worth while."""


class Flight(msgspec.Struct, frozen=True):
    """A batch on its way."""

    letters: list[Letter]
    posting: Posting


class Flights:
    """The batches that are on their way, oldest first. Its methods raise what is in `CUT`."""

    def __init__(self, link: Link, target: str) -> None:
        self._link, self._target = link, target
        self._flights: deque[Flight] = deque()

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def load(self) -> Load:
        """What was sent, or is being sent, and is not answered."""
        sizes = [
            letter.parcel.size
            for flight in self._flights
            for letter, result in zip(flight.letters, flight.posting.results, strict=True)
            if result is None
        ]
        return Load(sum(sizes), len(sizes))

    def post(self, letters: list[Letter], *, singly: bool = False) -> None:
        """Send a batch; `singly`: over one connection, each mail in a command of its own."""
        bulk = self._link.bulk
        mails = [letter.outgoing() for letter in letters]
        if not singly and not bulk.takes_hurried and len(letters) >= _LANES_FROM and self._link.lanes().count:
            dealt = LanePosting(len(letters))
            self._flights.append(Flight(letters, dealt))
            self._link.lanes().post(self._target, mails, bulk, dealt)
            return
        flight = Flight(letters, Posting(len(letters)))
        self._flights.append(flight)
        if bulk.takes_many and not singly:
            bulk.post_many(self._target, mails, flight.posting)
        else:
            bulk.post(self._target, mails, flight.posting)

    def land(self) -> Flight:
        """Wait for all answers to the oldest batch, and take it off."""
        posting = self._flights[0].posting
        if isinstance(posting, LanePosting):
            self._link.lanes().answers_to(posting)
        else:
            self._link.bulk.answers_to(posting)
        return self._flights.popleft()

    def cut(self) -> Flight:
        """Take the oldest batch off with the answers that came, once no connection works at it any more."""
        flight = self._flights.popleft()
        if isinstance(flight.posting, LanePosting):
            # Each mail's answer, or that there was none, is in the posting.
            with suppress(*CUT):
                self._link.lanes().answers_to(flight.posting)
        return flight
