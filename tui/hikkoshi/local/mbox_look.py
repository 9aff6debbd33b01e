"""Looking at an mbox: is it as it was, has it only grown, has only its summary changed?

It is taken to have only grown where its first 64 KiB and the 64 KiB before its old end are as they were. What a client
changed in place between the two is then not seen, until something else makes the file be read afresh: with a summary
that costs nothing (it tells all flags), and without one Thunderbird's files are read afresh (`_marks_in_place`). Of a
single file that the user names, beside which nothing is read, flags of old mail may lag behind, and mail that was deleted
may still be listed; it is never handed out for an upload (`MboxStore.read`).
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import msgspec

from hikkoshi.local.content_length import first_is_chained
from hikkoshi.local.look import Changes, Known, Look
from hikkoshi.local.mbox_folder import file_state
from hikkoshi.local.msf import summary_stamp
from hikkoshi.local.source import Source
from hikkoshi.local.units import BY_HEADERS, BY_SUMMARY, Batch, MboxUnit, messages_of
from hikkoshi.mail.flags import NO_FLAGS
from hikkoshi.mail.message import Message, Problem

_END = 64 * 1024
PART = 8 * 1024 * 1024
"""Bytes of an mbox in one unit: some 4,000 small mails, 2 MiB of messages, which a child can hold while it waits."""


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """What an mbox was known under.

    `state`: size, time and inode; `summary`: those of its summary; `use`: what else decides on its messages;
    `size` in bytes; `ends`: digests of its first and last 64 KiB; `told`: what told of its mails.
    """

    state: str
    summary: str
    use: str
    size: int
    ends: tuple[bytes, bytes]
    told: str


def look_at_mbox(source: Source, known: Known) -> Look | None:
    """See `LocalStore.look`."""
    path = source.path
    state = file_state(path)
    summary = summary_stamp(path) if source.summaries else ""
    use = f"{source.sent} {source.thunderbird} {','.join(sorted(source.foreign))}"
    old = _stamp(known.stamp)
    if old and (old.state, old.summary, old.use) == (state, summary, use):
        return None
    size = int(state.partition(":")[0])
    fresh = Stamp(state, summary, use, size, _ends(path, size), "")
    look = _Look(source, fresh, known)
    if old and old.use == use and old.told in (BY_HEADERS, BY_SUMMARY):
        if old.told == BY_SUMMARY and (old.state, old.ends) == (state, fresh.ends):
            return look.retell(old, reads=False)
        if old.size < size and _ends(path, old.size) == old.ends and not _marks_in_place(source, old):
            return look.retell(old, reads=True)
    return look.afresh()


def _marks_in_place(source: Source, old: Stamp) -> bool:
    """Whether old mail may have been marked read, or deleted, where nothing but a full read shows it.

    Thunderbird writes over X-Mozilla-Status in the middle of its files. A summary tells the same; without one that
    could be believed, mail that was deleted there would go on counting as mail that the server lacks.
    """
    if old.told != BY_HEADERS or not (source.thunderbird or source.summaries):
        return False
    with source.path.open("rb", buffering=0) as file:
        return b"\nX-Mozilla-Status" in file.read(_END)


def _stamp(text: str | None) -> Stamp | None:
    try:
        return msgspec.json.decode(text, type=Stamp) if text else None
    except msgspec.MsgspecError:
        return None


def _ends(path: Path, size: int) -> tuple[bytes, bytes]:
    """Digests of the first 64 KiB of a file and of the 64 KiB in front of `size`."""
    with path.open("rb", buffering=0) as file:
        first = file.read(min(_END, size))
        file.seek(max(0, size - _END))
        last = file.read(min(_END, size))
    return blake2b(first, digest_size=16).digest(), blake2b(last, digest_size=16).digest()


class _Look:
    """The looks at one mbox as it is now, which `stamp` tells but for what will tell of its mails."""

    def __init__(self, source: Source, stamp: Stamp, known: Known) -> None:
        self._source, self._stamp, self._known = source, stamp, known

    def afresh(self) -> Look:
        """All of it is read. One that may be an mboxcl is not cut in parts: its mails lead from one to the next."""
        size = self._stamp.size
        whole = size < 2 * PART or (not self._source.thunderbird and first_is_chained(self._source.path))
        starts = [0] if whole else list(range(0, size, PART))
        stops = [*starts[1:], None]
        units = [
            MboxUnit(self._source, self._stamp.state, self._stamp.summary, start, stop)
            for start, stop in zip(starts, stops, strict=True)
        ]
        return Look(units, self._settle_all)

    def retell(self, old: Stamp, *, reads: bool) -> Look:
        """The summary tells the standing of all mails, and with `reads` what lies from the last known one on is read."""
        by_summary = old.told == BY_SUMMARY
        places = self._known.places("") if by_summary else {}
        last, flags = (self._known.last() if reads else None) or ("", NO_FLAGS)
        if reads and not last:
            return self.afresh()
        offset = _offset(last) if last else 0

        def settle(batches: Iterator[Batch], problems: list[Problem]) -> Changes | None:
            first = next(batches)
            if first.told != old.told:
                return None
            moved: Mapping[str, tuple[str, frozenset[str]]] = {}
            gone: list[str] = []
            if by_summary:
                found = _retold(first, places, offset if reads else None)
                if found is None:
                    return None
                moved, gone = found
            messages = messages_of(self._source.name, batches, problems)
            if reads:
                again = next(messages, None)
                if again and again.place == last and again.flags == flags:
                    moved = {place: moved[place] for place in moved if place != last}
                else:
                    gone = [*(place for place in gone if place != last), last]
                    moved = {place: moved[place] for place in moved if place != last}
                    messages = chain([again], messages) if again else messages
            return Changes(self._told(first.told), messages, afresh=False, gone=gone, moved=moved)

        unit = MboxUnit(
            self._source,
            self._stamp.state,
            self._stamp.summary,
            offset,
            sure=reads,
            retold=by_summary,
            reads=reads,
        )
        return Look([unit], settle, self.afresh)

    def _settle_all(self, batches: Iterator[Batch], problems: list[Problem]) -> Changes:
        first = next(batches)
        rest: Iterator[Message] = messages_of(self._source.name, batches, problems)
        return Changes(self._told(first.told), rest)

    def _told(self, by: str) -> str:
        return msgspec.json.encode(msgspec.structs.replace(self._stamp, told=by)).decode()


def _offset(place: str) -> int:
    return int(place.partition(":")[0])


def _retold(
    batch: Batch, places: Mapping[str, frozenset[str]], read_from: int | None
) -> tuple[dict[str, tuple[str, frozenset[str]]], list[str]] | None:
    """(moved, gone) by a summary; None where it lists mail that is not known, other than what is read anyway."""
    flags = {one.offset: one.flags for one in batch.retold or []}
    moved: dict[str, tuple[str, frozenset[str]]] = {}
    gone = []
    for place, known in places.items():
        told = flags.pop(_offset(place), None)
        if told is None:
            gone.append(place)
        elif told != known:
            moved[place] = (place, told)
    if any(read_from is None or offset < read_from for offset in flags):
        return None
    return moved, gone
