"""Showing what has arrived of a first listing, while the rest is on its way."""

from collections.abc import Callable, Iterable
from time import monotonic

from msgspec.structs import replace

from hikkoshi.index.schema import SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
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

    def __init__(self, index: Index, report: Report, cancel: Cancel, looks: EarlyLooks) -> None:
        self._index, self._report, self._cancel, self._looks = index, report, cancel, looks
        self._counts: dict[int, int] = {}
        self._last = Progress(Stage.LIST)

    def report(self, progress: Progress) -> None:
        """How far the listing is."""
        self._last = progress
        self._report(replace(progress, mails=sum(self._counts.values())))

    def came(self, folder: int, count: int) -> None:
        """`count` mails of a server folder have come in by now. An `OnRows`."""
        self._counts[folder] = count
        self.report(self._last)
        state = self._index.server_state(folder)
        listed = state is not None and state.complete
        # Who leaves shall not wait for a comparison.
        if not listed and not self._cancel.is_set():
            self._looks.came()


def is_first(index: Index, folders: Iterable[Folder]) -> bool:
    """Whether one of these folders of the server was never listed to its end."""
    listed = set()
    for entry in index.folders(SERVER):
        state = index.server_state(entry.id)
        if state is not None and state.complete:
            listed.add(entry.folder.native)
    return any(folder.selectable and folder.native not in listed for folder in folders)
