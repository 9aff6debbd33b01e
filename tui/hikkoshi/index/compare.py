"""Which copies are the same mail: identity as evidence, in memory, without a database.

Copies are put together by Message-ID, else by the digest of their identity fields, and settled by what else
is known (digest, size, our own ledger). What cannot be settled is `doubtful`, never guessed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.mail.identity import unified_fields

# Stores and servers differ about a line end at a mail's end, and about nothing else that is of no weight.
SIZE_SLACK = 2
CUT_SLACK = 4096
"""A server's copy of less than half the size, and so many bytes less than that, was cut, or lost its attachments: servers
that count otherwise, or add and take away headers, differ by less."""
# Of Date, From and Subject: a list's copy of a mail has another Subject, a gateway's another From.
_AGREEING_FIELDS = 2

WHY_MESSAGE_ID = "message-id"
WHY_HEADERS = "headers"
WHY_MESSAGE_ID_ONLY = "message-id-only"
WHY_LEDGER = "ledger"
WHY_DOUBT = "doubt"
WHY_ALONE = "alone"
WHY_CUT = "cut"
WHYS = (WHY_ALONE, WHY_MESSAGE_ID, WHY_HEADERS, WHY_MESSAGE_ID_ONLY, WHY_LEDGER, WHY_DOUBT, WHY_CUT)
"""The codes by the number that stands for them in the index."""


class Copy(msgspec.Struct, frozen=True, gc=False):
    """One message as the comparison sees it. `proved`: the ledger knows it as the upload of the mail it names."""

    id: int
    side: int
    folder: int
    message_id: bytes | None
    digest: bytes
    strong: bool
    size: int
    flags: str
    date: int | None = None
    body: bytes | None = None
    proved: bool = False


class Mail(msgspec.Struct):
    """The copies of one mail. `doubtful`: the other side may or may not have it too; `why`: a WHY_ code.

    `rivals`: where it is in doubt, the local copies that it could be a copy of.
    """

    copies: list[Copy] = msgspec.field(default_factory=list)
    doubtful: bool = False
    why: str = WHY_ALONE
    rivals: list[Copy] = msgspec.field(default_factory=list)


FieldsOf = Callable[[int], bytes]
"""The raw identity fields of a message by row id; asked only where Message-IDs agree and digests do not."""


def gather(copies: Iterable[Copy], fields_of: FieldsOf) -> Iterator[Mail]:
    """Put the copies of each mail together."""
    buckets: defaultdict[bytes, list[Copy]] = defaultdict(list)
    for copy in copies:
        buckets[b"<" + copy.message_id if copy.message_id else b"#" + copy.digest].append(copy)
    for bucket in buckets.values():
        if len(bucket) == 1:
            yield Mail(bucket)
        elif bucket[0].message_id:
            yield from map(_unless_cut, _by_message_id(bucket, fields_of))
        else:
            yield from _by_headers(bucket)


def _why(copies: list[Copy], both: str) -> str:
    if len({copy.side for copy in copies}) == 1:
        return WHY_ALONE
    return WHY_LEDGER if any(copy.proved for copy in copies) else both


def _by_message_id(bucket: list[Copy], fields_of: FieldsOf) -> Iterator[Mail]:
    """Copies with one Message-ID: one mail, unless their headers say that the id was used again."""
    by_digest: defaultdict[bytes, list[Copy]] = defaultdict(list)
    for copy in bucket:
        by_digest[copy.digest].append(copy)
    lone: tuple[list[list[Copy]], list[list[Copy]]] = ([], [])
    reused = False
    for same in by_digest.values():
        sides = {copy.side for copy in same}
        if len(sides) == 2:
            reused = True
            yield Mail(same, why=_why(same, WHY_MESSAGE_ID))
        else:
            lone[sides.pop()].append(same)
    local, server = lone
    if not local or not server:
        yield from (Mail(same) for same in local + server)
    elif (
        len(local) == len(server) == 1 and not reused and _agree(fields_of(local[0][0].id), fields_of(server[0][0].id))
    ):
        yield Mail(local[0] + server[0], why=WHY_MESSAGE_ID_ONLY)
    else:
        rivals = [copy for same in local for copy in same]
        yield from (Mail(same, doubtful=True, why=WHY_DOUBT) for same in local)
        yield from (Mail(same, doubtful=True, why=WHY_DOUBT, rivals=rivals) for same in server)


def _unless_cut(mail: Mail) -> Mail:
    """In doubt where each copy on the server is much smaller than this PC's: the whole mail may be here alone."""
    there = [copy for copy in mail.copies if copy.side == SERVER]
    if there and not mail.doubtful and not any(copy.proved or not copy.size for copy in there):
        here = [copy for copy in mail.copies if copy.side == LOCAL]
        if max((copy.size for copy in here), default=0) > 2 * max(copy.size for copy in there) + CUT_SLACK:
            mail.doubtful, mail.why, mail.rivals = True, WHY_CUT, here
    return mail


