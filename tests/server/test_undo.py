"""`hikkoshi undo`, the installed command: exactly the mails of one move go, and only those in which nothing has changed."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from hikkoshi.ledger.store import Ledger
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, state_of, uploaded, user_of

pytestmark = pytest.mark.dovecot

SIX = [f"in-{number}" for number in range(6)]


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """A mail that was on the server before, and six that the first move brought, over a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    with other_client(dovecot, mover) as client:
        client.append("INBOX", uploaded(mail("theirs")))
    mover.go_through(proxy)
    mover.write(Inbox=mails("in", 6))
    assert mover.run("upload", "--yes").returncode == 0
    return mover


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


def other_client(dovecot: Dovecot, mover: Mover, folder: str = "INBOX") -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    client.select_folder(folder)
    return client


def uid_of(client: IMAPClient, name: str) -> int:
    [uid] = client.search(["SUBJECT", name])
    return int(uid)


def states(mover: Mover) -> dict[str, int]:
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM item GROUP BY state").fetchall())


def change(mover: Mover, sql: str) -> None:
    with Ledger(mover.ledger) as ledger:
        ledger.db.execute(sql)


def test_exactly_the_mails_of_the_move_go(dovecot: Dovecot, mover: Mover) -> None:
    store = state_of(mover.store)
    mover.write(Later=mails("later", 2))
    assert mover.run("upload", "--yes").returncode == 0

    dry = mover.run("undo", "1", "--dry-run")
    before = on_server(dovecot, mover)
    unasked = mover.run("undo", "1")
    done = mover.run("undo", "1", "--yes", "--json")
    again = mover.run("undo", "1", "--yes")

    assert (dry.returncode, unasked.returncode) == (0, 2)
    assert "6 mails" in dry.stdout
    assert "would be removed" in dry.stdout
    assert before == [*SIX, "theirs", "later-0", "later-1"]
    found = json.loads(done.stdout)
    assert (done.returncode, found["removed"]["messages"], found["kept"], found["state"]) == (0, 6, [], "done")
    assert on_server(dovecot, mover) == ["theirs", "later-0", "later-1"]
    assert states(mover) == {"removed": 6, "verified": 2}
    assert (again.returncode, "0 mails" in again.stdout) == (0, True)
    assert {name: state for name, state in state_of(mover.store).items() if name in store} == store


def test_what_was_removed_is_only_here_again_and_can_go_up_again(dovecot: Dovecot, mover: Mover) -> None:
    assert mover.run("undo", "1", "--yes").returncode == 0

    check = json.loads(mover.run("check", "--json").stdout)
    moves = json.loads(mover.run("moves", "--json").stdout)["moves"]
    receipt = json.loads(mover.run("moves", "1", "--json").stdout)["receipt"]
    resumed = mover.run("resume", "--yes")
    again = mover.run("upload", "--yes", "--json")

    assert check["differences"]["only_local"] == 6
    assert (moves[0]["state"], moves[0]["mails"], moves[0]["bytes"]) == ("undone", {"removed": 6}, 0)
    assert [(each["fate"], each["to"]["uid"]) for each in receipt] == [("removed", uid) for uid in range(2, 8)]
    assert "nothing to go on with" in resumed.stderr
    assert json.loads(again.stdout)["moved"]["messages"] == 6
    assert on_server(dovecot, mover) == [*SIX, "theirs"]


def test_other_mail_that_is_marked_as_deleted_stays(dovecot: Dovecot, mover: Mover) -> None:
    with other_client(dovecot, mover) as client:
        client.add_flags([uid_of(client, "theirs")], ["\\Deleted"])
        client.unselect_folder()

    assert mover.run("undo", "1", "--yes").returncode == 0
    assert on_server(dovecot, mover) == ["theirs"]


