"""`hikkoshi sync-flags` on Dovecot, over a line on which a phone, or bad luck, comes in between."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from msgspec.structs import replace

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.flags import plan_flags, sync_flags
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.errors import AccountBusy
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, silent
from hikkoshi.ledger.lock import MoveLock
from hikkoshi.ledger.records import State
from hikkoshi.mail.flags import ANSWERED, DELETED, FLAGGED, SEEN
from hikkoshi.move import flag_sync
from hikkoshi.move.flag_plan import FlagPlan
from hikkoshi.move.flag_sync import FlagResult
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy, Last
from support.moving import Mover, mail, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

MEANWHILE = "its flags were changed on the server meanwhile"
NO_CONDSTORE = ("CONDSTORE", "QRESYNC")
BOTH_WAYS = pytest.mark.parametrize("hidden", [(), NO_CONDSTORE], ids=["CONDSTORE", "without"])


def here(name: str, status: int, keys: str = "") -> bytes:
    """A mail as Thunderbird keeps it, with its status bits and keywords."""
    return f"X-Mozilla-Status: {status:04x}\nX-Mozilla-Keys: {keys}\n".encode() + mail(name)


class Phone:
    """Another client of the account; it goes straight to the server."""

    def __init__(self, dovecot: Dovecot, user: str) -> None:
        self.client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
        self.client.login(user, dovecot.password)

    def put(self, *names: str, flags: tuple[str, ...] = ()) -> None:
        for name in names:
            self.client.append("INBOX", uploaded(mail(name)), flags)

    def change(self, uid: int, *, add: tuple[str, ...] = (), take: tuple[str, ...] = ()) -> None:
        self.client.select_folder("INBOX")
        if add:
            self.client.add_flags([uid], add)
        if take:
            self.client.remove_flags([uid], take)
        self.client.unselect_folder()

    def flags(self) -> list[set[str]]:
        """By UID, keywords in lower case."""
        self.client.select_folder("INBOX", readonly=True)
        uids = self.client.search("ALL")
        found = self.client.fetch(uids, ["FLAGS"]) if uids else {}
        self.client.unselect_folder()
        flags = [[flag.decode() for flag in facts[b"FLAGS"]] for _uid, facts in sorted(found.items())]
        return [{flag if flag[0] == "\\" else flag.lower() for flag in each} - {"\\Recent"} for each in flags]


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    return mover


@pytest.fixture
def phone(dovecot: Dovecot, mover: Mover) -> Iterator[Phone]:
    phone = Phone(dovecot, user_of(mover))
    yield phone
    phone.client.shutdown()


@pytest.fixture
def session(mover: Mover, phone: Phone) -> AccountSession:
    """Four mails that are read here and not there: UIDs 1 to 4. They were looked at."""
    names = [f"m-{number}" for number in range(4)]
    mover.write(Inbox=[here(name, 0x1) for name in names])
    phone.put(*names)
    options = Options(mover.store, parse_address(mover.url))
    files = files_in(mover.folder / "session")
    (mover.folder / "session").mkdir()
    session = AccountSession(options, AccountSession.open_store(options), mover.password, files)
    session.refresh(silent, Cancel())
    return session


def run(mover: Mover, *options: str, status: int = 0) -> dict[str, Any]:
    done = mover.run("sync-flags", "--yes", "--json", *options)
    assert done.returncode == status, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def left(report: dict[str, Any]) -> dict[str, str]:
    return {each["subject"]: each["reason"] for each in report["not_changed"]}


def sync(session: AccountSession, plan: FlagPlan) -> FlagResult:
    return sync_flags(session, plan, silent, Cancel())


def then(do: Callable[[], None]) -> Callable[[bytes], bytes]:
    """A change for the proxy: do something, and let the line go on."""

    def change(line: bytes) -> bytes:
        do()
        return line

    return change


def asked(proxy: FaultProxy, verb: bytes) -> list[bytes]:
    """The commands of this verb that went up, without their tags."""
    return [line.split(b" ", 1)[1] for line in bytes(proxy.sent).split(b"\r\n") if b" " + verb + b" " in line]


class TestAPhone:
    @BOTH_WAYS
    def test_that_changes_flags_between_the_look_and_the_store_is_not_overwritten(
        self, proxy: FaultProxy, mover: Mover, phone: Phone, hidden: tuple[str, ...]
    ) -> None:
        proxy.hidden = hidden
        mover.write(Inbox=[here("read", 0x1), here("other", 0x1), here("unread", 0x0), here("same", 0x1)])
        phone.put("read", "other")
        phone.put("unread", flags=(SEEN, FLAGGED))
        phone.put("same")
        mover.run("check")

        def meddle() -> None:
            phone.change(1, add=(ANSWERED,))
            phone.change(3, take=(FLAGGED,))
            phone.change(4, add=(SEEN,))

        proxy.at_answer(b"SELECT", 1, then(meddle))
        found = run(mover, "--remove", status=1)

        assert left(found) == {"read": MEANWHILE, "unread": MEANWHILE}
        assert (found["changed"], found["state"]) == (2, "done")
        assert phone.flags() == [{ANSWERED}, {SEEN}, {SEEN}, {SEEN}]
        conditions = [b"UNCHANGEDSINCE" in each for each in asked(proxy, b"UID STORE")]
        assert conditions
        assert all(conditions) is (hidden == ())
        # It is shown anew, and what the user wants now is done.
        assert run(mover, "--remove")["changed"] == 2
        assert phone.flags() == [{SEEN}, {SEEN}, set(), {SEEN}]

    def test_that_comes_between_fetch_and_store_is_seen_with_condstore(
        self, proxy: FaultProxy, phone: Phone, session: AccountSession
    ) -> None:
        plan = plan_flags(session)
        unknown = FlagPlan(tuple(replace(folder, modseq=None) for folder in plan.folders))
        fetches = proxy.counts.get(b"UID FETCH", 0)
        proxy.at_answer(b"UID FETCH", fetches + 1, then(lambda: phone.change(2, add=(FLAGGED,))))

        result = sync(session, unknown)

        assert [(each.subject, each.reason) for each in result.left] == [("m-1", MEANWHILE)]
        assert phone.flags() == [{SEEN}, {FLAGGED}, {SEEN}, {SEEN}]

    def test_that_comes_between_fetch_and_store_keeps_its_other_flags_without_condstore(
        self, proxy: FaultProxy, phone: Phone, session: AccountSession
    ) -> None:
        proxy.hidden = NO_CONDSTORE
        plan = plan_flags(session)
        fetches = proxy.counts.get(b"UID FETCH", 0)
        proxy.at_answer(b"UID FETCH", fetches + 1, then(lambda: phone.change(2, add=(FLAGGED,))))

        assert sync(session, plan).complete

        assert phone.flags() == [{SEEN}, {SEEN, FLAGGED}, {SEEN}, {SEEN}]

    def test_is_seen_by_each_mails_own_number(self, proxy: FaultProxy, phone: Phone, session: AccountSession) -> None:
        """As a server may answer that changes mails while it tells of them: one as it was, the next as it is."""
        plan = plan_flags(session)
        unknown = FlagPlan(tuple(replace(folder, modseq=None) for folder in plan.folders))
        phone.change(1, add=("work",))
        phone.change(2, add=("work",))
        phone.change(2, take=("work",))
        told: list[bytes] = []

        def change(line: bytes) -> bytes:
            if b" FETCH (UID 1 " in line and not told:
                told.append(line)
                return b"* 1 FETCH (UID 1 FLAGS () MODSEQ (1))\r\n"
            return line

        proxy.change = change
        result = sync(session, unknown)

        assert told
        assert [(each.subject, each.reason) for each in result.left] == [("m-0", MEANWHILE)]
        assert phone.flags() == [{"work"}, {SEEN}, {SEEN}, {SEEN}]

    def test_is_seen_where_the_server_counts_anew_from_less(self, phone: Phone, session: AccountSession) -> None:
        plan = plan_flags(session)
        later = FlagPlan(tuple(replace(folder, modseq=1 << 40) for folder in plan.folders))
        phone.change(2, add=(FLAGGED,))

        assert [each.subject for each in sync(session, later).left] == ["m-1"]
        assert phone.flags() == [{SEEN}, {FLAGGED}, {SEEN}, {SEEN}]

    def test_that_comes_between_two_portions_is_seen_without_condstore(
        self, proxy: FaultProxy, phone: Phone, session: AccountSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy.hidden = NO_CONDSTORE
        monkeypatch.setattr(flag_sync, "AT_ONCE", 2)
        plan = plan_flags(session)
        # The look behind the first portion's STORE is the last command before the second portion.
        fetches = proxy.counts.get(b"UID FETCH", 0)
        proxy.at_answer(b"UID FETCH", fetches + 2, then(lambda: phone.change(4, add=(FLAGGED,))))

        assert [(each.subject, each.reason) for each in sync(session, plan).left] == [("m-3", MEANWHILE)]
        assert phone.flags() == [{SEEN}, {SEEN}, {SEEN}, {FLAGGED}]

    def test_that_has_marked_mail_for_removal_finds_it_there_afterwards(
        self, mover: Mover, phone: Phone, session: AccountSession
    ) -> None:
        phone.change(1, add=(DELETED,))
        session.refresh(silent, Cancel())

        assert sync(session, plan_flags(session, remove=True)).complete

        assert phone.flags() == [{SEEN, DELETED}, {SEEN}, {SEEN}, {SEEN}]


class TestWhatIsAsked:
    def test_one_store_for_each_set_of_flags(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here(f"m-{n}", 0x5 if n == 3 else 0x1) for n in range(6)])
        phone.put(*(f"m-{n}" for n in range(6)))
        run(mover)

        stores = asked(proxy, b"UID STORE")
        assert [store.split(b" (UNCHANGEDSINCE ")[0] for store in stores] == [b"UID STORE 1:3,5:6", b"UID STORE 4"]
        assert [store.partition(b") +")[2] for store in stores] == [
            b"FLAGS.SILENT (\\Seen)", b"FLAGS.SILENT (\\Flagged \\Seen)",
        ]  # fmt: skip
        assert not asked(proxy, b"CLOSE")
        assert not asked(proxy, b"EXPUNGE")

    def test_a_check_behind_it_lists_nothing(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1)])
        phone.put("a")
        run(mover)
        del proxy.sent[:]

        assert mover.run("check").returncode == 0

        fetches = [line for line in bytes(proxy.sent).split(b"\r\n") if b"FETCH" in line]
        assert all(b"RFC822.SIZE" not in line for line in fetches)

    @pytest.mark.parametrize("options", [["--dry-run"], []])
    def test_without_yes_and_in_a_dry_run_nothing_is_changed(
        self, proxy: FaultProxy, mover: Mover, phone: Phone, options: list[str]
    ) -> None:
        mover.write(Inbox=[here("a", 0x1)])
        phone.put("a")
        done = mover.run("sync-flags", *options)

        assert "1 mail would get other flags" in done.stdout
        assert "INBOX: +read (1)" in done.stdout
        assert (done.returncode, "no terminal to ask on" in done.stderr) == ((0, False) if options else (2, True))
        assert not asked(proxy, b"SELECT")
        assert phone.flags() == [set()]

    def test_where_nothing_differs_nothing_is_opened(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x0), here("b", 0x1)])
        phone.put("a", "b", flags=(SEEN,))

        assert run(mover)["plan"] == {"messages": 0, "server_more": 1, "folders": []}
        assert not asked(proxy, b"SELECT")

    def test_a_folder_that_is_not_there_is_told(self, mover: Mover) -> None:
        mover.write(Inbox=[here("a", 0x1)])
        found = run(mover, "--folder", "Nowhere", status=2)

        assert "no local folder “Nowhere”" in found["problem"]
        assert found["plan"] is None


class TestWhatAServerDoesNotTake:
    def permit(self, flags: bytes) -> Callable[[bytes], bytes]:
        """The folder keeps these flags only."""

        def change(line: bytes) -> bytes:
            return b"* OK [PERMANENTFLAGS (%b)] Limited\r\n" % flags if b"PERMANENTFLAGS" in line else line

        return change

    def test_flags_that_the_folder_does_not_keep_are_named(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1, "work"), here("b", 0x1005), here("c", 0x1)])
        phone.put("a", "b", "c")
        proxy.change = self.permit(b"\\Seen \\Flagged \\Deleted")
        found = run(mover, status=1)

        assert left(found) == {
            "a": "its folder on the server does not keep “work”",
            "b": "its folder on the server does not keep “$Forwarded”",
        }
        assert found["changed"] == 1
        assert phone.flags() == [{SEEN}, {SEEN, FLAGGED}, {SEEN}]

    def test_a_folder_that_keeps_nothing_is_left(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1)])
        phone.put("a")
        proxy.change = self.permit(b"")

        assert left(run(mover, status=1)) == {"a": "its folder on the server does not keep “\\Seen”"}
        assert not asked(proxy, b"UID STORE")

    def test_a_folder_that_may_only_be_read_is_left(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1)])
        phone.put("a")
        proxy.change = lambda line: line.replace(b"[READ-WRITE]", b"[READ-ONLY]")

        assert left(run(mover, status=1)) == {"a": "its folder on the server may only be read"}
        assert not asked(proxy, b"UID STORE")

    def test_flags_that_imap_cannot_say_are_named(self, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1, "wo(rk ok"), here("b", 0x0, "né")])
        phone.put("a", "b")
        found = run(mover, status=1)

        assert set(left(found)) == {"a", "b"}
        assert left(found)["a"] == "IMAP has no way to say “wo(rk”"
        assert phone.flags() == [{SEEN, "ok"}, set()]

    @pytest.mark.parametrize("answer", [b"NO [LIMIT] Too many keywords", b"BAD Parse error"])
    @BOTH_WAYS
    def test_one_set_of_flags_that_is_refused_stops_no_other(
        self, proxy: FaultProxy, mover: Mover, phone: Phone, hidden: tuple[str, ...], answer: bytes
    ) -> None:
        proxy.hidden = hidden
        mover.write(Inbox=[here("a", 0x1, "odd"), here("b", 0x1), here("c", 0x4)])
        phone.put("a", "b", "c")
        odd: list[bytes] = []

        def change_up(data: bytes) -> bytes:
            if b" STORE " not in data or b"odd" not in data:
                return data
            odd.append(data.split(b" ", 1)[0])
            return odd[-1] + b" NOOP\r\n"

        proxy.change_up = change_up
        proxy.change = lambda line: (
            line.split(b" ", 1)[0] + b" " + answer + b"\r\n" if odd and line.startswith(odd[-1] + b" OK NOOP") else line
        )
        found = run(mover, status=1)

        assert phone.flags() == [set(), {SEEN}, {FLAGGED}]
        assert set(left(found)) == {"a"}
        assert answer.split(b" ", 1)[1].split(b"] ")[-1].decode() in left(found)["a"]
        assert (found["changed"], found["state"]) == (2, "done")

    def test_what_it_says_it_did_and_did_not_is_named(self, proxy: FaultProxy, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x1), here("b", 0x4, "work")])
        phone.put("a", "b")
        proxy.change_up = lambda data: data.replace(b"(\\Flagged work)", b"(\\Flagged)")
        found = run(mover, status=1)

        assert left(found) == {"b": "the server did not keep “work”"}
        assert phone.flags() == [{SEEN}, {FLAGGED}]


class TestBadLuck:
    @BOTH_WAYS
    def test_an_answer_that_is_lost_is_made_good(
        self, proxy: FaultProxy, mover: Mover, phone: Phone, hidden: tuple[str, ...]
    ) -> None:
        proxy.hidden = hidden
        mover.write(Inbox=[here("a", 0x1, "work"), here("b", 0x4)])
        phone.put("a", "b", flags=(ANSWERED,))
        proxy.at_answer(b"UID STORE", 2, lambda _line: Last())
        found = run(mover, "--remove")

        assert proxy.harmed == ["answer 2 to UID STORE"]
        assert (found["changed"], found["not_changed"]) == (2, [])
        assert phone.flags() == [{SEEN, "work"}, {FLAGGED}]

    def test_a_line_that_is_cut_for_good_names_every_mail(
        self, proxy: FaultProxy, phone: Phone, session: AccountSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(flag_sync, "AT_ONCE", 2)
        monkeypatch.setattr("hikkoshi.move.link._WAITS", (0.01, 0.01))
        plan = plan_flags(session)
        proxy.at_answer(b"UID STORE", 2, then(lambda: proxy.cut_after(down=0)))
        result = sync(session, plan)

        assert (result.state, result.changed, result.complete) == (State.CONNECTION_LOST, 2, False)
        assert result.problem
        assert [each.subject for each in result.left] == ["m-2", "m-3"]
        assert {each.reason for each in result.left} == {"it is not known whether it has its flags now; look again"}

    def test_who_stops_it_is_told_what_was_not_begun(
        self, phone: Phone, session: AccountSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(flag_sync, "AT_ONCE", 3)
        cancel = Cancel()

        def report(progress: Progress) -> None:
            if progress.done == 0:
                cancel.set("user")

        result = sync_flags(session, plan_flags(session), report, cancel)

        assert (result.state, result.changed) == (State.STOPPED, 3)
        assert [(each.subject, each.reason) for each in result.left] == [("m-3", "it ended before this mail")]
        assert phone.flags() == [{SEEN}, {SEEN}, {SEEN}, set()]

    def test_nothing_is_changed_while_a_move_runs(self, phone: Phone, session: AccountSession) -> None:
        plan = plan_flags(session)
        with MoveLock(session.files.lock, "upload"), pytest.raises(AccountBusy, match="upload"):
            sync(session, plan)
        assert phone.flags() == [set()] * 4


class TestOurOwnUploads:
    def flags_in_ledger(self, mover: Mover) -> list[set[str]]:
        with closing(sqlite3.connect(mover.ledger)) as ledger:
            return [set(row[0].split()) for row in ledger.execute("SELECT there_flags FROM item ORDER BY id")]

    def test_what_is_changed_here_is_known_to_an_undo(self, mover: Mover, phone: Phone) -> None:
        mover.write(Inbox=[here("a", 0x0), here("b", 0x0)])
        assert mover.run("upload", "--yes").returncode == 0
        phone.change(2, add=(ANSWERED,))
        mover.write(Inbox=[here("a", 0x1), here("b", 0x1)])

        assert run(mover)["changed"] == 2

        assert phone.flags() == [{SEEN}, {SEEN, ANSWERED}]
        assert self.flags_in_ledger(mover) == [{SEEN}, set()], "the second was changed by somebody else, too"
        undone = mover.run("undo", "--yes", "1")
        assert undone.returncode == 1
        assert phone.flags() == [{SEEN, ANSWERED}]
