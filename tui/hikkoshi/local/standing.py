"""What a mail's own headers say of it: flags, whether it is live, whether all of it is here."""

from functools import lru_cache

import msgspec

from hikkoshi.mail.flags import (
    DELETED,
    MOZILLA_EXPUNGED,
    MOZILLA_PARTIAL,
    NO_FLAGS,
    mbox_status_flags,
    mozilla_flags,
)
from hikkoshi.mail.headers import fields_pattern

_STATUS = fields_pattern(
    ("X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys", "Status", "X-Status", "X-Keywords")
)
# Fields that differ from mail to mail and say nothing of its standing.
_OTHER = (b"X-UIDL:", b"X-Account-Key:", b"X-UID:", b"Content-Length:")
_REMEMBERED = 4096  # a folder has a few dozen combinations; keywords of a sender's own must not fill the memory
_HIGH_BITS = 0xFFFF_0000


class Standing(msgspec.Struct, frozen=True):
    """`live`: not deleted and waiting to be compacted away; `partial`: only the headers were downloaded."""

    flags: frozenset[str] = NO_FLAGS
    live: bool = True
    partial: bool = False


GONE = Standing(live=False)
PLAIN = Standing()


_standings: dict[bytes, Standing] = {}


def header_standing(header: bytes) -> Standing:
    """The standing of a mail by Thunderbird's X-Mozilla fields, else by Status, X-Status and X-Keywords."""
    return standing_of_fields(_STATUS.findall(b"\n" + header))


def standing_of_fields(fields: list[bytes]) -> Standing:
    """`header_standing` of a header that has these of the raw fields; others among them count for nothing."""
    if not fields:
        return PLAIN
    text = b"\n".join([field for field in fields if not field.startswith(_OTHER)])
    standing = _standings.get(text)
    if standing is None:
        if len(_standings) >= _REMEMBERED:
            _standings.clear()
        standing = _standings[text] = _standing(fields)
    return standing


def _standing(fields: list[bytes]) -> Standing:
    found: dict[bytes, str] = {}
    for raw in fields:
        name, _colon, value = raw.partition(b":")
        found.setdefault(name.rstrip(b" \t").lower(), value.decode("utf-8", "replace").strip())
    if b"x-mozilla-status" in found:
        return mozilla_standing(mozilla_bits(found), found.get(b"x-mozilla-keys", ""))
    flags = mbox_status_flags(found.get(b"status", ""), found.get(b"x-status", ""), found.get(b"x-keywords", ""))
    return Standing(flags - {DELETED}, DELETED not in flags)


@lru_cache(maxsize=_REMEMBERED)
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
