"""`hikkoshi.mail.findings` by a pattern for each kind, over the whole mail and line by line."""

import re

from hikkoshi.mail.dates import Dated, internal_date
from hikkoshi.mail.eight_bit import encoded_header
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.headers import field, header_end

_STRICT_DATE = re.compile(
    rb"(?:[A-Z][a-z]{2}, +)?\d{1,2} +[A-Z][a-z]{2} +\d{4} +\d\d:\d\d(?::\d\d)? +[+-]\d{4}(?: *\([^()]*\))?"
)
_RECEIPT = re.compile(rb"(?im)^(?:disposition-notification-to|return-receipt-to|x-confirm-reading-to)[ \t]*:")


def slow_findings(message: bytes) -> Finding:
    """What is found in a mail in upload form."""
    if not message:
        return Finding.ZERO_BYTES
    header, body = message[: header_end(message)], message[header_end(message) :]
    found = {
        Finding.BARE_CR: re.search(rb"\r(?!\n)", body),
        Finding.BARE_CR_IN_HEADER: re.search(rb"\r(?!\n)", header),
        Finding.NUL: b"\0" in message,
        Finding.EIGHT_BIT_HEADER: encoded_header(header) != header,
        Finding.EIGHT_BIT_STRUCTURE: not encoded_header(header).isascii(),
        Finding.LONG_LINE: re.search(rb"[^\n]{1000}", body),
        Finding.LONG_HEADER_LINE: re.search(rb"[^\n]{1000}", header),
        Finding.VERY_LONG_LINE: any(len(line.removesuffix(b"\r")) > 9900 for line in message.split(b"\n")),
        Finding.NO_FINAL_LINE_END: not message.endswith(b"\n"),
    }
    return _set(found) | _fields(header)


def _fields(header: bytes) -> Finding:
    lines = header.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    fields = [line for line in lines if re.match(rb"[!-9;-~]+[ \t]*:", line)]
    if not fields:
        return Finding.NO_HEADERS | (Finding.BAD_FIELD if header else Finding(0))
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", header)
    values = [re.fullmatch(rb"[!-9;-~]+[ \t]*:[ \t]*\r?", line) for line in unfolded.split(b"\n")]
    dated = internal_date(header, sent=True, from_line=None, mtime=None)
    value = field(header, b"date") or b""
    return _set(
        {
            Finding.EMPTY_FIELD: any(values),
            Finding.BAD_FIELD: any(not re.match(rb"[!-9;-~]+:|[ \t]", line) for line in lines) or header[:1] in b" \t",
            Finding.ASKS_FOR_RECEIPT: _RECEIPT.search(header),
            Finding.IMPOSSIBLE_DATE: dated is None,
            Finding.ODD_DATE: isinstance(dated, Dated) and not _STRICT_DATE.fullmatch(value),
        }
    )


def _set(found: dict[Finding, object]) -> Finding:
    result = Finding(0)
    for finding, there in found.items():
        if there:
            result |= finding
    return result
