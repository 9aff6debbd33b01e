"""`hikkoshi upload` looks before it sends, and mends what was chosen, whatever happens meanwhile: against a real server."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, state_of, uploaded, user_of, write_mbox

pytestmark = pytest.mark.dovecot

# What the server must not offer, so that each mail waits for its go-ahead.
ONE_BY_ONE = ("MULTIAPPEND", "LITERAL+")


def odd(name: str) -> bytes:
    """A mail whose subject, by which it is known without Message-ID, has 8-bit text."""
    return mail(name, message_id=False).replace(b"Subject: ", "Subject: 見積 ".encode())


def mended(name: str) -> bytes:
    """What has to arrive of it."""
    return uploaded(odd(name)).replace("見積".encode(), b"=?utf-8?B?6KaL56mN?=")


NAMES = [f"in-{number}" for number in range(6)]


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Six mails to be mended, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    mover.write(Inbox=list(map(odd, NAMES)))
    return mover


def contents(dovecot: Dovecot, mover: Mover) -> list[bytes]:
    return sorted(each.content for each in held(dovecot.mail_dir(user_of(mover))))


def looked_at(mover: Mover) -> int:
    """How many mails the index has been told about."""
    [index] = (mover.home / ".cache/hikkoshi").glob("*.sqlite")
    with closing(sqlite3.connect(index)) as db:
        return int(db.execute("SELECT count(*) FROM looked").fetchone()[0])


def test_a_dry_run_names_what_it_found_and_sends_nothing(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(
        Work=[
            *mails("plain", 2),
            mail("bare", body="a\rb\n"),
            mail("keys", fields="X-Mozilla-Status: 0001\nX-Mozilla-Keys: caf\u00e9\n"),
        ]
    )
    store = state_of(mover.store)

    shown = mover.run("upload", "--dry-run")
    listed = json.loads(mover.run("upload", "--dry-run", "--json").stdout)["findings"]

    assert shown.returncode == 0
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert "1  mail with a bare CR (changed by Courier; --repair bare-returns)" in lines
    assert "Work: bare" in lines
    assert any(line.startswith("6  mails with raw 8-bit text") and "--repair encode-headers" in line for line in lines)
    assert "and 3 more; --json names all" in lines
    assert listed["counts"] == {"eight-bit-header": 6, "bare-cr": 1, "flags-dropped": 1}
    assert len(listed["mails"]) == 8
    assert {"kind": "flags-dropped", "detail": "café"} in [found for each in listed["mails"] for found in each["found"]]
    assert contents(dovecot, mover) == []
    assert looked_at(mover) == 10
    assert state_of(mover.store) == store


def test_folders_in_which_mail_may_not_stay_are_named(dovecot: Dovecot, mover: Mover) -> None:
    mover.options = ("--map", "Work=Trash")
    mover.write(Work=mails("work", 2))

    plan = json.loads(mover.run("upload", "--dry-run", "--json").stdout)["plan"]

    polled, purged = plan["hazards"]
    assert "by POP" in polled
    assert polled.startswith("6 mails would go into the server's INBOX")
    assert purged.startswith("2 mails would go into Trash, which many servers empty")


def test_where_nobody_looks_at_the_plan_mail_is_looked_at_as_it_is_packed(dovecot: Dovecot, mover: Mover) -> None:
    done = json.loads(mover.run("upload", "--yes", "--json").stdout)

    assert looked_at(mover) == 0
    assert done["findings"]["counts"] == {"eight-bit-header": 6}
    assert [each["repairs"] for each in done["findings"]["mails"]] == [[]] * 6
    assert contents(dovecot, mover) == sorted(uploaded(odd(name)) for name in NAMES)
    receipt = mover.run("moves", "1")
    assert receipt.stdout.count("mail with raw 8-bit text in its header") == 6, receipt.stdout


def test_what_was_mended_is_in_the_receipt(dovecot: Dovecot, mover: Mover) -> None:
    done = mover.run("upload", "--yes", "--repair", "encode-headers")

    assert done.returncode == 0, done.stderr
    assert contents(dovecot, mover) == sorted(map(mended, NAMES))
    receipt = mover.run("moves", "1")
    assert receipt.stdout.count("mended: raw 8-bit header text as encoded words") == 6, receipt.stdout
    assert mover.run("check").returncode == 0


def test_an_unknown_repair_starts_nothing(dovecot: Dovecot, mover: Mover) -> None:
    done = mover.run("upload", "--yes", "--repair", "everything")

    assert done.returncode == 2
    assert "hold-receipts" in done.stderr
    assert contents(dovecot, mover) == []


@pytest.mark.parametrize("go_on", [("upload", "--yes", "--repair", "all-lossless"), ("resume", "--yes")])
@pytest.mark.parametrize(("words", "count"), [(b"APPENDUID", 3), (b"+ OK", 1), (b"+ OK", 4)])
def test_a_killed_move_of_mended_mail_goes_on_and_brings_each_once(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover, go_on: tuple[str, ...], words: bytes, count: int
) -> None:
    """Those in doubt are known again by what was sent of them, not by their originals."""
    proxy.hidden = ONE_BY_ONE
    hold = Hold(words, count)
    proxy.change = hold
    process = mover.start("upload", "--yes", "--repair", "all-lossless")
    hold.wait()
    process.kill()
    ended(process)
    hold.let_go()

    rest = mover.run(*go_on)

    assert rest.returncode == 0, rest.stderr
    assert contents(dovecot, mover) == sorted(map(mended, NAMES))
    assert mover.run("check").returncode == 0
    assert json.loads(mover.run("upload", "--yes", "--json").stdout)["plan"]["messages"] == 0


def test_where_the_server_names_no_uids_mended_mail_is_found_by_what_was_sent(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    proxy.change = lambda line: re.sub(rb"\[APPENDUID [^]]*\] ", b"", line)

    done = json.loads(mover.run("upload", "--yes", "--json", "--repair", "all-lossless").stdout)

    assert (done["moved"]["messages"], done["moved"]["read_back"], done["not_moved"]) == (6, 6, [])
    assert contents(dovecot, mover) == sorted(map(mended, NAMES))
    assert mover.run("check").returncode == 0


def test_a_mended_mail_can_be_taken_away_again(dovecot: Dovecot, mover: Mover) -> None:
    assert mover.run("upload", "--yes", "--repair", "all-lossless").returncode == 0
    assert len(contents(dovecot, mover)) == 6

    undone = mover.run("undo", "1", "--yes")

    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert contents(dovecot, mover) == []


def test_an_original_that_changed_since_keeps_its_mended_mail_on_the_server(dovecot: Dovecot, mover: Mover) -> None:
    assert mover.run("upload", "--yes", "--repair", "all-lossless").returncode == 0
    changed = [odd(name).replace(b"hello", b"HELLO") for name in NAMES]
    write_mbox(mover.store / "Inbox", changed)

    undone = mover.run("undo", "1", "--yes")

    assert undone.returncode == 1, undone.stdout + undone.stderr
    assert contents(dovecot, mover) == sorted(map(mended, NAMES))
