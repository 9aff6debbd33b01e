"""Scanning mboxes and a Maildir, beside grep and the standard library.

grep looks for the From_ lines (in a Maildir: for the five identity fields) and counts them; we find the mails, their
sizes in CRLF form, and the raw identity fields ("headers"), or all that a comparison needs: flags and the date for
the server as well ("all"). The start of Python is not in our times, that of child processes is.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from support import corpora
from support.engine import Part, part
from support.figures import Figure, Measured, at_most, times_faster, unmeasured, within
from support.script import Setting, main
from support.timing import alternate, run

_ONE_CORE, _TWO_CORES = 6.0, 4.0
_MAILDIR, _MAILDIR_STDLIB = 2.5, 8.0
_STDLIB = {"big": 15.0, "small": 8.0}
_MEMORY_MB, _MB = 150, 1_000_000
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
_FIELDS = "^(Date|From|To|Subject|Message-ID):"


def measure(setting: Setting) -> Iterator[Figure]:
    """Both mboxes, a Maildir warm and cold, and the memory of a large scan."""
    yield from _mbox(setting, "big", corpora.BIG_QUICK if setting.quick else corpora.BIG)
    yield from _mbox(setting, "small", corpora.SMALL_QUICK if setting.quick else corpora.SMALL)
    yield from _maildir(setting)
    yield _memory(setting)


def _mbox(setting: Setting, name: str, kind: corpora.Kind) -> Iterator[Figure]:
    path = corpora.mbox(setting.corpora, kind)
    run(["cat", path])  # into the page cache

    def grep() -> float:
        return run(["grep", "-c", "^From ", path], cores=1).seconds

    def headers() -> float:
        return _all_found(part("headers", path, cores=1)[0], kind)

    def alone() -> float:
        return _all_found(part("scan", path, 0, cores=1)[0], kind)

    def shared() -> float:
        return _all_found(part("scan", path, cores=2)[0], kind)

    beside, plain, whole, divided = alternate(setting.runs, grep, headers, alone, shared)
    size = path.stat().st_size / _MB
    told = (
        f"{kind.count:,} mails, {size:,.0f} MB, in the page cache; grep on one core; ours without the start of Python"
    )
    for what, ours, goal in (
        ("headers, one core", plain, _ONE_CORE),
        ("all, one core", whole, _ONE_CORE),
        ("all, two cores", divided, _TWO_CORES),
    ):
        yield at_most(f"scan {name} mbox, {what}, s", ours, beside, goal, peer_name="grep -c '^From '", how=told)
    stdlib = [_all_found(part("stdlib", path, cores=1)[0], None)]
    told = f"{kind.count:,} mails; each of its messages with six fields, one run; ours on one core"
    yield times_faster(
        f"scan {name} mbox, all, beside stdlib, s",
        whole,
        stdlib,
        _STDLIB[name],
        peer_name="stdlib mailbox.mbox",
        how=told,
    )


def _maildir(setting: Setting) -> Iterator[Figure]:
    kind = corpora.small(10_000) if setting.quick else corpora.SMALL
    path = corpora.maildir(setting.corpora, kind)

    def grep() -> float:
        return run(["grep", "-rcE", _FIELDS, path]).seconds

    def ours() -> float:
        return _all_found(part("scan", path)[0], kind)

    grep()
    beside, warm = alternate(setting.runs, grep, ours)
    stdlib: Measured = [_all_found(part("stdlib", path, cores=1)[0], kind)]
    told = f"{kind.count:,} files of 2 KB; ours without the start of Python"
    name = f"scan Maildir of {kind.count:,}"
    yield at_most(f"{name}, warm, s", warm, beside, _MAILDIR, peer_name="grep -rc", how=f"{told}, in the page cache")
    yield times_faster(
        f"{name}, warm, beside stdlib, s",
        warm,
        stdlib,
        _MAILDIR_STDLIB,
        peer_name="stdlib mailbox.Maildir",
        how=f"{told}; one run",
    )
    if not os.access(_DROP_CACHES, os.W_OK):
        reason = f"{_DROP_CACHES} may not be written here, so nothing is cold"
        yield unmeasured(f"{name}, cold, s", _MAILDIR, "lower", peer_name="grep -rc", reason=reason)
        return
    runs = min(setting.runs, 3)
    beside, cold = alternate(runs, lambda: _cold(grep), lambda: _cold(ours))
    yield at_most(f"{name}, cold, s", cold, beside, _MAILDIR, peer_name="grep -rc", how=f"{told}, caches dropped")


def _cold(way: Callable[[], float]) -> float:
    os.sync()
    _DROP_CACHES.write_text("3")
    return way()


def _memory(setting: Setting) -> Figure:
    kind = corpora.small(setting.size(1_000_000, 50_000))
    path = corpora.mbox(setting.corpora, kind)
    found, done = part("scan", path, 2, watch_memory=True)
    _all_found(found, kind)
    how = f"{kind.count:,} mails in one mbox, two children; all processes together (Pss)"
    # Not the peak that the system tells of a process: it counts what this one, which may have made the corpora, had.
    return within("scan, memory, MB", [done.memory / _MB], _MEMORY_MB, how=how)


def _all_found(found: Part, kind: corpora.Kind | None) -> float:
    """The seconds of a scan that has seen every mail. (mailbox.mbox takes some lines of text for mails.)"""
    assert found.mails == kind.count if kind else found.mails > 0, found
    return found.seconds


if __name__ == "__main__":
    main("scan", measure)
