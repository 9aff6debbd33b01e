"""The date a mail is given on the server, and where it was found; IMAP's date syntax both ways."""

import re
from datetime import UTC, datetime, timedelta
from time import time

import msgspec

from hikkoshi.mail.headers import fields_pattern, unfold

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_NAMED_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "jst": 540, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "wet": 0, "west": 60,
    "bst": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180,
    "msk": 180, "hkt": 480, "sgt": 480, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip

_TIME = r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(?:[.,]\d+)?(?:\s*([AaPp])\.?[Mm]\b\.?)?"
# An offset, with what people put around it: +09:00, GMT+9, (JST), "+0900".
_ZONE = r"[\s(\"]*(?:(?:GMT|UTC?)?([+-]\d{1,2}(?::?\d{2})?)(?!\d)|([A-Za-z]{1,4})\b)?"
# RFC 5322 section 3.3 with its obsolete forms: two- and three-digit years, named zones, no seconds, no zone.
_DATE = re.compile(
    r"(?:^|[\s,;])(\d{1,2})[\s./-]+([A-Za-z]{3})[a-z]*[\s./-]+(\d{4}|\d{2,3})(?:[\s,]+(?:at\s+|T)?|:)" + _TIME + _ZONE
)
# The one form that RFC 5322 asks for, which nearly all mail has: 1.2 us, where the patterns below cost 6. Years that
# begin with 1 or 2 cannot overflow.
_COMMON = re.compile(rb"\s*(?:[A-Za-z]{3}, +)?(\d{1,2} [A-Za-z]{3} [12]\d{3} )(\d\d:\d\d:)(\d\d )([+-]\d{4})(?=\s|\Z)")
_ISO_DATE = re.compile(r"(?:^|\s)(\d{4})([-/])(\d{1,2})\2(\d{1,2})[T\s]+" + _TIME + _ZONE)
# asctime(), as `date` and JavaScript vary it: `Mon Jan  1 00:00:00 JST 2024`, `Mon Jan 01 2024 00:00:00 GMT+0900`.
_MONTH_FIRST = re.compile(r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})[\s,]+" + _TIME + _ZONE)
# The separator of an mbox, `From addr Mon Jan  1 00:00:00 2024` (RFC 4155; ctime, by custom UTC).
_ASCTIME = re.compile(
    r"\b([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+((?:[A-Z]{3,4}|[+-]\d{4})\s+)?(\d{4})(?:\s+([+-]\d{4}))?"
)
# RFC 5322 section 3.3 without its obsolete forms; comments may stand behind it.
_STRICT = re.compile(
    r"\s*(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\s+)?\d{1,2}\s+(?:"
    + "|".join(name.title() for name in _MONTHS)
    + r")\s+\d{4}"
    r"\s+\d\d:\d\d(?::\d\d)?\s+[+-]\d{4}(?:\s*\([^()]*\))*\s*"
)
_INTERNALDATE = re.compile(r"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-]\d{4})")

# A mail dated before IMAP's servers keep dates (Dovecot makes 1900 into 1901) or at the epoch has a broken
# clock behind it; one from the future becomes "now" on Dovecot, so another source is better.
_EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
_AHEAD = 2 * 3600
_LAST_ZONE = 14 * 60  # minutes; Kiribati's


