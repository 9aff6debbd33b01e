"""Finding our uploads again in a folder whose UIDVALIDITY has changed (RFC 3501 section 2.3.1.1).

The ledger knows an upload by UIDVALIDITY and UID, and these mean nothing any more once a folder was restored or made
anew. What the index had of the mail then is compared with what the folder has now: first the identity fields, the size
and INTERNALDATE; then, for servers that give mail a Message-ID of their own, the other fields and INTERNALDATE. As many
candidates as uploads are the uploads; in any other number they are in doubt, and stay where the ledger had them.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable

import msgspec

from hikkoshi.index.compare import SIZE_SLACK
from hikkoshi.index.store import Index
from hikkoshi.ledger.records import Item
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.headers import iter_fields
from hikkoshi.mail.identity import identify


class Trace(msgspec.Struct, frozen=True):
    """What tells a mail: `id` of its item in the ledger or its UID; `date`: INTERNALDATE in seconds since 1970 UTC."""

    id: int
    fields: bytes
    date: int | None
    size: int

    def whole(self) -> Hashable:
        """What two traces of one mail have in common, besides nearly the same size."""
        return identify(self.fields).digest, self.date

    def without_id(self) -> Hashable | None:
        """The same where a server has changed the Message-ID; None where too little is left to tell the mail by."""
        others = b"\r\n".join(name + b":" + value for name, value in iter_fields(self.fields) if name != b"message-id")
        left = identify(others)
        return (left.digest, self.date) if left.strong and self.date is not None else None


class Readdressing:
    """The uploads of one account, while its folders are listed."""

    def __init__(self, index: Index, ledger: Ledger, server: str) -> None:
        self._index, self._ledger, self._server = index, ledger, server
        self._traces: dict[int, Trace] = {}

    def remember(self, folder: int, native: str, uidvalidity: int) -> None:
        """Note what the index has of the uploads in a folder (row id, name) that is about to be listed anew.

        `uidvalidity`: the one it has now.
        """
        stamp = int(self._index.stamp(folder) or 0)
        items = {item.uid: item.id for item in self._elsewhere(native, uidvalidity) if item.uidvalidity == stamp}
        for trace in self._listed(folder) if items else ():
            if (item := items.get(trace.id)) is not None:
                self._traces[item] = Trace(item, trace.fields, trace.date, trace.size)

    def settle(self, folder: int, native: str, uidvalidity: int) -> int:
        """Give the uploads that are found in the folder, now that all of it is listed, their UIDs; how many were found."""
        uploads = [self._traces.get(item.id) or _sent(item) for item in self._elsewhere(native, uidvalidity)]
        if not uploads:
            return 0
        ours = self._ledger.uids(self._server, native, uidvalidity)
        mails = [trace for trace in self._listed(folder) if trace.id not in ours]
        found = _matched(uploads, mails, Trace.whole, SIZE_SLACK)
        taken = set(found.values())
        found |= _matched(
            [trace for trace in uploads if trace.id not in found],
            [trace for trace in mails if trace.id not in taken],
            Trace.without_id,
            None,
        )
        self._ledger.readdress((item, uidvalidity, uid) for item, uid in found.items())
        return len(found)

    def _elsewhere(self, native: str, uidvalidity: int) -> list[Item]:
        return self._ledger.uploads_of_other_times(self._server, native, uidvalidity)

    def _listed(self, folder: int) -> list[Trace]:
        rows = self._index.db.execute("SELECT place, fields, date, size FROM message WHERE folder = ?", (folder,))
        return [Trace(*row) for row in rows]


def _sent(item: Item) -> Trace:
    """Where the index has lost what there was, what was sent stands in."""
    return Trace(item.id, item.fields_sent, item.date, item.size)


def _matched(
    uploads: Iterable[Trace], mails: Iterable[Trace], key: Callable[[Trace], Hashable | None], slack: int | None
) -> dict[int, int]:
    """Item -> UID of the uploads that are found; copies of one mail are told apart by nothing, so any order is right."""
    alike: dict[Hashable, tuple[list[Trace], list[Trace]]] = defaultdict(lambda: ([], []))
    for side, traces in enumerate((uploads, mails)):
        for trace in traces:
            if (same := key(trace)) is not None:
                alike[same][side].append(trace)
    found: dict[int, int] = {}
    for ours, theirs in alike.values():
        if len(ours) != len(theirs):
            continue
        pairs = list(
            zip(*(sorted(each, key=lambda trace: (trace.size, trace.id)) for each in (ours, theirs)), strict=True)
        )
        if slack is None or all(abs(mine.size - other.size) <= slack for mine, other in pairs):
            found |= {mine.id: other.id for mine, other in pairs}
    return found
