"""Reading back what was uploaded: UID, size, flags and date of each mail, and the whole of those at risk."""

from collections.abc import Iterator

import msgspec

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.ledger.records import There
from hikkoshi.mail.flags import SEEN, comparable
from hikkoshi.server.readback import ReadBack
from hikkoshi.server.records import Facts

_SAMPLE = 50
"""One in so many of the mails that are not at risk is read back whole."""

FACTS, BYTES, GONE = "facts", "bytes", "gone"
"""Found as sent by its facts, or by its bytes; no longer where it was put."""


class Sent(msgspec.Struct, frozen=True):
    """What was sent: ledger item, UID, size (CRLF form), flags and date as given, canonical digest, `risky`."""

    item: int
    uid: int
    size: int
    flags: frozenset[str]
    date: int
    digest: bytes
    risky: bool


class Verdict(msgspec.Struct, frozen=True):
    """How a mail (ledger item) was found: FACTS, BYTES or GONE, else what differs; `there`: as the server has it now.

    `unread`: that it could not be read, with the reason.
    """

    item: int
    how: str
    there: There | None = None
    unread: bool = False


def read_back(bulk: ReadBack, native: str, sent: list[Sent]) -> Iterator[Verdict]:
    """What is found of each mail sent to one folder."""
    whole = {mail.uid: mail.size for mail in sent if mail.risky or mail.item % _SAMPLE == 0}
    found = bulk.read_back(native, [mail.uid for mail in sent], whole)
    for mail in sent:
        facts = found.facts.get(mail.uid)
        if facts is None:
            yield Verdict(mail.item, GONE)
            continue
        there = There(facts.size, facts.flags, facts.date)
        digest = found.digests.get(mail.uid)
        if differing := _differing(mail, facts):
            yield Verdict(mail.item, differing, there)
        elif mail.uid not in whole:
            yield Verdict(mail.item, FACTS, there)
        elif digest is None:
            yield Verdict(mail.item, GONE)
        elif isinstance(digest, CommandRefused):
            yield unread(mail, digest)
        else:
            yield Verdict(mail.item, BYTES if digest == mail.digest else _("the server changed its bytes"), there)


def unread(mail: Sent, error: Exception) -> Verdict:
    """That a mail could not be read back, and why."""
    return Verdict(mail.item, _("it could not be read back: {reason}").format(reason=error), unread=True)


def _differing(mail: Sent, found: Facts) -> str:
    differing = []
    if found.size != mail.size:
        differing.append(_("its size is {found:,} bytes instead of {sent:,}").format(found=found.size, sent=mail.size))
    if comparable(found.flags) != comparable(mail.flags) or (SEEN in found.flags) != (SEEN in mail.flags):
        differing.append(_("its flags are “{flags}”").format(flags=" ".join(sorted(found.flags))))
    if found.date != mail.date:
        differing.append(_("its date is another one"))
    return "; ".join(differing)
