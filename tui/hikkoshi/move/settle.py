"""What an interrupted move left behind: which of the mails that were under way have arrived."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import msgspec

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item, ItemState, Landing, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import unpack
from hikkoshi.mail.identity import identify
from hikkoshi.move.evidence import DOUBT, Sighting, Trace, Verdict, judge

Known = set[tuple[str, int | None, int | None]]

DigestOf = Callable[[str, int], bytes]
"""The canonical digest of the mail in this folder with this UID. Raises `CommandRefused` where it cannot be read."""


class Settled(msgspec.Struct, frozen=True):
    """What became of the mails that were in doubt: how many `arrived`, were `missing`, and stay `doubtful`.

    `open`: those whose folder could not be looked at this time.
    """

    arrived: int = 0
    missing: int = 0
    doubtful: int = 0
    open: int = 0

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(
            self.arrived + other.arrived, self.missing + other.missing, self.doubtful + other.doubtful,
            self.open + other.open,
        )  # fmt: skip


def settle(index: Index, ledger: Ledger, server: str, digest_of: DigestOf | None = None) -> Settled:
    """Settle the in-doubt mails of earlier moves by a fresh listing. What became of them.

    Only UIDs at or above the saved UIDNEXT are looked at: a lower one is not ours. Those of other uploads are not
    either. In a folder that has another UIDVALIDITY by now the saved UIDNEXT says nothing, and all of its mail is looked
    at: what is not there is not on the server, or lies elsewhere, where the comparison finds it. `digest_of` is asked
    where several have the same headers and size; without it they stay in doubt.
    """
    doubtful = ledger.in_doubt(server)
    if not doubtful:
        return Settled()
    found = Settled()
    ours: Known = {(item.target, item.uidvalidity, item.uid) for item in ledger.uploads(server)}
    folders: defaultdict[str, list[Item]] = defaultdict(list)
    for item in doubtful:
        folders[item.target].append(item)
    for target, items in folders.items():
        folder = index.server_folder(target)
        if folder is None:
            reason = _("its folder is gone from the server; look there before sending it again")
            ledger.step(settled=[Settling(item.id, ItemState.DOUBTFUL, reason) for item in items])
            found += Settled(doubtful=len(items))
            continue
        stamp = index.stamp(folder)
        if stamp is None:
            # It could not be opened this time; another listing will tell.
            found += Settled(open=len(items))
            continue
        uidvalidity = int(stamp)
        traces = [trace(item, uidvalidity) for item in items]
        body_of = None if digest_of is None else partial(_body, digest_of, target)
        known = {uid for native, validity, uid in ours if (native, validity) == (target, uidvalidity)}
        verdicts = judge(traces, _sightings(index, folder, traces, known), body_of)
        found += write_down(ledger, uidvalidity, verdicts)
    return found


def write_down(ledger: Ledger, uidvalidity: int, verdicts: dict[int, Verdict]) -> Settled:
    """Note the verdicts: arrived, in doubt, or planned again since it never arrived. How many of each."""
    reason = _("several mails on the server could be it")
    ledger.step(
        landed=[Landing(key, uidvalidity, uid) for key, uid in verdicts.items() if isinstance(uid, int)],
        settled=[
            Settling(key, ItemState.DOUBTFUL, reason) if verdict == DOUBT else Settling(key, ItemState.PLANNED)
            for key, verdict in verdicts.items()
            if not isinstance(verdict, int)
        ],
    )
    doubtful = sum(1 for verdict in verdicts.values() if verdict == DOUBT)
    arrived = sum(1 for verdict in verdicts.values() if isinstance(verdict, int))
    return Settled(arrived, len(verdicts) - arrived - doubtful, doubtful)


def _body(digest_of: DigestOf, target: str, uid: int) -> bytes | None:
    try:
        return digest_of(target, uid)
    except CommandRefused:
        return None


def trace(item: Item, uidvalidity: int) -> Trace:
    """What the ledger knows of a mail that was being sent to a folder which has this UIDVALIDITY now."""
    return Trace(
        key=item.id,
        identity=identify(item.fields_sent).digest,
        size=item.size,
        body=item.body or b"",
        flags=unpack(item.flags),
        date=item.date,
        uidnext=(item.uidnext or 0) if item.uidvalidity == uidvalidity else 0,
    )


def _sightings(index: Index, folder: int, traces: list[Trace], known: set[int | None]) -> list[Sighting]:
    """The mails of a folder that could be one of those; `known`: UIDs of other uploads."""
    lowest = min(trace.uidnext for trace in traces)
    wanted = {trace.identity for trace in traces}
    rows = index.db.execute(
        "SELECT place, fields, size, flagset.flags, date FROM message JOIN flagset ON flagset.id = message.flags"
        " WHERE folder = ? AND place >= ?",
        (folder, lowest),
    )
    return [
        Sighting(int(place), identity, size, unpack(flags), date)
        for place, fields, size, flags, date in rows
        if (identity := identify(fields).digest) in wanted and int(place) not in known
    ]
