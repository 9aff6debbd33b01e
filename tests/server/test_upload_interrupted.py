"""Uploads that something gets in the way of: each mail is on the server exactly once in the end."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from hikkoshi.errors import HikkoshiError, LedgerError
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.ledger import schema
from hikkoshi.ledger.store import State
from hikkoshi.move import link, meter
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

SIX = [f"in-{number}" for number in range(6)]


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[FaultProxy]:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        yield proxy


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Six mails, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.url = mover.url.replace(str(dovecot.imap_port), str(proxy.port))
    mover.write(Inbox=mails("in", 6))
    return mover


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


def states(mover: Mover) -> dict[str, int]:
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM item GROUP BY state").fetchall())


def other_client(dovecot: Dovecot, mover: Mover) -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    return client


def at_append(proxy: FaultProxy, number: int, do: Callable[[bytes], bytes | None]) -> None:
    """Do something with the server's answer to the `number`-th APPEND; new connections are whole again."""
    seen = 0

    def change(line: bytes) -> bytes | None:
        nonlocal seen
        if line.startswith(b"* OK [CAPABILITY"):
            proxy.cut_after()
        seen += b"APPENDUID" in line
        return do(line) if b"APPENDUID" in line and seen == number else line

    proxy.change = change


class TestCutLine:
    @pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
    def test_in_the_middle_of_a_mail(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, part: float) -> None:
        def cut(line: bytes) -> bytes:
            proxy.cut_after(up=70 + int(part * len(uploaded(mail("in-3")))))
            return line

        at_append(proxy, 3, cut)
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX
        assert states(mover) == {"verified": 6}

    def test_behind_the_last_byte_before_the_answer(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        at_append(proxy, 3, lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX
        assert states(mover) == {"verified": 6}

    def test_where_headers_alone_prove_nothing(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        mover.write(Inbox=[b"From: scanner@example.com\nSubject: Scan\n\n" + b"x" * n + b"\n" for n in range(1, 7)])
        at_append(proxy, 3, lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")
        again = mover.run("upload", "--yes", "--json")

        assert (done.returncode, done.stderr) == (0, "")
        assert len(set(held(dovecot.mail_dir(user_of(mover))))) == len(held(dovecot.mail_dir(user_of(mover)))) == 6
        assert json.loads(again.stdout)["plan"]["messages"] == 0

    def test_among_mails_that_only_their_bodies_tell_apart(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        mover.write(Inbox=[b"From: scanner@example.com\nSubject: Scan\n\npage %d\n" % n for n in range(1, 7)])
        at_append(proxy, 3, lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")
        again = mover.run("upload", "--yes", "--json")

        assert (done.returncode, done.stderr) == (0, "")
        assert len({each.content for each in held(dovecot.mail_dir(user_of(mover)))}) == 6
        assert len(on_server(dovecot, mover)) == 6
        assert json.loads(again.stdout)["plan"]["messages"] == 0

    def test_garbage_instead_of_the_answer(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        at_append(proxy, 3, lambda _line: b"h0 what was the question?\r\n")
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX

    def test_between_two_folders(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        mover.write(見積=mails("quote", 1))
        at_append(proxy, 6, lambda line: proxy.cut_after(down=len(line)) or line)
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == [*SIX, "quote-0"]

    def test_for_good(self, dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(link, "_WAITS", (0.0, 0.0))
        dovecot = dovecot_with(Settings())
        mover = mover_to(dovecot, tmp_path)
        mover.write(Inbox=mails("in", 6))
        with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
            at_append(proxy, 3, lambda _line: dovecot.stop())
            session = session_of(mover, proxy.port)
            session.refresh(lambda _: None, Cancel())
            receipt = session.upload(session.plan(), lambda _: None, Cancel())

            assert receipt.state is State.CONNECTION_LOST
            assert (receipt.landed, len(receipt.doubtful), receipt.not_sent) == (2, 1, 3)
            with pytest.raises(HikkoshiError, match="look again"):
                session.upload(session.plan(), lambda _: None, Cancel())
            dovecot.start()
            session.refresh(lambda _: None, Cancel())
            again = session.upload(session.plan(), lambda _: None, Cancel())

        assert (again.state, again.landed, again.complete) == (State.DONE, 3, True)
        assert on_server(dovecot, mover) == SIX


class TestReadingBack:
    @pytest.mark.parametrize("answer", [b"NO [SERVERBUG] Try later", b"BAD What?"])
    def test_mail_that_cannot_be_read_back_is_named_and_the_rest_goes_on(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, answer: bytes
    ) -> None:
        mover.write(見積=mails("quote", 2))
        left = [answer]

        def change(line: bytes) -> bytes:
            if b"OK Fetch completed" in line and left:
                return line.split()[0] + b" " + left.pop() + b"\r\n"
            return line

        proxy.change = change
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)

        assert (done.returncode, receipt["state"], receipt["moved"]) == (
            0, "done", {"messages": 8, "bytes": receipt["plan"]["bytes"], "read_back": 2},
        )  # fmt: skip
        assert [each["subject"] for each in receipt["changed"]] == SIX
        assert all("could not be read back" in each["reason"] for each in receipt["changed"])
        assert on_server(dovecot, mover) == [*SIX, "quote-0", "quote-1"]


class TestSignals:
    @pytest.mark.parametrize(
        ("name", "words"),
        [("SIGHUP", "the terminal was closed"), ("SIGTERM", "the program was ended"), ("SIGINT", "")],
    )
    def test_it_ends_behind_the_mail_under_way(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, name: str, words: str
    ) -> None:
        hold = Hold(b"APPENDUID", 3)
        proxy.change = hold
        process = mover.start("upload", "--yes", "--json")
        hold.wait()
        process.send_signal(signal.Signals[name])
        hold.let_go()
        status, out, err = ended(process)
        first, second = mover.run("check"), mover.run("check")
        rest = mover.run("upload", "--yes")

        receipt = json.loads(out)
        assert (status, receipt["state"], receipt["moved"]["messages"], err) == (1, "stopped", 3, "")
        assert [each["subject"] for each in receipt["not_moved"]] == SIX[3:]
        assert (f"ended early ({words}): 3 of 6 mails arrived" in first.stderr) == bool(words)
        assert second.stderr == "", "told once"
        assert (rest.returncode, rest.stderr) == (0, "")
        assert "3 mails arrived" in rest.stdout
        assert on_server(dovecot, mover) == SIX

    def test_a_terminal_that_is_gone(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        hold = Hold(b"APPENDUID", 3)
        proxy.change = hold
        master, slave = pty.openpty()
        take = "import fcntl,os,sys,termios; fcntl.ioctl(0,termios.TIOCSCTTY,0); os.execv(sys.argv[1],sys.argv[1:])"
        process = subprocess.Popen(
            [sys.executable, "-c", take, *mover.command("upload", "--yes")],
            env=mover.environment(), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        hold.wait()
        os.close(master)
        hold.let_go()
        process.wait(60)
        told = mover.run("check")

        assert "ended early (the terminal was closed): 3 of 6 mails arrived" in told.stderr
        assert mover.run("upload", "--yes").returncode == 0
        assert on_server(dovecot, mover) == SIX


class TestKilled:
    @pytest.mark.parametrize(("words", "count", "arrived"), [(b"APPENDUID", 3, 3), (b"+ OK", 1, 0), (b"+ OK", 2, 3)])
    def test_the_next_run_learns_what_arrived_and_sends_the_rest(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, words: bytes, count: int, arrived: int
    ) -> None:
        # The fourth has flags that were not sent before, so the server is asked again whether it may come.
        unread, seen = "X-Mozilla-Status: 0000\n", "X-Mozilla-Status: 0001\n"
        mover.write(Inbox=[mail(f"in-{n}", fields=seen if n >= 3 else unread) for n in range(6)])
        hold = Hold(words, count)
        proxy.change = hold
        process = mover.start("upload", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        hold.let_go()
        before = states(mover)
        rest = mover.run("upload", "--yes")

        assert before["sending"] == 1
        assert rest.returncode == 0
        assert f"ended early (the program was ended): {arrived} of 6 mails arrived" in rest.stderr
        assert "not known" not in rest.stderr
        assert on_server(dovecot, mover) == SIX
        assert states(mover).get("sending") is None

    def test_mail_that_its_headers_cannot_prove(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        mover.write(Inbox=[b"From: scanner@example.com\nSubject: Scan\n\n" + b"x" * n + b"\n" for n in range(1, 7)])
        hold = Hold(b"APPENDUID", 3)
        proxy.change = hold
        process = mover.start("upload", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        hold.let_go()
        rest = mover.run("upload", "--yes")

        assert rest.returncode == 0, rest.stderr
        assert len({each.content for each in held(dovecot.mail_dir(user_of(mover)))}) == 6
        assert len(on_server(dovecot, mover)) == 6


class TestTwoAtOnce:
    def test_the_second_says_so_and_sends_nothing(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        hold = Hold(b"APPENDUID", 2)
        proxy.change = hold
        first = mover.start("upload", "--yes")
        hold.wait()
        second = mover.run("upload", "--yes")
        check = mover.run("check")
        hold.let_go()
        status, _, err = ended(first)

        assert second.returncode == 2
        assert second.stderr.startswith("hikkoshi: Another hikkoshi is uploading to this account.")
        assert check.returncode == 1
        assert (status, err) == (0, "")
        assert on_server(dovecot, mover) == SIX

    def test_a_plan_made_while_another_moved_is_not_carried_out(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        hold = Hold(b"APPENDUID", 2)
        proxy.change = hold
        first = mover.start("upload", "--yes")
        hold.wait()
        session = session_of(mover, dovecot.imap_port, mover.ledger.parent)
        session.refresh(lambda _: None, Cancel())
        plan = session.plan()
        hold.let_go()
        ended(first)

        assert len(plan.items) == 4
        with pytest.raises(HikkoshiError, match="look again"):
            session.upload(plan, lambda _: None, Cancel())
        assert on_server(dovecot, mover) == SIX


class TestOtherClients:
    def test_a_mail_that_is_moved_away_before_it_is_read_back(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        def delete(line: bytes) -> bytes:
            with other_client(dovecot, mover) as other:
                other.select_folder("INBOX")
                other.delete_messages([1])
                other.expunge()
            return line

        at_append(proxy, 6, delete)
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)

        assert (done.returncode, receipt["state"], receipt["moved"]["messages"]) == (1, "done", 5)
        assert [each["subject"] for each in receipt["not_moved"]] == ["in-0"]

    def test_a_box_that_others_fill_up_to_the_reserve(
        self, dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path, monkeypatch
    ) -> None:
        monkeypatch.setattr(meter, "_SECONDS", 0.0)
        dovecot = dovecot_with(Settings(quota_storage="100k"))
        mover = mover_to(dovecot, tmp_path)
        mover.write(Inbox=[mail(f"in-{n}", body="x" * 5000 + "\n") for n in range(6)])
        with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:

            def fill(line: bytes) -> bytes:
                with other_client(dovecot, mover) as other:
                    other.append("Archive", uploaded(mail("theirs", body=("x" * 70 + "\n") * 940)))
                return line

            at_append(proxy, 2, fill)
            session = session_of(mover, proxy.port)
            session.refresh(lambda _: None, Cancel())
            plan = session.plan()
            receipt = session.upload(plan, lambda _: None, Cancel())

        assert plan.fits is True
        assert receipt.state is State.NO_ROOM
        assert (receipt.landed, receipt.read_back, receipt.not_sent) == (2, 2, 4)
        assert "Meanwhile other mail" in receipt.problem


class TestLedger:
    def test_nothing_is_sent_without_it(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.ledger.parent.parent.mkdir(parents=True)
        mover.ledger.parent.write_text("not a folder")

        done = mover.run("upload", "--yes")

        assert done.returncode == 2
        assert done.stderr.startswith("hikkoshi: The ledger ")
        assert "Nothing is sent" in done.stderr
        assert on_server(dovecot, mover) == []

    def test_one_of_a_newer_program_is_left_alone(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.ledger.parent.mkdir(parents=True)
        with closing(sqlite3.connect(mover.ledger)) as ledger:
            ledger.execute("PRAGMA user_version = 99")
        before = mover.ledger.read_bytes()

        done = mover.run("upload", "--yes")

        assert done.returncode == 2
        assert "newer hikkoshi" in done.stderr
        assert mover.ledger.read_bytes() == before
        assert on_server(dovecot, mover) == []

    def test_a_disk_that_fills_up_stops_the_move_and_loses_no_mail(
        self, dovecot: Dovecot, mover: Mover, monkeypatch
    ) -> None:
        mover.write(Inbox=mails("in", 30))
        session = session_of(mover, dovecot.imap_port)
        session.refresh(lambda _: None, Cancel())
        plan = session.plan()
        landed: list[object] = []

        class Filling(sqlite3.Connection):
            """A disk on which nothing more is to be had after five mails."""

            def execute(self, sql: str, *arguments):  # type: ignore[override]
                if sql == "BEGIN IMMEDIATE" and len(landed) >= 5:
                    raise sqlite3.OperationalError("database or disk is full")
                return super().execute(sql, *arguments)

        connect = sqlite3.connect
        with monkeypatch.context() as patched:
            patched.setattr(schema.sqlite3, "connect", lambda *a, **k: connect(*a, factory=Filling, **k))
            with pytest.raises(LedgerError, match="disk is full"):
                session.upload(plan, landed.append, Cancel())
        session.refresh(lambda _: None, Cancel())
        told = session.left_behind()
        again = session.upload(session.plan(), lambda _: None, Cancel())

        assert "ended early" in told
        assert again.complete
        assert sorted(on_server(dovecot, mover)) == sorted(f"in-{n}" for n in range(30))


class TestOtherServers:
    """Answers that Dovecot does not give."""

    @pytest.fixture
    def demo(self) -> Iterator[DemoServer]:
        with DemoServer(Account("user", "secret", 1024 * 1024)) as demo:
            yield demo

    @pytest.fixture
    def mover(self, demo: DemoServer, tmp_path: Path) -> Mover:
        mover = Mover(tmp_path, f"imap://user@{demo.host}:{demo.port}", "secret")
        mover.write(Inbox=mails("in", 6))
        return mover

    def test_a_mail_refused_as_bad_stops_no_other(self, demo: DemoServer, mover: Mover) -> None:
        demo.faults.append_answers = deque([None, "BAD Parse error", None, None, "NO [UNAVAILABLE] Try later"])
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)
        rest = mover.run("upload", "--yes")

        assert (done.returncode, receipt["state"], receipt["moved"]["messages"]) == (1, "done", 4)
        assert [each["subject"] for each in receipt["not_moved"]] == ["in-1", "in-4"]
        assert "Parse error" in receipt["not_moved"][0]["reason"]
        assert "Try later" in receipt["not_moved"][1]["reason"]
        assert rest.returncode == 0
        assert len(demo.account.get("INBOX").messages) == 6

    def test_one_bad_after_another_ends_the_move(self, demo: DemoServer, mover: Mover) -> None:
        demo.faults.append_answers = deque(["BAD Parse error"] * 6)
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)

        assert (done.returncode, receipt["state"], receipt["moved"]["messages"]) == (1, "failed", 0)
        assert [each["subject"] for each in receipt["not_moved"]] == SIX

    def test_mail_that_the_server_changes_is_named(self, demo: DemoServer, mover: Mover) -> None:
        mover.write(Inbox=[*mails("in", 5), "From: a@example.com\nSubject: 見積\n\nx\n".encode()])
        demo.faults.alter = lambda content: content.replace("見積".encode(), b"XXXXXX")
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)

        assert (done.returncode, receipt["moved"]["read_back"]) == (0, 5)
        assert receipt["changed"] == [
            {"folder": "Inbox", "subject": "見積", "reason": "the server changed its bytes"},
        ]  # fmt: skip
        assert json.loads(mover.run("upload", "--yes", "--json").stdout)["plan"]["messages"] == 0

    def test_a_folder_that_is_made_anew_meanwhile(self, demo: DemoServer, mover: Mover) -> None:
        mover.write(Inbox=[], Notes=mails("in", 6))

        def replace(content: bytes) -> None:
            if b"in-2" in content and "old" not in demo.account.mailboxes:
                demo.account.rename("Notes", "old")
                demo.account.create("Notes")

        demo.faults.refuse = replace
        done = mover.run("upload", "--yes", "--json")
        demo.faults.refuse = None
        rest = mover.run("upload", "--yes")

        receipt = json.loads(done.stdout)
        assert (done.returncode, receipt["state"], receipt["moved"]["messages"]) == (1, "failed", 3)
        assert "made anew" in receipt["problem"]
        assert rest.returncode == 0, rest.stderr
        there = [len(demo.account.get(name).messages) for name in ("old", "Notes")]
        assert there == [2, 4]

    def test_a_server_that_stores_and_then_hangs_up(self, demo: DemoServer, mover: Mover) -> None:
        demo.faults.lose_append_ok = 1
        done = mover.run("upload", "--yes")

        assert done.returncode == 0, done.stderr
        assert len(demo.account.get("INBOX").messages) == 6


def session_of(mover: Mover, port: int, files: Path | None = None) -> AccountSession:
    """The account in this process; its own files, or those of the program."""
    options = Options(local=mover.store, address=parse_address(f"imap://{user_of(mover)}@127.0.0.1:{port}"))
    places = files_in(mover.folder / "files")
    if files is not None:
        lock = next(files.glob("*.lock"))
        places = type(places)(places.index, files / "ledger.sqlite", lock, places.config)
    return AccountSession(options, AccountSession.open_store(options), mover.password, places)
