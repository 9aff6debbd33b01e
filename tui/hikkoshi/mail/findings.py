"""What is out of the ordinary in a mail: what servers refuse, change or act upon. Looks only, by leaps, not by lines.

What servers make of each and what can be done about it is told in one table, in `hikkoshi.mail.remedies`.
"""

import re
from enum import IntFlag

import msgspec

from hikkoshi.mail.bookkeeping import LineEnds
from hikkoshi.mail.dates import date_field_of_lines
from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.headers import fields_pattern, header_end


class Finding(IntFlag):
    """One bit for each thing that can be found. The numbers stand in the index; the names, as `code`, in JSON."""

    BARE_CR = 1
    """A CR without LF in the body."""
    BARE_CR_IN_HEADER = 1 << 1
    MIXED_LINE_ENDS = 1 << 2
    """Some of its lines end in CRLF and some in LF on this PC; what goes up has CRLF."""
    NUL = 1 << 3
    EIGHT_BIT_HEADER = 1 << 4
    """Bytes over 0x7F in the header that encoded words (RFC 2047) can stand for."""
    EIGHT_BIT_STRUCTURE = 1 << 5
    """Bytes over 0x7F in the header where no encoded word may stand: in an address, a parameter, a name."""
    EMPTY_FIELD = 1 << 6
    """A header field without a value."""
    BAD_FIELD = 1 << 7
    """A header line that is no field."""
    LONG_LINE = 1 << 8
    """A line of the body over 998 bytes (RFC 5322 section 2.1.1), its CRLF not counted."""
    LONG_HEADER_LINE = 1 << 9
    VERY_LONG_LINE = 1 << 10
    """A line over 9,900 bytes: Microsoft 365 refuses it."""
    NO_FINAL_LINE_END = 1 << 11
    NO_HEADERS = 1 << 12
    ASKS_FOR_RECEIPT = 1 << 13
    """It asks for a read receipt; of consequence only while it is unread."""
    IMPOSSIBLE_DATE = 1 << 14
    """Its Date is missing, cannot be read, or is none that can be: the date it is given comes from elsewhere."""
    ODD_DATE = 1 << 15
    """Its Date is not in the form of RFC 5322, and was read all the same."""
    FLAGS_DROPPED = 1 << 16
    """Flags that IMAP's grammar or the folder's PERMANENTFLAGS refuse."""
    PARTIAL = 1 << 17
    """Only its headers were downloaded."""
    ZERO_BYTES = 1 << 18

    @property
    def code(self) -> str:
        """The name of a single finding as JSON and the ledger have it."""
        return (self.name or "").lower().replace("_", "-")


AT_RISK = (
    Finding.BARE_CR | Finding.BARE_CR_IN_HEADER | Finding.NUL | Finding.EIGHT_BIT_HEADER | Finding.EIGHT_BIT_STRUCTURE
    | Finding.LONG_LINE | Finding.LONG_HEADER_LINE | Finding.VERY_LONG_LINE
)  # fmt: skip
"""Servers are known to change a mail with these without a word: it is read back whole."""

_BARE_CR, _BARE_CR_IN_HEADER, _MIXED, _NUL = 1, 1 << 1, 1 << 2, 1 << 3
_EIGHT_BIT, _EIGHT_BIT_LEFT, _EMPTY_FIELD, _BAD_FIELD = 1 << 4, 1 << 5, 1 << 6, 1 << 7
_LONG, _LONG_HEADER, _VERY_LONG, _NO_END = 1 << 8, 1 << 9, 1 << 10, 1 << 11
_NO_HEADERS, _RECEIPT, _IMPOSSIBLE, _ODD = 1 << 12, 1 << 13, 1 << 14, 1 << 15

LINE = 998
"""Bytes of the longest line that RFC 5322 allows, without its CRLF."""
VERY_LONG = 9_900
_LEAP = LINE + 2  # so many bytes without LF, one of which may be its CR, are a long line

RECEIPT_FIELDS = ("Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To")
"""RFC 8098 section 2.1, and what sendmail and Pegasus Mail wrote before it."""
_RECEIPT_FIELD = fields_pattern(RECEIPT_FIELDS)
# Begins with a literal: 2 us a header, where a look at each field would take 12.
_MAYBE_EMPTY = re.compile(rb":[ \t]*(?:\r\n|\Z)")
EMPTY_VALUE = re.compile(rb"\n([!-9;-~]+)[ \t]*:[ \t]*(?:\r\n[ \t]+)*(?=\r\n(?![ \t])|\Z)")
"""A field without a value in a header block (CRLF) with a line end in front of it; group 1 is its name."""
# What Cyrus takes for a field (imap/message.c, message_copy_strict): no blank before its colon.
_NO_FIELD = re.compile(rb"\n(?![!-9;-~]+:|[ \t]|\Z)")
_ANY_FIELD = re.compile(rb"\n[!-9;-~]+[ \t]*:")


