"""From a row of the index to text of an exact width in cells. Pure; widths are cells, never characters."""

import re
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from hikkoshi.app.signs import Signs
from hikkoshi.i18n import _
from hikkoshi.index.store import IndexedMessage
from hikkoshi.mail.flags import ANSWERED, FLAGGED, FORWARDED, SEEN
from hikkoshi.mail.headers import decode, field

_NAMED = re.compile(r'^\s*"?\s*(.*?)\s*"?\s*<([^<>]*)>')
_FLAGS = 2
_LONG_DATE, _DATE, _SHORT_DATE = 16, 8, 5
_SIZE = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells of the columns of one side; 0: not shown. The mark and the flags stand before the date."""

    width: int
    date: int
    who: int
    subject: int
    size: int


def columns(width: int) -> Columns:
    """The columns of a side that is `width` cells wide."""
    date = _LONG_DATE if width >= 64 else _DATE if width >= 44 else _SHORT_DATE if width >= 30 else 0
    size = _SIZE if width >= 44 else 0
    left = width - 1 - _FLAGS - 1 - (date + 1 if date else 0) - (size + 1 if size else 0)
    who = max(8, left * 36 // 100) if left >= 20 else 0
    subject = max(0, left - (who + 1 if who else 0))
    return Columns(width, date, who, subject, size)


def cut(text: str, width: int, more: str) -> str:
    """`text` in exactly `width` cells: padded, or cut with the sign `more` at its end."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + more if width > 0 else ""


def cut_start(text: str, width: int, more: str) -> str:
    """`text` in exactly `width` cells, cut at its start: what tells folders apart is the end of their names."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    kept = text
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    return set_cell_size(more + kept, width)


def short_size(size: int) -> str:
    """A size in bytes in at most four characters, in powers of 1,024: '512', '9.8K', '123K', '1.4M'."""
    value, unit = float(size), ""
    for bigger in ("K", "M", "G", "T"):
        if value < 999.5:
            break
        value, unit = value / 1024, bigger
    return f"{value:.1f}{unit}" if unit and value < 9.95 else f"{value:.0f}{unit}"


def date_text(when: int | None, width: int, now: datetime) -> str:
    """A date in local time in at most `width` cells: with the time, the day alone, or this year's day or the year."""
    if when is None or not width:
        return ""
    try:
        date = datetime.fromtimestamp(when, now.tzinfo)
    except (OverflowError, OSError, ValueError):
        return "?"
    if width >= _LONG_DATE:
        return date.strftime("%Y-%m-%d %H:%M")
    if width >= _DATE:
        return date.strftime("%y-%m-%d")
    return date.strftime("%m-%d") if date.year == now.year else date.strftime("%Y")


def correspondent(fields: bytes, *, sent: bool) -> str:
    """Who a mail is from, or to where it was sent: the first name, else the first address."""
    text = decode(field(fields, b"to" if sent else b"from") or b"")
    if named := _NAMED.match(text):
        return named[1].strip("'\" ") or named[2].strip()
    return text.split(",")[0].strip()


def subject(fields: bytes) -> str:
    """A mail's subject; words in its place where it has none."""
    return decode(field(fields, b"subject") or b"").strip() or _("(no subject)")


def flag_signs(flags: frozenset[str], signs: Signs) -> str:
    """Two cells: unread or not, and the weightiest other flag."""
    other = " "
    for flag, sign in ((FLAGGED, signs.flagged), (ANSWERED, signs.answered), (FORWARDED, signs.forwarded)):
        if flag in flags:
            other = sign
            break
    return (" " if SEEN in flags else signs.unread) + other


def side_text(
    message: IndexedMessage, shape: Columns, signs: Signs, now: datetime, *, sent: bool, mark: bool, place: str = ""
) -> str:
    """One side of a row. `place`: a folder's name that is told before the subject."""
    fields = message.message.fields
    title = f"[{place}] {subject(fields)}" if place else subject(fields)
    return _join(
        signs.selected if mark else " ",
        flag_signs(message.message.flags, signs),
        shape,
        signs.more,
        (
            date_text(message.message.date, shape.date, now),
            correspondent(fields, sent=sent),
            title,
            short_size(message.message.size),
        ),
    )


def absent_text(shape: Columns, signs: Signs, *, mark: bool) -> str:
    """The side on which the mail is not."""
    return set_cell_size(signs.selected if mark else " ", shape.width)


def head_text(shape: Columns, signs: Signs, *, sent: bool) -> str:
    """The names of the columns."""
    names = (_("Date"), _("To") if sent else _("From"), _("Subject"), _("Size"))
    return _join(" ", "  ", shape, signs.more, names)


def _join(mark: str, flags: str, shape: Columns, more: str, texts: tuple[str, str, str, str]) -> str:
    date, who, title, size = texts
    parts = [mark + flags]
    if shape.date:
        parts.append(cut(date, shape.date, more))
    if shape.who:
        parts.append(cut(who, shape.who, more))
    parts.append(cut(title, shape.subject, more))
    if shape.size:
        parts.append(" " * max(0, shape.size - cell_len(size)) + cut(size, min(shape.size, cell_len(size)), more))
    return set_cell_size(" ".join(parts), shape.width)
