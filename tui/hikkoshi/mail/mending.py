"""The chosen repairs of a mail, as it goes up in pieces. Nothing of a mail is changed that was not chosen."""

import re
from collections.abc import Iterable, Iterator

from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.findings import EMPTY_VALUE, LINE, RECEIPT_FIELDS
from hikkoshi.mail.headers import header_end
from hikkoshi.mail.repairs import Repair

# From the line end before it to the CR behind it.
_EMPTY_FIELD = re.compile(EMPTY_VALUE.pattern + rb"\r?")
_RECEIPT = re.compile(
    rb"^(?=(?:" + "|".join(RECEIPT_FIELDS).encode() + rb")[ \t]*:)", re.MULTILINE | re.IGNORECASE
)  # fmt: skip
_BARE_CR = re.compile(rb"\r(?!\n)")
# White space with text before and behind it on its line: a line of blanks alone would end the header for some.
_FOLDABLE = re.compile(rb"(?<=[^ \t\n])[ \t]+(?=[^ \t\r\n])")


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
