"""Listing folders: their mails, and the flags of those. Looking changes nothing: EXAMINE and BODY.PEEK."""

from collections.abc import Iterator

from hikkoshi.mail.message import Message
from hikkoshi.server.conversation import Conversation
from hikkoshi.server.fetch import FLAG_ITEMS, LIST_ITEMS, Fetched


class Listing(Conversation):
    """What a folder holds."""

    def list_new(self, first_uid: int) -> Iterator[Message]:
        """The mails of the folder that is open with UIDs from `first_uid` on, as the server sends them.

        Not taken to its end, the connection is closed. The server's NO at the end comes after what it gave.
        """
        pending: dict[int, Fetched] = {}
        highest = 0
        for answer in self._fetch(b"%d:*" % first_uid, LIST_ITEMS):
            uid = answer.uid
            # `first:*` names the last mail, however small its UID is (RFC 3501 section 6.4.8).
            if uid is None or uid < first_uid:
                continue
            fetched = pending.pop(uid, answer)
            fetched.merge(answer)
            if fetched.listed:
                highest = max(highest, uid)
                yield fetched.message()
            elif uid > highest:
                # Part of the answer, or a flag that somebody has just changed; the rest may follow.
                pending[uid] = fetched
        # Answers that a server left incomplete are mails all the same.
        for uid in sorted(pending):
            yield pending[uid].message()

    def list_flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        """(UID, flags) of every mail in the folder that is open. Not taken to its end, the connection is closed."""
        for fetched in self._fetch(b"1:*", FLAG_ITEMS):
            if fetched.uid is not None and fetched.flags is not None:
                yield fetched.uid, fetched.flags
