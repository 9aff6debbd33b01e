"""Dates as they were read before speed counted: the slow twin that hikkoshi.mail.dates must agree with."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import time

from hikkoshi.mail.dates import Dated
from hikkoshi.mail.headers import iter_fields, unfold

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
_ISO_DATE = re.compile(r"(?:^|\s)(\d{4})([-/])(\d{1,2})\2(\d{1,2})[T\s]+" + _TIME + _ZONE)
# asctime(), as `date` and JavaScript vary it: `Mon Jan  1 00:00:00 JST 2024`, `Mon Jan 01 2024 00:00:00 GMT+0900`.
_MONTH_FIRST = re.compile(r"\b([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})[\s,]+" + _TIME + _ZONE)
# The separator of an mbox, `From addr Mon Jan  1 00:00:00 2024` (RFC 4155; ctime, by custom UTC).
_ASCTIME = re.compile(
    r"\b([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+((?:[A-Z]{3,4}|[+-]\d{4})\s+)?(\d{4})(?:\s+([+-]\d{4}))?"
)

# A mail dated before IMAP's servers keep dates (Dovecot makes 1900 into 1901) or at the epoch has a broken
# clock behind it; one from the future becomes "now" on Dovecot, so another source is better.
_EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
_AHEAD = 2 * 3600
_LAST_ZONE = 14 * 60  # minutes; Kiribati's


def internal_date(block: bytes, *, sent: bool, from_line: bytes | None, mtime: float | None) -> Dated | None:
    """The INTERNALDATE for a mail with header `block`: never today, unless that is what the mail says.

    The top Received field's date, else Date; for `sent` mail Date comes first and Received is not asked.
    Else the mbox's From_ line, else the file's time `mtime` (seconds since 1970). None where nothing is known.
    """
    latest = time() + _AHEAD
    for source, when in _candidates(block, sent, from_line, mtime):
        if when is not None and _EARLIEST <= when <= latest:
            return Dated(when, source)
    return None


def _candidates(
    block: bytes, sent: bool, from_line: bytes | None, mtime: float | None
) -> Iterator[tuple[str, int | None]]:
    received = date = None
    for name, value in iter_fields(block):
        if name == b"received" and received is None:
            received = value
        elif name == b"date" and date is None:
            date = value
        if date is not None and (received is not None or sent):
            break
    if received is not None and not sent:
        yield "received", parse_date(received.rpartition(b";")[2])
    if date is not None:
        yield "date", parse_date(date)
    if from_line is not None:
        yield "from-line", parse_from_line(from_line)
    if mtime is not None:
        yield "file", int(mtime)


def parse_date(value: bytes) -> int | None:
    """Seconds since 1970 UTC of an RFC 5322 date or of what mailers write instead, None if it is none.

    A date without a zone, or with one that nobody knows, is taken as UTC (RFC 5322 section 4.3).
    """
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
