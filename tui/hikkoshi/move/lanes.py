"""Several connections side by side, for servers that make each mail wait a round trip."""

from collections.abc import Callable, Sequence
from functools import partial

from hikkoshi.errors import HikkoshiError, ServerError
from hikkoshi.move.aside import Aside
from hikkoshi.server.answers import Says, read_error
from hikkoshi.server.appending import Appending, Outgoing, Posting
from hikkoshi.server.login import Login

COUNT = 3
"""Besides the one that a move has. Every server allows so many (Gmail 15, Dovecot 10, Courier 20 of one address), and
four together are the least that are six times as fast as one mail after another, which costs two round trips each."""


class LanePosting(Posting):
    """Mails that were dealt out to several connections."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.shares: list[tuple[range, Posting, Callable[[], object]]] = []


class Lanes:
    """Up to `most` connections, as many as the server lets in; none: `count` is 0.

    `crowded`: one was turned away since there are too many, which had better not be tried again.
    """

    def __init__(self, login: Login, most: int = COUNT) -> None:
        self._lanes: list[Aside[Appending]] = []
        self.crowded = False
        for lane in [Aside(partial(Appending.open, login)) for _ in range(most)]:
            try:
                lane.opened.result()
            except ServerError as error:
                self.crowded = self.crowded or read_error(error).says is Says.LATER
                lane.close()
            else:
                self._lanes.append(lane)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._lanes)

    def post(self, native: str, mails: Sequence[Outgoing], own: Appending, posting: LanePosting) -> None:
        """Deal mails out; some are sent over `own` meanwhile, the others in the background."""
        count = len(self._lanes) + 1
        shares = [(numbers := range(first, len(mails), count), Posting(len(numbers))) for first in range(count)]
        for lane, (numbers, share) in zip(self._lanes, shares[1:], strict=True):
            future = lane.do(partial(_post, native, [mails[number] for number in numbers], share))
            posting.shares.append((numbers, share, future.result))
        numbers, share = shares[0]
        posting.shares.append((numbers, share, lambda: own.answers_to(share)))
        own.post(native, [mails[number] for number in numbers], share)

    def answers_to(self, posting: LanePosting) -> None:
        """Wait until all connections are through with their share; raises what the first one met.

        An error that asks to slow down goes before others, which may only be its consequence.
        """
        errors: list[Exception] = []
        for numbers, share, wait in posting.shares:
            try:
                wait()
            except (HikkoshiError, OSError) as error:
                errors.append(error)
            for number, result in zip(numbers, share.results, strict=True):
                posting.results[number] = result
            posting.slowed = posting.slowed or share.slowed
            posting.begun |= {numbers[each] for each in share.begun}
            posting.blamed += [numbers[each] for each in share.blamed]
        posting.shares.clear()
        if errors:
            raise min(errors, key=lambda error: read_error(error).says is not Says.LATER)

    def close(self) -> None:
        """Log all of them out."""
        for lane in self._lanes:
            lane.close()
        self._lanes.clear()


def _post(native: str, mails: Sequence[Outgoing], posting: Posting, connection: Appending) -> None:
    connection.post(native, mails, posting)
    connection.answers_to(posting)
