"""`hikkoshi resume`, the installed command: the rest of a move that ended early goes up as part of the same move."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.ledger.records import ItemState
from hikkoshi.ledger.store import Ledger
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

SIXTY = [f"in-{number:02}" for number in range(60)]


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Sixty mails, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    mover.write(Inbox=[mail(name) for name in SIXTY])
    return mover


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


def other_client(dovecot: Dovecot, mover: Mover) -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    return client


def stopped_at(mover: Mover, proxy: FaultProxy, answer: int = 1, *, kill: bool = False) -> None:
    """An upload that is told to end, or killed, at an answer to a batch of fifty."""
    hold = Hold(b"APPENDUID", answer)
    proxy.change = hold
    process = mover.start("upload", "--yes")
    hold.wait()
    process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    if kill:
        ended(process)
    hold.let_go()
    if not kill:
        ended(process)
    proxy.change = None


def states(mover: Mover, move: int | None = None) -> dict[str, int]:
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        query = "SELECT state, count(*) FROM item WHERE ? IS NULL OR move = ? GROUP BY state"
        return dict(ledger.execute(query, (move, move)).fetchall())


def test_the_rest_goes_up_and_it_is_one_move_with_one_receipt(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    stopped_at(mover, proxy)
    assert states(mover) == {"verified": 50, "planned": 10}

    done = mover.run("resume", "--yes", "--json")
    again = mover.run("resume", "--yes")

    receipt = json.loads(done.stdout)
    assert (done.returncode, receipt["state"], receipt["plan"]["messages"]) == (0, "done", 10)
    assert (receipt["move"], receipt["moved"]["messages"], receipt["moved"]["read_back"]) == (1, 60, 60)
    assert on_server(dovecot, mover) == SIXTY
    whole = json.loads(mover.run("moves", "1", "--json").stdout)
    assert [each["subject"] for each in whole["receipt"]] == SIXTY
    assert {each["fate"] for each in whole["receipt"]} == {"moved"}
    assert len(json.loads(mover.run("moves", "--json").stdout)["moves"]) == 1
    assert again.returncode == 0
    assert "nothing to go on with" in again.stderr


def test_a_start_behind_it_names_the_command(proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)

    told = mover.run("check").stderr

    assert "50 of 60 mails arrived" in told
    assert "“hikkoshi resume 1”" in told


@pytest.mark.parametrize("arrived", [True, False])
def test_what_was_in_doubt_is_settled_and_said(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover, arrived: bool
) -> None:
    # The first answer is to the two mails that went ahead, the second to the other 48 of their batch.
    stopped_at(mover, proxy, 2 if arrived else 1, kill=True)
    doubtful = states(mover)["sending"]
    if not arrived:
        with other_client(dovecot, mover) as client:  # as if the server had stored none of it
            client.select_folder("INBOX")
            client.delete_messages(client.search())
            client.expunge()

    done = mover.run("resume", "--yes")

    words = "have arrived." if arrived else "have not arrived, and can be sent again."
    assert done.returncode == 0, done.stderr
    assert doubtful >= 50
    assert f"mails whose answer had not come {words}" in done.stderr
    assert on_server(dovecot, mover) == SIXTY
    assert states(mover) == {"verified": 60}


def test_a_file_that_was_compacted_meanwhile(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    """Places are offsets in the file: none is right any more, and a mail that was deleted there is named."""
    stopped_at(mover, proxy)
    mover.write(Inbox=[mail(name) for name in SIXTY if name not in ("in-00", "in-07", "in-55")])

    done = mover.run("resume", "--yes", "--json")

    receipt = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["subject"] for each in receipt["not_moved"]] == ["in-55"]
    assert "no longer on this PC" in receipt["not_moved"][0]["reason"]
    assert on_server(dovecot, mover) == [name for name in SIXTY if name != "in-55"]


def test_what_came_otherwise_meanwhile_is_named_and_not_sent(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)
    with other_client(dovecot, mover) as client:
        client.append("INBOX", uploaded(mail("in-59")))

    done = mover.run("resume", "--yes")

    assert done.returncode == 0, done.stderr
    assert "Not sent again: Inbox: in-59: the server has it already" in done.stderr
    assert "50 mails of this move had arrived before" in done.stderr
    assert on_server(dovecot, mover) == SIXTY
    assert states(mover) == {"verified": 59, "refused": 1}


def test_what_stays_in_doubt_is_listed_and_never_sent(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)
    with Ledger(mover.ledger) as ledger:
        ledger.db.execute("UPDATE item SET state = ?, reason = 'who knows' WHERE state = ? AND id > 58",
            (ItemState.DOUBTFUL, ItemState.PLANNED))  # fmt: skip

    dry = mover.run("resume", "--dry-run")
    done = mover.run("resume", "--yes")

    assert "In doubt: Inbox: in-58: who knows" in dry.stderr
    assert done.returncode == 1
    assert done.stderr.count("who knows") == 2
    assert on_server(dovecot, mover) == SIXTY[:58]


def test_an_upload_of_the_rest_leaves_nothing_to_resume(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)
    assert mover.run("upload", "--yes").returncode == 0
    done = mover.run("resume", "--yes")

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the server has it already") == 10
    assert on_server(dovecot, mover) == SIXTY
    assert states(mover, 1) == {"verified": 50, "refused": 10}


def test_mail_that_was_not_read_back_is_read_back(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2))
    left = [b"NO [SERVERBUG] Try later"]

    def change(line: bytes) -> bytes:
        if b"OK Fetch completed" in line and left:
            return line.split()[0] + b" " + left.pop() + b"\r\n"
        return line

    proxy.change = change
    first = mover.run("upload", "--yes")
    assert (first.returncode, states(mover)) == (1, {"landed": 2})
    assert "Arrived, and not read back: Inbox: in-0: it could not be read back" in first.stderr

    done = mover.run("resume", "1", "--yes")

    assert done.returncode == 0, done.stderr
    assert states(mover) == {"verified": 2}


def test_nothing_is_asked_of_a_rest_that_does_not_fit(proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)

    done = mover.run("resume", "--yes", "--quota-limit", "1")

    assert done.returncode == 3
    assert "(--fit)" in done.stderr
    assert "--folder" not in done.stderr
    assert states(mover) == {"verified": 50, "planned": 10}


def test_what_fits_of_the_rest_goes_up_and_the_others_wait(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    stopped_at(mover, proxy)
    size = len(uploaded(mail(SIXTY[0])))
    limit = ("--quota-limit", str(55 * size), "--reserve", "0")

    dry = mover.run("resume", "--dry-run", *limit)
    part = mover.run("resume", "--yes", "--fit", "newest", "--json", *limit)
    there = on_server(dovecot, mover)
    part_states = states(mover)
    people = mover.run("resume", "--yes", "--fit", "newest", *limit)
    rest = mover.run("resume", "--yes")

    receipt = json.loads(part.stdout)
    assert (dry.returncode, part.returncode, people.returncode, rest.returncode) == (3, 1, 3, 0), rest.stderr
    assert "--fit newest" in dry.stdout
    assert (receipt["move"], receipt["state"], receipt["plan"]["fit"]) == (1, "no-room", "newest")
    left = receipt["plan"]["left_out"]["messages"]
    assert 0 < left == len(receipt["not_moved"]) < 10
    assert part_states == {"verified": 60 - left, "planned": left}
    assert len(there) == 60 - left
    assert on_server(dovecot, mover) == SIXTY
    assert states(mover) == {"verified": 60}


def test_only_a_move_of_this_mail_is_gone_on_with(proxy: FaultProxy, mover: Mover, tmp_path: Path) -> None:
    stopped_at(mover, proxy)
    other = tmp_path / "other"
    other.mkdir()
    (other / "Inbox").write_bytes(b"")

    unknown = mover.run("resume", "7", "--yes", "--json")
    dry = mover.run("resume", "--dry-run", "--json")
    foreign = mover.run("resume", "1", "--yes", "--local", str(other))
    none = mover.run("resume", "--yes", "--local", str(other))

    assert (unknown.returncode, foreign.returncode, none.returncode) == (2, 2, 0)
    assert "no move 7" in unknown.stderr
    assert (json.loads(unknown.stdout)["move"], json.loads(dry.stdout)["move"]) == (7, 1)
    assert str(mover.store) in foreign.stderr
    assert states(mover) == {"verified": 50, "planned": 10}


def test_the_folder_that_was_chosen_for_it_stays_its_folder(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    hold = Hold(b"APPENDUID", 1)
    proxy.change = hold
    process = mover.start("upload", "--yes", "--map", "Inbox=Moved")
    hold.wait()
    process.send_signal(signal.SIGTERM)
    hold.let_go()
    ended(process)
    proxy.change = None

    assert mover.run("resume", "--yes").returncode == 0
    assert {each.folder for each in held(dovecot.mail_dir(user_of(mover)))} == {"Moved"}
    assert on_server(dovecot, mover) == SIXTY
