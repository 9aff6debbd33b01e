"""When something goes on, in words."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hikkoshi.i18n import set_language
from hikkoshi.move.when import said_when


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    set_language("en")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "now", "then", "english", "japanese"),
    [
        ("UTC", "2026-11-24T08:00", "2026-11-24T09:00", "today at 09:00", "今日の 09:00"),
        ("UTC", "2026-11-24T09:00", "2026-11-25T09:00", "tomorrow at 09:00", "明日の 09:00"),
        ("UTC", "2026-11-24T23:59", "2026-11-25T00:00", "tomorrow at 00:00", "明日の 00:00"),
        ("UTC", "2026-11-24T23:59", "2026-11-24T23:59:01", "tomorrow at 00:00", "明日の 00:00"),  # rounded up
        ("UTC", "2026-11-24T09:00", "2026-11-26T09:00", "on Thursday at 09:00", "木曜日の 09:00"),
        ("UTC", "2026-11-24T09:00", "2026-11-30T09:00", "on Monday at 09:00", "月曜日の 09:00"),
        ("UTC", "2026-11-24T09:00", "2026-12-01T09:00", "on 2026-12-01 at 09:00", "2026-12-01 の 09:00"),
        ("Asia/Tokyo", "2026-11-24T14:30", "2026-11-24T15:00", "tomorrow at 00:00", "明日の 00:00"),
        ("Asia/Tokyo", "2026-11-24T15:30", "2026-11-25T14:59", "today at 23:59", "今日の 23:59"),
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T22:00", "on Monday at 00:00", "月曜日の 00:00"),  # 23 h long
        ("Europe/Berlin", "2026-03-28T20:00", "2026-03-29T20:00", "tomorrow at 22:00", "明日の 22:00"),
        ("Europe/Berlin", "2026-10-24T20:00", "2026-10-25T20:00", "tomorrow at 21:00", "明日の 21:00"),
    ],
)
def test_the_day_is_the_calendars(
    zone: None, monkeypatch: pytest.MonkeyPatch, name: str, now: str, then: str, english: str, japanese: str
) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    assert said_when(at(then), at(now)) == english
    set_language("ja")
    assert said_when(at(then), at(now)) == japanese
