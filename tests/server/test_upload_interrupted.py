"""Uploads that something gets in the way of: each mail is on the server exactly once in the end."""

import json
import os
import pty
import re
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
from hikkoshi.ledger.records import State
from hikkoshi.move import batch, flights, link, meter, quiet, source
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import IMPATIENT, Hold, Mover, ended, held, mail, mails, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

SIX = [f"in-{number}" for number in range(6)]
WAYS = {"together": (), "hurried": ("MULTIAPPEND",), "waiting": ("MULTIAPPEND", "LITERAL+")}
"""How mail is sent, and what the server must not offer for that."""


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Six mails, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.program = IMPATIENT
    mover.go_through(proxy)
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


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, proxy: FaultProxy) -> str:
    """Each way of sending in turn."""
    proxy.hidden = WAYS[request.param]
    return str(request.param)


@pytest.fixture
def waiting(proxy: FaultProxy) -> None:
    """The server makes each mail wait for its go-ahead, so that nothing of the next has left before."""
    proxy.hidden = WAYS["waiting"]


def last_answer(way: str, count: int) -> int:
    """Which answer concerns the `count`-th of six mails: of those together the first goes by itself, for its flags."""
    return min(count, 2) if way == "together" else count


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


def test_looking_and_sending_share_one_connection(dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
    greetings = []
    proxy.change = lambda line: greetings.append(line) or line if line.startswith(b"* OK [CAPABILITY") else line

    assert mover.run("upload", "--yes").returncode == 0
    assert len(greetings) == 1
    assert on_server(dovecot, mover) == SIX

    proxy.sent.clear()
    assert mover.run("upload", "--yes").returncode == 0
    assert len(greetings) == 2
    assert proxy.sent.endswith(b"LOGOUT\r\n")  # also where there was nothing to send


class TestCutLine:
    @pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
    def test_in_the_middle_of_a_mail(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, part: float
    ) -> None:
        def cut(line: bytes) -> bytes:
            proxy.cut_after(up=70 + int(part * len(uploaded(mail("in-3")))) * (5 if way == "together" else 1))
            return line

        at_append(proxy, 1 if way == "together" else 3, cut)
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX
        assert states(mover) == {"verified": 6}

    def test_behind_the_last_byte_before_the_answer(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
    ) -> None:
        cuts: list[bytes] = []
        at_append(proxy, last_answer(way, 3), lambda line: cuts.append(line) or proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")

        assert len(cuts) == 1
        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX
        assert states(mover) == {"verified": 6}

    @pytest.mark.parametrize("body", [b"x" * 6, b"page"])
    def test_where_headers_alone_prove_nothing(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, body: bytes
    ) -> None:
        bodies = [b"page %d\n" % n if body == b"page" else b"x" * n + b"\n" for n in range(1, 7)]
        mover.write(Inbox=[b"From: scanner@example.com\nSubject: Scan\n\n" + each for each in bodies])
        at_append(proxy, last_answer(way, 3), lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")
        again = mover.run("upload", "--yes", "--json")

        assert (done.returncode, done.stderr) == (0, "")
        assert len({each.content for each in held(dovecot.mail_dir(user_of(mover)))}) == 6
        assert len(on_server(dovecot, mover)) == 6
        assert json.loads(again.stdout)["plan"]["messages"] == 0

    def test_twins(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
        """Two equal mails are two mails: neither more nor fewer arrive, whatever was cut."""
        mover.write(Inbox=[mail("a"), mail("twin"), mail("b")], Sent=[mail("twin"), mail("twin", body="other\n")])
        at_append(proxy, last_answer(way, 2), lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")
        again = mover.run("upload", "--yes", "--json")

        assert (done.returncode, done.stderr) == (0, "")
        there = [(each.folder, each.name) for each in held(dovecot.mail_dir(user_of(mover)))]
        assert json.loads(again.stdout)["plan"]["messages"] == 0
        assert len(there) == len(set(there)) + there.count(("Sent", "twin")) - 1

    def test_garbage_instead_of_the_answer(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
        at_append(proxy, last_answer(way, 3), lambda _line: b"h0 what was the question?\r\n")
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == SIX

    @pytest.mark.parametrize("number", [2, 9, 20])
    def test_one_of_several_connections(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, waiting: None, number: int
    ) -> None:
        mover.write(Inbox=mails("in", 30))
        at_append(proxy, number, lambda _line: proxy.cut_after(down=0))
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == sorted(f"in-{n}" for n in range(30))
        assert states(mover) == {"verified": 30}

    def test_between_two_folders(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
        mover.write(見積=mails("quote", 1))
        at_append(proxy, last_answer(way, 6), lambda line: proxy.cut_after(down=len(line)) or line)
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr) == (0, "")
        assert on_server(dovecot, mover) == [*SIX, "quote-0"]

    def test_for_good(self, dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(link, "_WAITS", (0.0, 0.0))
        dovecot = dovecot_with(Settings())
        mover = mover_to(dovecot, tmp_path)
        mover.write(Inbox=mails("in", 6))
        with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
            proxy.hidden = WAYS["waiting"]
            at_append(proxy, 3, lambda _line: dovecot.stop())
            session = session_of(mover, proxy.port)
            session.refresh(lambda _: None, Cancel())
            receipt = session.upload(session.plan(), lambda _: None, Cancel())

            assert receipt.state is State.CONNECTION_LOST
            assert (receipt.landed, len(receipt.doubtful) + receipt.not_sent) == (2, 4)
            assert len(receipt.doubtful) in (1, 2)  # the go-ahead for the next one may have come with the answer
            with pytest.raises(HikkoshiError, match="look again"):
                session.upload(session.plan(), lambda _: None, Cancel())
            dovecot.start()
            session.refresh(lambda _: None, Cancel())
            again = session.upload(session.plan(), lambda _: None, Cancel())

        assert (again.state, again.landed, again.complete) == (State.DONE, 3, True)
        assert on_server(dovecot, mover) == SIX


class TestAnswers:
    """Answers to batches that say less than they might."""

    @pytest.mark.parametrize("said", [b"", b"[APPENDUID %d 2:4] ", b"[APPENDUID 1 2] "])
    def test_another_number_of_uids_is_looked_up(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, said: bytes
    ) -> None:
        def change(line: bytes) -> bytes:
            found = re.search(rb"\[APPENDUID (\d+) \d+:\d+\] ", line)
            return line.replace(found[0], said % int(found[1]) if b"%d" in said else said) if found else line

        proxy.change = change
        done = mover.run("upload", "--yes", "--json")
        again = mover.run("upload", "--yes", "--json")

        assert (done.returncode, json.loads(done.stdout)["moved"]["read_back"]) == (0, 6)
        assert json.loads(again.stdout)["plan"]["messages"] == 0
        assert on_server(dovecot, mover) == SIX

    def test_a_batch_that_is_refused_goes_mail_by_mail(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        """Even where the server stored it and said NO, each mail is there once."""
        left = [b"NO [SERVERBUG] something"]

        def change(line: bytes) -> bytes:
            if re.search(rb"\[APPENDUID \d+ \d+:\d+\]", line) and left:
                return line.split()[0] + b" " + left.pop() + b"\r\n"
            return line

        proxy.change = change
        done = mover.run("upload", "--yes")

        assert (done.returncode, done.stderr, left) == (0, "", [])
        assert on_server(dovecot, mover) == SIX
        assert states(mover) == {"verified": 6}


class TestChangedMail:
    def test_a_large_mail_that_changes_while_it_is_sent_stops_no_other(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (source, batch):
            monkeypatch.setattr(module, "KEPT", 500)
        large = "x" * 70 + "\n" + "y" * 900 + "\n"
        mover.write(Inbox=[mail(f"in-{n}", body=large if n in (1, 5) else "small\n") for n in range(6)])
        session = session_of(mover, proxy.port)
        session.refresh(lambda _: None, Cancel())
        post = flights.Flights.post

        def changing(self: flights.Flights, letters: list[batch.Letter], **how: bool) -> None:
            inbox = mover.store / "Inbox"
            if b"in-5" in letters[0].item.message.fields:
                inbox.write_bytes(inbox.read_bytes().replace(b"y\n\n", b"z\n\n"))
            post(self, letters, **how)

        monkeypatch.setattr(flights.Flights, "post", changing)
        monkeypatch.setattr(quiet, "QUIET", 0.2)
        receipt = session.upload(session.plan(), lambda _: None, Cancel())

        assert receipt.state is State.DONE
        assert [each.subject for each in receipt.failed] == ["in-5"]
        assert "changed on this PC" in receipt.failed[0].reason
        assert on_server(dovecot, mover) == SIX[:5]


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
            1, "done", {"messages": 8, "bytes": receipt["plan"]["bytes"], "read_back": 2},
        )  # fmt: skip
        assert receipt["changed"] == receipt["not_moved"] == []
        assert [each["subject"] for each in receipt["not_read_back"]] == SIX
        assert all("could not be read back" in each["reason"] for each in receipt["not_read_back"])
        assert states(mover) == {"landed": 6, "verified": 2}
        assert on_server(dovecot, mover) == [*SIX, "quote-0", "quote-1"]

        mover.write(Later=mails("later", 1))
        assert mover.run("upload", "--yes").returncode == 0
        assert states(mover) == {"verified": 9}, "read back at the next upload"


class TestSignals:
    @pytest.mark.parametrize(
        ("name", "words"),
        [("SIGHUP", "the terminal was closed"), ("SIGTERM", "the program was ended"), ("SIGINT", "")],
    )
    def test_it_ends_behind_the_batch_under_way(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, name: str, words: str
    ) -> None:
        mover.write(Inbox=mails("in", 60))
        hold = Hold(b"APPENDUID", 1)
        proxy.change = hold
        process = mover.start("upload", "--yes", "--json")
        hold.wait()
        process.send_signal(signal.Signals[name])
        hold.let_go()
        status, out, err = ended(process)
        first, second = mover.run("check"), mover.run("check")
        rest = mover.run("upload", "--yes")

        receipt = json.loads(out)
        assert (status, receipt["state"], receipt["moved"]["messages"], err) == (1, "stopped", 50, "")
        assert [each["subject"] for each in receipt["not_moved"]] == [f"in-{n}" for n in range(50, 60)]
        assert (f"ended early ({words}): 50 of 60 mails arrived" in first.stderr) == bool(words)
        assert second.stderr == "", "told once"
        assert (rest.returncode, rest.stderr) == (0, "")
        assert "10 mails arrived" in rest.stdout
        assert on_server(dovecot, mover) == sorted(f"in-{n}" for n in range(60))

    def test_a_terminal_that_is_gone(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
        mover.write(Inbox=mails("in", 60))
        hold = Hold(b"APPENDUID", 1)
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

        assert "ended early (the terminal was closed): 50 of 60 mails arrived" in told.stderr
        assert mover.run("upload", "--yes").returncode == 0
        assert on_server(dovecot, mover) == sorted(f"in-{n}" for n in range(60))


class TestKilled:
    @pytest.mark.parametrize(("words", "count", "arrived"), [(b"APPENDUID", 3, 3), (b"+ OK", 1, 0), (b"+ OK", 4, 3)])
    def test_the_next_run_learns_what_arrived_and_sends_the_rest(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, waiting: None, words: bytes, count: int, arrived: int
    ) -> None:
        hold = Hold(words, count)
        proxy.change = hold
        process = mover.start("upload", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        hold.let_go()
        before = states(mover)
        rest = mover.run("upload", "--yes")

        assert before == {"sending": 6}
        assert rest.returncode == 0
        assert f"ended early (the program was ended): {arrived} of 6 mails arrived" in rest.stderr
        assert "not known" not in rest.stderr
        assert on_server(dovecot, mover) == SIX
        assert states(mover).get("sending") is None

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_while_the_server_still_stores_what_it_has(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, number: int
    ) -> None:
        hold = Hold(b"APPENDUID", last_answer(way, number))
        proxy.change = hold
        process = mover.start("upload", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        rest = mover.run("upload", "--yes")
        hold.let_go()

        assert rest.returncode == 0, rest.stderr
        assert on_server(dovecot, mover) == SIX
        assert states(mover).get("sending") is None

    def test_mail_that_its_headers_cannot_prove(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
    ) -> None:
        mover.write(Inbox=[b"From: scanner@example.com\nSubject: Scan\n\n" + b"x" * n + b"\n" for n in range(1, 7)])
        hold = Hold(b"APPENDUID", last_answer(way, 3))
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
    def test_the_second_says_so_and_sends_nothing(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, waiting: None
    ) -> None:
        hold = Hold(b"APPENDUID", 2)
        proxy.change = hold
        first = mover.start("upload", "--yes")
        hold.wait()
        second = mover.run("upload", "--yes")
        check = mover.run("check")
        hold.let_go()
        status, _, err = ended(first)

        assert second.returncode == 2
        assert second.stderr.startswith("hikkoshi: Another hikkoshi is at work on this account: ")
        assert f", process {first.pid}, “upload”, since 20" in second.stderr
        assert check.returncode == 1
        assert (status, err) == (0, "")
        assert on_server(dovecot, mover) == SIX

    def test_a_plan_made_while_another_moved_is_not_carried_out(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, waiting: None
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
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, waiting: None
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
        monkeypatch.setattr(batch, "MAILS", 2)
        dovecot = dovecot_with(Settings(quota_storage="100k"))
        mover = mover_to(dovecot, tmp_path)
        mover.write(Inbox=[mail(f"in-{n}", body="x" * 5000 + "\n") for n in range(6)])
        with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:

            def fill(line: bytes) -> bytes:
                with other_client(dovecot, mover) as other:
                    other.append("Archive", uploaded(mail("theirs", body=("x" * 70 + "\n") * 940)))
                return line

            proxy.hidden = WAYS["waiting"]
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
        mover.ledger.mkdir(parents=True)  # where a file should be

        done = mover.run("upload", "--yes")

        assert done.returncode == 2
        assert done.stderr.startswith("hikkoshi: The ledger ")
        assert "Nothing is sent" in done.stderr
        assert on_server(dovecot, mover) == []

    def test_nothing_is_sent_where_its_folder_cannot_be_made(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.ledger.parent.parent.mkdir(parents=True)
        mover.ledger.parent.write_text("not a folder")

        done = mover.run("upload", "--yes")

        assert done.returncode == 2
        assert done.stderr.startswith("hikkoshi: The lock ")
        assert "Nothing was sent" in done.stderr
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

    @pytest.fixture(params=WAYS)
    def demo(self, request: pytest.FixtureRequest) -> Iterator[DemoServer]:
        with DemoServer(Account("user", "secret", 1024 * 1024), without=WAYS[request.param]) as demo:
            yield demo

    @pytest.fixture
    def mover(self, demo: DemoServer, tmp_path: Path) -> Mover:
        mover = Mover(tmp_path, f"imap://user@{demo.host}:{demo.port}", "secret", program=IMPATIENT)
        mover.write(Inbox=mails("in", 6))
        return mover

    def test_a_mail_refused_as_bad_stops_no_other(self, demo: DemoServer, mover: Mover) -> None:
        answers = {b"in-1": "BAD Parse error", b"in-4": "NO [UNAVAILABLE] Try later"}
        demo.faults.refuse = lambda content: next((said for name, said in answers.items() if name in content), None)
        done = mover.run("upload", "--yes", "--json")
        receipt = json.loads(done.stdout)
        demo.faults.refuse = None
        rest = mover.run("upload", "--yes")

        assert (done.returncode, receipt["moved"]["messages"]) == (1, 4)
        assert receipt["state"] in ("done", "throttled")  # where none came behind it, it may have been the time
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
        assert (done.returncode, receipt["state"]) == (1, "failed")
        assert "made anew" in receipt["problem"]
        assert rest.returncode == 0, rest.stderr
        there = [each.content for name in ("old", "Notes") for each in demo.account.get(name).messages.values()]
        assert len(there) == len(set(there)) == 6

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
