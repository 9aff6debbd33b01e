"""What an interrupted move left behind: which of the mails that were under way have arrived."""

from hikkoshi.i18n import _
from hikkoshi.index.store import Index
from hikkoshi.ledger.store import Item, ItemState, Ledger
from hikkoshi.mail.identity import identify

# A server may count a last line end that was not sent.
_SIZE_SLACK = 2


def settle(index: Index, ledger: Ledger, server: str) -> int:
    """Settle the in-doubt mails of earlier moves by a fresh listing. How many there were.

    Only UIDs at or above the saved UIDNEXT are looked at: a lower one is not ours.
    """
    doubtful = ledger.in_doubt(server)
    if not doubtful:
        return 0
    ours = {(item.target, item.uidvalidity, item.uid) for item in ledger.uploads(server)}
    for item in doubtful:
        folder = index.server_folder(item.target)
        if folder is not None and index.stamp(folder) is None:
            # It could not be opened this time; another listing will tell.
            continue
        found = _candidates(index, item, folder)
        if found is None:
            reason = _("its folder is gone from the server or was made anew; look there before sending it again")
            ledger.settle(item.id, ItemState.DOUBTFUL, reason)
            continue
        uids = [uid for uid in found if (item.target, item.uidvalidity, uid) not in ours]
        if not uids:
            ledger.settle(item.id, ItemState.PLANNED)
        elif len(uids) == 1 and item.uidvalidity is not None:
            ledger.landed(item.id, item.uidvalidity, uids[0])
            ours.add((item.target, item.uidvalidity, uids[0]))
        else:
            ledger.settle(item.id, ItemState.DOUBTFUL, _("several mails on the server could be it"))
    return len(doubtful)


def _candidates(index: Index, item: Item, folder: int | None) -> list[int] | None:
    """UIDs that could be the item; None where the folder's contents are not those that it was sent to."""
    if folder is None or index.stamp(folder) != str(item.uidvalidity):
        return None
    wanted = identify(item.fields)
    rows = index.db.execute(
        "SELECT place, fields FROM message WHERE folder = ? AND abs(size - ?) <= ? AND place >= ?",
        (folder, item.size, _SIZE_SLACK, item.uidnext or 0),
    )
    return sorted(place for place, fields in rows if identify(fields).digest == wanted.digest)
