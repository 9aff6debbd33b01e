"""Carrying out a plan of flags: what was changed on the server since the look is never overwritten.

With CONDSTORE (RFC 7162) the server itself sees to that: STORE is sent with UNCHANGEDSINCE and the HIGHESTMODSEQ of the
look. A mail that was changed since is looked at: where its flags are as listed after all (a STORE of our own, an upload
since) it is stored once more with its own MODSEQ, else it is left.

Without, the flags are fetched just before, and only mails whose flags are as listed are stored. A window of one round trip
is left: what another client does to the very flags that are stored, between the server's answer to the FETCH and its work
at the STORE, is done over. Other flags are never touched: a STORE adds flags or takes them away, it never sets them all.

Behind each STORE the flags are fetched: only what the server then has is believed, and noted in the index. The ledger,
too, learns of what became of our own uploads: an undo asks whether somebody else has changed them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hikkoshi.errors import Cancelled, CommandRefused, ConnectFailed, ConnectionLost, HikkoshiError, ProtocolBroken
from hikkoshi.i18n import _
from hikkoshi.index.flag_pairs import fields_at, note_flags
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.ledger.records import State, There
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.flags import folded, unpack
from hikkoshi.move.flag_plan import FlagChange, FlagFolder, FlagItem, FlagPlan
from hikkoshi.move.link import Link
from hikkoshi.move.receipt import Failure, subject
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.records import Flagging, FolderStatus
from hikkoshi.server.writer import sendable_flags

AT_ONCE = 1000
"""Mails that are worked at together; behind them is written down what became of them."""
_BROKEN = 3
"""Answers that make no sense, after which the server is left alone; Dovecot itself hangs up at three BADs in a row."""

_DONE = ""


class FlagResult(msgspec.Struct, frozen=True):
    """How it ended: `changed` mails have the flags that they were to have; `left` do not, with the reason.

    A mail that got some of its flags is `left`; where the others cannot be said in IMAP it is `changed`, too.
    `Failure.folder` is the server's.
    """

    state: State
    changed: int
    left: tuple[Failure, ...] = ()
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether every mail of the plan has its flags."""
        return self.state is State.DONE and not self.left


class _Wish(msgspec.Struct, frozen=True):
    """Flags to be added to a mail, or taken from it, while it has exactly the flags `before` (folded)."""

    uid: int
    before: frozenset[str]
    flags: tuple[str, ...]


