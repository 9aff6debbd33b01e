"""When the server is asked for its limits again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.move import meter as module
from hikkoshi.move.meter import Meter
from hikkoshi.move.room import Reserve


class Session:
    """A server without QUOTA."""

    def quota(self, natives: object) -> list[Any]:
        return []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_it_is_due_after_five_seconds_or_sixteen_mib(clock: list[float]) -> None:
    meter = Meter(Reserve(), None, 0)
    assert not meter.due_before(0)
    clock[0] += 5
    assert meter.due_before(0)
    meter.read(Session(), [])  # type: ignore[arg-type]
    assert not meter.due_before(0)
    meter.sent(16 * 1024 * 1024 - 1)
    assert not meter.due_before(0)
    assert meter.due_before(1)
    meter.sent(1)
    assert meter.due_before(0)


def test_what_was_sent_counts_where_the_server_does_not_count() -> None:
    meter = Meter(Reserve(size=0), 1000, 300)
    meter.sent(200)
    meter.sent(70)
    meter.not_taken(70)

    [room] = meter.read(Session(), [])  # type: ignore[arg-type]
    assert (room.used, room.limit) == (500, 1000)


@given(st.lists(st.tuples(st.integers(1, 9 << 20), st.floats(0, 3)), max_size=60))
def test_never_more_than_sixteen_mib_or_five_seconds_between_two_readings(batches: list[tuple[int, float]]) -> None:
    """Batches of at most 4 MiB and larger single mails, each with the seconds that it takes; one over 16 MiB goes alone."""
    now = [0.0]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "monotonic", lambda: now[0])
        meter = Meter(Reserve(), None, 0)
        used, since, read_at = 0, 0, 0.0
        for size, seconds in batches:
            if meter.due_before(size):
                [room] = meter.read(Session(), [])  # type: ignore[arg-type]
                assert room.used == used
                since, read_at = 0, now[0]
            assert now[0] - read_at < 5
            meter.sent(size)
            used, since = used + size, since + size
            assert since <= max(size, 16 << 20)
            now[0] += seconds