class TestWhatStays:
    """Each condition by itself: the one mail stays, unmarked, and is named with its reason; the others go."""

    def check(self, dovecot: Dovecot, mover: Mover, name: str, reason: str, count: int = 5) -> None:
        dry = mover.run("undo", "1", "--dry-run", "--json")
        done = mover.run("undo", "1", "--yes", "--json")

        for ran in (dry, done):
            found = json.loads(ran.stdout)
            assert ran.returncode == 1
            assert [each["subject"] for each in found["kept"]] == [name]
            assert reason in found["kept"][0]["reason"]
            assert found["removed"]["messages"] == count
        assert name in on_server(dovecot, mover)
        assert not any("\\Deleted" in each.flags for each in held(dovecot.mail_dir(user_of(mover))))
        assert states(mover)["removed"] == count

    @pytest.mark.parametrize("flag", ["\\Seen", "\\Flagged", "\\Answered", "work"])
    def test_a_mail_whose_flags_were_changed(self, dovecot: Dovecot, mover: Mover, flag: str) -> None:
        with other_client(dovecot, mover) as client:
            client.add_flags([uid_of(client, "in-3")], [flag])
        self.check(dovecot, mover, "in-3", "its flags on the server were changed")

    def test_a_mail_that_somebody_else_is_about_to_delete(self, dovecot: Dovecot, mover: Mover) -> None:
        with other_client(dovecot, mover) as client:
            client.add_flags([uid_of(client, "in-3")], ["\\Deleted"])
            client.unselect_folder()
        done = mover.run("undo", "1", "--yes")

        assert done.returncode == 1
        assert on_server(dovecot, mover) == ["in-3", "theirs"]
        [kept] = [each for each in held(dovecot.mail_dir(user_of(mover))) if each.name == "in-3"]
        assert "\\Deleted" in kept.flags, "that is theirs"

    def test_a_mail_with_other_bytes(self, dovecot: Dovecot, mover: Mover) -> None:
        """As if the server had changed it; the ledger is told so, since a server never does that to a mail it has."""
        change(mover, "UPDATE item SET body = zeroblob(32), source_body = body WHERE id = 4")
        self.check(dovecot, mover, "in-3", "the server has other bytes than were sent")

    def test_a_mail_of_another_size(self, dovecot: Dovecot, mover: Mover) -> None:
        change(mover, "UPDATE item SET there_size = there_size + 1 WHERE id = 4")
        self.check(dovecot, mover, "in-3", "its size on the server is another one")

    def test_a_mail_with_another_date(self, dovecot: Dovecot, mover: Mover) -> None:
        change(mover, "UPDATE item SET there_date = there_date + 60 WHERE id = 4")
        self.check(dovecot, mover, "in-3", "its date on the server is another one")

    def test_a_uid_below_the_one_that_was_saved(self, dovecot: Dovecot, mover: Mover) -> None:
        change(mover, "UPDATE item SET uidnext = uid + 1 WHERE id = 4")
        self.check(dovecot, mover, "in-3", "its number shows that it was there before the move")

    def test_a_mail_of_another_uidvalidity(self, dovecot: Dovecot, mover: Mover) -> None:
        # Of a folder whose name was given again: the ledger's number is the old one.
        change(mover, "UPDATE item SET uidvalidity = uidvalidity - 1 WHERE id = 4")
        mover.options = ("--local", str(mover.store))
        with closing(sqlite3.connect(mover.ledger)) as ledger:
            [(before,)] = ledger.execute("SELECT uidvalidity FROM item WHERE id = 4").fetchall()
        done = mover.run("undo", "1", "--yes", "--json")

        found = json.loads(done.stdout)
        assert done.returncode == 1
        assert [each["subject"] for each in found["kept"]] == ["in-3"]
        assert "made anew or restored" in found["kept"][0]["reason"]
        assert before
        assert on_server(dovecot, mover) == ["in-3", "theirs"]

    def test_a_mail_whose_original_is_gone(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Inbox=[mail(name) for name in SIX if name != "in-3"])  # and all others lie elsewhere in the file
        self.check(dovecot, mover, "in-3", "its original cannot be read on this PC")

    def test_a_mail_whose_original_has_changed(self, dovecot: Dovecot, mover: Mover) -> None:
        inbox = mover.store / "Inbox"
        content = inbox.read_bytes()
        at = content.index(b"hello", content.index(b"Subject: in-3"))
        inbox.write_bytes(content[:at] + b"jello" + content[at + 5 :])
        self.check(dovecot, mover, "in-3", "its original cannot be read on this PC")

    def test_a_mail_whose_original_was_deleted_in_the_client(self, dovecot: Dovecot, mover: Mover) -> None:
        """It can be read at its place until the client compacts the file, and is lost then."""
        mover.write(Other=[b"X-Mozilla-Status: 0001\n" + mail(f"other-{number}") for number in range(3)])
        assert mover.run("upload", "--yes").returncode == 0
        other = mover.store / "Other"
        content = other.read_bytes()
        at = content.rindex(b"0001", 0, content.index(b"Subject: other-1"))
        other.write_bytes(content[:at] + b"0009" + content[at + 4 :])

        done = mover.run("undo", "2", "--yes", "--json")

        assert done.returncode == 1
        assert [each["subject"] for each in json.loads(done.stdout)["kept"]] == ["other-1"]
        assert "its original cannot be read" in json.loads(done.stdout)["kept"][0]["reason"]
        assert on_server(dovecot, mover) == [*SIX, "theirs", "other-1"]

    def test_a_mail_whose_original_lies_in_the_trash(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Inbox=[mail(name) for name in SIX if name != "in-3"], Trash=[mail("in-3")])
        self.check(dovecot, mover, "in-3", "its original cannot be read on this PC")

    def test_a_mail_that_was_put_into_another_folder_goes(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Inbox=[mail(name) for name in SIX if name != "in-3"], Projects=[mail("in-3")])

        assert mover.run("undo", "1", "--yes").returncode == 0
        assert on_server(dovecot, mover) == ["theirs"]

    def test_a_mail_that_is_no_longer_there(self, dovecot: Dovecot, mover: Mover) -> None:
        with other_client(dovecot, mover) as client:
            client.delete_messages([uid_of(client, "in-3")])
            client.expunge()
        done = mover.run("undo", "1", "--yes", "--json")

        found = json.loads(done.stdout)
        assert (done.returncode, found["removed"]["messages"], found["kept"]) == (1, 5, [])
        assert [(each["subject"], each["reason"]) for each in found["not_there"]] == [
            ("in-3", "it was deleted or moved on the server since"),
        ]  # fmt: skip
        [listed] = json.loads(mover.run("moves", "--json").stdout)["moves"]
        assert (listed["mails"], listed["bytes"]) == ({"removed": 5, "vanished": 1}, 0)
        receipt = {each["subject"]: each for each in json.loads(mover.run("moves", "1", "--json").stdout)["receipt"]}
        assert (receipt["in-3"]["fate"], receipt["in-3"]["reason"]) == ("gone", found["not_there"][0]["reason"])
        assert json.loads(mover.run("check", "--json").stdout)["differences"]["only_local"] == 6

    def test_in_words_a_mail_that_is_no_longer_there_does_not_stay(self, dovecot: Dovecot, mover: Mover) -> None:
        with other_client(dovecot, mover) as client:
            client.delete_messages([uid_of(client, "in-3")])
            client.expunge()
        dry, done = mover.run("undo", "1", "--dry-run"), mover.run("undo", "1", "--yes")

        for ran in (dry, done):
            assert "Not there any more: Inbox: in-3: it was deleted or moved" in ran.stderr
            assert "Stays on the server" not in ran.stderr
        assert "0 of 6 mails are there, 5 removed again, 1 not there any more" in mover.run("moves").stdout

    def test_a_mail_that_the_server_changed_as_it_arrived(self, dovecot: Dovecot, mover: Mover) -> None:
        """Dovecot shows a NUL as 0x80."""
        mover.write(Zero=[mail("zero", body="NUL \0 here\n"), mail("one")])
        mover.run("upload", "--yes")
        receipt = json.loads(mover.run("moves", "2", "--json").stdout)["receipt"]
        done = json.loads(mover.run("undo", "2", "--yes", "--json").stdout)

        assert [(each["subject"], each["state"], each["as_sent"]) for each in receipt] == [
            ("zero", "verified", False), ("one", "verified", True),
        ]  # fmt: skip
        assert [each["subject"] for each in done["kept"]] == ["zero"]
        assert "other bytes than were sent" in done["kept"][0]["reason"]

    def test_a_mail_that_is_in_doubt(self, dovecot: Dovecot, mover: Mover) -> None:
        change(mover, "UPDATE item SET state = 'doubtful' WHERE id = 4")
        self.check(dovecot, mover, "in-3", "not certain which mail on the server it is")


