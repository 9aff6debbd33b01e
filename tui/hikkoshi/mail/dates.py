"""The date a mail is given on the server, and where it was found; IMAP's date syntax both ways."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time

from hikkoshi.mail.headers import iter_fields, unfold

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_NAMED_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "jst": 540, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "cet": 60, "cest": 120, "bst": 60,
}  # fmt: skip

# RFC 5322 section 3.3 with its obsolete forms: two-digit years, named zones, no seconds, no zone.
_DATE = re.compile(
    r"(?:^|[\s,;])(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*\.?[\s-]+(\d{4}|\d{2})[\s,]+"
    r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([+-]\d{4}|[A-Za-z]{1,4})?"
)
# The separator of an mbox, `From addr Mon Jan  1 00:00:00 2024` (RFC 4155; ctime, by custom UTC).
_FROM_LINE = re.compile(
    r"\b([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+(?:[A-Z]{3,4}\s+)?(\d{4})(?:\s+([+-]\d{4}))?"
)
_INTERNALDATE = re.compile(r"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-]\d{4})")

# A mail dated before IMAP's servers keep dates (Dovecot makes 1900 into 1901) or at the epoch has a broken
# clock behind it; one from the future becomes "now" on Dovecot, so another source is better.
_EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
_AHEAD = 2 * 3600


@dataclass(frozen=True, slots=True)
class Dated:
    """A date found for a mail: `when` in seconds since 1970 UTC, `source` one of received, date, from-line, file."""

    when: int
    source: str


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
    """Seconds since 1970 UTC of an RFC 5322 date, None if it is none; a date without a zone is taken as UTC."""
    match = _DATE.search(unfold(value).decode("ascii", "replace"))
    if not match:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    return _epoch(_year(year), _MONTH.get(month.lower(), 0), day, hour, minute, second, _zone(zone))


def parse_from_line(line: bytes) -> int | None:
    """Seconds since 1970 UTC of an mbox's From_ line, None if it has no date."""
    match = _FROM_LINE.search(line.decode("ascii", "replace"))
    if not match:
        return None
    month, day, hour, minute, second, year, zone = match.groups()
    return _epoch(int(year), _MONTH.get(month.lower(), 0), day, hour, minute, second, _zone(zone))


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
    return _epoch(int(year), _MONTH.get(month.lower(), 0), day, hour, minute, second, _zone(zone))


def _year(text: str) -> int:
    """RFC 5322 section 4.3: 00 to 49 are of this century, 50 to 99 of the last."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if year < 50 else 1900)


def _zone(text: str | None) -> int:
    """Minutes east of UTC; an unknown name counts as UTC (RFC 5322 section 4.3)."""
    if not text:
        return 0
    if text[0] in "+-":
        minutes = int(text[1:3]) * 60 + int(text[3:5])
        return -minutes if text[0] == "-" else minutes
    return _NAMED_ZONES.get(text.lower(), 0)


def _epoch(year: int, month: int, day: str, hour: str, minute: str, second: str | None, zone: int) -> int | None:
    try:
        # A leap second is a date too; datetime knows none.
        moment = datetime(year, month, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC)
        return int((moment - timedelta(minutes=zone)).timestamp())
    except (ValueError, OverflowError):
        return None
