"""What can be done about a mail that servers refuse or change: lossless, by name, and only where it was chosen.

The one place that says for each finding what servers make of it, and which repair there is.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.findings import EMPTY_VALUE, LINE, RECEIPT_FIELDS, Examined, Finding
from hikkoshi.mail.headers import header_end


class Repair(StrEnum):
    """The repairs, by the names that the command line, the ledger and receipts know them by."""

    ENCODE_HEADERS = "encode-headers"
    """8-bit header text as encoded words of RFC 2047, which decode to the same bytes."""
    DROP_EMPTY_FIELDS = "drop-empty-fields"
    """Fields without a value left away; their names are noted."""
    BARE_RETURNS = "bare-returns"
    """Each CR without LF in the body becomes CRLF."""
    FINAL_LINE_END = "final-line-end"
    """A CRLF at the end."""
    FOLD_HEADERS = "fold-headers"
    """Header lines over 998 bytes folded at white space: unfolded they are the same."""
    HOLD_RECEIPTS = "hold-receipts"
    """The fields by which unread mail asks for a read receipt renamed to X-…, so that none is sent for old mail."""


class Remedy(msgspec.Struct, frozen=True):
    """What is known of a finding: servers that refuse such mail, that change it, and the repair, if there is one."""

    refused_by: tuple[str, ...] = ()
    changed_by: tuple[str, ...] = ()
    repair: Repair | None = None


REMEDIES: dict[Finding, Remedy] = {
    Finding.BARE_CR: Remedy((), ("Cyrus", "Courier"), Repair.BARE_RETURNS),
    Finding.BARE_CR_IN_HEADER: Remedy(),
    Finding.MIXED_LINE_ENDS: Remedy(),
    Finding.NUL: Remedy(("Cyrus",), ("Dovecot",)),
    Finding.EIGHT_BIT_HEADER: Remedy(("iCloud",), ("Cyrus",), Repair.ENCODE_HEADERS),
    Finding.EIGHT_BIT_STRUCTURE: Remedy(("iCloud",), ("Cyrus",)),
    Finding.EMPTY_FIELD: Remedy(("iCloud",), (), Repair.DROP_EMPTY_FIELDS),
    Finding.BAD_FIELD: Remedy(("Cyrus",)),
    Finding.LONG_LINE: Remedy(),
    Finding.LONG_HEADER_LINE: Remedy((), (), Repair.FOLD_HEADERS),
    Finding.VERY_LONG_LINE: Remedy(("Microsoft 365",)),
    Finding.NO_FINAL_LINE_END: Remedy(("Yahoo",), (), Repair.FINAL_LINE_END),
    Finding.NO_HEADERS: Remedy(("Cyrus",)),
    Finding.ASKS_FOR_RECEIPT: Remedy((), (), Repair.HOLD_RECEIPTS),
    Finding.IMPOSSIBLE_DATE: Remedy(),
    Finding.ODD_DATE: Remedy(),
    Finding.FLAGS_DROPPED: Remedy(),
    Finding.PARTIAL: Remedy(),
    Finding.ZERO_BYTES: Remedy(("Dovecot", "Cyrus", "Courier")),
}
"""Each finding, in the order in which people are told. Measured on Dovecot 2.3, Cyrus 3.6 and Courier 5.0; what is said of
iCloud, Microsoft 365 and Yahoo is what imapsync's and isync's users reported. Mixed line ends, dates and dropped flags are
settled without a choice: line ends become CRLF, a date comes from the next best source, a flag is left away."""

# From the line end before it to the CR behind it.
_EMPTY_FIELD = re.compile(EMPTY_VALUE.pattern + rb"\r?")
_RECEIPT = re.compile(
    rb"^(?=(?:" + "|".join(RECEIPT_FIELDS).encode() + rb")[ \t]*:)", re.MULTILINE | re.IGNORECASE
)  # fmt: skip
_BARE_CR = re.compile(rb"\r(?!\n)")
# White space with text before and behind it on its line: a line of blanks alone would end the header for some.
_FOLDABLE = re.compile(rb"(?<=[^ \t\n])[ \t]+(?=[^ \t\r\n])")


def repairs_for(findings: int, *, unread: bool) -> frozenset[Repair]:
    """The repairs that there are for a mail with these findings."""
    found = {remedy.repair for finding, remedy in REMEDIES.items() if findings & finding and remedy.repair}
    return frozenset(found if unread else found - {Repair.HOLD_RECEIPTS})


def growth(examined: Examined, repairs: Iterable[Repair]) -> int:
    """Bytes that a mail may grow by with these repairs, at most."""
    most = {
        Repair.ENCODE_HEADERS: examined.encoding,
        Repair.DROP_EMPTY_FIELDS: 0,
        Repair.BARE_RETURNS: examined.bare_returns,
        Repair.FINAL_LINE_END: 2,
        # Folds stand at least half a line apart, or a word is longer than a line.
        Repair.FOLD_HEADERS: 4 * (examined.header_size // LINE + 1),
        Repair.HOLD_RECEIPTS: 2 * examined.receipt_fields,
    }
    return sum(max(0, most[repair]) for repair in repairs)


class Mending:
    """One mail in upload form on its way through the chosen repairs, in pieces. To be used once.

    `applied` and `dropped` (names of fields) are whole once the last piece is out.
    """

    def __init__(self, repairs: Iterable[Repair]) -> None:
        """HOLD_RECEIPTS is for unread mail alone: who asks for it has looked at the flags."""
        self._repairs = frozenset(repairs)
        self.applied: set[Repair] = set()
        self.dropped: tuple[str, ...] = ()

    def chunks(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The mended mail. The first of `pieces` holds its whole header."""
        first, carry, last = True, b"", b""
        for piece in pieces:
            if first and piece:
                end = header_end(piece)
                out = self._header(piece[:end])
                body, first = piece[end:], False
            else:
                out, body = b"", carry + piece
            # A CR at the end may have its LF in the next piece.
            carry = b"\r" if body.endswith(b"\r") else b""
            out += self._body(body[: len(body) - len(carry)])
            if out:
                last = out[-1:]
                yield out
        if carry:
            mended = self._body(carry)
            last = mended[-1:]
            yield mended
        if last not in (b"", b"\n") and Repair.FINAL_LINE_END in self._repairs:
            self.applied.add(Repair.FINAL_LINE_END)
            yield b"\n" if last == b"\r" else b"\r\n"

    def _body(self, body: bytes) -> bytes:
        if Repair.BARE_RETURNS not in self._repairs or b"\r" not in body:
            return body
        # No LF lacks its CR here, so that what is left of the CRs is bare.
        return self._noted(Repair.BARE_RETURNS, body, _BARE_CR.sub(b"\r\n", body))

    def _header(self, header: bytes) -> bytes:
        steps = (
            (Repair.DROP_EMPTY_FIELDS, self._without_empty),
            (Repair.ENCODE_HEADERS, encoded_header),
            (Repair.HOLD_RECEIPTS, lambda header: _RECEIPT.sub(b"X-", header)),
            (Repair.FOLD_HEADERS, folded_header),
        )
        for repair, step in steps:
            if repair in self._repairs:
                header = self._noted(repair, header, step(header))
        return header

    def _without_empty(self, header: bytes) -> bytes:
        """Without its empty fields, unless nothing else is in it."""
        lines = b"\n" + header
        kept = _EMPTY_FIELD.sub(b"", lines)[1:]
        if len(kept) + 1 == len(lines) or not kept:
            return header
        self.dropped = tuple(match[1].decode("ascii") for match in _EMPTY_FIELD.finditer(lines))
        return kept + b"\n" if kept.endswith(b"\r") else kept

    def _noted(self, repair: Repair, before: bytes, after: bytes) -> bytes:
        if after != before:
            self.applied.add(repair)
        return after


def folded_header(header: bytes) -> bytes:
    """A header block (CRLF) with its lines over 998 bytes folded at white space, where they have some."""
    lines = header.split(b"\n")
    if all(len(line) <= LINE + 1 for line in lines):
        return header
    return b"\n".join(_folded_line(line) for line in lines)


def _folded_line(line: bytes) -> bytes:
    """The line with as few folds as it takes; a word that is longer than a line stays on one with what is before it."""
    end = len(line.removesuffix(b"\r"))
    if end <= LINE:
        return line
    parts, start, last = [], 0, 0
    for place in (*(match.start() for match in _FOLDABLE.finditer(line)), end):
        if place - start > LINE and last > start and place - last <= LINE:
            parts.append(line[start:last])
            start = last
        last = place
    return b"\r\n".join([*parts, line[start:]])
