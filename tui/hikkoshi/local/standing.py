"""What a mail's own headers say of it: flags, whether it is live, whether all of it is here."""

import re
from dataclasses import dataclass

from hikkoshi.mail.flags import (
    DELETED,
    MOZILLA_EXPUNGED,
    MOZILLA_PARTIAL,
    NO_FLAGS,
    mbox_status_flags,
    mozilla_flags,
)

# Begins with a literal, so that the search skips to line ends: 2 us a header, 6 through all its fields.
_STATUS_FIELD = re.compile(
    rb"\n(X-Mozilla-Status2?|X-Mozilla-Keys|Status|X-Status|X-Keywords)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE
)
_HIGH_BITS = 0xFFFF_0000


@dataclass(frozen=True, slots=True)
class Standing:
    """`live`: not deleted and waiting to be compacted away; `partial`: only the headers were downloaded."""

    flags: frozenset[str] = NO_FLAGS
    live: bool = True
    partial: bool = False


GONE = Standing(live=False)


def header_standing(header: bytes) -> Standing:
    """The standing of a mail by Thunderbird's X-Mozilla fields, else by Status, X-Status and X-Keywords."""
    found: dict[bytes, str] = {}
    for match in _STATUS_FIELD.finditer(b"\n" + header):
        found.setdefault(match[1].lower(), match[2].decode("utf-8", "replace").strip())
    if b"x-mozilla-status" in found:
        return mozilla_standing(mozilla_bits(found), found.get(b"x-mozilla-keys", ""))
    flags = mbox_status_flags(found.get(b"status", ""), found.get(b"x-status", ""), found.get(b"x-keywords", ""))
    return Standing(flags - {DELETED}, DELETED not in flags)


def mozilla_standing(bits: int, keywords: str) -> Standing:
    """The standing of a mail by Thunderbird's 32 status bits and keywords."""
    return Standing(mozilla_flags(bits, keywords), not bits & MOZILLA_EXPUNGED, bool(bits & MOZILLA_PARTIAL))


def mozilla_bits(fields: dict[bytes, str]) -> int:
    """Thunderbird's 32 status bits from X-Mozilla-Status (low half) and -Status2 (high half), by lower-case name."""
    low, high = _hex(fields.get(b"x-mozilla-status", "")), _hex(fields.get(b"x-mozilla-status2", ""))
    return low & ~_HIGH_BITS | high & _HIGH_BITS


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0
