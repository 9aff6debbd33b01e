"""How long a move waits, by a clock of its own."""

import pytest

from hikkoshi.errors import CommandRefused
from hikkoshi.move import patience as module
from hikkoshi.move.events import UploadEvent, Waiting
from hikkoshi.move.patience import Patience, Throttled
from hikkoshi.server.answers import Answer, Says

LATER = Answer(Says.LATER)


class Clock:
    """Time that goes by only while it is waited for; `waits`: how long each was; `told`: what the user heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self.told: list[UploadEvent] = []
        monkeypatch.setattr(module, "monotonic", lambda: self.now)
        monkeypatch.setattr(module, "time", lambda: self.now + 1_700_000_000)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(clock.wait, clock.told.append)


def test_nothing_is_waited_for_without_being_told(clock: Clock, patience: Patience) -> None:
    patience.pause()
    assert (clock.waits, patience.slow) == ([], False)


def test_waits_grow_up_to_a_bound_and_end_the_move(clock: Clock, patience: Patience) -> None:
    for _ in range(8):
        patience.told(LATER, "slower")
        patience.pause()
    assert clock.waits == [2, 4, 8, 16, 32, 64, 128, 256]
    patience.told(LATER, "slower still")
    for _ in range(2):  # it stays so until a mail arrives
        with pytest.raises(Throttled, match="slower still"):
            patience.pause()
    assert len(clock.waits) == 8


def test_a_mail_that_arrives_starts_the_count_anew(clock: Clock, patience: Patience) -> None:
    for _ in range(30):
        patience.told(LATER, "slower")
        patience.pause()
        patience.passed()
    assert clock.waits[6:] == [128, 256] + [300] * 22
    patience.smooth()
    patience.told(LATER, "slower")
    patience.pause()
    assert clock.waits[-1] == 2


def test_the_time_that_the_server_names_is_waited_for_and_told(clock: Clock, patience: Patience) -> None:
    patience.told(Answer(Says.LATER, 299.5), "Suggested \x1b[31mBackoff")
    clock.now += 100
    patience.pause()
    assert clock.waits == [199.5]
    assert clock.told == [Waiting(1_700_001_299.5, "Suggested ␛[31mBackoff")] or "\x1b" not in str(clock.told)
    assert isinstance(clock.told[0], Waiting)
    assert clock.told[0].until == 1_700_001_299.5
    patience.pause()
    assert len(clock.waits) == 1


def test_several_answers_before_a_wait_count_once(clock: Clock, patience: Patience) -> None:
    for _ in range(20):
        patience.told(LATER, "slower")
    patience.told(Answer(Says.LATER, 5), "slower")
    patience.told(LATER, "slower")
    patience.pause()
    assert clock.waits == [5]


def test_more_than_an_hour_is_not_waited_for(clock: Clock, patience: Patience) -> None:
    patience.told(Answer(Says.LATER, 3601), "come back later")
    with pytest.raises(Throttled, match=r"at \d\d:\d\d\. It says: come back later") as caught:
        patience.pause()
    assert caught.value.until == clock.now + 1_700_000_000 + 3601
    assert clock.waits == []


def test_only_errors_that_ask_for_it_are_waited_for(patience: Patience) -> None:
    assert not patience.told_by(CommandRefused("No", "OVERQUOTA", "Quota exceeded"))
    assert not patience.told_by(CommandRefused("No", "UNAVAILABLE"))
    assert not patience.told_by(OSError("throttled"))
    assert not patience.slow
    assert patience.told_by(CommandRefused("No", "INUSE"))
    assert patience.slow
