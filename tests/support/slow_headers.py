"""Header fields as they were found before speed counted: slow twins of functions in hikkoshi.mail and hikkoshi.local."""

import re

from hikkoshi.local.standing import Standing, mozilla_bits, mozilla_standing
from hikkoshi.mail.bookkeeping import crlf_size
from hikkoshi.mail.flags import DELETED, mbox_status_flags
from hikkoshi.mail.headers import IDENTITY_FIELDS, header_end

_IDENTITY = re.compile(
    rb"^(?:" + b"|".join(IDENTITY_FIELDS) + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE | re.IGNORECASE
)
_NAMES = rb"X-Mozilla-Status2?|X-Mozilla-Keys|X-Account-Key|X-UIDL|Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase"
_LINE = rb"[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)"
_HEADERS = re.compile(rb"^(?:" + _NAMES + rb")" + _LINE, re.MULTILINE | re.IGNORECASE)
_MBOX_HEADERS = re.compile(rb"^(?:" + _NAMES + rb"|Content-Length)" + _LINE, re.MULTILINE | re.IGNORECASE)
_STATUS_FIELD = re.compile(
    rb"\n(X-Mozilla-Status2?|X-Mozilla-Keys|Status|X-Status|X-Keywords)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE
)


def identity_fields(block: bytes) -> bytes:
    found = (match[0].rstrip(b"\r") for match in _IDENTITY.finditer(block))
    return b"\r\n".join(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for text in found)


def upload_size(stored: bytes, *, mbox: bool) -> int:
    end = header_end(stored)
    pattern = _MBOX_HEADERS if mbox else _HEADERS
    dropped = [match[0] for match in pattern.finditer(stored, 0, end)]
    return crlf_size(stored) - sum(map(crlf_size, dropped))


def header_standing(header: bytes) -> Standing:
    found: dict[bytes, str] = {}
    for match in _STATUS_FIELD.finditer(b"\n" + header):
        found.setdefault(match[1].lower(), match[2].decode("utf-8", "replace").strip())
    if b"x-mozilla-status" in found:
        return mozilla_standing(mozilla_bits(found), found.get(b"x-mozilla-keys", ""))
    flags = mbox_status_flags(found.get(b"status", ""), found.get(b"x-status", ""), found.get(b"x-keywords", ""))
    return Standing(flags - {DELETED}, DELETED not in flags)
