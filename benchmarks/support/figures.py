"""What a benchmark finds: figures beside their goals, as JSON and as a table.

`ratio` is ours / peer for times and sizes (`better` "lower"); for `better` "higher" it is peer / ours of times and
ours / peer of throughputs, so that a goal of 5 always reads "five times better". A figure without a peer has
ratio = ours / goal and goal 1. Where a peer is missing: peer, ratio and holds are None, and `how` says so.
"""

import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

Better = Literal["lower", "higher"]
_DIGITS = 4


class Figure(msgspec.Struct, frozen=True):
    """One row: `ours` and `peer` are medians of `runs` runs, in the unit that the name ends with."""

    name: str
    ours: float | None
    peer: float | None
    peer_name: str | None
    ratio: float | None
    goal: float
    better: Better
    holds: bool | None
    runs: int
    how: str


class Report(msgspec.Struct, frozen=True):
    """What one benchmark prints with --json."""

    benchmark: str
    machine: str
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class Missing:
    """A peer that is not here; `reason` ends up in the figure."""

    reason: str


Measured = Sequence[float] | Missing
"""The values of the runs, or why there are none."""


def at_most(name: str, ours: Sequence[float], peer: Measured, goal: float, *, peer_name: str, how: str = "") -> Figure:
    """Times or sizes: ours is at most `goal` times the peer's."""
    return _beside(name, ours, peer, goal, "lower", peer_name, how, lambda mine, theirs: mine / theirs)


def times_faster(
    name: str, ours: Sequence[float], peer: Measured, goal: float, *, peer_name: str, how: str = ""
) -> Figure:
    """Times: the peer takes at least `goal` times as long."""
    return _beside(name, ours, peer, goal, "higher", peer_name, how, lambda mine, theirs: theirs / mine)


def times_more(
    name: str, ours: Sequence[float], peer: Measured, goal: float, *, peer_name: str, how: str = ""
) -> Figure:
    """Throughputs: ours is at least `goal` times the peer's."""
    return _beside(name, ours, peer, goal, "higher", peer_name, how, lambda mine, theirs: mine / theirs)


def within(name: str, ours: Sequence[float], limit: float, *, how: str = "") -> Figure:
    """A figure without a peer: ours is at most `limit`, which `how` tells."""
    median = statistics.median(ours)
    ratio = _short(median / limit)
    told = f"goal: at most {limit:g}" + (f"; {how}" if how else "")
    return Figure(name, _short(median), None, None, ratio, 1.0, "lower", ratio <= 1, len(ours), told)


def none_of(name: str, found: Collection[object], *, how: str = "") -> Figure:
    """A figure that holds where nothing was found; a ratio to a goal of 0 is none, so it is to one half."""
    told = "goal: none" + (f"; {how}" if how else "") + (f"; found: {sorted(map(str, found))}" if found else "")
    return Figure(name, len(found), None, None, len(found) / 0.5, 1.0, "lower", not found, 1, told)


def unmeasured(name: str, goal: float, better: Better, *, peer_name: str | None = None, reason: str) -> Figure:
    """A figure that could not be had here at all; `reason` says why."""
    return Figure(name, None, None, peer_name, None, goal, better, None, 0, f"not measured: {reason}")


def _beside(
    name: str,
    ours: Sequence[float],
    peer: Measured,
    goal: float,
    better: Better,
    peer_name: str,
    how: str,
    ratio_of: Callable[[float, float], float],
) -> Figure:
    mine = statistics.median(ours)
    if isinstance(peer, Missing):
        told = f"{peer_name} is missing: {peer.reason}" + (f"; {how}" if how else "")
        return Figure(name, _short(mine), None, peer_name, None, goal, better, None, len(ours), told)
    theirs = statistics.median(peer)
    ratio = _short(ratio_of(mine, theirs))
    holds = ratio <= goal if better == "lower" else ratio >= goal
    return Figure(name, _short(mine), _short(theirs), peer_name, ratio, goal, better, holds, len(ours), how)


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def table(figures: Iterable[Figure]) -> list[list[str]]:
    """The rows as a person reads them: name, ours, beside, ratio, goal, holds."""
    return [
        [
            figure.name,
            _number(figure.ours),
            f"{figure.peer_name} {_number(figure.peer)}" if figure.peer_name else "-",
            _number(figure.ratio),
            f"{'at most' if figure.better == 'lower' else 'at least'} {figure.goal:g}",
            {True: "yes", False: "NO", None: "not known"}[figure.holds],
        ]
        for figure in figures
    ]


HEADINGS = ["figure", "ours", "beside", "ratio", "goal", "holds"]


def text_table(figures: Iterable[Figure]) -> str:
    """The table in columns, each row's method under it."""
    kept = list(figures)
    rows = [HEADINGS, *table(kept)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = [f"  {figure.name}: {figure.how}" for figure in kept if figure.how]
    return "\n".join([*lines, *(["", "How:", *told] if told else [])])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
