"""From the stored form of a mail to the form that goes up: bookkeeping headers off, line ends CRLF.

This is the one place that knows which headers a mail client adds for itself. Nothing else of a mail is
ever changed.
"""

import re

from hikkoshi.mail.headers import header_end

# X-Mozilla-*, X-Account-Key and X-UIDL: Thunderbird (nsPop3Sink.cpp). Status, X-Status, X-Keywords, X-UID,
# X-IMAP and X-IMAPbase: mutt, c-client and Dovecot's mbox.
_NAMES = rb"X-Mozilla-Status2?|X-Mozilla-Keys|X-Account-Key|X-UIDL|Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase"
_LINE = rb"[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)"
_HEADERS = re.compile(rb"^(?:" + _NAMES + rb")" + _LINE, re.MULTILINE | re.IGNORECASE)
# Content-Length is a client's only in an mbox, where it stands for the length of the body (mboxcl).
_MBOX_HEADERS = re.compile(rb"^(?:" + _NAMES + rb"|Content-Length)" + _LINE, re.MULTILINE | re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")


def upload_form(stored: bytes, *, mbox: bool) -> bytes:
    """The bytes that go up for a stored mail: its bookkeeping headers dropped, LF made CRLF, bare CR kept.

    `stored` is without From_ line and quoting; `mbox` says that it comes from an mbox.
    """
    end = header_end(stored)
    kept = (_MBOX_HEADERS if mbox else _HEADERS).sub(b"", stored[:end])
    return _BARE_LF.sub(b"\r\n", kept + stored[end:])


def upload_size(stored: bytes, *, mbox: bool) -> int:
    """Bytes of `upload_form(stored)`, without building it."""
    end = header_end(stored)
    pattern = _MBOX_HEADERS if mbox else _HEADERS
    dropped = [match[0] for match in pattern.finditer(stored, 0, end)]
    return crlf_size(stored) - sum(map(crlf_size, dropped))


def crlf_size(content: bytes) -> int:
    """Bytes of `content` once its bare LFs are CRLF."""
    bare = content.count(b"\n")
    if b"\r" in content:  # 25 times as fast as the count that it spares
        bare -= content.count(b"\r\n")
    return len(content) + bare