_RECEIVED, _DATE_FIELD = fields_pattern(("Received",)), fields_pattern(("Date",))
# Seconds of the parts of a date in the common form: days since 1970, and of the rest what stands in it.
_days: dict[bytes, int] = {}
_clocks: dict[bytes, int] = {}
_seconds: dict[bytes, int] = {}
_zones: dict[bytes, int] = {}
# What stands in front of the day where a Received field ends in `; Fri, 01 Jan 2010 00:18:00 -0000`.
_LAST_DAY = frozenset(f"; {name}, ".encode() for name in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_DAYS_REMEMBERED = 20_000  # 55 years of mail; a liar's dates must not fill the memory


class Dated(msgspec.Struct, frozen=True, gc=False):
    """A date found for a mail: `when` in seconds since 1970 UTC, `source` one of received, date, from-line, file."""

    when: int
    source: str


class DateField(msgspec.Struct, frozen=True, gc=False):
    """What a mail's Date field is: `possible` as a date at all; `odd`: possible, but not in the form of RFC 5322."""

    possible: bool
    odd: bool = False


def date_field_of_lines(lines: bytes) -> DateField:
    """What the Date field of a header block is that has a line end in front of it; none is none that can be."""
    field = _DATE_FIELD.search(lines)
    if not field:
        return DateField(False)
    value = field[1].partition(b":")[2]
    when = parse_date(value)
    if when is None or not _EARLIEST <= when <= time() + _AHEAD:
        return DateField(False)
    common = _COMMON.match(value)
    if common and not value[common.end() :].strip():
        return DateField(True)
    return DateField(True, not _STRICT.fullmatch(unfold(value).decode("ascii", "replace")))


def internal_date(block: bytes, *, sent: bool, from_line: bytes | None, mtime: float | None) -> Dated | None:
    """The INTERNALDATE for a mail with header `block`: never today, unless that is what the mail says.

    The top Received field's date, else Date; for `sent` mail Date comes first and Received is not asked.
    Else the mbox's From_ line, else the file's time `mtime` (seconds since 1970). None where nothing is known.
    """
    return date_of_lines(b"\n" + block, sent, from_line, mtime)


def date_of_lines(lines: bytes, sent: bool, from_line: bytes | None, mtime: float | None) -> Dated | None:
    """`internal_date` of a header block that has a line end in front of it."""
    latest = time() + _AHEAD
    if not sent and (received := _RECEIVED.search(lines)):
        when = _at_end(received[1])
        if when is not None and _EARLIEST <= when <= latest:
            return Dated(when, "received")
    if date := _DATE_FIELD.search(lines):
        when = parse_date(date[1].partition(b":")[2])
        if when is not None and _EARLIEST <= when <= latest:
            return Dated(when, "date")
    when = parse_from_line(from_line) if from_line is not None else None
    if when is not None and _EARLIEST <= when <= latest:
        return Dated(when, "from-line")
    if mtime is not None and _EARLIEST <= mtime <= latest:
        return Dated(int(mtime), "file")
    return None


def _at_end(received: bytes) -> int | None:
    """The date of a Received field. Where it ends in the common form, its parts are looked up without a pattern."""
    if received[-33:-26] in _LAST_DAY:
        try:
            return (
                _days[received[-26:-14]] + _clocks[received[-14:-8]] + _seconds[received[-8:-5]] - _zones[received[-5:]]
            )
        except KeyError:
            pass
    return parse_date(_behind_last_semicolon(received))


def _behind_last_semicolon(field: bytes) -> bytes:
    """The date in a Received field: without a semicolon all of its value."""
    _trace, semicolon, value = field.rpartition(b";")
    # The name has none, so that one found is in the value.
    return value if semicolon else field.partition(b":")[2]


def parse_date(value: bytes) -> int | None:
    """Seconds since 1970 UTC of an RFC 5322 date or of what mailers write instead, None if it is none.

    A date without a zone, or with one that nobody knows, is taken as UTC (RFC 5322 section 4.3).
    """
    if common := _COMMON.match(value):
        day, clock, second, zone = common.groups()
        try:
            return _days[day] + _clocks[clock] + _seconds[second] - _zones[zone]
        except KeyError:
            return _learn(day, clock, second, zone)
    return _parse_any(value)


def _learn(day: bytes, clock: bytes, second: bytes, zone: bytes) -> int | None:
    """What `parse_date` says of a date in the common form, whose parts are remembered if they make one."""
    number, month, year = day.decode().split()
    midnight = _epoch(int(year), _month(month), number, 0, "0", None, 0)
    hour, minute = int(clock[:2]), int(clock[3:5])
    if midnight is None or hour > 23 or minute > 59:
        return None
    if len(_days) >= _DAYS_REMEMBERED:
        _days.clear()
    _days[day] = midnight
    _clocks[clock] = hour * 3600 + minute * 60
    _seconds[second] = min(int(second), 59)
    _zones[zone] = _zone(zone.decode()) * 60
    return midnight + _clocks[clock] + _seconds[second] - _zones[zone]


def _parse_any(value: bytes) -> int | None:
    text = unfold(value).decode("ascii", "replace")
    if match := _DATE.search(text):
        day, month, year, *clock = match.groups()
        return _moment(_year(year), _month(month), day, *clock)
    if match := _ISO_DATE.search(text):
        year, _sign, month, day, *clock = match.groups()
        return _moment(int(year), int(month), day, *clock)
    if match := _MONTH_FIRST.search(text):
        month, day, year, *clock = match.groups()
        return _moment(int(year), _month(month), day, *clock)
    return _asctime(text)


def parse_from_line(line: bytes) -> int | None:
    """Seconds since 1970 UTC of an mbox's From_ line, None if it has no date."""
    return _asctime(line.decode("ascii", "replace"))


def _asctime(text: str) -> int | None:
    match = _ASCTIME.search(text)
    if not match:
        return None
    month, day, hour, minute, second, name, year, offset = match.groups()
    return _epoch(int(year), _month(month), day, int(hour), minute, second, _zone(offset or (name or "").strip()))


def _moment(
    year: int,
    month: int,
    day: str,
    hour: str,
    minute: str,
    second: str | None,
    half: str | None,
    offset: str | None,
    name: str | None,
) -> int | None:
    """What the groups of _TIME and _ZONE say with a date; `half`: of the day, A or P of AM and PM."""
    hours = int(hour) if not half else int(hour) % 12 + (12 if half in "pP" else 0)
    return _epoch(year, month, day, hours, minute, second, _zone(offset or name))


def imap_date(when: int) -> str:
    """RFC 3501's date-time of `when` (seconds since 1970 UTC), in UTC, without quotes."""
    moment = datetime.fromtimestamp(when, UTC)
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1].title()}-{moment.year:04d} {moment:%H:%M:%S} +0000"


def parse_imap_date(text: str) -> int | None:
    """Seconds since 1970 UTC of an INTERNALDATE (RFC 3501 date-time, without quotes), None if it is none."""
    match = _INTERNALDATE.match(text)
    if not match:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    return _epoch(int(year), _month(month), day, int(hour), minute, second, _zone(zone))


def _month(name: str) -> int:
    """1 to 12, 0 for what is no month."""
    return _MONTH.get(name.lower(), 0)


def _year(text: str) -> int:
    """RFC 5322 section 4.3: 00 to 49 are of this century, 50 to 99 and all of three digits count from 1900."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if len(text) == 2 and year < 50 else 1900)


def _zone(text: str | None) -> int:
    """Minutes east of UTC; what is no zone on earth counts as UTC (RFC 5322 section 4.3)."""
    if not text:
        return 0
    if text[0] not in "+-":
        return _NAMED_ZONES.get(text.lower(), 0)
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    east = int(hours) * 60 + int(minutes)
    if east > _LAST_ZONE:
        return 0
    return -east if text[0] == "-" else east


def _epoch(year: int, month: int, day: str, hour: int, minute: str, second: str | None, zone: int) -> int | None:
    try:
        # A leap second is a date too; datetime knows none.
        moment = datetime(year, month, int(day), hour, int(minute), min(int(second or 0), 59), tzinfo=UTC)
        return int((moment - timedelta(minutes=zone)).timestamp())
    except (ValueError, OverflowError):
        return None
