"""Which mails a comparison looks at, as SQL: all of them, or those that were touched."""

from collections.abc import Iterable, Mapping

import msgspec

from hikkoshi.index.standing import Standing


class Scope(msgspec.Struct, frozen=True):
    """`source`: a FROM clause over `message`, ordered by key where it is all of it; `where`: conditions on it.

    `aside`: the folders whose mail is left out, as the inside of an IN (…).
    """

    source: str
    where: str
    aside: str


def scope(standings: Mapping[int, Standing], *, touched: bool) -> Scope:
    """The mails that changed, or all; mail of folders that could not be opened is no part of it."""
    unknown = _numbers(each.folder for each in standings.values() if not each.known)
    return Scope(
        source="touched CROSS JOIN message INDEXED BY message_key ON message.key = touched.key"
        if touched
        else "message INDEXED BY message_key",
        where=f"message.folder NOT IN ({unknown})" if unknown else "1",
        aside=_numbers(each.folder for each in standings.values() if each.left_out),
    )


def _numbers(ids: Iterable[int]) -> str:
    return ",".join(str(int(id_)) for id_ in ids)
