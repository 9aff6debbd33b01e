"""Caps, by a clock that goes on only while it is waited for."""

import pytest

from hikkoshi.move.rate import Bucket, Caps


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_lets_its_burst_through_and_then_its_rate(clock: Clock) -> None:
    bucket = Bucket(10, 5, clock, clock.wait)
    bucket.take(5)
    assert clock.now == 50
    for _ in range(20):
        bucket.take(1)
    assert clock.now == pytest.approx(52)


def test_an_idle_time_saves_up_no_more_than_the_burst(clock: Clock) -> None:
    bucket = Bucket(10, 5, clock, clock.wait)
    clock.now += 1000
    bucket.take(15)
    assert clock.now == pytest.approx(1051)


@pytest.mark.parametrize("size", [500, 4096, 100_000, 3_000_000])
@pytest.mark.parametrize("rate", [1000, 50_000, 1_000_000])
def test_a_mail_is_paced_within_its_pieces(clock: Clock, rate: int, size: int) -> None:
    caps = Caps(rate, None, clock, clock.wait)
    chunks = [b"x" * min(1 << 16, size - start) for start in range(0, size, 1 << 16)]
    came = [(clock.now - 50, len(piece)) for piece in caps.paced([*chunks, b""])]
    assert sum(length for _at, length in came) == size
    total = 0
    for at, length in came:
        total += length
        assert total <= rate * (at + 0.25) + 1, "at no time had more gone than the cap and its burst allow"
    assert clock.now - 50 == pytest.approx(max(0, size / rate - 0.25))


def test_bytes_stay_the_same_and_in_order(clock: Clock) -> None:
    content = bytes(range(256)) * 999
    assert b"".join(Caps(70_000, 3, clock, clock.wait).paced([content[:70_000], content[70_000:]])) == content


def test_mails_are_paced_by_their_number(clock: Clock) -> None:
    caps = Caps(None, 4, clock, clock.wait)
    for _ in range(9):
        assert list(caps.paced([b"mail"])) == [b"mail"]
    assert clock.now - 50 == pytest.approx(2)


def test_a_batch_holds_two_seconds_of_the_cap() -> None:
    assert (Caps(500_000, 4).batch_bytes, Caps(500_000, 4).batch_mails) == (1_000_000, 8)
    assert (Caps(None, 0.1).batch_bytes, Caps(None, 0.1).batch_mails) == (None, 1)
    assert (Caps(1, None).batch_bytes, Caps(1, None).batch_mails) == (2, None)
