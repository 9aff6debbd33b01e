"""Comparing a million mails with a million: time and memory, and the time after one folder has changed."""

from collections.abc import Iterator

from support.engine import part
from support.figures import Figure, within
from support.script import Setting, main

_FOLDER = 10_000
_SECONDS, _MEMORY_MB, _CHANGED = 8.0, 300, 0.150
_MB = 1_000_000


def measure(setting: Setting) -> Iterator[Figure]:
    """With --quick a tenth of it; the goals of time are a tenth then, too, but for that of one folder."""
    count = setting.size(1_000_000, 100_000)
    share = count / 1_000_000
    runs = min(setting.runs, 3)
    times, used, peaks, changed, used_again = [], [], [], [], []
    filled = 0.0
    for number in range(runs):
        index = setting.work / f"index{number}.sqlite"
        planted, _run = part("plant", index, count, count // _FOLDER)
        filled = planted.seconds
        done, whole = part("compare", index, watch_memory=True)
        times.append(done.seconds)
        used.append(done.cpu)
        peaks.append(max(whole.memory, whole.peak) / _MB)
        part("change", index, 3)
        again, _run = part("compare", index)
        changed.append(again.seconds)
        used_again.append(again.cpu)
        index.unlink()
    told = f"{count:,} mails on each side in {count // _FOLDER} folders, an index from which nothing was compared yet"
    how = (
        f"{told}; Message-IDs, header digests, copies, reused and missing Message-IDs; the indexes that it makes are in "
        f"the time, filling the rows ({filled:.1f} s for both sides) is not; {min(used):.1f} s of CPU"
    )
    yield within(f"compare {count:,} x {count:,}, s", times, _SECONDS * share, how=how)
    how = f"{told}; the largest of its processes or all of them together (Pss), whichever is more"
    yield within(f"compare {count:,} x {count:,}, memory, MB", peaks, _MEMORY_MB, how=how)
    how = (
        f"every mail of one folder of {_FOLDER:,} was read anew, of {count:,} on each side; reading is not in the time; "
        f"{min(used_again):.2f} s of CPU"
    )
    yield within(f"compare after one folder of {_FOLDER:,} changed, s", changed, _CHANGED, how=how)


if __name__ == "__main__":
    main("compare", measure)