class FlagSync:
    """One synchronisation. `run` it once, in a thread of its own."""

    def __init__(
        self, plan: FlagPlan, *, server: str, link: Link, index: Index, ledger: Ledger, report: Report, cancel: Cancel
    ) -> None:
        """`server`: the account, as the ledger names it."""
        self._plan, self._server, self._link, self._report, self._cancel = plan, server, link, report, cancel
        self._index, self._ledger = index, ledger
        self._open: tuple[Bulk, str, FolderStatus] | None = None
        self._verdicts: dict[str, dict[int, str]] = {}
        self._ours: dict[str, set[int]] = {}
        self._done = self._broken = 0

    def run(self) -> FlagResult:
        """Do it. Whatever happens, what became of each mail is in the result."""
        state, problem = State.DONE, ""
        try:
            for folder in self._plan.folders:
                for start in range(0, len(folder.items), AT_ONCE):
                    self._cancel.check()
                    self._portion(folder, folder.items[start : start + AT_ONCE])
        except Cancelled as error:
            state, problem = State.STOPPED, str(error)
        except (ConnectionLost, ConnectFailed) as error:
            state, problem = State.CONNECTION_LOST, str(error)
        except HikkoshiError as error:
            state, problem = State.FAILED, str(error)
        self._tell("")
        verdicts = [verdict for folder in self._verdicts.values() for verdict in folder.values()]
        return FlagResult(state, verdicts.count(_DONE), (*self._plan.left, *self._left()), problem)

    def _portion(self, folder: FlagFolder, items: Sequence[FlagItem]) -> None:
        """Change these mails, and write down what became of them."""
        self._tell(folder.name)
        verdicts = self._verdicts.setdefault(folder.native, {})
        unknown = _("it is not known whether it has its flags now; look again")
        verdicts.update(dict.fromkeys((item.uid for item in items), unknown))
        try:
            # Asking again is safe: what was done before the line was cut is found done.
            found = self._link.steady(lambda: self._change(folder, items))
        except CommandRefused as error:
            found = dict.fromkeys((item.uid for item in items), str(error))
        except ProtocolBroken as error:
            self._broken += 1
            for each in items:
                verdicts[each.uid] = str(error)
            if self._broken >= _BROKEN:
                raise
            self._link.renew()
            alike = _alike(items)
            if len(alike) > 1:
                # Perhaps the server stumbled over one keyword: the others shall not suffer for it.
                for part in alike:
                    self._portion(folder, part)
                return
            found = {}
        verdicts.update(found)
        self._done += len(items)

    def _change(self, folder: FlagFolder, items: Sequence[FlagItem]) -> dict[int, str]:
        """What became of each mail by UID: '' where it has its flags, else the reason why not."""
        status = self._select(folder.native)
        if status.uidvalidity != folder.uidvalidity:
            return _all(items, _("its folder was made anew on the server; look again"))
        if status.read_only:
            return _all(items, _("its folder on the server may only be read"))
        turn = _Turn(self._link.bulk, status, folder.modseq)
        verdicts = turn.take(items)
        note_flags(self._index, folder.native, folder.uidvalidity, turn.found)
        self._note_ours(folder, [item for item in items if verdicts[item.uid] == _DONE])
        return verdicts

    def _note_ours(self, folder: FlagFolder, items: Sequence[FlagItem]) -> None:
        """Note in the ledger the flags of our own uploads, where nobody else had changed them before."""
        if folder.native not in self._ours:
            self._ours[folder.native] = self._ledger.uids(self._server, folder.native, folder.uidvalidity)
        there: dict[int, There] = {}
        for item in items:
            if item.uid not in self._ours[folder.native]:
                continue
            upload = self._ledger.upload_at(self._server, folder.native, folder.uidvalidity, item.uid)
            if upload is None or upload.there_size is None or upload.there_flags is None:
                continue
            if folded(unpack(upload.there_flags)) == folded(item.change.listed):
                there[upload.id] = There(upload.there_size, item.change.after, upload.there_date)
        if there:
            self._ledger.found(there)

    def _select(self, native: str) -> FolderStatus:
        bulk = self._link.bulk
        if self._open is not None and self._open[0] is bulk and self._open[1] == native:
            return self._open[2]
        self._open = None
        status = bulk.select(native)
        self._open = bulk, native, status
        return status

    def _left(self) -> Iterable[Failure]:
        """The mails that have not got their flags, those included that were not begun."""
        not_begun = _("it ended before this mail")
        for folder in self._plan.folders:
            verdicts = self._verdicts.get(folder.native, {})
            reasons = {item.uid: verdicts.get(item.uid, not_begun) for item in folder.items}
            reasons = {uid: reason for uid, reason in reasons.items() if reason != _DONE}
            fields = fields_at(self._index, folder.native, reasons)
            for uid, reason in reasons.items():
                yield Failure(subject(fields.get(uid, b"")), folder.name, reason)

    def _tell(self, what: str) -> None:
        self._report(Progress(Stage.FLAGS, what, self._done, self._plan.mails))


