"""Reading back what was uploaded: UID, size, flags and date of each mail, and the whole of those at risk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.mail.flags import SEEN, comparable
from hikkoshi.mail.headers import header_end
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.records import Facts

# Servers change 8-bit headers (Cyrus: X), NUL (Dovecot: 0x80), bare CR or LF, and refuse or fold lines over
# 998 bytes (RFC 5322 section 2.1.1).
_RISKY = re.compile(rb"\x00|\r(?!\n)|(?<!\r)\n|[^\n]{1000}")
_HIGH = re.compile(rb"[\x80-\xff]")
_SAMPLE = 50
"""One in so many of the mails that are not at risk is read back whole."""

FACTS, BYTES, GONE = "facts", "bytes", "gone"
"""Found as sent by its facts, or by its bytes; no longer where it was put."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: ledger item, UID, size (CRLF form), flags and date as given, canonical digest, `risky`."""

    item: int
    uid: int
    size: int
    flags: frozenset[str]
    date: int
    digest: bytes
    risky: bool


def at_risk(message: bytes) -> bool:
    """Whether servers are known to change a mail with such bytes."""
    return bool(_RISKY.search(message) or _HIGH.search(message, 0, header_end(message)))


def read_back(bulk: Bulk, native: str, sent: list[Sent]) -> Iterator[tuple[int, str]]:
    """(ledger item, FACTS, BYTES or GONE, else what differs) for each mail sent to one folder."""
    facts = bulk.fetch_facts(native, [mail.uid for mail in sent])
    for mail in sent:
        found = facts.get(mail.uid)
        if found is None:
            yield mail.item, GONE
            continue
        differing = _differing(mail, found)
        if differing:
            yield mail.item, differing
        elif mail.risky or mail.item % _SAMPLE == 0:
            yield mail.item, _whole(bulk, native, mail)
        else:
            yield mail.item, FACTS


def _whole(bulk: Bulk, native: str, mail: Sent) -> str:
    try:
        content = bulk.fetch_whole(native, mail.uid)
    except CommandRefused as error:
        return GONE if error.code == "NONEXISTENT" else str(error)
    return BYTES if canonical_digest(content) == mail.digest else _("the server changed its bytes")


def _differing(mail: Sent, found: Facts) -> str:
    differing = []
    if found.size != mail.size:
        differing.append(_("its size is {found:,} bytes instead of {sent:,}").format(found=found.size, sent=mail.size))
    if comparable(found.flags) != comparable(mail.flags) or (SEEN in found.flags) != (SEEN in mail.flags):
        differing.append(_("its flags are “{flags}”").format(flags=" ".join(sorted(found.flags))))
    if found.date != mail.date:
        differing.append(_("its date is another one"))
    return "; ".join(differing)
