"""What an account's room is made up of: which folders are asked about, the user's own limit, what comes in."""

from collections.abc import Collection, Iterable
from time import time

from msgspec.structs import replace

from hikkoshi.accounts.options import Options
from hikkoshi.index.incoming import incoming
from hikkoshi.index.queries import upload_targets
from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.limits import SizeLimits, learnt_limit
from hikkoshi.move.meter import Meter
from hikkoshi.move.room import Load
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.folders import ancestors
from hikkoshi.server.overview import Overview
from hikkoshi.server.quota import QuotaRoot, with_heirs


class Asked:
    """What the server tells of its room, at the price of as few round trips as can be."""

    def __init__(self, index: Index) -> None:
        """The folders that had mail to get when the sides were compared last are asked about with the first look."""
        self.folders = set(upload_targets(index))
        self._heirs: dict[str, str] = {}
        self._sizes: dict[str, int] = {}

    def read(self, bulk: Bulk, index: Index, overview: Overview) -> list[QuotaRoot]:
        """The limits that hold for all folders that have mail to get now, and INBOX.

        A limit counts for a plan only where mail would go, and last time's plan is mostly this time's.
        """
        self._sizes = overview.sizes
        targets = set(upload_targets(index))
        roots = overview.quota
        if targets - self.folders - {"INBOX"}:
            self.folders |= targets
            roots = bulk.quota(["INBOX", *sorted(self.folders)])
        if not roots:
            return []
        self._heirs = _heirs(overview, targets, roots)
        above = set(self._heirs.values())
        if above - self.folders - {"INBOX"}:
            roots = bulk.quota(["INBOX", *sorted(self.folders | above)])
        return with_heirs(roots, self._heirs)

    def meter(self, index: Index, options: Options) -> Meter:
        """What reads the limits again, and knows the user's own and the reserve."""
        size, messages = incoming(index, int(time()))
        reserve = replace(options.reserve, incoming=Load(size, messages))
        return Meter(reserve, options.quota_limit, _used(index, self._sizes), self._heirs)


def size_limits(overview: Overview, ledger: Ledger, server: str, day: int | None) -> SizeLimits:
    """How large a mail the server takes, by what it says and by what it has refused. `day`: what may go up in a day."""
    return SizeLimits(overview.append_limit, overview.append_limits, learnt_limit(ledger, server), day)


def _heirs(overview: Overview, targets: Iterable[str], roots: Collection[QuotaRoot]) -> dict[str, str]:
    """For each target of which the server told nothing, the nearest folder above it that is there, else INBOX.

    A new folder in someone else's namespace has no INBOX above it: nothing is known of that one.
    """
    there = {folder.native for folder in overview.folders if folder.selectable}
    told = frozenset().union(*(root.folders for root in roots))
    found: dict[str, str] = {}
    for native in set(targets) - told:
        above = [name for name in ancestors(native, overview.spaces)[:-1] if name in there]
        if above or not native.startswith(overview.spaces.foreign):
            found[native] = above[-1] if above else "INBOX"
    return found


def _used(index: Index, sizes: dict[str, int]) -> int:
    """Bytes of all mail on the server: as it sums each folder up itself (STATUS=SIZE), else by the sizes in its listing.

    The larger of the two where both are known: mail may have come since, and what a move has sent is in the index only.
    """
    rows = index.db.execute("SELECT native, bytes FROM folder WHERE side = ?", (SERVER,))
    listed: dict[str, int] = dict(rows.fetchall())
    return sum(max(listed.get(native, 0), sizes.get(native, 0)) for native in listed | sizes)
