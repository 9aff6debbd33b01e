"""The listing that servers usually give, read at nearly the cost of receiving it (RFC 3501 section 7.4.2). Pure.

One pattern takes a whole FETCH response: UID, FLAGS, RFC822.SIZE, INTERNALDATE and MODSEQ in any order, then the
header fields as a literal, as Dovecot, Cyrus and Courier send them. Whatever looks otherwise is left to the lexer,
which reads everything; both give the same Message for what both can read.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

from hikkoshi.mail.dates import parse_imap_date
from hikkoshi.mail.headers import IDENTITY_FIELDS
from hikkoshi.mail.message import Message

Listed: TypeAlias = tuple[int, Message]
"""UID and mail."""

# A field as `identity_fields` takes it. A literal made of nothing else is what that would make of it, less the
# blank line at its end. Possessive throughout: no input makes it read the same bytes many times.
_NAMES = b"|".join(
    b"".join(b"[%c%c]" % (c - 32, c) if 97 <= c <= 122 else b"%c" % c for c in n) for n in IDENTITY_FIELDS
)
# `.` is all but LF and three times as fast as [^\r\n]; a CR by itself is left to be counted.
_FIELDS = rb"(?:(?:" + _NAMES + rb")[ \t]*+:.*+\n(?<=\r\n)(?:[ \t].*+\n(?<=\r\n))*+)*+"
_RESPONSE = re.compile(
    rb"\* \d{1,10} FETCH \((?:"
    rb"UID (\d{1,10}) "
    rb"|FLAGS \(([^()\[\]{}\"\x00-\x1f]*+)\) "
    rb"|RFC822\.SIZE (\d{1,18}) "
    rb'|INTERNALDATE "([ 0-9]\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4})" '
    rb"|MODSEQ \(\d{1,19}\) )+"
    rb"BODY\[HEADER\.FIELDS \([^()\[\]{}\r\n]*+\)\] \{(\d{1,7})\}\r\n"
    rb"(" + _FIELDS + rb")\r\n\)\r\n"
)
_FLAGS = re.compile(
    rb"\* \d{1,10} FETCH \((?:UID (\d{1,10})(?: |(?=\)))|FLAGS \(([^()\[\]{}\"\x00-\x1f]*+)\)(?: |(?=\)))"
    rb"|MODSEQ \(\d{1,19}\)(?: |(?=\))))++\)\r\n"
)
_OPENING = re.compile(rb"\* \d{1,10} FETCH \([^{}\r\n]*+\{(\d{1,7})\}\r\n")
_LINE_END = len(b"\r\n")
_MANY = 4096
_MINUTES = {b"%02d:%02d" % (hour, minute): 3600 * hour + 60 * minute for hour in range(24) for minute in range(60)}
# datetime knows no leap second; 60 counts as 59 wherever we read dates.
_SECONDS = {b"%02d" % second: min(second, 59) for second in range(61)}


class QuickReader:
    """Reads the usual FETCH responses of one listing. `flag_set`: what the lexer's reader makes of the flags' text."""

    def __init__(self, flag_set: Callable[[bytes], frozenset[str]]) -> None:
        self._flag_set = flag_set
        self._flags: dict[bytes, frozenset[str]] = {}
        self._days: dict[bytes, int] = {}

    def read(self, data: bytes) -> tuple[list[Listed], int, bool]:
        """The mails of all usual responses at the start of `data`, how many bytes they took, and whether the next is cut.

        A response is known to be cut when its literal is longer than what is left; of others only the lexer knows.
        """
        found: list[Listed] = []
        start = 0
        match_at, flags_known, days, take = _RESPONSE.match, self._flags, self._days, found.append
        while match := match_at(data, start):
            uid, flags, size, date, length, fields = match.groups()
            # The literal's length is what counts, not what its bytes look like.
            if int(length) != len(fields) + _LINE_END or uid is None or flags is None or size is None or date is None:
                break
            if fields.count(b"\r") != fields.count(b"\n"):
                break
            flag_set = flags_known.get(flags)
            if flag_set is None:
                flag_set = self._learn_flags(flags)
            day = days.get(date[:11] + date[21:])
            if day is None:
                day = self._learn_day(date[:11] + date[21:])
            minutes, seconds = _MINUTES.get(date[12:17]), _SECONDS.get(date[18:20])
            if day is None or minutes is None or seconds is None:
                break
            number = int(uid)
            take((number, Message(str(number), int(size), flag_set, day + minutes + seconds, fields[:-2])))
            start = match.end()
        cut = _OPENING.match(data, start)
        return found, start, bool(cut and cut.end() + int(cut[1]) > len(data))

    def read_flags(self, data: bytes, into: dict[int, frozenset[str]]) -> tuple[int, int]:
        """Put the flags of all usual responses at the start of `data` into `into`; their number, and their bytes."""
        start = count = 0
        match_at, flags_known = _FLAGS.match, self._flags
        while match := match_at(data, start):
            uid, flags = match.groups()
            if uid is None or flags is None:
                break
            flag_set = flags_known.get(flags)
            into[int(uid)] = self._learn_flags(flags) if flag_set is None else flag_set
            start = match.end()
            count += 1
        return count, start

    def _learn_flags(self, text: bytes) -> frozenset[str]:
        """A mailbox has few sets of flags; whoever sends many costs time, not memory."""
        if len(self._flags) >= _MANY:
            self._flags.clear()
        self._flags[text] = flags = self._flag_set(text)
        return flags

    def _learn_day(self, text: bytes) -> int | None:
        """The day's first second, from `dd-Mon-yyyy` and the zone; None for a day that is none."""
        if len(self._days) >= _MANY:
            self._days.clear()
        date, zone = text[:11].decode("ascii"), text[11:].decode("ascii")
        day = parse_imap_date(f"{date} 00:00:00 {zone}")
        if text[7:11] == b"9999" and parse_imap_date(f"{date} 23:59:59 {zone}") is None:
            return None  # the end of the last day of all, west of Greenwich
        if day is not None:
            self._days[text] = day
        return day
