"""Sets of UIDs: from ESEARCH (RFC 4731) and VANISHED (RFC 7162), and flags put together from them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from hikkoshi.mail.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from hikkoshi.server.lexer import Parts, Status, malformed, tokens
from hikkoshi.server.news import Ranges
from hikkoshi.server.pipeline import Task

_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*+")
_ESEARCH = re.compile(rb"\* ESEARCH\b", re.IGNORECASE)
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([0-9:,]+)\Z", re.IGNORECASE)
_SYSTEM = {SEEN: b"SEEN", ANSWERED: b"ANSWERED", FLAGGED: b"FLAGGED", DRAFT: b"DRAFT", DELETED: b"DELETED"}
# What a search may name without quotes: ATOM-CHAR of RFC 3501.
_ATOM = re.compile(r"[!#$&'+-Z^-z|}~\[]{1,100}")


def ranges(text: bytes) -> Ranges:
    """The UIDs of a `sequence-set` without `*`, sorted; ProtocolBroken for anything else."""
    if not _SET.fullmatch(text):
        raise malformed(text)
    found = []
    for piece in text.split(b","):
        first, _, last = piece.partition(b":")
        low, high = int(first), int(last or first)
        found.append((min(low, high), max(low, high)))
    return merged(found)


def merged(pieces: Iterable[tuple[int, int]]) -> Ranges:
    """The same UIDs, sorted, without overlaps."""
    whole: Ranges = []
    for low, high in sorted(pieces):
        if whole and low <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(whole[-1][1], high))
        else:
            whole.append((low, high))
    return whole


def within(uids: Sequence[int], wanted: Ranges) -> list[int]:
    """Those of the sorted `uids` that are in `wanted`, however large its ranges are."""
    found: list[int] = []
    for low, high in wanted:
        found += uids[bisect_left(uids, low) : bisect_right(uids, high)]
    return found


def size(some: Ranges) -> int:
    """How many UIDs there are."""
    return sum(high - low + 1 for low, high in some)


def vanished(parts: Parts) -> Ranges | None:
    """The UIDs of a VANISHED response, None if it is another response."""
    match = _VANISHED.match(parts[0])
    return ranges(match[2]) if match else None


class Searches:
    """UID SEARCH RETURN (ALL) for several keys of one folder, which a server may work at in any order.

    `found`: the answers by name; one that has not come is missing. `expected`: how many mails the folder has.
    """

    def __init__(self, expected: Callable[[], int]) -> None:
        self.found: dict[str, Ranges] = {}
        self._expected = expected
        self._names: dict[bytes, str] = {}

    def task(self, name: str, key: bytes, hear: Callable[[Parts], None], excused: Callable[[], bool]) -> Task:
        """The task for one key; `hear` hands this the responses that it does not know."""

        def sent(tag: bytes) -> None:
            self._names[tag] = name

        command = b"UID SEARCH RETURN (ALL) " + key
        return Task(command, self._ended, hear, excused=excused, long_lines=True, sent=sent)

    def hear(self, parts: Parts) -> bool:
        """Take the response if it is one to a search. It says which by the tag (RFC 4466 section 2.6.2)."""
        if not _ESEARCH.match(parts[0]):
            return False
        words = tokens(parts)
        asked = words[2] if len(words) > 2 and isinstance(words[2], list) else []
        name = self._names.get(asked[1]) if len(asked) == 2 and isinstance(asked[1], bytes) else None
        if name is not None:
            found: Ranges = []
            for word, value in pairwise(words):
                if word == b"ALL" and isinstance(value, bytes):
                    found = ranges(value)
            if size(found) > 2 * self._expected() + 1000:
                raise malformed(parts[0])
            self.found[name] = found
        return True

    def _ended(self, _end: Status) -> None:
        """An answer that a NO took the place of is missing."""


def flag_keys(keywords: Iterable[str]) -> dict[str, bytes] | None:
    """The search keys of the system flags and `keywords`, by flag; None where one of them cannot be searched for."""
    keys = dict(_SYSTEM)
    for keyword in keywords:
        if not _ATOM.fullmatch(keyword):
            return None
        keys[keyword] = b"KEYWORD " + keyword.encode("ascii")
    return keys


def flags_of(present: Ranges, having: dict[str, Ranges]) -> dict[int, frozenset[str]]:
    """UID -> flags of all `present`, from the UIDs that have each flag."""
    masks = dict.fromkeys((uid for low, high in present for uid in range(low, high + 1)), 0)
    names = list(having)
    for bit, name in enumerate(names):
        for low, high in having[name]:
            for uid in range(low, high + 1):
                if uid in masks:
                    masks[uid] |= 1 << bit
    sets = {mask: frozenset(name for bit, name in enumerate(names) if mask >> bit & 1) for mask in set(masks.values())}
    return {uid: sets[mask] for uid, mask in masks.items()}
