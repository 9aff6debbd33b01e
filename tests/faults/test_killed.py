"""The crash matrix: a move is killed at every write to the ledger, at every answer, and in the middle of all that it
sends; the next upload, and one more, leave each mail on the server exactly once."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.points import SETTINGS, count, kills, known, spread
from support.crash import Case, DyingMover, Hosts
from support.dying_mover import Fault

pytestmark = pytest.mark.dovecot


def _cases() -> Iterator[Any]:
    counts = known()
    for number, (host, way) in enumerate(SETTINGS):
        points = kills(counts[host, way])
        sample = spread(len(points), number)
        for place, fault in enumerate(points):
            marks = [pytest.mark.matrix, *([pytest.mark.sample] if place in sample else [])]
            yield pytest.param(host, way, fault, id=f"{host}-{way}-{fault}", marks=marks)


@pytest.mark.parametrize(("host", "way", "fault"), list(_cases()))
def test_killed(case: Callable[[str, str], Case], host: str, way: str, fault: Fault) -> None:
    move = case(host, way)

    assert move.upload(fault).status == -signal.SIGKILL, move.said
    move.goes_on()
    assert move.difference() == ""


@pytest.mark.matrix
def test_every_point_of_a_move_is_in_the_matrix(hosts: Hosts, mover: DyingMover, tmp_path: Path) -> None:
    """`make count-faults` counts them anew."""
    assert dict(count(hosts, mover, tmp_path)) == known()


def test_the_matrix_is_large_enough_and_no_case_is_in_it_twice() -> None:
    cases = [(host, way, fault) for (host, way), counts in known().items() for fault in kills(counts)]

    assert len(cases) == len(set(cases)) >= 1000
    assert {(host, way) for host, way, _fault in cases} == set(SETTINGS)
