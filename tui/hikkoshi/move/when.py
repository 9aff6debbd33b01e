"""When something goes on, as people say it: today, tomorrow, a weekday, a date. Local time."""

from datetime import UTC, datetime, timedelta

from hikkoshi.i18n import _

_MINUTE = 60


def said_when(at: float, now: float | None = None) -> str:
    """“tomorrow at 09:00” for a time in seconds since 1970 UTC, rounded up to whole minutes; `now`: for tests.

    Days are those of the calendar in the local zone, so a night with 23 or 25 hours is no matter.
    """
    then = datetime.fromtimestamp(-(-at // _MINUTE) * _MINUTE).astimezone()
    today = (datetime.now() if now is None else datetime.fromtimestamp(now)).date()
    clock = then.strftime("%H:%M")
    if then.date() == today:
        return _("today at {time}").format(time=clock)
    if then.date() == today + timedelta(days=1):
        return _("tomorrow at {time}").format(time=clock)
    if today < then.date() < today + timedelta(days=7):
        return _("on {weekday} at {time}").format(weekday=_weekdays()[then.weekday()], time=clock)
    return _("on {date} at {time}").format(date=then.strftime("%Y-%m-%d"), time=clock)


def said_clock(at: float) -> str:
    """“09:00:05” for a time in seconds since 1970 UTC, rounded up, in the local zone."""
    return datetime.fromtimestamp(-(-at // 1)).strftime("%H:%M:%S")


def time_json(at: float | None) -> str | None:
    """A time in seconds since 1970 UTC as ISO 8601 has it, rounded up to whole minutes; None for None."""
    return None if at is None else datetime.fromtimestamp(-(-at // _MINUTE) * _MINUTE, UTC).isoformat()


def _weekdays() -> tuple[str, ...]:
    return (
        _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"),
    )  # fmt: skip
