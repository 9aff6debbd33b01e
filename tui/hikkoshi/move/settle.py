"""What an interrupted move left behind: which of the mails that were under way have arrived."""

from collections import defaultdict

from hikkoshi.i18n import _
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item, ItemState, Landing, Settling
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import unpack
from hikkoshi.mail.identity import identify
from hikkoshi.move.evidence import DOUBT, Sighting, Trace, Verdict, judge

Known = set[tuple[str, int | None, int | None]]


def settle(index: Index, ledger: Ledger, server: str) -> int:
    """Settle the in-doubt mails of earlier moves by a fresh listing. How many there were.

    Only UIDs at or above the saved UIDNEXT are looked at: a lower one is not ours. Those of other uploads are not
    either.
    """
    doubtful = ledger.in_doubt(server)
    if not doubtful:
        return 0
    ours: Known = {(item.target, item.uidvalidity, item.uid) for item in ledger.uploads(server)}
    folders: defaultdict[tuple[str, int | None], list[Item]] = defaultdict(list)
    for item in doubtful:
        folders[item.target, item.uidvalidity].append(item)
    for (target, uidvalidity), items in folders.items():
        folder = index.server_folder(target)
        if folder is not None and index.stamp(folder) is None:
            # It could not be opened this time; another listing will tell.
            continue
        if folder is None or uidvalidity is None or index.stamp(folder) != str(uidvalidity):
            reason = _("its folder is gone from the server or was made anew; look there before sending it again")
            ledger.step(settled=[Settling(item.id, ItemState.DOUBTFUL, reason) for item in items])
            continue
        verdicts = judge(map(trace, items), _sightings(index, folder, items, ours))
        write_down(ledger, uidvalidity, verdicts)
    return len(doubtful)


def write_down(ledger: Ledger, uidvalidity: int, verdicts: dict[int, Verdict]) -> None:
    """Note the verdicts: arrived, in doubt, or planned again since it never arrived."""
    reason = _("several mails on the server could be it")
    ledger.step(
        landed=[Landing(key, uidvalidity, uid) for key, uid in verdicts.items() if isinstance(uid, int)],
        settled=[
            Settling(key, ItemState.DOUBTFUL, reason) if verdict == DOUBT else Settling(key, ItemState.PLANNED)
            for key, verdict in verdicts.items()
            if not isinstance(verdict, int)
        ],
    )


def trace(item: Item) -> Trace:
    """What the ledger knows of a mail that was being sent."""
    return Trace(
        key=item.id,
        identity=identify(item.fields_sent).digest,
        size=item.size,
        body=item.body or b"",
        flags=unpack(item.flags),
        date=item.date,
        uidnext=item.uidnext or 0,
    )


def _sightings(index: Index, folder: int, items: list[Item], ours: Known) -> list[Sighting]:
    """The mails of a folder that could be one of the items."""
    lowest = min(item.uidnext or 0 for item in items)
    wanted = {identify(item.fields_sent).digest for item in items}
    rows = index.db.execute(
        "SELECT place, fields, size, flagset.flags, date FROM message JOIN flagset ON flagset.id = message.flags"
        " WHERE folder = ? AND place >= ?",
        (folder, lowest),
    )
    return [
        Sighting(int(place), identity, size, unpack(flags), date)
        for place, fields, size, flags, date in rows
        if (identity := identify(fields).digest) in wanted
        and (items[0].target, items[0].uidvalidity, int(place)) not in ours
    ]
