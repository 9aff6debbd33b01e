"""Reading back what arrived earlier and was not, since the line was cut for good or the program was killed."""

from contextlib import suppress
from itertools import groupby

from hikkoshi.errors import CommandRefused, ServerError
from hikkoshi.ledger.records import Item
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import unpack
from hikkoshi.move.link import Link
from hikkoshi.move.reading import EVERY, ReadingBack
from hikkoshi.move.verify import Sent


def read_earlier(link: Link, ledger: Ledger, server: str) -> None:
    """Read back what the ledger has as arrived and nothing more; one folder costs two round trips.

    What cannot be read now stays as it is, and is counted as not read back.
    """
    with suppress(ServerError):
        for (target, uidvalidity), items in groupby(ledger.unread(server), key=lambda i: (i.target, i.uidvalidity)):
            _read(link, ledger, target, uidvalidity, [sent for item in items if (sent := _sent(item))])


def _read(link: Link, ledger: Ledger, target: str, uidvalidity: int | None, sent: list[Sent]) -> None:
    try:
        if link.steady(lambda: link.bulk.examine(target)).uidvalidity != uidvalidity:
            return
    except CommandRefused:
        return  # it is gone
    for start in range(0, len(sent), EVERY):
        reading = ReadingBack(link, ledger)
        reading.add(sent[start : start + EVERY])
        reading.finish(target)


def _sent(item: Item) -> Sent | None:
    """What was sent, as far as the ledger has all of it."""
    if item.uid is None or item.date is None or item.body is None:
        return None
    return Sent(
        item=item.id,
        uidvalidity=item.uidvalidity or 0,
        uid=item.uid,
        size=item.size,
        flags=unpack(item.flags),
        date=item.date,
        digest=item.body,
        risky=item.risky is not False,  # an earlier version did not write it down
    )
