"""Looking at folders of files: Maildirs by the names in them, Thunderbird's by their files' sizes and times, too."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from string import ascii_lowercase
from time import time_ns

import msgspec

from hikkoshi.errors import LocalChanged
from hikkoshi.i18n import _, ngettext
from hikkoshi.local.files import INFO, name_flags
from hikkoshi.local.look import Changes, Known, Look, Settle, all_of
from hikkoshi.local.msf import summary_stamp
from hikkoshi.local.source import Source
from hikkoshi.local.units import Batch, FilesUnit, messages_of
from hikkoshi.mail.flags import DELETED
from hikkoshi.mail.folders import is_text
from hikkoshi.mail.headers import sanitise
from hikkoshi.mail.message import Problem

MAIL_FOLDERS = ("cur", "new")

FILES = 200
"""Files in one unit: their names fit into the pipe of a child that is busy, wherever pipes are 64 KiB."""

_COARSE = 2_000_000_000
"""Nanoseconds: the coarsest times of a file system (FAT's). A directory that was written to less than that before it
was listed may have been written to again afterwards without its time having changed."""


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """What a Maildir was known under.

    `times`: of cur/ and new/ in ns, 0 where that is not there; None: too near to when they were listed to be trusted.
    `use`: what else decides on its messages. `deleted`: how many files were marked as deleted, which are no messages.
    """

    times: list[int | None]
    use: str
    deleted: int


def look_at_maildir(source: Source, known: Known) -> Look | None:
    """See `LocalStore.look`."""
    keywords = read_keywords(source.path)
    use = f"{source.sent} {keywords}"
    old = _stamp(known.stamp)
    times = _times(source)
    if old and (old.times, old.use) == (times, use):
        return Look((), _with([_deleted(source, old.deleted)], _settle_nothing(known))) if old.deleted else None
    listed = time_ns()
    problems: list[Problem] = []
    afresh = old is None or old.use != use
    subs = [sub for number, sub in enumerate(MAIL_FOLDERS) if old is None or old.times[number] != times[number]]
    places = list(_places(source, MAIL_FOLDERS if afresh else subs, problems))
    if _times(source) != times:
        # What was moved from new/ to cur/ meanwhile may have been seen in neither.
        raise LocalChanged(
            _("The folder changed while it was read. Nothing of it was taken; refresh to read it again.")
        )
    trusted = [None if time and listed - time < _COARSE else time for time in times]
    deleted = old.deleted if old and not afresh and "cur" not in subs else sum(map(_is_deleted, places))
    if deleted:
        problems.append(_deleted(source, deleted))
    stamp = msgspec.json.encode(Stamp(trusted, use, deleted)).decode()
    if afresh:
        return Look(_units(source, places, keywords), _with(problems, all_of(source.name, stamp)))
    moved, gone, fresh = _renamed(_known_in(subs, known), places, keywords)

    def settle(batches: Iterator[Batch], found: list[Problem]) -> Changes:
        return Changes(stamp, messages_of(source.name, batches, found), afresh=False, gone=gone, moved=moved)

    return Look(_units(source, fresh, keywords), _with(problems, settle))


def _settle_nothing(known: Known) -> Settle:
    assert known.stamp is not None, "it was known"
    stamp = known.stamp
    return lambda _batches, _problems: Changes(stamp, iter(()), afresh=False, nothing=True)


def _is_deleted(place: str) -> bool:
    # The first question answers 0.1 us after it was asked, for all but a few of a million files.
    return "T" in place.rpartition("2,")[2] and DELETED in (name_flags(place, {}) or ())


def _deleted(source: Source, count: int) -> Problem:
    text = ngettext(
        "{n:,} mail marked as deleted (T) was left out.", "{n:,} mails marked as deleted (T) were left out.", count
    )
    return Problem(source.name, text.format(n=count), remark=True)


def _known_in(subs: Sequence[str], known: Known) -> Mapping[str, frozenset[str]]:
    """What is known in some of the directories."""
    return known.places("") if len(subs) == len(MAIL_FOLDERS) else known.places(f"{subs[0]}/") if subs else {}


def look_at_thunderbird_maildir(source: Source, known: Known) -> Look | None:
    """See `LocalStore.look`. Thunderbird writes flags into the files, so each is looked at, and all are read again."""
    stamp = f"{_directory_stamp(source.path / 'cur')} {summary_stamp(source.path)} {source.sent} {_keys(source)}"
    if known.stamp == stamp:
        return None
    problems: list[Problem] = []
    places = list(_places(source, ("cur",), problems))
    return Look(_units(source, places, {}), _with(problems, all_of(source.name, stamp)))


def _keys(source: Source) -> str:
    return ",".join(sorted(source.foreign))


def _with(noted: list[Problem], settle: Settle) -> Settle:
    """`settle`, which tells of what was noted while looking, too."""

    def settled(batches: Iterator[Batch], problems: list[Problem]) -> Changes | None:
        problems += noted
        return settle(batches, problems)

    return settled


def _stamp(text: str | None) -> Stamp | None:
    try:
        return msgspec.json.decode(text, type=Stamp) if text else None
    except msgspec.MsgspecError:
        return None


def _times(source: Source) -> list[int | None]:
    return [_time(source.path / sub) for sub in MAIL_FOLDERS]


def _time(directory: Path) -> int:
    try:
        return directory.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _places(source: Source, subs: Sequence[str], problems: list[Problem]) -> Iterator[str]:
    """The files in some directories of a folder by their names; one whose name is no text is a problem."""
    for sub in subs:
        directory = source.path / sub
        if not directory.is_dir():
            continue
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and not entry.is_dir())
        for name in names:
            if is_text(name):
                yield f"{sub}/{name}"
            else:
                what = _("The name of the file {name} is no text in UTF-8; this mail was not compared. Rename it.")
                problems.append(Problem(source.name, what.format(name=sanitise(f"{sub}/{name}"))))


def _units(source: Source, places: list[str], keywords: dict[str, str]) -> list[FilesUnit]:
    return [FilesUnit(source, places[at : at + FILES], keywords) for at in range(0, len(places), FILES)]


def _renamed(
    before: Mapping[str, frozenset[str]], places: list[str], keywords: dict[str, str]
) -> tuple[dict[str, tuple[str, frozenset[str]]], list[str], list[str]]:
    """(moved, gone, new) places: a file with the unique name of one that is gone is the same mail."""
    now = set(places)
    gone = {_unique(place): place for place in before if place not in now}
    moved: dict[str, tuple[str, frozenset[str]]] = {}
    fresh = []
    for place in places:
        if place in before:
            continue
        was = gone.get(_unique(place))
        flags = name_flags(place, keywords)
        if was is None or was in moved:
            fresh.append(place)
        elif flags is None or DELETED not in flags:
            moved[was] = (place, flags if flags is not None else before[was])
    return moved, [place for place in before if place not in now and place not in moved], fresh


def _unique(place: str) -> str:
    return INFO.sub("", place.rpartition("/")[2])


def read_keywords(directory: Path) -> dict[str, str]:
    """The keywords by letter, from Dovecot's file: lines `0 $label1`, where 0 is a."""
    try:
        text = (directory / "dovecot-keywords").read_text("utf-8", "replace")
    except OSError:
        return {}
    found = re.findall(r"^(\d+) (\S+)$", text, re.MULTILINE)
    return {ascii_lowercase[int(number)]: name for number, name in found if int(number) < len(ascii_lowercase)}


def _directory_stamp(directory: Path) -> str:
    """A digest over the names, sizes and times of a directory's files."""
    digest = blake2b(digest_size=16)
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            status = entry.stat()
            digest.update(f"{entry.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
