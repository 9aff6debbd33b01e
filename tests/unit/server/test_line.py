"""How slow a line has to be, in either direction."""

import socket
from contextlib import suppress

import pytest
from msgspec.structs import replace

from hikkoshi.server.line import LineMeter, Sending, UplinkMeter, sending


def heard(rate: float, size: int = 1_000_000, piece: int = 16_384, pause_every: int = 0) -> LineMeter:
    meter, now = LineMeter(), 100.0
    meter.asked(now)
    now += 0.04
    for number in range(size // piece):
        if pause_every and number % pause_every == 0:
            now += 1.0
        meter.heard(piece, now)
        now += piece / rate
    return meter


MBIT = 1e6 / 8


def test_slow_and_fast_lines_are_told_apart() -> None:
    plenty = 50_000_000
    assert heard(20 * MBIT).worth(plenty)
    assert not heard(80 * MBIT).worth(plenty)
    assert heard(20 * MBIT).round_trip == pytest.approx(0.04)


def test_a_slow_server_on_a_fast_line_is_no_slow_line() -> None:
    assert not heard(500 * MBIT, pause_every=16).worth(50_000_000)


def test_little_is_not_worth_it_and_little_tells_nothing() -> None:
    assert not heard(20 * MBIT).worth(100_000)
    assert not heard(1 * MBIT, size=100_000).known


PLENTY = 50_000_000
UP = Sending(acked=500_000, waiting=200_000, round_trip=0.02, rate=int(20 * MBIT), idle=False, held=0.0)
"""A line of 20 Mbit/s with more in the socket than it takes at once."""


def test_a_line_that_takes_less_than_there_is_to_send_is_slow() -> None:
    assert UplinkMeter().worth(UP, PLENTY)
    assert not UplinkMeter().worth(UP, 100_000)


@pytest.mark.parametrize(
    "other",
    [
        {"rate": int(80 * MBIT)},
        {"waiting": 0},
        {"idle": True},
        {"held": 0.5},
        {"acked": 200_000},
        # The kernel has no rate yet.
        {"rate": 0},
        # TCP has not got up to speed yet where a round trip is long.
        {"round_trip": 0.1},
    ],
)
def test_what_is_no_sign_of_a_slow_line(other: dict[str, float]) -> None:
    assert not UplinkMeter().worth(replace(UP, **other), PLENTY)


def test_a_line_that_was_fast_once_only_stumbled() -> None:
    meter = UplinkMeter()
    meter.worth(replace(UP, rate=int(80 * MBIT)), PLENTY)
    assert not meter.worth(UP, PLENTY)


def test_the_kernel_tells_of_a_connection() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as ours,
        listener.accept()[0] as theirs,
    ):
        ours.sendall(b"x" * 30_000)
        theirs.recv(30_000, socket.MSG_WAITALL)
        found = sending(ours)
        if found is None:
            pytest.skip("only Linux tells")
        assert found.acked >= 30_000
        assert found.waiting == 0
        assert 0 < found.round_trip < 1
        assert found.rate > 0
        ours.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                ours.send(b"x" * 100_000)
        full = sending(ours)
        assert full is not None
        assert full.waiting > 0