class TestMeanwhile:
    """What a phone does while the undo runs wins, with CONDSTORE and without."""

    @pytest.fixture(params=["counted", "not counted"])
    def counting(self, request: pytest.FixtureRequest, proxy: FaultProxy) -> str:
        if request.param == "not counted":
            proxy.hidden = ("CONDSTORE", "QRESYNC")
        return str(request.param)

    def test_a_flag_that_is_set_just_before_the_mark(
        self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy, counting: str
    ) -> None:
        with other_client(dovecot, mover) as client:
            uid = uid_of(client, "in-3")
            read: list[bytes] = []
            sent: list[bytes] = []

            def flag(line: bytes) -> bytes:
                # Behind the last look at the flags, before the server hears of \\Deleted.
                if b"BODY[]" in line:
                    read.append(line)
                if read and line.startswith(b"* 7 FETCH (UID 7 FLAGS") and b"SIZE" not in line and not sent:
                    sent.append(line)
                    client.add_flags([uid], ["\\Flagged"])
                return line

            proxy.change = flag
            done = mover.run("undo", "1", "--yes", "--json")

        found = json.loads(done.stdout)
        assert sent
        assert (b"UID STORE 2:7 (UNCHANGEDSINCE " in proxy.sent) == (counting == "counted")
        assert done.returncode == 1
        assert [each["subject"] for each in found["kept"]] == ["in-3"]
        assert "changed on the server meanwhile" in found["kept"][0]["reason"]
        [kept] = [each for each in held(dovecot.mail_dir(user_of(mover))) if each.name == "in-3"]
        assert kept.flags == {"\\Flagged"}
        assert on_server(dovecot, mover) == ["in-3", "theirs"]

    def test_a_flag_that_is_set_just_behind_the_mark(
        self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy, counting: str
    ) -> None:
        with other_client(dovecot, mover) as client:
            uid = uid_of(client, "in-3")
            done_once: list[bytes] = []

            def flag(line: bytes) -> bytes:
                if b"OK Store completed" in line and not done_once:
                    done_once.append(line)
                    client.add_flags([uid], ["\\Flagged"])
                return line

            proxy.change = flag
            done = mover.run("undo", "1", "--yes", "--json")

        assert done_once
        assert done.returncode == 1
        assert [each["subject"] for each in json.loads(done.stdout)["kept"]] == ["in-3"]
        [kept] = [each for each in held(dovecot.mail_dir(user_of(mover))) if each.name == "in-3"]
        assert kept.flags == {"\\Flagged"}
        assert on_server(dovecot, mover) == ["in-3", "theirs"]