def _agree(one: bytes, other: bytes) -> bool:
    """Whether two mails with one Message-ID and different headers are still the same mail to a reader."""
    a, b = unified_fields(one), unified_fields(other)
    names = (b"date", b"from", b"subject")
    return sum(1 for name in names if a.get(name) and a[name] == b.get(name)) >= _AGREEING_FIELDS


def _by_headers(bucket: list[Copy]) -> Iterator[Mail]:
    """Copies without Message-ID whose identity fields are equal: settled by body digest, ledger and size."""
    local: dict[object, list[Copy]] = {}
    for copy in bucket:
        if copy.side == LOCAL:
            # Where no other local mail has these headers the body was not read, and one key is enough.
            local.setdefault(copy.body or copy.size, []).append(copy)
    mails = [Mail(copies) for copies in local.values()]
    unmatched: defaultdict[int, list[Copy]] = defaultdict(list)
    doubtful_sizes: dict[int, list[Mail]] = {}
    for copy in (copy for copy in bucket if copy.side != LOCAL):
        if mail := _proved_match(copy, mails):
            mail.copies.append(copy)
            mail.why = WHY_LEDGER
            continue
        fitting = [mail for mail in mails if abs(mail.copies[0].size - copy.size) <= SIZE_SLACK]
        if len(fitting) == 1 and copy.strong:
            fitting[0].copies.append(copy)
            fitting[0].why = fitting[0].why if fitting[0].why == WHY_LEDGER else WHY_HEADERS
            continue
        if fitting:
            doubtful_sizes[copy.size] = fitting
        unmatched[copy.size].append(copy)
    yield from _settle(mails, unmatched, doubtful_sizes, strong=bucket[0].strong)


def _proved_match(copy: Copy, mails: list[Mail]) -> Mail | None:
    """The mail that the ledger says this server copy is an upload of."""
    if not copy.proved:
        return None
    for mail in mails:
        first = mail.copies[0]
        if first.body == copy.body if first.body else first.size == copy.size:
            return mail
    return None


def _settle(
    mails: list[Mail],
    unmatched: dict[int, list[Copy]],
    doubtful_sizes: dict[int, list[Mail]],
    *,
    strong: bool,
) -> Iterator[Mail]:
    """What is left: one-sided mails, and doubt where a server copy could be one of several local mails."""
    alone = [mail for mail in mails if mail.why == WHY_ALONE]
    if strong and unmatched:
        # Same date, people and subject on both sides, and sizes that do not fit: the same mail, or not.
        doubted = alone
    else:
        doubted = [mail for fitting in doubtful_sizes.values() for mail in fitting if mail.why == WHY_ALONE]
    for mail in doubted:
        mail.doubtful, mail.why = True, WHY_DOUBT
    yield from mails
    for size, copies in unmatched.items():
        doubtful = bool(doubted) and (strong or size in doubtful_sizes)
        if doubtful:
            rivals = [copy for mail in doubted for copy in mail.copies]
            yield Mail(copies, doubtful=True, why=WHY_DOUBT, rivals=rivals)
        else:
            yield Mail(copies)
