"""Reading back what was uploaded: whether it arrived, and whether it is what was sent."""

from collections.abc import Iterable

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.mail.identity import identify
from hikkoshi.server import failures
from hikkoshi.server.fetch import FACT_ITEMS, WHOLE_ITEMS, Fetched
from hikkoshi.server.lexer import MAX_RESPONSE
from hikkoshi.server.listing import Listing
from hikkoshi.server.records import Facts
from hikkoshi.server.writer import uid_sets

_MAX_MAIL = 1 << 30


class ReadBack(Listing):
    """Single mails of a folder as the server has them."""

    def find_appended(self, native: str, first_uid: int, size: int, fields: bytes) -> list[int]:
        """UIDs from `first_uid` on of the mails with this size (bytes) and these identity fields.

        For servers without UIDPLUS, and for learning whether a mail arrived after the connection was lost.
        """
        self._open_afresh(native)
        wanted = identify(fields)
        return [
            int(message.place)
            for message in self.list_new(first_uid)
            if message.size in (size, 0) and identify(message.fields) == wanted
        ]

    def fetch_facts(self, native: str, uids: Iterable[int]) -> dict[int, Facts]:
        """Size, flags and date of these mails as the server has them now; UIDs that it does not have are left out."""
        self._open_afresh(native)
        wanted = set(uids)
        found: dict[int, Fetched] = {}
        for uid_set in uid_sets(wanted):
            for fetched in self._fetch(uid_set, FACT_ITEMS, native):
                if fetched.uid in wanted:
                    found.setdefault(fetched.uid, fetched).merge(fetched)
        return {uid: fetched.facts() for uid, fetched in found.items()}

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
            raise CommandRefused(
                _("The folder {folder} has no mail with the number {uid} any more.").format(
                    folder=failures.readable(native), uid=uid
                ),
                "NONEXISTENT",
            )
        return whole
