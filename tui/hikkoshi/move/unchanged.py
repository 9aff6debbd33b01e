"""Whether a mail on the server still is what a move has put there: the reasons against removing it. Pure."""

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.ledger.records import Item, ItemState
from hikkoshi.mail.flags import DELETED, folded, unpack
from hikkoshi.server.readback import Found
from hikkoshi.server.records import FolderStatus


def is_ours(item: Item, status: FolderStatus) -> bool:
    """Whether the item's UID in the folder that is open now is certain to be the mail that was sent."""
    return (
        item.uid is not None
        and item.uidvalidity == status.uidvalidity
        and item.uidnext is not None
        and item.uid >= item.uidnext
    )


def against(item: Item, status: FolderStatus, *, dry_run: bool) -> str:
    """Why a mail is not even looked at."""
    if item.uidvalidity != status.uidvalidity or item.uidnext is None:
        return _(
            "its folder was made anew or restored on the server since, so it is not certain which mail there it is"
        )
    if not is_ours(item, status):
        return _("its number shows that it was there before the move")
    if status.read_only and not dry_run:
        return _("its folder on the server may only be read")
    return ""


def difference(item: Item, found: Found) -> str:
    """What has changed on the server since the move, '' if nothing has."""
    facts = found.facts.get(item.uid or 0)
    if facts is None:
        return gone_text()
    if facts.size != (item.size if item.there_size is None else item.there_size):
        return _("its size on the server is another one now")
    if facts.date != (item.date if item.there_date is None else item.there_date):
        return _("its date on the server is another one now")
    if not same_flags(item, facts.flags):
        return flags_text(facts.flags)
    digest = found.digests.get(item.uid or 0)
    if digest is None or isinstance(digest, CommandRefused):
        return _("it cannot be read whole on the server")
    return "" if digest == item.body else _("the server has other bytes than were sent")


def same_flags(item: Item, flags: frozenset[str], *, marked: bool = False) -> bool:
    r"""Whether the flags are those after the move; with \Deleted besides where that is ours (`marked`, UNDOING)."""
    before = folded(unpack(item.flags if item.there_flags is None else item.there_flags))
    now = folded(flags)
    return now == before or ((marked or item.state is ItemState.UNDOING) and now == before | {DELETED.casefold()})


def flags_text(flags: frozenset[str]) -> str:
    """The reason for a mail with other flags."""
    return _("its flags on the server were changed: they are “{flags}” now").format(flags=" ".join(sorted(flags)))


def gone_text() -> str:
    """The reason for a mail that is not there any more."""
    return _("it was deleted or moved on the server since")
