"""Several connections side by side, for servers that make each mail wait a round trip."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from hikkoshi.errors import HikkoshiError, ServerError
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


class _Lane:
    """A connection and the thread that owns it."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._thread = ThreadPoolExecutor(1)
        self._connection: Appending | None = None

    def open(self) -> Future[None]:
        return self._thread.submit(self._open)

    def post(self, native: str, mails: Sequence[Outgoing], posting: Posting) -> Future[None]:
        return self._thread.submit(self._post, native, mails, posting)

    def close(self) -> None:
        if self._connection is not None:
            self._thread.submit(self._connection.close)
        self._thread.shutdown()

    def _open(self) -> None:
        self._connection = Appending.open(self._login)

    def _post(self, native: str, mails: Sequence[Outgoing], posting: Posting) -> None:
        assert self._connection is not None
        self._connection.post(native, mails, posting)
        self._connection.answers_to(posting)


class Lanes:
    """Up to COUNT connections, as many as the server lets in; none: `count` is 0."""

    def __init__(self, login: Login) -> None:
        self._lanes: list[_Lane] = []
        opened = [(lane, lane.open()) for lane in (_Lane(login) for _ in range(COUNT))]
        for lane, future in opened:
            try:
                future.result()
            except ServerError:
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
            future = lane.post(native, [mails[number] for number in numbers], share)
            posting.shares.append((numbers, share, future.result))
        numbers, share = shares[0]
        posting.shares.append((numbers, share, lambda: own.answers_to(share)))
        own.post(native, [mails[number] for number in numbers], share)

    def answers_to(self, posting: LanePosting) -> None:
        """Wait until all connections are through with their share; raises what the first one met."""
        errors: list[Exception] = []
        for numbers, share, wait in posting.shares:
            try:
                wait()
            except (HikkoshiError, OSError) as error:
                errors.append(error)
            for number, result in zip(numbers, share.results, strict=True):
                posting.results[number] = result
            posting.begun |= {numbers[each] for each in share.begun}
            posting.blamed += [numbers[each] for each in share.blamed]
        posting.shares.clear()
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Log all of them out."""
        for lane in self._lanes:
            lane.close()
        self._lanes.clear()
