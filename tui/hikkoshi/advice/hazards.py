"""What is worth knowing of a plan before it starts: where mail would go that may not stay as it is there."""

from collections.abc import Callable

from hikkoshi.i18n import ngettext
from hikkoshi.mail.folders import Role
from hikkoshi.mail.headers import sanitise
from hikkoshi.move.plan import FolderShare, Outline


def hazards(plan: Outline) -> list[str]:
    """A sentence or two for each folder of the plan that has a hazard, in the plan's order."""
    return [_HAZARDS[share.role](share) for share in plan.shares if share.load.messages and share.role in _HAZARDS]


def _polled(share: FolderShare) -> str:
    """A POP server offers the INBOX; a client that still polls it takes what we put there for new mail."""
    text = ngettext(
        "{n:,} mail would go into the server's {folder}. A mail client that still fetches this account by POP would "
        "download it again: end that first, or put it into another folder with --map.",
        "{n:,} mails would go into the server's {folder}. A mail client that still fetches this account by POP would "
        "download them again: end that first, or put them into another folder with --map.",
        share.load.messages,
    )
    return _filled(text, share)


def _purged(share: FolderShare) -> str:
    """Courier, Gmail and others empty these folders by age, and old mail is old from its first day there."""
    text = ngettext(
        "{n:,} mail would go into {folder}, which many servers empty by themselves after some days. Put it into another "
        "folder with --map if it is to stay.",
        "{n:,} mails would go into {folder}, which many servers empty by themselves after some days. Put them into "
        "another folder with --map if they are to stay.",
        share.load.messages,
    )
    return _filled(text, share)


def _filled(text: str, share: FolderShare) -> str:
    return text.format(n=share.load.messages, folder=sanitise(share.name))


_HAZARDS: dict[Role, Callable[[FolderShare], str]] = {Role.INBOX: _polled, Role.TRASH: _purged, Role.JUNK: _purged}
