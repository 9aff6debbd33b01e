"""Scanning the folders of a store: what changed in each, read by this process or by its children."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec

from hikkoshi.errors import LocalError
from hikkoshi.jobs.children import POSSIBLE, Children
from hikkoshi.local.look import NOTHING_KNOWN, Changes, Known, Look, changes
from hikkoshi.local.units import TASK, Batch, FilesUnit, Unit, decode_batch, encode
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem

if TYPE_CHECKING:
    from hikkoshi.local.store import LocalStore

AUTOMATIC, AT_LEAST_ONE = -1, -2
"""As many children as the work is worth: none for a small store; or one even then, for a screen that must not stutter."""

# A child is ready after 60 ms, and its share of the work has to make up for it. Seconds that work takes, measured
# with mails of 2 KB: 11 us for each in an mbox, 30 in a file of its own; 40 us for each in a summary.
_WORTH = 0.25
_SECONDS_PER_BYTE = 5.5e-9
_SECONDS_PER_FILE = 30e-6
_SECONDS_PER_SUMMARY_BYTE = 3e-7
_MOST = 4  # children; beyond, reading the messages here takes longer than finding them there


def scan_all(store: "LocalStore", folder: Folder, problems: list[Problem]) -> Iterator[Message]:
    """All live mail of a folder, read in this process: `LocalStore.scan`."""
    look = store.look(folder, NOTHING_KNOWN)
    assert look is not None, "of a folder of which nothing is known all is to be read"
    yield from changes(look, problems).messages


class _Outcome(msgspec.Struct, frozen=True):
    """What a look said: None where nothing changed, or why it could not be looked at."""

    look: Look | None
    error: LocalError | OSError | None = None


class LocalScan:
    """The folders of a store, and what was known of them; what changed in them, one after the other.

    `children`: how many processes read, or one of the words above; 0: this one. `start` looks at the folders and lets
    the children begin, so that the caller may do something else meanwhile; then `changes` is asked once for each
    folder, in their order. `check` is called while children are waited for; it may raise. Use it in a `with`, which
    ends the children.
    """

    def __init__(
        self,
        store: "LocalStore",
        folders: Sequence[tuple[Folder, Known]],
        children: int = AUTOMATIC,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._store, self._folders, self._count, self._check = store, folders, children, check
        self._outcomes: list[_Outcome] = []
        self._taken = 0
        self._children: Children | None = None
        self._answers: Iterator[Iterator[bytes]] = iter(())
        self._left = 0  # answers of the folder under way that nobody has taken

    def __enter__(self) -> "LocalScan":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the children, whatever they are at."""
        if self._children:
            self._children.close()
        self._children = None

    def start(self) -> None:
        """Look at all folders and let the children begin to read."""
        self._outcomes = [self._look(folder, known) for folder, known in self._folders]
        units = [unit for outcome in self._outcomes if outcome.look for unit in outcome.look.units]
        if self._count < 0:
            self._count = max(_worth(units), int(self._count == AT_LEAST_ONE))
        if self._count and units and POSSIBLE:
            self._children = Children(min(self._count, len(units)), TASK, self._check)
            self._answers = self._children.answers(map(encode, units))

    def changes(self, problems: list[Problem]) -> Changes | None:
        """What changed in the next folder, None if nothing did; its messages are to be taken before the next one.

        Raises `LocalError` or `OSError` where the folder cannot be read, at the latest when its messages are taken.
        """
        for _answer in islice(self._answers, self._left):
            pass
        self._left = 0
        outcome = self._outcomes[self._taken]
        self._taken += 1
        if outcome.error:
            raise outcome.error
        if outcome.look is None:
            return None
        if self._children is None:
            return changes(outcome.look, problems)
        self._left = len(outcome.look.units)
        found = outcome.look.settle(chain.from_iterable(self._batches()), problems)
        if found is None:
            assert outcome.look.afresh is not None, "only a look with a second one settles nothing"
            return self._read(outcome.look.afresh(), problems)
        return found

    def again(self, number: int, problems: list[Problem]) -> Changes | None:
        """What changed in the folder of this number, looked at anew: it was written to while it was read."""
        look = self._store.look(*self._folders[number])
        return self._read(look, problems) if look else None

    def _look(self, folder: Folder, known: Known) -> _Outcome:
        try:
            return _Outcome(self._store.look(folder, known))
        except (LocalError, OSError) as error:
            return _Outcome(None, error)

    def _batches(self) -> Iterator[Iterator[Batch]]:
        while self._left:
            self._left -= 1
            yield map(decode_batch, next(self._answers))

    def _read(self, look: Look, problems: list[Problem]) -> Changes:
        """Carry out a look that came up in the middle, with children of its own if there are any."""
        if self._children is None:
            return changes(look, problems)
        children = Children(min(self._count, max(1, len(look.units))), TASK, self._check)
        batches = (map(decode_batch, answer) for answer in children.answers(map(encode, look.units)))
        found = look.settle(chain.from_iterable(batches), problems)
        if found is None:
            children.close()
            assert look.afresh is not None, "only a look with a second one settles nothing"
            return self._read(look.afresh(), problems)
        return Changes(found.stamp, _closing(found.messages, children), found.afresh, found.gone, found.moved)


def _closing(messages: Iterator[Message], children: Children) -> Iterator[Message]:
    with children:
        yield from messages


def _worth(units: Sequence[Unit]) -> int:
    """How many children a piece of work is worth."""
    seconds = sum(map(_seconds, units))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if seconds < _WORTH else min(cores, _MOST)


def _seconds(unit: Unit) -> float:
    if isinstance(unit, FilesUnit):
        return len(unit.places) * _SECONDS_PER_FILE
    size, summary = unit.state.partition(":")[0], unit.summary.partition(":")[0]
    read = (unit.stop or int(size)) - unit.start if unit.reads else 0
    return read * _SECONDS_PER_BYTE + (int(summary) * _SECONDS_PER_SUMMARY_BYTE if summary.isdecimal() else 0)
