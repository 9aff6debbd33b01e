"""Reading back what was uploaded: whether it arrived, and whether it is what was sent.

All questions about a batch are sent at once, so that they cost one round trip together, behind the one that shows what
was appended. A mail of any size is digested piece by piece as it comes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.mail.identity import CanonicalDigest, canonical_digest, identify
from hikkoshi.mail.message import Message
from hikkoshi.server import failures
from hikkoshi.server.fetch import FACT_ITEMS, WHOLE_ITEMS, Fetched
from hikkoshi.server.lexer import MAX_RESPONSE
from hikkoshi.server.listing import Listing
from hikkoshi.server.records import Facts
from hikkoshi.server.writer import uid_sets

_MAX_MAIL = 1 << 30
_PIECE = 1 << 20
"""Bytes of a mail that are asked for at once; a larger one comes in pieces."""
_PIECES_AHEAD = 4


class Found(msgspec.Struct):
    """What the server has of the mails that were asked about, by UID. One that is not there has no facts.

    `digests`: canonical, of those that were asked for whole; the server's NO where it refused one.
    """

    facts: dict[int, Facts] = msgspec.field(default_factory=dict)
    digests: dict[int, bytes | CommandRefused] = msgspec.field(default_factory=dict)


class ReadBack(Listing):
    """Single mails of a folder as the server has them."""

    def find_appended(self, native: str, first_uid: int, size: int, fields: bytes) -> list[int]:
        """UIDs from `first_uid` on of the mails with this size (bytes) and these identity fields."""
        wanted = identify(fields)
        return [
            int(message.place)
            for message in self.list_from(native, first_uid)
            if message.size in (size, 0) and identify(message.fields) == wanted
        ]

    def list_from(self, native: str, first_uid: int) -> Iterator[Message]:
        """The mails of a folder with UIDs from `first_uid` on, what was appended a moment ago included.

        For servers without UIDPLUS, and for learning which mails arrived after the connection was lost.
        """
        self._open_afresh(native)
        yield from self.list_new(first_uid)

    def read_back(self, native: str, uids: Iterable[int], whole: Mapping[int, int]) -> Found:
        """The facts of the mails `uids`, and the digests of those in `whole`: UID -> size in bytes, as it was sent.

        CommandRefused where the folder or the facts are refused.
        """
        # Waited for: Dovecot takes a FETCH that comes right behind before the NOOP, and tells of mail that is gone.
        self._open_afresh(native)
        found = Found()
        wanted = set(uids)
        small = [uid for uid, size in whole.items() if size <= _PIECE]
        facts: dict[int, Fetched] = {}

        def take(fetched: Fetched) -> None:
            uid = fetched.uid
            if uid in wanted and fetched.whole is None:
                facts.setdefault(uid, fetched).merge(fetched)
            elif uid is not None and uid in whole and fetched.whole is not None:
                found.digests[uid] = canonical_digest(fetched.whole)

        tags: dict[bytes, list[int]] = {}
        for uid_set in uid_sets(wanted):
            tags[self._channel.start(b"UID FETCH " + uid_set + b" " + FACT_ITEMS)] = []
        for uid_set in uid_sets(small):
            tags[self._channel.start(b"UID FETCH " + uid_set + b" " + WHOLE_ITEMS)] = small
        for tag, error in self._hear(native, set(tags), take).items():
            if not tags[tag]:
                raise error
            for uid in tags[tag]:
                found.digests.setdefault(uid, error)
        found.facts = {uid: fetched.facts() for uid, fetched in facts.items()}
        for uid, size in whole.items():
            if size > _PIECE and uid in found.facts:
                found.digests[uid] = self._digest_of(native, uid, found.facts[uid].size or size)
        return found

    def digest_of(self, native: str, uid: int) -> bytes:
        """The canonical digest of one mail. CommandRefused where it is not there or cannot be read."""
        facts = self.fetch_facts(native, [uid]).get(uid)
        if facts is None:
            raise _gone(native, uid)
        digest = self._digest_of(native, uid, facts.size)
        if isinstance(digest, CommandRefused):
            raise digest
        return digest

    def fetch_facts(self, native: str, uids: Iterable[int]) -> dict[int, Facts]:
        """Size, flags and date of these mails as the server has them now; UIDs that it does not have are left out."""
        return self.read_back(native, uids, {}).facts

    def fetch_whole(self, native: str, uid: int, max_bytes: int = _MAX_MAIL) -> bytes:
        """One mail, byte for byte as the server has it; \\Seen stays as it is.

        CommandRefused (NONEXISTENT) when it is not there; ProtocolBroken beyond `max_bytes`.
        """
        self._open_afresh(native)
        whole: bytes | None = None
        for fetched in self._fetch(next(uid_sets([uid])), WHOLE_ITEMS, native, max_bytes + MAX_RESPONSE):
            if fetched.uid == uid and fetched.whole is not None:
                whole = fetched.whole
        if whole is None:
            raise _gone(native, uid)
        return whole

    def _hear(self, native: str, tags: set[bytes], take: Callable[[Fetched], None]) -> dict[bytes, CommandRefused]:
        """The FETCH responses until all the commands have ended, in whatever order; the refusals by their tags."""
        refused: dict[bytes, CommandRefused] = {}
        count, open_tags = 0, set(tags)
        what = _("The mails of the folder {folder} cannot be read").format(folder=failures.readable(native))
        while open_tags:
            parts = self._channel.read()
            tag = parts[0].split(b" ", 1)[0]
            end = self._channel.judge(parts, tag if tag in open_tags else b"")
            if end is not None:
                open_tags.discard(tag)
                if end.kind != "OK":
                    refused[tag] = failures.refused(what, end.words, end.code)
                continue
            if (fetched := self._fetched(parts, count)) is not None:
                count += 1
                take(fetched)
        return refused

    def _digest_of(self, native: str, uid: int, size: int) -> bytes | CommandRefused:
        """The digest of a mail of `size` bytes, which comes in pieces that are asked for ahead of time."""
        digest = CanonicalDigest()

        def take(fetched: Fetched) -> None:
            if fetched.uid == uid and fetched.whole is not None:
                digest.update(fetched.whole)

        for start in range(0, max(size, 1), _PIECE * _PIECES_AHEAD):
            offsets = range(start, min(start + _PIECE * _PIECES_AHEAD, max(size, 1)), _PIECE)
            items = [b"(UID BODY.PEEK[]<%d.%d>)" % (offset, _PIECE) for offset in offsets]
            tags = {self._channel.start(b"UID FETCH %d %b" % (uid, each)) for each in items}
            for error in self._hear(native, tags, take).values():
                return error
        return digest.digest()


def _gone(native: str, uid: int) -> CommandRefused:
    return CommandRefused(
        _("The folder {folder} has no mail with the number {uid} any more.").format(
            folder=failures.readable(native), uid=uid
        ),
        "NONEXISTENT",
    )
