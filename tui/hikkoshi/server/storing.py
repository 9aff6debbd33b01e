"""Changing the flags of mails, and removing mails, by UID: what a look never does.

A folder has to be open for writing for that (SELECT); everything else here opens folders with EXAMINE.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from hikkoshi.i18n import _
from hikkoshi.server.fetch import FLAG_AND_MODSEQ_ITEMS, FLAG_ITEMS
from hikkoshi.server.lexer import Status
from hikkoshi.server.readback import ReadBack
from hikkoshi.server.records import Flagging, FolderStatus
from hikkoshi.server.writer import sendable_flags, uid_sets

_MODIFIED = re.compile(rb"[0-9:,]+\Z")


class Stored(msgspec.Struct, frozen=True):
    """What became of a change of flags, by UID.

    `modified`: left as they are, since somebody changed them after `unchanged_since`.
    """

    done: frozenset[int]
    modified: frozenset[int] = frozenset()


class Storing(ReadBack):
    """A connection that may change what it is told to, and nothing else."""

    def select(self, native: str) -> FolderStatus:
        """Open a folder for reading and writing; CommandRefused, naming it, when it cannot be opened."""
        return self._open(b"SELECT", native)

    def store(
        self, uids: Iterable[int], flags: Sequence[str], *, remove: bool = False, unchanged_since: int | None = None
    ) -> Stored:
        """Add flags to mails of the folder that is selected, or take them away; other flags stay as they are.

        `flags` as `sendable_flags` gives them. `unchanged_since`: a MODSEQ (RFC 7162 section 3.1.3); what has a later one
        is left as it is. What is not there any more counts as done, and may come with a NO behind MODIFIED.
        Raises CommandRefused on another NO; some of the mails may have been changed then.
        """
        wanted = frozenset(uids)
        sent, dropped = sendable_flags(flags)
        if dropped or not sent:
            raise ValueError(f"flags that cannot be stored: {dropped or flags}")
        condition = b"" if unchanged_since is None else b"(UNCHANGEDSINCE %d) " % unchanged_since
        what = condition + (b"-" if remove else b"+") + b"FLAGS.SILENT (" + " ".join(sent).encode("ascii") + b")"
        refusal = self._refusal(_("The flags of mails in {folder} cannot be changed"), self._examined or "")
        modified: set[int] = set()
        for uid_set in uid_sets(wanted):
            end = self._ended(self._channel.start(b"UID STORE " + uid_set + b" " + what))
            if end.kind != "OK" and end.code != "MODIFIED":
                raise refusal(end)
            modified |= _modified(end, wanted)
        return Stored(wanted - modified, frozenset(modified))

    def flags_now(self, uids: Iterable[int], *, modseq: bool = False) -> dict[int, Flagging]:
        """The flags of mails of the folder that is open, as the server has them now; what is gone is left out.

        `modseq`: ask for each mail's, which only a server with CONDSTORE tells. What others changed a moment ago is in
        it only behind a `noop`: Dovecot looks for that between two commands.
        """
        wanted = frozenset(uids)
        found: dict[int, Flagging] = {}
        for uid_set in uid_sets(wanted):
            for fetched in self._fetch(uid_set, FLAG_AND_MODSEQ_ITEMS if modseq else FLAG_ITEMS):
                if fetched.uid in wanted and fetched.flags is not None:
                    before = found.get(fetched.uid)
                    number = fetched.modseq or (before.modseq if before else None)
                    found[fetched.uid] = Flagging(fetched.flags, number)
        return found

    def expunge(self, uids: Iterable[int]) -> None:
        r"""Remove these mails, and no others, of those that have \Deleted (UID EXPUNGE, RFC 4315 section 2.1)."""
        if "UIDPLUS" not in self._channel.capabilities:
            raise ValueError("a server without UIDPLUS would remove other mail, too")
        refusal = self._refusal(_("Mails of {folder} cannot be removed"), self._examined or "")
        for uid_set in uid_sets(uids):
            self._finish(self._channel.start(b"UID EXPUNGE " + uid_set), refusal)

    def _ended(self, tag: bytes) -> Status:
        """The OK or NO that ends a command."""
        while True:
            parts = self._channel.read()
            if (end := self._channel.judge(parts, tag)) is not None:
                return end
            self._note(parts)


def _modified(end: Status, wanted: frozenset[int]) -> set[int]:
    """The UIDs of a MODIFIED code; a set may be a range over UIDs that were not asked about, or that are not there."""
    if end.code != "MODIFIED" or not _MODIFIED.match(end.argument):
        return set()
    found: set[int] = set()
    for piece in end.argument.split(b","):
        first, _colon, last = piece.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        found |= {uid for uid in wanted if low <= uid <= high}
    return found
