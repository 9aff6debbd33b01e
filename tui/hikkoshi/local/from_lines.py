"""Where mails begin in an mbox: the rules for From_ lines.

A From_ line starts a mail by Thunderbird's rule (MboxMsgInputStream.cpp): the next two lines look like header
fields, with or without a blank line before; or by everybody else's (RFC 4155): a blank line before it, and a sender
and a date in it.
"""

import re
from collections.abc import Iterator

AHEAD = 64 * 1024
"""Bytes from a From_ line on that decide whether it starts a mail: its own line and two header lines."""

FILE_START = b"\n\n"
"""What stands in front of the first byte, as far as boundaries are concerned."""

QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
"""The quoting of a line (see hikkoshi.local.mbox)."""

LAST_BLANK = re.compile(rb"\n\r?\n\Z")

_HEADER_LINE = rb"[!-9;-~]+[ \t]*:[^\n]*\n"
_CLASSIC = re.compile(
    rb"From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d +\d{1,2}:\d{2}(?::\d{2})? (?:[A-Z]{3,4} )?\d{4}(?: [+-]\d{4})?\r?\n"
)
_TWO_HEADERS = re.compile(rb"From [^\n]*\n" + _HEADER_LINE + rb"(?:" + _HEADER_LINE + rb"|[ \t]+\S[^\n]*\n)")
match_two_headers = _TWO_HEADERS.match
"""Thunderbird's rule as a pattern's method (buffer, position, position + AHEAD): a call less for each mail."""
_FROM = re.compile(b"From ")
_FROM_SPACE = 4  # where the space stands in it
# Attachments in base64 have no spaces: memchr runs over them ten times as fast as the pattern's search. Shorter
# blocks cost more calls in text than they spare, longer ones search more of an attachment behind a space.
_BLOCK = 16 * 1024


def from_words(buffer: bytes, start: int, end: int) -> Iterator[int]:
    """The positions from `start` to before `end` at which `From ` stands, anywhere in a line."""
    while start < end:
        space = buffer.find(b" ", start + _FROM_SPACE, end + _FROM_SPACE)
        if space < 0:
            return
        start = space - _FROM_SPACE
        stop = min(start + _BLOCK, end)
        for match in _FROM.finditer(buffer, start, stop + _FROM_SPACE):
            yield match.start()
        start = stop


def has_two_headers(buffer: bytes, position: int) -> bool:
    """Thunderbird's rule for the From_ line at `position`."""
    return _TWO_HEADERS.match(buffer, position, position + AHEAD) is not None


def is_classic(buffer: bytes, context: bytes, position: int) -> bool:
    """Everybody else's rule; `context`: the three bytes in front of the buffer."""
    before = buffer[max(0, position - 3) : position]
    if len(before) < 3:
        before = context + before
    # NULs: a crash may have left a hole where the blank line was.
    return (
        before.endswith((b"\n\n", b"\n\r\n", b"\0")) and _CLASSIC.match(buffer, position, position + AHEAD) is not None
    )