class _Turn:
    """Some mails of the folder that is selected. `found`: the flags that the server had of them at the end, by UID."""

    def __init__(self, bulk: Bulk, status: FolderStatus, listed: int | None) -> None:
        """`listed`: the HIGHESTMODSEQ of the look that the plan was made from."""
        self._bulk = bulk
        self._permanent = status.permanent_flags
        self._conditional = bool(bulk.has_modseq and status.modseq)
        # A server that counts anew, from less, has forgotten what the number meant.
        self._since = listed if self._conditional and listed and listed <= (status.modseq or 0) else None
        self.found: dict[int, frozenset[str]] = {}

    def take(self, items: Sequence[FlagItem]) -> dict[int, str]:
        """What became of each mail by UID: '' where it has its flags, else the reason why not."""
        kept = {change: self._kept(change) for change in {item.change for item in items}}
        verdicts: dict[int, str] = {item.uid: _DONE for item in items}
        adding = [_Wish(item.uid, folded(item.change.listed), add) for item in items if (add := kept[item.change][0])]
        verdicts.update(self._store(adding, remove=False))
        taking = [
            _Wish(item.uid, folded((*item.change.listed, *kept[item.change][0])), remove)
            for item in items
            if (remove := kept[item.change][1]) and verdicts[item.uid] == _DONE
        ]
        verdicts.update(self._store(taking, remove=True))
        for item in items:
            if (unkept := kept[item.change][2]) and verdicts[item.uid] == _DONE:
                verdicts[item.uid] = _("its folder on the server does not keep “{flags}”").format(
                    flags=" ".join(unkept)
                )
        return verdicts

    def _kept(self, change: FlagChange) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """What of `add` and of `remove` the folder's PERMANENTFLAGS allow, and what they do not."""
        add, not_added = sendable_flags(change.add, self._permanent)
        remove, not_taken = sendable_flags(change.remove, self._permanent)
        return add, remove, (*not_added, *not_taken)

    def _store(self, wishes: Sequence[_Wish], *, remove: bool) -> dict[int, str]:
        if not wishes:
            return {}
        refused: dict[int, str] = {}
        stored: set[int] = set()
        uids = [wish.uid for wish in wishes]
        if self._since is not None:
            stored |= self._send(wishes, remove, self._since, refused)
        elif not self._conditional:
            self._bulk.noop()
        now = self._bulk.flags_now(uids, modseq=self._conditional)
        again = [
            wish
            for wish in wishes
            if wish.uid not in stored
            and wish.uid not in refused
            and wish.uid in now
            and folded(now[wish.uid].flags) == wish.before
        ]
        if again:
            # Each by its own: under a neighbour's later one a change that came while they were fetched would go through.
            by_modseq: defaultdict[int | None, list[_Wish]] = defaultdict(list)
            for wish in again:
                by_modseq[now.pop(wish.uid).modseq].append(wish)
            for modseq, alike in by_modseq.items():
                stored |= self._send(alike, remove, modseq, refused)
            now.update(self._bulk.flags_now([wish.uid for wish in again], modseq=self._conditional))
        self.found.update((uid, flagging.flags) for uid, flagging in now.items())
        return {wish.uid: _verdict(wish, now.get(wish.uid), stored, refused, remove=remove) for wish in wishes}

    def _send(self, wishes: Sequence[_Wish], remove: bool, since: int | None, refused: dict[int, str]) -> set[int]:
        """STORE, one command for each set of flags; the UIDs that the server says it has changed."""
        by_flags: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for wish in wishes:
            by_flags[wish.flags].append(wish.uid)
        done: set[int] = set()
        for flags, uids in by_flags.items():
            try:
                done |= self._bulk.store(uids, flags, remove=remove, unchanged_since=since).done
            except CommandRefused as error:
                refused.update(dict.fromkeys(uids, str(error)))
        return done


def _verdict(wish: _Wish, now: Flagging | None, stored: set[int], refused: Mapping[int, str], *, remove: bool) -> str:
    if now is None:
        return _("it is no longer on the server")
    there = folded(now.flags)
    missing = [flag for flag in wish.flags if (flag.casefold() in there) is remove]
    if not missing:
        return _DONE
    if wish.uid in refused:
        return refused[wish.uid]
    if wish.uid not in stored:
        return _("its flags were changed on the server meanwhile")
    text = _("the server did not take “{flags}” away") if remove else _("the server did not keep “{flags}”")
    return text.format(flags=" ".join(missing))


def _all(items: Iterable[FlagItem], reason: str) -> dict[int, str]:
    return dict.fromkeys((item.uid for item in items), reason)


def _alike(items: Iterable[FlagItem]) -> list[list[FlagItem]]:
    """The mails on which the same is to be changed."""
    found: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[FlagItem]] = defaultdict(list)
    for item in items:
        found[item.change.add, item.change.remove].append(item)
    return list(found.values())
