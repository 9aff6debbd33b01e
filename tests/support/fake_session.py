"""An account without a server: a real index full of made mail, and moves that go as fast as they are told to."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from hikkoshi.accounts.resuming import ResumePlan
from hikkoshi.accounts.session import Early, Snapshot
from hikkoshi.accounts.undoing import UndoPlan
from hikkoshi.errors import HikkoshiError
from hikkoshi.index.account import compare
from hikkoshi.index.flag_pairs import note_flags
from hikkoshi.index.landing import landed, new_folder
from hikkoshi.index.mapping import map_folders
from hikkoshi.index.proofs import KnownProofs
from hikkoshi.index.queries import folder_pairs, total, uploadable
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index, ServerState
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Report, Stage
from hikkoshi.ledger.records import ItemState, Move, State
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message, Problem
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.budget import Budget
from hikkoshi.move.events import Landed, NotMoved, Rooms, Tell
from hikkoshi.move.flag_plan import FlagPlan, make_flag_plan
from hikkoshi.move.flag_sync import FlagResult
from hikkoshi.move.limits import SizeLimits
from hikkoshi.move.mail_receipt import MailReceipt
from hikkoshi.move.plan import Plan, make_plan
from hikkoshi.move.preflight import Preflight
from hikkoshi.move.receipt import Failure, Receipt
from hikkoshi.move.resume import Resumption
from hikkoshi.move.room import Room, Source
from hikkoshi.move.undo import UndoResult

MIB = 1024 * 1024
CHECKED = datetime(2026, 11, 24, 9, 41, tzinfo=UTC)

_LOCAL = [
    Folder("Inbox", ("Inbox",), Role.INBOX, "/mail/Inbox", "pop"),
    Folder("Sent", ("Sent",), Role.SENT, "/mail/Sent", "pop"),
    Folder("Drafts", ("Drafts",), Role.DRAFTS, "/mail/Drafts", "pop"),
    Folder("Trash", ("Trash",), Role.TRASH, "/mail/Trash", "pop"),
    Folder("Projects/2024", ("Projects", "2024"), Role.NONE, "/mail/Projects.sbd/2024", "pop"),
    Folder("Local Folders/見積/2024", ("見積", "2024"), Role.NONE, "/mail/LF/見積.sbd/2024", "Local Folders"),
]
_SERVER = [
    Folder("INBOX", ("INBOX",), Role.INBOX, "INBOX"),
    Folder("Sent Messages", ("Sent Messages",), Role.SENT, "Sent Messages"),
    Folder("Drafts", ("Drafts",), Role.DRAFTS, "Drafts"),
    Folder("Trash", ("Trash",), Role.TRASH, "Trash"),
    Folder("Archive", ("Archive",), Role.ARCHIVE, "Archive"),
    Folder("Projects/2024", ("Projects", "2024"), Role.NONE, "Projects/2024"),
]
_PEOPLE = [
    "田中 太郎 <tanaka@example.jp>",
    "Alice Johnson <alice@example.com>",
    "佐藤花子 <sato@example.co.jp>",
    '"Böhm, Jürgen" <juergen@example.de>',
    "noreply@shop.example",
    "鈴木一郎（営業部）<suzuki@example.jp>",
]
_SUBJECTS = [
    "【重要】年末調整の書類について",
    "Quarterly report, second draft",
    "Re: 見積書送付の件",
    "Lunch on Friday?",
    "ご請求書（１１月分）",
    "Fwd: minutes of the meeting",
    "ｶﾀｶﾅと全角ＡＢＣ",
    "写真を送ります",
    "Your order has shipped",
    "Re: Re: 打ち合わせ日程の再調整のお願い",
]


def message(
    number: int, *, seen: bool = True, flags: tuple[str, ...] = (), size: int | None = None, uid: int = 0
) -> Message:
    """A made mail; the same number is the same mail on either side."""
    sender, subject = _PEOPLE[number % len(_PEOPLE)], f"{_SUBJECTS[number % len(_SUBJECTS)]} {number}"
    fields = (
        f"From: {sender}\r\nTo: {_PEOPLE[(number + 1) % len(_PEOPLE)]}\r\nSubject: {subject}\r\n"
        f"Date: Tue, 24 Nov 2026 09:00:{number % 60:02} +0900\r\nMessage-ID: <{number}@example.jp>"
    )
    when = int((CHECKED - timedelta(hours=7 * (number % 1000))).timestamp())
    marks = frozenset((*(("\\Seen",) if seen else ()), *flags))
    return Message(str(uid or number), size or 2000 + number * 131 % 90_000, marks, when, fields.encode())


def fill(index: Index) -> None:
    """A few hundred mails with every kind of difference."""
    local = index.sync_folders(LOCAL, _LOCAL)
    server = index.sync_folders(SERVER, _SERVER)
    both: dict[str, tuple[list[Message], list[Message]]] = {name: ([], []) for name in ("inbox", "sent", "project")}
    for n in range(1, 200):
        seen = n % 11 != 0
        here, there = message(n, seen=seen), message(n, seen=seen if n % 13 else not seen, uid=n)
        if n % 17 == 0:
            there = replace(there, flags=there.flags | {"\\Flagged"})
        if n % 9:
            both["inbox"][0].append(here)
        if n % 7:
            both["inbox"][1].append(there)
    both["sent"][0].extend(message(n) for n in range(1000, 1040))
    both["sent"][1].extend(message(n, uid=n) for n in range(1000, 1012))
    both["project"][0].extend(message(n) for n in range(2000, 2030))
    both["project"][1].extend(message(n, uid=n) for n in range(2000, 2024))
    with index.transaction():
        for (here, there), (left, right) in zip(
            both.values(),
            (("/mail/Inbox", "INBOX"), ("/mail/Sent", "Sent Messages"), ("/mail/Projects.sbd/2024", "Projects/2024")),
            strict=True,
        ):
            index.add(local[left], here)
            index.add(server[right], there)
        index.add(local["/mail/LF/見積.sbd/2024"], [message(n) for n in range(3000, 3025)])
        index.add(local["/mail/Trash"], [message(n) for n in range(4000, 4005)])
        index.add(server["Archive"], [message(n, uid=n) for n in range(2024, 2027)])
        # The index keeps a message by its place: the same mail twice.
        index.add(local["/mail/Inbox"], [replace(message(5), place="again")])
        for native, row in {**local, **server}.items():
            index.set_stamp(row, "1" if native else None)
        for row in server.values():
            index.set_server_state(row, ServerState(1, 10_000, 0, 1))


@dataclass
class FakeSession:
    """What the screen asks of an account, played on an index. `limit` in bytes, None: unknown."""

    index_path: Path
    limit: int | None = 100 * MIB
    used: int = 60 * MIB
    server: str = "taro@mail.example.jp"
    overrides: dict[str, str] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    left: str = ""
    errors: list[HikkoshiError] = field(default_factory=list)
    refuse: frozenset[int] = frozenset()
    pause: threading.Event | None = None
    delay: float = 0.0
    uploads: list[Plan] = field(default_factory=list)
    steps: list[Callable[[Index], None]] = field(default_factory=list)
    """What comes in, one after the other, while the server is listed; after each an early look, then `pause` is waited for."""
    daily: Budget | None = None
    given_rooms: tuple[Room, ...] = ()
    found: Preflight = field(default_factory=Preflight)
    look_pause: threading.Event | None = None
    errors_of_moves: list[HikkoshiError] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    mails: list[MailReceipt] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    resumed: list[Resumption | None] = field(default_factory=list)
    flagged: list[FlagPlan] = field(default_factory=list)
    changed_there: frozenset[str] = frozenset()
    filled: list[Cancel] = field(default_factory=list)
    fill: Callable[[Cancel], None] = lambda _cancel: None
    problems: tuple[Problem, ...] = (Problem("Old mail", "The file is cut; its last mail is not whole."),)

    def refresh(self, report: Report, cancel: Cancel, early: Early | None = None) -> Snapshot:
        report(Progress(Stage.CONNECT, self.server))
        if self.errors:
            raise self.errors.pop(0)
        with Index(self.index_path) as index:
            if not index.folders() and not self.steps:
                fill(index)
        steps, self.steps = self.steps, []
        for number, step in enumerate(steps, 1):
            with Index(self.index_path) as index:
                step(index)
            seen = self._compare(whole=False)
            report(Progress(Stage.LIST, "INBOX", number, len(steps), mails=seen.server_total[1]))
            assert early is not None
            early(seen)
            self._wait(cancel)
        for number in range(4):
            report(Progress(Stage.LIST, "INBOX", number, 4))
            cancel.wait(self.delay)
            cancel.check()
        return self._compare()

    def fill_search(self, cancel: Cancel) -> None:
        self.filled.append(cancel)
        self.fill(cancel)

    def _wait(self, cancel: Cancel) -> None:
        if self.pause is not None:
            while not self.pause.wait(0.02):
                cancel.check()
            self.pause.clear()

    def remap(self, overrides: Mapping[str, str], report: Report, cancel: Cancel) -> Snapshot:
        self.overrides = dict(overrides)
        return self._compare()

    def plan(self, ids: Iterable[int]) -> Plan:
        assert self.snapshot is not None
        with Index(self.index_path) as index:
            return make_plan(index, ids, self.snapshot.rooms)

    def budget(self) -> Budget | None:
        return self.daily

    def look(self, plan: Plan, report: Report, cancel: Cancel) -> Preflight | None:
        report(Progress(Stage.LOOK, "Inbox", 0, len(plan.items), 0, 1))
        self._wait_to_look(cancel)
        return None if cancel.is_set() else self.found

    def _wait_to_look(self, cancel: Cancel) -> None:
        while self.look_pause is not None and not cancel.is_set():
            if self.look_pause.wait(0.02):
                break

    def repaired(self, plan: Plan, repairs: frozenset[Repair]) -> Plan:
        items = tuple(replace(item, repairs=repairs) for item in plan.items)
        return replace(plan, items=items)

    def past_moves(self) -> list[Move]:
        return self.moves

    def receipt(self, move: int) -> tuple[Move, list[MailReceipt]]:
        return next(each for each in self.moves if each.id == move), self.mails

    def plan_resume(self, move: int | None = None) -> ResumePlan | None:
        """What is left of the last of `moves` is all that is missing."""
        if self.errors_of_moves:
            raise self.errors_of_moves.pop(0)
        if not self.moves:
            return None
        with Index(self.index_path) as index:
            plan = self.plan(uploadable(index))
        items = {item.row: number for number, item in enumerate(plan.items, 1)}
        doubtful = (Failure("a doubtful mail", "Inbox", "the server's answer did not come"),)
        return ResumePlan(self.moves[0], plan, Resumption(self.moves[0].id, items), (), (), doubtful, 0)

    def plan_undo(self, move: int) -> UndoPlan:
        found = next(each for each in self.moves if each.id == move)
        return UndoPlan(found, found.counts.get(ItemState.VERIFIED, 0), found.sizes.get(ItemState.VERIFIED, 0))

    def undo(self, plan: UndoPlan, report: Report, cancel: Cancel) -> UndoResult:
        """All but one mail goes."""
        self.undone.append(plan.move.id)
        report(Progress(Stage.UNDO, "INBOX", 1, plan.mails))
        kept = (Failure("a read mail", "Inbox", "its flags are “\\Seen”"),)
        return UndoResult(State.DONE, plan.mails - 1, plan.bytes, kept)

    def upload(self, plan: Plan, report: Tell, cancel: Cancel, resumed: Resumption | None = None) -> Receipt:
        """Each mail lands after `delay` seconds, or once `pause` is set; those of `refuse` do not."""
        self.uploads.append(plan)
        self.resumed.append(resumed)
        done = size = 0
        failed = []
        with Index(self.index_path) as index:
            for folder in ("見積/2024",):
                if any(share.target == folder and share.new for share in plan.shares):
                    new_folder(index, Folder(folder, tuple(folder.split("/")), Role.NONE, folder), 1)
            for number, item in enumerate(plan.items):
                if self.pause is not None:
                    self.pause.wait(20)
                cancel.wait(self.delay)
                if cancel.is_set():
                    break
                if number in self.refuse:
                    report(NotMoved(item.row, "a mail", item.local_folder, "the server refused it"))
                    failed.append(Failure("a mail", item.local_folder, "the server refused it"))
                else:
                    landed(index, item.row, item.target, 1, replace(item.message, place=str(9000 + number)))
                    report(Landed(item.row, item.target))
                    done, size = done + 1, size + item.message.size
                load = plan.load
                report(Progress(Stage.UPLOAD, item.target_name, number + 1, load.messages, size, load.size))
        self.used += size
        report(Rooms(self.rooms()))
        rest = len(plan.items) - done - len(failed)
        self._compare()
        state = State.STOPPED if rest else State.DONE
        problem = "Stopped. What was done until now is written down." if rest else ""
        waiting = (Failure("Subject", "Inbox", "the upload ended before it"),) * rest
        return Receipt(1, state, done, size, done, failed=tuple(failed), waiting=waiting, problem=problem)

    def plan_flags(self, ids: Iterable[int], *, remove: bool = False) -> FlagPlan:
        with Index(self.index_path) as index:
            return make_flag_plan(index, "thunderbird", ids, remove=remove)

    def sync_flags(self, plan: FlagPlan, report: Report, cancel: Cancel) -> FlagResult:
        """All mails get their flags but the first of each folder in `changed_there`, which a phone has changed."""
        self.flagged.append(plan)
        changed, left = 0, []
        with Index(self.index_path) as index:
            for folder in plan.folders:
                items = list(folder.items)
                if folder.name in self.changed_there:
                    left.append(Failure("a mail", folder.name, "it was changed on the server meanwhile"))
                    items.pop(0)
                flags = {i.uid: i.change.listed - set(i.change.remove) | set(i.change.add) for i in items}
                note_flags(index, folder.native, folder.uidvalidity, flags)
                changed += len(items)
                report(Progress(Stage.FLAGS, folder.name, changed, plan.mails))
        self._compare()
        return FlagResult(State.DONE, changed, tuple(left))

    def left_behind(self) -> str:
        return self.left

    def rooms(self) -> tuple[Room, ...]:
        if self.given_rooms:
            return self.given_rooms
        if self.limit is None:
            return (Room("", "STORAGE", self.used, None, Source.UNKNOWN),)
        return (Room("User quota", "STORAGE", self.used, self.limit, Source.SERVER, self.limit // 20),)

    def _compare(self, *, whole: bool = True) -> Snapshot:
        with Index(self.index_path) as index:
            local = [entry.folder for entry in index.folders(LOCAL)]
            server = [entry.folder for entry in index.folders(SERVER)]
            compare(index, map_folders(local, server, self.overrides, "/".join), KnownProofs(), whole=whole)
            pairs = tuple(folder_pairs(index))
            self.snapshot = Snapshot(
                description="Thunderbird profile “default”: account taro@example.jp and Local Folders",
                server=self.server,
                pairs=pairs,
                counts=total(pairs),
                local_total=index.totals(LOCAL),
                server_total=index.totals(SERVER),
                rooms=self.rooms(),
                problems=self.problems,
                checked_at=CHECKED,
                limits=SizeLimits(),
                server_whole=True,
                whole=whole,
            )
        return self.snapshot


def run(path: str, delay: str = "0.05", change: Callable[[FakeSession], None] = lambda _session: None) -> int:
    """Open the real program on a made account, for looking at it."""
    from hikkoshi.app.main import run_app

    session = FakeSession(Path(path), delay=float(delay))
    change(session)
    return run_app(session)


if __name__ == "__main__":
    import sys

    sys.exit(run(*sys.argv[1:]))
