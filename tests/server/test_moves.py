"""`hikkoshi moves`, the installed command: past moves, and the receipt of each mail, from the ledger alone."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.ledger.records import Item
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.identity import canonical_digest
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.moving import Mover, mail, mails, mover_to, uploaded, user_of
from support.sides import NOON

pytestmark = pytest.mark.dovecot


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    return mover_to(dovecot, tmp_path)


def without_server(mover: Mover, *arguments: str) -> "tuple[int, str, str]":
    """Run it with neither a server nor a password to be had."""
    url, password = mover.url, mover.password
    mover.url, mover.password = url.rpartition(":")[0] + ":1", "wrong"
    done = mover.run(*arguments)
    mover.url, mover.password = url, password
    return done.returncode, done.stdout, done.stderr


def test_the_receipt_says_of_each_mail_what_the_server_has(dovecot: Dovecot, mover: Mover) -> None:
    stored = [b"X-Mozilla-Status: 0005\n" + mail("marked", day=3), mail("plain", body="a\n>From b\n"), mail("見積")]
    mover.write(Inbox=stored[:2], 見積__2024=stored[2:])
    assert mover.run("upload", "--yes").returncode == 0

    status, out, err = without_server(mover, "moves", "1", "--json")

    receipt = json.loads(out)
    assert (status, err, receipt["problem"]) == (0, "", "")
    unknown = json.loads(without_server(mover, "moves", "9", "--json")[1])
    assert set(unknown) == set(receipt)
    assert (receipt["schema"], receipt["move"], receipt["state"]) == (1, 1, "done")
    assert (receipt["store"], receipt["account"]) == (str(mover.store), f"{user_of(mover)}@{dovecot.host}")
    assert receipt["mails"] == {"verified": 3}
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user_of(mover), dovecot.password)
        for each in receipt["receipt"]:
            opened = client.select_folder(each["to"]["folder"], readonly=True)
            assert opened[b"UIDVALIDITY"] == each["to"]["uidvalidity"]
            there = client.fetch([each["to"]["uid"]], ["BODY.PEEK[]", "FLAGS", "RFC822.SIZE"])[each["to"]["uid"]]
            assert canonical_digest(there[b"BODY[]"]).hex() == each["digest"]
            assert (there[b"RFC822.SIZE"], there[b"RFC822.SIZE"]) == (each["size"], each["server"]["size"])
            flags = {flag.decode() for flag in there[b"FLAGS"]} - {"\\Recent"}
            assert flags == set(each["flags"]) == set(each["server"]["flags"])
            assert each["verified"] in ("facts", "bytes")
            inbox = mover.store / each["from"]["folder"]
            offset, length = map(int, each["from"]["place"].split(":"))
            assert each["subject"].encode() in inbox.read_bytes()[offset : offset + length]
            assert each["from"]["path"] == str(inbox)
    [marked] = [each for each in receipt["receipt"] if each["subject"] == "marked"]
    assert (marked["date"], marked["date_source"]) == (NOON.replace(day=3).isoformat(), "received")
    assert marked["message_id"] == "marked@example.com"
    assert bool(marked["sent_at"])


def test_a_mail_that_was_not_moved_is_in_it_with_its_reason(dovecot_with, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(max_mail="10k"))
    mover = mover_to(dovecot, tmp_path)
    headers_only = b"X-Mozilla-Status: 0401\n" + mail("partial")
    mover.write(Inbox=[mail("first"), mail("huge", body=("x" * 70 + "\n") * 300), headers_only])

    mover.run("upload", "--yes")
    _, out, _ = without_server(mover, "moves", "1", "--json")

    fates = {each["subject"]: (each["fate"], each["state"], each["reason"]) for each in json.loads(out)["receipt"]}
    assert fates["first"] == ("moved", "verified", "")
    assert fates["huge"][:2] == ("not-moved", "failed")
    assert "Mail size" in fates["huge"][2]
    _, text, _ = without_server(mover, "moves", "1")
    assert "Not moved: huge" in text
    assert "Moved: first" in text


def test_what_the_plan_left_out_is_in_the_receipt(dovecot_with, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(max_mail="10k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("first"), mail("huge", body=("x" * 70 + "\n") * 300)])
    mover.run("upload", "--yes")
    mover.write(Later=[mail("later")])
    mover.run("upload", "--yes")

    moves = json.loads(without_server(mover, "moves", "--json")[1])["moves"]
    receipt = json.loads(without_server(mover, "moves", "2", "--json")[1])["receipt"]

    assert [each["move"] for each in moves] == [1, 2]
    # Of the size that the server does not take the first move has told: the plan leaves the mail out by itself.
    assert {(each["subject"], each["fate"]) for each in receipt} == {("later", "moved"), ("huge", "not-moved")}
    assert all(each["reason"] for each in receipt if each["fate"] == "not-moved")


def test_moves_are_listed_of_one_account_or_of_all(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2))
    assert mover.run("upload", "--yes").returncode == 0
    first = mover.url
    mover.url = mover_to(dovecot, mover.folder).url
    assert mover.run("upload", "--yes").returncode == 0

    both = [str(mover.command()[0]), "moves", "--json"]
    every = subprocess.run(both, env=mover.environment(), capture_output=True, text=True, check=True)
    mover.url = first
    one = json.loads(without_server(mover, "moves", "--json")[1])

    assert [each["move"] for each in json.loads(every.stdout)["moves"]] == [1, 2]
    assert [(each["move"], each["mails"], each["bytes"]) for each in one["moves"]] == [
        (1, {"verified": 2}, sum(len(uploaded(each)) for each in mails("in", 2))),
    ]  # fmt: skip
    assert without_server(mover, "moves", "2")[0] == 2
    status, text, _ = without_server(mover, "moves")
    assert status == 0
    assert "2 of 2 mails are there" in text
    assert str(mover.store) in text


def test_nothing_was_moved_yet_and_no_ledger_is_made(mover: Mover) -> None:
    status, text, _ = without_server(mover, "moves")
    missing = without_server(mover, "moves", "3")

    assert (status, text) == (0, "Nothing was moved yet.\n")
    as_json = without_server(mover, "moves", "3", "--json")
    assert (missing[0], as_json[0]) == (2, 2)
    assert "no move 3" in missing[2]
    found = json.loads(as_json[1])
    assert (found["move"], found["state"], found["receipt"]) == (3, None, None)
    assert "no move 3" in found["problem"]
    assert not mover.ledger.exists()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_goes_away_is_no_crash(mover: Mover, options: tuple[str, ...]) -> None:
    items = [Item("Inbox", f"{n}:100", 100, b"Subject: %d" % n, "INBOX", "\\Seen") for n in range(1000)]
    mover.ledger.parent.mkdir(parents=True)
    with Ledger(mover.ledger) as ledger:
        ledger.begin("mei@example.jp", "/mail", items)
    command = [str(mover.command()[0]), "moves", "1", *options]
    with subprocess.Popen(command, env=mover.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert err == b""


def test_nothing_in_it_can_act_on_a_terminal(dovecot: Dovecot, mover: Mover) -> None:
    evil = "a\x1b[2Jb\u202ec"
    mover.write(Inbox=[mail("x", message_id=False).replace(b"Subject: x", b"Subject: " + evil.encode())])
    assert mover.run("upload", "--yes").returncode == 0
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        ledger.execute("UPDATE item SET folder = ?, place = ?, notes = ?, verified = ?, target = ?", (evil,) * 5)
        ledger.execute("UPDATE move SET store = ?", (evil,))
        ledger.commit()

    for arguments in (["moves"], ["moves", "1"], ["moves", "--json"], ["moves", "1", "--json"]):
        status, out, err = without_server(mover, *arguments)
        assert status == 0, err
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


def test_a_ledger_of_an_earlier_version_is_read_undone_and_gone_on_with(dovecot: Dovecot, mover: Mover) -> None:
    """As 0.1.0 left it: a move of which two mails arrived and one was not begun, with no native folder names."""
    mover.write(Inbox=mails("in", 3))
    assert mover.run("upload", "--yes", "--folder", "Inbox").returncode == 0
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        moves = ledger.execute("SELECT id, server, store, started, ended, 'stopped', 'SIGHUP', 1 FROM move").fetchall()
        items = ledger.execute(
            "SELECT id, move, folder, place, size, fields, body, target, flags, date, date_source, state, uidvalidity,"
            " uidnext, uid, reason, verified FROM item"
        ).fetchall()
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user_of(mover), dovecot.password)
        client.select_folder("INBOX")
        client.delete_messages([items[2][14]])
        client.expunge()
    for path in mover.ledger.parent.glob("ledger.sqlite*"):
        path.unlink()
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        ledger.executescript(VERSION_1)
        ledger.executemany(f"INSERT INTO move VALUES ({', '.join('?' * 8)})", moves)
        ledger.executemany(f"INSERT INTO item VALUES ({', '.join('?' * 17)})", items)
        ledger.execute(
            "UPDATE item SET state = 'planned', body = NULL, date = NULL, date_source = '', uidvalidity = NULL,"
            " uidnext = NULL, uid = NULL, verified = '' WHERE id = 3"
        )
        ledger.commit()

    before = json.loads(without_server(mover, "moves", "1", "--json")[1])
    resumed = mover.run("resume", "--yes", "--json")
    after = json.loads(without_server(mover, "moves", "1", "--json")[1])
    undone = mover.run("undo", "1", "--yes", "--json")

    assert [(each["subject"], each["fate"]) for each in before["receipt"]] == [
        ("in-0", "moved"), ("in-1", "moved"), ("in-2", "not-moved"),
    ]  # fmt: skip
    assert json.loads(resumed.stdout)["moved"]["messages"] == 3
    assert {each["fate"] for each in after["receipt"]} == {"moved"}
    assert json.loads(undone.stdout)["removed"]["messages"] == 3


VERSION_1 = """
CREATE TABLE move (id INTEGER PRIMARY KEY, server TEXT NOT NULL, store TEXT NOT NULL, started INTEGER NOT NULL,
    ended INTEGER, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE item (id INTEGER PRIMARY KEY, move INTEGER NOT NULL REFERENCES move (id), folder TEXT NOT NULL,
    place TEXT NOT NULL, size INTEGER NOT NULL, fields BLOB NOT NULL, body BLOB, target TEXT NOT NULL,
    flags TEXT NOT NULL, date INTEGER, date_source TEXT NOT NULL DEFAULT '', state TEXT NOT NULL,
    uidvalidity INTEGER, uidnext INTEGER, uid INTEGER, reason TEXT NOT NULL DEFAULT '',
    verified TEXT NOT NULL DEFAULT '');
CREATE INDEX item_move ON item (move);
CREATE INDEX item_uid ON item (target, uidvalidity, uid);
PRAGMA user_version = 1;
"""
