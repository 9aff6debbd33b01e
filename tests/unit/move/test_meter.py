"""When the server is asked for its limits again."""

from typing import Any

import pytest

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
