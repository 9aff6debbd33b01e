"""What a look at the server's folders asks with, and what it hears: plain records."""

from collections.abc import Callable, Collection
from typing import TypeAlias

import msgspec

from hikkoshi.errors import CommandRefused
from hikkoshi.server.quick import Listed
from hikkoshi.server.records import FolderStatus

Ranges: TypeAlias = list[tuple[int, int]]
"""UIDs as (first, last), sorted, without overlaps."""


class KnownFolder(msgspec.Struct, frozen=True):
    """What was found in a folder the last time. `complete`: that look came to its end.

    `uids`: the UIDs of the mails that are known now; `keywords`: the keywords that any of them has. Both are asked
    for only where they are needed.
    """

    uidvalidity: int
    uidnext: int
    messages: int
    modseq: int | None
    complete: bool
    uids: Callable[[], Collection[int]]
    keywords: Callable[[], frozenset[str]]


class Inquiry(msgspec.Struct, frozen=True):
    """A folder to be looked at. `known` None: for the first time. `state`: as the overview had it, None: it had none.

    `count`: how many mails are known of the folder, all news taken that were given until then.
    """

    native: str
    known: KnownFolder | None
    state: FolderStatus | None
    count: Callable[[], int]


class Opened(msgspec.Struct, frozen=True):
    """The folder is being looked into. `afresh`: whatever was known of it is void."""

    native: str
    status: FolderStatus
    afresh: bool


class Mails(msgspec.Struct, frozen=True):
    """Mails with all that the index needs; some may be known already."""

    native: str
    mails: list[Listed]


class Flags(msgspec.Struct, frozen=True):
    """The flags of mails by UID. `whole`: these are all the mails that the folder has."""

    native: str
    flags: dict[int, frozenset[str]]
    whole: bool


class Gone(msgspec.Struct, frozen=True):
    """Mails that are no more; most of the UIDs may never have been known."""

    native: str
    uids: Ranges


class Left(msgspec.Struct, frozen=True):
    """All the mails that there are."""

    native: str
    uids: Ranges


class Settled(msgspec.Struct, frozen=True):
    """The look at the folder has come to its end, and this is its state. `whole`: no mail is missing."""

    native: str
    status: FolderStatus
    whole: bool


class Refused(msgspec.Struct, frozen=True):
    """The server refused the folder, or a part of it."""

    native: str
    error: CommandRefused


News: TypeAlias = Opened | Mails | Flags | Gone | Left | Settled | Refused