class TestCutOff:
    @pytest.mark.parametrize("words", [b"OK Store completed", b"Expunge completed"])
    def test_a_kill_is_gone_on_with(self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy, words: bytes) -> None:
        hold = Hold(words)
        proxy.change = hold
        process = mover.start("undo", "1", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        hold.let_go()
        proxy.change = None
        before = states(mover)
        check = mover.run("check")
        done = mover.run("undo", "1", "--yes", "--json")

        assert before == {"undoing": 6}
        assert "“hikkoshi undo 1” goes on with it" in check.stderr
        assert (done.returncode, json.loads(done.stdout)["removed"]["messages"]) == (0, 6), done.stderr
        assert on_server(dovecot, mover) == ["theirs"]
        assert states(mover) == {"removed": 6}

    def test_what_changed_behind_a_kill_stays_and_is_unmarked(
        self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy
    ) -> None:
        hold = Hold(b"OK Store completed")
        proxy.change = hold
        process = mover.start("undo", "1", "--yes")
        hold.wait()
        process.kill()
        ended(process)
        hold.let_go()
        proxy.change = None
        with other_client(dovecot, mover) as client:
            client.add_flags([uid_of(client, "in-3")], ["\\Seen"])
            client.unselect_folder()
        done = mover.run("undo", "1", "--yes", "--json")

        assert done.returncode == 1
        assert [each["subject"] for each in json.loads(done.stdout)["kept"]] == ["in-3"]
        assert on_server(dovecot, mover) == ["in-3", "theirs"]
        assert [each.flags for each in held(dovecot.mail_dir(user_of(mover))) if each.name == "in-3"] == [{"\\Seen"}]
        assert states(mover) == {"removed": 5, "verified": 1}

    @pytest.mark.parametrize("words", [b"OK Store completed", b"Expunge completed"])
    def test_a_cut_line_is_made_anew(self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy, words: bytes) -> None:
        cuts: list[bytes] = []

        def cut(line: bytes) -> bytes | None:
            if line.startswith(b"* OK [CAPABILITY"):
                proxy.cut_after()
            if words in line and not cuts:
                cuts.append(line)
                proxy.cut_after(down=0)
            return line

        proxy.change = cut
        done = mover.run("undo", "1", "--yes")

        assert len(cuts) == 1
        assert done.returncode == 0, done.stderr
        assert on_server(dovecot, mover) == ["theirs"]
        assert states(mover) == {"removed": 6}

    @pytest.mark.parametrize("answer", [b"NO [NOPERM] Not here", b"BAD What?"])
    @pytest.mark.parametrize("command", [b"Store", b"Expunge"])
    def test_a_refusal_takes_the_mark_away_again(
        self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy, command: bytes, answer: bytes
    ) -> None:
        """What was carried out and then said to be refused is not noticed by the proxy: the mails must come out right."""
        left = [answer]

        def refuse(line: bytes) -> bytes:
            if command + b" completed" in line and left:
                return line.split()[0] + b" " + left.pop() + b"\r\n"
            return line

        proxy.change = refuse
        done = mover.run("undo", "1", "--yes", "--json")

        found = json.loads(done.stdout)
        if command == b"Store":
            assert done.returncode == 1
            assert {each["subject"] for each in found["kept"]} == set(SIX)
            assert on_server(dovecot, mover) == [*SIX, "theirs"]
            assert not any(each.flags for each in held(dovecot.mail_dir(user_of(mover))))
            assert states(mover) == {"verified": 6}
        else:
            # The server had removed them all the same: that is what counts.
            assert (done.returncode, found["removed"]["messages"]) == (0, 6)
            assert on_server(dovecot, mover) == ["theirs"]
        assert not left


class TestServersWithoutAWay:
    def test_without_uidplus(self, dovecot: Dovecot, mover: Mover, proxy: FaultProxy) -> None:
        proxy.hidden = ("UIDPLUS",)
        done = mover.run("undo", "1", "--yes", "--json")

        assert done.returncode == 2
        assert "UIDPLUS" in json.loads(done.stdout)["problem"]
        assert on_server(dovecot, mover) == [*SIX, "theirs"]
        assert states(mover) == {"verified": 6}

    def test_where_copies_are_merged(self, dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path) -> None:
        dovecot = dovecot_with(Settings(capability="IMAP4rev1 UIDPLUS LITERAL+ NAMESPACE X-GM-EXT-1"))
        mover = mover_to(dovecot, tmp_path)
        mover.write(Inbox=mails("in", 2))
        assert mover.run("upload", "--yes", "--no-quota-check").returncode == 0

        done = mover.run("undo", "1", "--yes")

        assert done.returncode == 2
        assert "X-GM-EXT-1" in done.stderr
        assert on_server(dovecot, mover) == ["in-0", "in-1"]


def test_not_while_a_move_runs(dovecot: Dovecot, mover: Mover, proxy: FaultProxy) -> None:
    mover.write(Later=mails("later", 3))
    hold = Hold(b"APPENDUID")
    proxy.change = hold
    first = mover.start("upload", "--yes")
    hold.wait()
    done = mover.run("undo", "1", "--yes")
    hold.let_go()
    ended(first)

    assert done.returncode == 2
    assert f"process {first.pid}, “upload”" in done.stderr
    assert set(SIX) <= set(on_server(dovecot, mover))


def test_a_move_that_is_not_there(dovecot: Dovecot, mover: Mover, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Inbox").write_bytes(b"")

    unknown = mover.run("undo", "9", "--yes")
    foreign = mover.run("undo", "1", "--yes", "--local", str(other))

    assert (unknown.returncode, foreign.returncode) == (2, 2)
    assert str(mover.store) in foreign.stderr
    assert on_server(dovecot, mover) == [*SIX, "theirs"]


def test_a_mail_in_which_something_was_mended(dovecot: Dovecot, mover: Mover) -> None:
    """Its original is what lies on the PC; what the server has is what was sent."""
    with Ledger(mover.ledger) as ledger:
        [item] = [each for each in ledger.items(1) if each.id == 4]
    assert item.original_body == item.body
    change(mover, "UPDATE item SET source_body = body, source_size = size WHERE id = 4")

    assert mover.run("undo", "1", "--yes").returncode == 0
    assert on_server(dovecot, mover) == ["theirs"]


def test_many_mails_in_several_folders(dovecot: Dovecot, tmp_path: Path) -> None:
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=mails("in", 230), 見積=mails("quote", 120), Sent=[mail("big", body=("x" * 70 + "\n") * 30_000)])
    assert mover.run("upload", "--yes").returncode == 0
    with other_client(dovecot, mover) as client:
        client.delete_messages(range(1, 230, 2))
        client.expunge()

    done = mover.run("undo", "1", "--yes", "--json")

    found = json.loads(done.stdout)
    assert (done.returncode, found["removed"]["messages"], len(found["not_there"])) == (1, 351 - 115, 115)
    assert on_server(dovecot, mover) == []


@pytest.mark.parametrize("without", [(), ("CONDSTORE",)])
def test_on_the_demos_server(tmp_path: Path, without: tuple[str, ...]) -> None:
    with DemoServer(Account("user", "secret", 1024 * 1024), without=without) as demo:
        mover = Mover(tmp_path, f"imap://user@{demo.host}:{demo.port}", "secret")
        mover.write(Inbox=mails("in", 3), Notes=mails("note", 2))
        assert mover.run("upload", "--yes").returncode == 0
        inbox = demo.account.get("INBOX")
        inbox.set_flags([(inbox.messages[2], frozenset({"\\Seen"}))])

        done = mover.run("undo", "1", "--yes")
        check = mover.run("check", "--json")

        assert done.returncode == 1
        assert "Stays on the server: Inbox: in-1: its flags" in done.stderr
        assert list(inbox.messages) == [2]
        assert not demo.account.get("Notes").messages
        assert json.loads(check.stdout)["differences"]["only_local"] == 4
