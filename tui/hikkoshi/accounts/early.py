"""Showing what has arrived of a first listing, while the rest is on its way."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic

from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.mail.folders import Folder

_EVERY = 1.0  # seconds; more often is neither read nor worth its bytes over a slow line
_SHARE = 5.0
"""A look waits this many times as long as the one before took, so that looks make a listing longer by a sixth at most."""


class EarlyLooks:
    """Calls `show` as more mail comes in, at most once a second and the less often the longer it takes."""

    def __init__(self, show: Callable[[], None], clock: Callable[[], float] = monotonic) -> None:
        """`clock`: seconds, monotonic."""
        self._show, self._clock = show, clock
        self._not_before = 0.0

    def came(self) -> None:
        """More rows are in the index."""
        start = self._clock()
        if start < self._not_before:
            return
        self._show()
        end = self._clock()
        self._not_before = end + max(_EVERY, _SHARE * (end - start))


class Listing:
    """Follows a listing: says in its progress how many mails have come in, and lets `looks` know of them."""

    def __init__(self, index: Index, report: Report, looks: EarlyLooks) -> None:
        self._index, self._report, self._looks = index, report, looks
        self._before = self._seen = index.totals(SERVER)[1]

    def report(self, progress: Progress) -> None:
        """The listing goes on to the next folder."""
        mails = self._index.totals(SERVER)[1]
        self._report(replace(progress, mails=max(0, mails - self._before)))
        if progress.stage is Stage.LIST and mails != self._seen:
            self._seen = mails
            self._looks.came()


def is_first(index: Index, folders: Iterable[Folder]) -> bool:
    """Whether one of these folders of the server was never listed to its end."""
    listed = set()
    for entry in index.folders(SERVER):
        state = index.server_state(entry.id)
        if entry.known and (state is None or state.complete):
            listed.add(entry.folder.native)
    return any(folder.selectable and folder.native not in listed for folder in folders)
