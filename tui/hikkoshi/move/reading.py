"""When what arrived is read back: on the side while more is sent, the rest over the connection that sent it."""

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from hikkoshi.errors import CommandRefused, HikkoshiError, ProtocolBroken, ServerError
from hikkoshi.i18n import _
from hikkoshi.ledger.records import ItemState, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.aside import Aside
from hikkoshi.move.link import Link
from hikkoshi.move.verify import BYTES, FACTS, GONE, Sent, StoreBroken, Verdict, read_back, unread
from hikkoshi.server.bulk import Bulk

EVERY = 500
"""Mails that are read back together, which costs two round trips."""

Verdicts = list[Verdict]


class ReadingBack:
    """The mails of one folder after the other that arrived and were not read back yet.

    A second connection, while more mail is sent over the first, can only find mail as it was sent: what it does not find
    so is asked for again over the connection that sent it, since a server may show news to others later.
    """

    def __init__(self, link: Link, ledger: Ledger, *, store_lost: bool = False) -> None:
        """`store_lost`: whether flags that are not there can only be lost: mail that came a while ago may have been
        changed by the user."""
        self._link, self._ledger, self._store_lost = link, ledger, store_lost
        self._waiting: list[Sent] = []
        self._again: list[Sent] = []  # not found as sent on the side
        self._aside: Aside[Bulk] | None = None
        self._alone = False  # no second connection can be had
        self._under_way: tuple[list[Sent], Future[Verdicts]] | None = None

    def expect(self, count: int) -> None:
        """Where so many mails will arrive open the second connection: that takes five round trips."""
        if count >= 2 * EVERY:
            self._aside = Aside(self._link.another)

    def add(self, sent: Iterable[Sent]) -> None:
        """Remember what arrived."""
        self._waiting += sent

    @property
    def left(self) -> bool:
        """Whether there is something to read back."""
        return bool(self._waiting or self._again or self._under_way)

    def keep_up(self, native: str) -> bool:
        """Read back on the side what has come together. False: it ought to be done now over the connection that sends."""
        if len(self._waiting) < EVERY or self._aside is None:
            return True
        if self._under_way is not None:
            if not self._under_way[1].done():
                return True
            self._take()
        if self._alone or len(self._again) >= EVERY:
            return False
        batch, self._waiting = self._waiting, []
        self._under_way = batch, self._aside.do(partial(_read, native, batch))
        return True

    def finish(self, native: str) -> None:
        """Read back all that is left. Raises what cutting the line for good raises."""
        self._read_here(native)
        self._take()
        self._read_here(native)

    def _read_here(self, native: str) -> None:
        batch, self._waiting, self._again = self._again + self._waiting, [], []
        if not batch:
            return
        try:
            found = self._found(native, batch)
        except (CommandRefused, ProtocolBroken) as error:
            found = [unread(mail, error) for mail in batch]
            if isinstance(error, ProtocolBroken):
                self._link.renew()
        self._write_down([each for each in found if each.how != GONE and not each.unread])
        reason = _("it arrived, but is no longer in its folder")
        settled = [Settling(each.item, ItemState.DOUBTFUL, reason) for each in found if each.how == GONE]
        settled += [Settling(each.item, ItemState.LANDED, each.how) for each in found if each.unread]
        if settled:
            self._ledger.step(settled=settled)

    def _found(self, native: str, batch: list[Sent]) -> Verdicts:
        try:
            # Storing a flag once more changes nothing, so that it may be done again where the line was cut.
            return self._link.steady(lambda: _read(native, batch, self._link.bulk, store_lost=self._store_lost))
        except StoreBroken:
            self._link.renew()
        return self._link.steady(lambda: _read(native, batch, self._link.bulk))

    def _write_down(self, found: Verdicts) -> None:
        there = {each.item: each.there for each in found if each.there is not None}
        self._ledger.verified([(each.item, each.how) for each in found], there)

    def forget(self) -> None:
        """Leave what was not read back yet: its folder is gone."""
        if self._under_way is not None:
            with suppress(HikkoshiError, OSError):
                self._under_way[1].result()
            self._under_way = None
        self._waiting.clear()
        self._again.clear()

    def close(self) -> None:
        """Take what was read back on the side; what is left stays as it is, landed and not read back."""
        self._take()
        self._waiting.clear()
        self._again.clear()
        self.hang_up()

    def hang_up(self) -> None:
        """End the second connection, if there is one."""
        if self._aside is not None:
            self._aside.close()
            self._aside = None

    def _take(self) -> None:
        """Wait for what is read on the side, and write down what was found as it was sent."""
        if self._under_way is None:
            return
        (batch, future), self._under_way = self._under_way, None
        try:
            found = future.result()
        except (HikkoshiError, OSError) as error:
            found = []
            self._alone = self._alone or isinstance(error, ServerError)
        as_sent = [each for each in found if each.how in (FACTS, BYTES)]
        self._write_down(as_sent)
        known = {each.item for each in as_sent}
        self._again += [mail for mail in batch if mail.item not in known]


def _read(native: str, batch: list[Sent], bulk: Bulk, *, store_lost: bool = False) -> Verdicts:
    return list(read_back(bulk, native, batch, store_lost=store_lost))
