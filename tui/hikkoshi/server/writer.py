"""Writing IMAP without sockets: names, flags, dates and sets as the bytes of a command (RFC 3501 section 9).

Nothing that comes from a mail, a store or a server gets into a command but through here. A command line
that a server answers with BAD is dangerous: with a non-synchronising literal it would read the mail that
follows as commands. So every value is checked, and what does not fit raises ValueError.
"""

import re
from collections.abc import Iterable, Iterator

from hikkoshi.mail.dates import imap_date
from hikkoshi.mail.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN

# Marks the native name of a folder whose name on the server is no modified UTF-7: its bytes follow as Latin-1.
_RAW = "\0"
_NOT_QUOTABLE = re.compile(rb"[\0\r\n]")
_SPECIAL = re.compile(rb'(["\\])')
# RFC 3501's ATOM-CHAR is any CHAR but ( ) { blank CTL % * " \ ]; Dovecot takes keywords of up to 50 characters.
_KEYWORD = re.compile(r"[!#$&'+-Z^-z|}~\[]{1,50}")
_SYSTEM_FLAGS = {flag.casefold(): flag for flag in (SEEN, ANSWERED, FLAGGED, DRAFT, DELETED)}
_DATE = re.compile(r"\d\d-[A-Z][a-z]{2}-(?!0000)\d{4} \d\d:\d\d:\d\d [+-]\d{4}")
# Microsoft 365 takes lines of up to about 9,900 bytes, Dovecot of 64 KiB.
_MAX_SET = 4000


def quoted(raw: bytes) -> bytes:
    """`raw` as a quoted string. CR, LF and NUL cannot be in one."""
    if _NOT_QUOTABLE.search(raw):
        raise ValueError("CR, LF and NUL cannot be quoted")
    return b'"' + _SPECIAL.sub(rb"\\\1", raw) + b'"'


def mailbox(native: str) -> bytes:
    """A folder's native name as it stands in a command: modified UTF-7 (RFC 3501 section 5.1.3), quoted."""
    if native.startswith(_RAW):
        return quoted(native.removeprefix(_RAW).encode("latin-1"))
    return quoted(_utf7(native))


def native_name(raw: bytes) -> str:
    """The native name for a mailbox name from the server, such that `mailbox` gives the same bytes again."""
    try:
        name = _from_utf7(raw) if raw.isascii() else ""
        if name and _RAW not in name and _utf7(name) == raw:
            return name
    except UnicodeError:
        pass  # not modified UTF-7: some servers hold names in raw UTF-8, or with a bare "&"
    return _RAW + raw.decode("latin-1")


def _utf7(name: str) -> bytes:
    """Modified UTF-7; the library for it costs 45 ms to load, and most names don't need it."""
    if name.isascii() and name.isprintable() and "&" not in name:
        return name.encode("ascii")
    from imapclient import imap_utf7

    return bytes(imap_utf7.encode(name))


def _from_utf7(raw: bytes) -> str:
    if b"&" not in raw:
        return raw.decode("ascii")
    from imapclient import imap_utf7

    return str(imap_utf7.decode(raw))


def shown_name(native: str) -> str:
    """A native name as text: for raw names UTF-8 is tried before Latin-1. Not sanitised."""
    if not native.startswith(_RAW):
        return native
    raw = native.removeprefix(_RAW).encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def sendable_flags(
    flags: Iterable[str], permanent: frozenset[str] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of `flags` an APPEND may carry, and which are dropped; both sorted, without doubles.

    Sent are the five system flags of RFC 3501 that clients may set, and keywords made of atom characters
    alone. `permanent` is the folder's PERMANENTFLAGS where they are known: what it does not have is dropped
    (`\\*` stands for all keywords).
    """
    allowed = None if permanent is None else {flag.casefold() for flag in permanent}
    sent: dict[str, str] = {}
    dropped: set[str] = set()
    for flag in flags:
        folded = flag.casefold()
        fits = flag.startswith("\\") or _KEYWORD.fullmatch(flag)
        canonical = _SYSTEM_FLAGS.get(folded, "") if flag.startswith("\\") else flag
        kept = allowed is None or folded in allowed or (not flag.startswith("\\") and "\\*" in allowed)
        if fits and canonical and kept:
            sent.setdefault(folded, canonical)
        else:
            dropped.add(flag)
    return tuple(sorted(sent.values())), tuple(sorted(dropped))


def append_arguments(native: str, flags: Iterable[str], date: int | None) -> bytes:
    """The start of an APPEND up to the literal's brace, with a blank at its end. See `append_message`."""
    return b"APPEND " + mailbox(native) + b" " + append_message(flags, date)


def append_message(flags: Iterable[str], date: int | None) -> bytes:
    """What stands before one mail's literal in an APPEND (RFC 3502 `append-message`), with a blank at its end.

    `flags` as `sendable_flags` gives them, `date` in seconds since 1970 UTC; ValueError for anything else.
    """
    flags = tuple(flags)
    sent, dropped = sendable_flags(flags)
    if dropped or len(sent) != len(flags):
        raise ValueError(f"flags that cannot be sent: {dropped or flags}")
    line = b"(" + " ".join(sent).encode("ascii") + b") "
    if date is None:
        return line
    try:
        text = imap_date(date)
    except (OverflowError, OSError) as error:
        raise ValueError(f"no date: {date}") from error
    if not _DATE.fullmatch(text):
        raise ValueError(f"no date: {date}")
    return line + quoted(text.encode("ascii")) + b" "


def uid_sets(uids: Iterable[int]) -> Iterator[bytes]:
    """Sequence sets (RFC 3501 `sequence-set`) that name all `uids`, as ranges, each short enough for any server."""
    pieces: list[bytes] = []
    length = 0
    for first, last in _ranges(sorted(set(uids))):
        piece = b"%d" % first if first == last else b"%d:%d" % (first, last)
        if length + len(piece) > _MAX_SET:
            yield b",".join(pieces)
            pieces, length = [], 0
        pieces.append(piece)
        length += len(piece) + 1
    if pieces:
        yield b",".join(pieces)


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    start = previous = None
    for value in numbers:
        if value < 1:
            raise ValueError(f"no UID: {value}")
        if start is None or previous is None:
            start = value
        elif value != previous + 1:
            yield start, previous
            start = value
        previous = value
    if start is not None and previous is not None:
        yield start, previous
