"""The small records that conversations with the server give back."""

import msgspec


class FolderStatus(msgspec.Struct, frozen=True):
    """A folder's state (RFC 3501 sections 2.3.1.1 and 7.2.4).

    `size`: bytes of all its mails (STATUS=SIZE, RFC 8438), None where the server does not tell.
    `permanent_flags`: the PERMANENTFLAGS of EXAMINE or SELECT; None where it gave none. Dovecot gives an empty list to
    everyone who may only read, which says nothing about what APPEND may set: behind EXAMINE that is None, too.
    `modseq`: HIGHESTMODSEQ (RFC 7162 section 3.1.2), None where the server keeps none for this folder.
    `keywords`: those of EXAMINE's FLAGS that are no system flags, whether or not a mail has them.
    `read_only`: the answer to a SELECT was that the folder may only be read.
    """

    messages: int
    uidvalidity: int
    uidnext: int
    size: int | None = None
    permanent_flags: frozenset[str] | None = None
    modseq: int | None = None
    keywords: frozenset[str] = frozenset()
    read_only: bool = False


class Appended(msgspec.Struct, frozen=True):
    """Where an uploaded mail came to lie (APPENDUID, RFC 4315); both None on a server without UIDPLUS."""

    uidvalidity: int | None
    uid: int | None


class Facts(msgspec.Struct, frozen=True):
    """What the server says of one mail: `size` its RFC822.SIZE in bytes, `date` seconds since 1970 UTC.

    `size` is 0 and `date` None where the server left them out.
    """

    size: int
    flags: frozenset[str]
    date: int | None


class Flagging(msgspec.Struct, frozen=True):
    """The flags of one mail now. `modseq`: its MODSEQ (RFC 7162 section 3.1.4), None where it was not told."""

    flags: frozenset[str]
    modseq: int | None = None
