"""How many points each move of the crash matrix has, and the cases that are made of them.

`make count-faults` counts them anew, in runs that nothing happens to, and writes them to points.toml; a test says when that
is due. The lowest of some runs is written down, so that each case is reached.
"""

import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli_w

_FILE = Path(__file__).with_name("points.toml")
_RUNS = 4
_SAMPLE = 3
"""Cases of each setting that are in `make test`."""

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

from support.crash import SETTINGS, Case, DyingMover, Hosts  # noqa: E402
from support.dying_mover import ANSWER, COMMIT, COMMITTED, SENDING, Counts, Fault  # noqa: E402
from support.letters_at_risk import write_letters  # noqa: E402

Setting = tuple[str, str]


def known() -> dict[Setting, Counts]:
    """What points.toml says."""
    found = tomllib.loads(_FILE.read_text())
    return {(host, way): msgspec.convert(found[host][way], Counts) for host, way in SETTINGS}


def kills(counts: Counts) -> list[Fault]:
    """Every point at which a move is killed."""
    numbers = {COMMIT: counts.commit, COMMITTED: counts.commit, ANSWER: counts.answer, SENDING: counts.sending}
    return [Fault(kind, at) for kind, count in numbers.items() for at in range(1, count + 1)]


def spread(count: int, setting: int) -> set[int]:
    """The indices of a fair sample of a setting's cases, other ones for each setting."""
    return {(number * count // _SAMPLE + setting * 7) % count for number in range(_SAMPLE)}


def sampled(faults: Iterable[Fault], *chosen: Fault) -> list[Any]:
    """Parameters of the matrix, of which the `chosen` are in the sample."""
    marks = {fault: [pytest.mark.matrix, *([pytest.mark.sample] if fault in chosen else [])] for fault in faults}
    return [pytest.param(fault, id=str(fault), marks=marks[fault]) for fault in faults]


def count(hosts: Hosts, mover: DyingMover, folder: Path) -> Iterator[tuple[Setting, Counts]]:
    """A run for each setting that nothing happens to."""
    store = folder / "store"
    write_letters(store)
    for host, way in SETTINGS:
        own = folder / f"{host}-{way}"
        own.mkdir()
        with Case(hosts, mover, host, way, own, store) as case:
            report = case.upload()
            assert report.status == 0, case.said
            assert report.counts is not None
            yield (host, way), report.counts


def main() -> None:
    """Count."""
    hosts, mover = Hosts(), DyingMover()
    lowest: dict[str, dict[str, dict[str, int]]] = {}
    try:
        for _ in range(_RUNS):
            with tempfile.TemporaryDirectory() as folder:
                for (host, way), counts in count(hosts, mover, Path(folder)):
                    now, before = msgspec.to_builtins(counts), lowest.setdefault(host, {}).get(way)
                    lowest[host][way] = {name: min(now[name], (before or now)[name]) for name in now}
    finally:
        mover.close()
        hosts.close()
    _FILE.write_text(tomli_w.dumps(lowest))


if __name__ == "__main__":
    main()
