"""Reading back what was uploaded: UID, size, flags and date of each mail, and the whole of those at risk.

Some servers lose flags that APPEND gives (Microsoft 365 \\Flagged); those are stored again, once, and looked at again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from hikkoshi.errors import CommandRefused, ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.ledger.records import There
from hikkoshi.mail.flags import SEEN, comparable, folded
from hikkoshi.server.readback import Found
from hikkoshi.server.records import Facts
from hikkoshi.server.storing import Storing

_SAMPLE = 50
"""One in so many of the mails that are not at risk is read back whole."""

FACTS, BYTES, GONE = "facts", "bytes", "gone"
"""Found as sent by its facts, or by its bytes; no longer where it was put."""

STORED_AGAIN = {FACTS: "facts+flags", BYTES: "bytes+flags"}
"""The same, once flags that APPEND had lost were stored again."""


class Sent(msgspec.Struct, frozen=True):
    """What was sent: ledger item, UIDVALIDITY and UID, size (CRLF form), flags and date as given, canonical digest, `risky`."""

    item: int
    uidvalidity: int
    uid: int
    size: int
    flags: frozenset[str]
    date: int
    digest: bytes
    risky: bool


class StoreBroken(ProtocolBroken):
    """The server could make nothing of the STORE of lost flags; reading back alone may go well."""


class Verdict(msgspec.Struct, frozen=True):
    """How a mail (ledger item) was found: FACTS, BYTES, GONE or a value of STORED_AGAIN, else what differs.

    `there`: as the server has it now. `unread`: that it could not be read, with the reason.
    """

    item: int
    how: str
    there: There | None = None
    unread: bool = False


def read_back(bulk: Storing, native: str, sent: Sequence[Sent], *, store_lost: bool = False) -> Iterator[Verdict]:
    """What is found of each mail sent to one folder.

    `store_lost`: flags that were given and are not there are stored again, which may raise `StoreBroken`; nothing else
    is ever changed.
    """
    whole = {mail.uid: mail.size for mail in sent if mail.risky or mail.item % _SAMPLE == 0}
    found = bulk.read_back(native, [mail.uid for mail in sent], whole)
    stored = _store_lost(bulk, native, sent, found.facts) if store_lost else frozenset()
    if stored:
        found.facts = {uid: facts for uid, facts in found.facts.items() if uid not in stored}
        found.facts |= bulk.fetch_facts(native, stored)
    for mail in sent:
        verdict = _verdict(mail, found, whole=mail.uid in whole)
        yield replace(verdict, how=STORED_AGAIN.get(verdict.how, verdict.how)) if mail.uid in stored else verdict


def _verdict(mail: Sent, found: Found, *, whole: bool) -> Verdict:
    facts = found.facts.get(mail.uid)
    if facts is None:
        return Verdict(mail.item, GONE)
    there = There(facts.size, facts.flags, facts.date)
    digest = found.digests.get(mail.uid)
    if differing := _differing(mail, facts):
        return Verdict(mail.item, differing, there)
    if not whole:
        return Verdict(mail.item, FACTS, there)
    if digest is None:
        return Verdict(mail.item, GONE)
    if isinstance(digest, CommandRefused):
        return unread(mail, digest)
    return Verdict(mail.item, BYTES if digest == mail.digest else _("the server changed its bytes"), there)


def _store_lost(bulk: Storing, native: str, sent: Sequence[Sent], facts: Mapping[int, Facts]) -> frozenset[int]:
    """Store the flags that were given and are not there; the UIDs of the mails concerned."""
    lost: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for mail in sent:
        if (there := facts.get(mail.uid)) is not None and (missing := folded(mail.flags) - folded(there.flags)):
            lost[tuple(sorted(flag for flag in mail.flags if flag.casefold() in missing))].append(mail.uid)
    if not lost:
        return frozenset()
    stored: set[int] = set()
    try:
        status = bulk.select(native)
        if {mail.uidvalidity for mail in sent} == {status.uidvalidity} and not status.read_only:
            for flags, uids in lost.items():
                stored |= bulk.store(uids, flags).done
    except CommandRefused:
        pass  # what is missing is told as a difference
    except ProtocolBroken as error:
        raise StoreBroken(str(error)) from error
    # What is read, and sent, from here on finds no folder that is open for writing.
    bulk.examine(native)
    return frozenset(stored)


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
