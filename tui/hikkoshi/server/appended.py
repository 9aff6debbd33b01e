"""Where uploaded mails came to lie: APPENDUID (RFC 4315 section 3). Pure."""

import re

from hikkoshi.server.lexer import Status
from hikkoshi.server.records import Appended

_NOWHERE = Appended(None, None)
_UID_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*\Z")


def appended(end: Status, count: int) -> list[Appended]:
    """One record for each of the `count` mails of a command that ended with `end`, in their order.

    All empty where the server names no UIDs, or not as many as there were mails.
    """
    words = end.argument.split() if end.code == "APPENDUID" else []
    if len(words) == 2 and words[0].isdigit() and _UID_SET.match(words[1]):
        uids = _numbers(words[1], count)
        if uids is not None:
            return [Appended(int(words[0]), uid) for uid in uids]
    return [_NOWHERE] * count


def _numbers(uid_set: bytes, count: int) -> list[int] | None:
    """The numbers of a set if they are `count` different ones; it is not expanded beyond that."""
    numbers: list[int] = []
    for piece in uid_set.split(b","):
        first, _colon, last = piece.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        if high - low >= count:
            return None
        numbers.extend(range(low, high + 1))
    return numbers if len(numbers) == len(set(numbers)) == count and 0 not in numbers else None