class Examined(msgspec.Struct, frozen=True):
    """What was found in a mail: bits of `Finding`, the names of its empty fields, and what repairs may add to it.

    `bare_returns`: CRs without LF in its body; `receipt_fields`: how many; `encoding`: bytes that encoded words for its
    8-bit headers add.
    """

    findings: int
    empty_fields: tuple[str, ...] = ()
    bare_returns: int = 0
    receipt_fields: int = 0
    encoding: int = 0
    header_size: int = 0


class Examiner:
    """Looks at a mail in upload form, piece by piece: no LF in it lacks its CR. The first piece holds its whole header."""

    def __init__(self, ends: LineEnds | None = None) -> None:
        """`ends`: what `hikkoshi.mail.bookkeeping.upload_chunks` counts meanwhile."""
        self._ends = ends
        self._first = True
        self._found = 0
        self._line = 0  # bytes since the last line end
        self._last = b""
        self._returns = self._in_header = 0  # CRs less LFs
        self._empty: tuple[str, ...] = ()
        self._receipts = self._encoding = self._header = 0

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        if not piece:
            return
        if self._first:
            self._first = False
            self._header = header_end(piece)
            self._look_at_header(piece[: self._header])
            self._look_at_lines(piece, 0, self._header, _LONG_HEADER)
            if self._header < len(piece):
                self._look_at_lines(piece, self._header, len(piece), _LONG)
        else:
            self._look_at_lines(piece, 0, len(piece), _LONG)
        self._returns += piece.count(b"\r") - piece.count(b"\n")
        if b"\0" in piece:
            self._found |= _NUL
        self._last = piece[-1:]

    def end(self) -> Examined:
        """What was found, once all of the mail was taken."""
        found = self._found
        in_body = self._returns - self._in_header
        if in_body:
            found |= _BARE_CR
        if self._first:
            found |= int(Finding.ZERO_BYTES)
        elif self._last != b"\n":
            found |= _NO_END
        if self._ends is not None and self._ends.mixed:
            found |= _MIXED
        return Examined(found, self._empty, in_body, self._receipts, self._encoding, self._header)

    def _look_at_header(self, header: bytes) -> None:
        lines = b"\n" + header
        found = 0
        if not _ANY_FIELD.search(lines):
            found |= _NO_HEADERS
        if header and (header[:1] in b" \t" or _NO_FIELD.search(lines)):
            found |= _BAD_FIELD
        self._in_header = header.count(b"\r") - header.count(b"\n")
        if self._in_header:
            found |= _BARE_CR_IN_HEADER
        if not header.isascii():
            encoded = encoded_header(header)
            found |= _EIGHT_BIT if encoded != header else 0
            found |= 0 if encoded.isascii() else _EIGHT_BIT_LEFT
            self._encoding = len(encoded) - len(header)
        if _MAYBE_EMPTY.search(lines) and (names := EMPTY_VALUE.findall(lines)):
            found |= _EMPTY_FIELD
            self._empty = tuple(name.decode("ascii") for name in names)
        if receipts := _RECEIPT_FIELD.findall(lines):
            found |= _RECEIPT
            self._receipts = len(receipts)
        if not found & _NO_HEADERS:
            date = date_field_of_lines(lines)
            if not date.possible:
                found |= _IMPOSSIBLE
            elif date.odd:
                found |= _ODD
        self._found |= found

    def _look_at_lines(self, piece: bytes, start: int, end: int, long: int) -> None:
        """By leaps of a thousand bytes: a pattern takes 70 times as long."""
        first = piece.find(b"\n", start, end)
        if first < 0:
            self._line += end - start
            self._measure(self._line, long)
            return
        self._measure(self._line + first - start, long)
        at = first + 1
        while at + _LEAP <= end:
            found = piece.rfind(b"\n", at, at + _LEAP)
            if found < 0:
                found = piece.find(b"\n", at + _LEAP, end)
                if found < 0:
                    break
                self._measure(found - at, long)
            at = found + 1
        self._line = end - piece.rfind(b"\n", start, end) - 1
        self._measure(self._line, long)

    def _measure(self, length: int, long: int) -> None:
        """Note a line of so many bytes, its CR counted; or a part of one."""
        if length >= _LEAP:
            self._found |= long
            if length > VERY_LONG + 1:
                self._found |= _VERY_LONG
