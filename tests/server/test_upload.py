"""`hikkoshi upload`, the installed command, against a real server: what it sends, and what it refuses to send."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, state_of, uploaded, user_of, write_mbox

pytestmark = pytest.mark.dovecot

Start = Callable[[Settings], Dovecot]
NOON = int(datetime(2024, 1, 2, 12, tzinfo=UTC).timestamp())
DAY = 86400


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    return mover_to(dovecot, tmp_path)


def client_of(dovecot: Dovecot, mover: Mover) -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    return client


def names(dovecot: Dovecot, mover: Mover) -> list[tuple[str, str]]:
    """(folder, subject) of every mail on the server."""
    return [(each.folder, each.name) for each in held(dovecot.mail_dir(user_of(mover)))]


def states(mover: Mover) -> dict[str, int]:
    """How many mails of all moves are in which state of the ledger."""
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM item GROUP BY state").fetchall())


def test_everything_missing_goes_once_and_a_second_run_sends_nothing(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 3), Sent=mails("sent", 2), 見積=mails("quote", 2), Trash=mails("trash", 1))
    store = state_of(mover.store)

    first = mover.run("upload", "--yes")
    arrived = held(dovecot.mail_dir(user_of(mover)))
    second = mover.run("upload", "--yes", "--json")
    after = mover.run("check")

    assert (first.returncode, first.stderr) == (0, "")
    assert "7 mails arrived" in first.stdout
    assert "7 read back and found as sent" in first.stdout
    expected = [("INBOX", m) for m in mails("in", 3)] + [("Sent", m) for m in mails("sent", 2)]
    expected += [("見積", m) for m in mails("quote", 2)]
    assert sorted((each.folder, each.content) for each in arrived) == sorted((f, uploaded(m)) for f, m in expected)
    found = json.loads(second.stdout)
    assert (second.returncode, found["plan"]["messages"], found["moved"]["messages"]) == (0, 0, 0)
    assert held(dovecot.mail_dir(user_of(mover))) == arrived
    assert after.returncode == 0
    assert state_of(mover.store) == store


def test_a_new_folder_is_made_and_subscribed(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(見積__2024年=mails("quote", 1))

    assert mover.run("upload", "--yes").returncode == 0
    with client_of(dovecot, mover) as client:
        assert "見積/2024年" in [name for _, _, name in client.list_sub_folders()]


FLAGGED = [
    ("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000000\n", set()),
    ("X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n", {"\\Seen"}),
    (
        "X-Mozilla-Status: 0007\nX-Mozilla-Keys: $label1 work\n",
        {"\\Seen", "\\Answered", "\\Flagged", "$label1", "work"},
    ),
    ("X-Mozilla-Status: 1001\n", {"\\Seen", "$Forwarded"}),
    ("Status: RO\nX-Status: AF\n", {"\\Seen", "\\Answered", "\\Flagged"}),
]


def test_flags_and_bytes_arrive_as_they_were(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(
        Inbox=[mail(f"in-{n}", fields=fields, body="a\n>From b\n\nc\n") for n, (fields, _) in enumerate(FLAGGED)]
    )

    assert mover.run("upload", "--yes").returncode == 0
    arrived = held(dovecot.mail_dir(user_of(mover)))

    assert [set(each.flags) for each in arrived] == [flags for _, flags in FLAGGED]
    expected = [uploaded(mail(f"in-{n}", body="a\nFrom b\n\nc\n")) for n in range(len(FLAGGED))]
    assert [each.content for each in arrived] == expected
    assert mover.run("check").returncode == 0


RECEIVED = (
    "Received: from x by y;\n\tWed, 3 Jan 2024 12:00:00 +0000\nReceived: from a by b; 1 Jan 2024 12:00:00 +0000\n"
)
DATE = "Date: Thu, 4 Jan 2024 21:00:00 +0900\n"
WHO = "From: a@example.com\nSubject: x\n"


@pytest.mark.parametrize(
    ("folder", "header", "separator", "days"),
    [
        ("Inbox", RECEIVED + DATE, "From - Fri Jan  5 12:00:00 2024", 1),
        ("Inbox", DATE, "From - Fri Jan  5 12:00:00 2024", 2),
        ("Inbox", "Date: nonsense\n", "From - Fri Jan  5 12:00:00 2024", 3),
        ("Inbox", "Received: by b; 1 Jan 2099 12:00:00 +0000\n" + DATE, "From - Fri Jan  5 12:00:00 2024", 2),
        ("Inbox", "", "From nobody", 4),
        ("Sent", RECEIVED + DATE, "From - Fri Jan  5 12:00:00 2024", 2),
        ("Sent", RECEIVED, "From - Fri Jan  5 12:00:00 2024", 3),
    ],
)  # fmt: skip
def test_the_date_on_the_server_is_never_today(
    dovecot: Dovecot, mover: Mover, folder: str, header: str, separator: str, days: int
) -> None:
    path = mover.store / folder
    path.parent.mkdir(parents=True)
    path.write_text(f"{separator}\n{header}{WHO}\nbody\n")
    os.utime(path, (NOON + 4 * DAY, NOON + 4 * DAY))

    assert mover.run("upload", "--yes").returncode == 0
    assert [each.when for each in held(dovecot.mail_dir(user_of(mover)))] == [NOON + days * DAY]


def test_folder_and_only_choose_what_goes(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1), Sent=[mail("sent-0"), mail("filed")], 見積=mails("quote", 1))
    with client_of(dovecot, mover) as client:
        client.append("Archive", uploaded(mail("filed")), (), datetime(2024, 1, 2, 12, tzinfo=UTC))

    assert mover.run("upload", "--yes", "--only", "missing", "--folder", "見積").returncode == 0
    assert names(dovecot, mover) == [("Archive", "filed"), ("見積", "quote-0")]
    assert mover.run("upload", "--yes", "--only", "sent").returncode == 0
    assert names(dovecot, mover)[1:3] == [("Sent", "filed"), ("Sent", "sent-0")]
    assert mover.run("upload", "--yes", "--only", "missing").returncode == 0
    assert ("INBOX", "in-0") in names(dovecot, mover)
    unknown = mover.run("upload", "--yes", "--folder", "Nowhere")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no local folder “Nowhere”" in unknown.stderr


def test_dry_run_and_no_terminal_send_nothing(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2), 見積=mails("quote", 1))

    dry = mover.run("upload", "--dry-run")
    found = json.loads(mover.run("upload", "--dry-run", "--json").stdout)
    unasked = mover.run("upload")

    assert dry.returncode == 0
    assert "3 mails" in dry.stdout
    assert "見積 (new folder)" in dry.stdout
    assert found["state"] == "not-started"
    assert found["plan"]["messages"] == 3
    assert [(each["server"], each["new"]) for each in found["plan"]["folders"]] == [("INBOX", False), ("見積", True)]
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert names(dovecot, mover) == []
    with client_of(dovecot, mover) as client:
        assert not client.folder_exists("見積")


def test_the_json_object_of_a_move_and_of_one_that_cannot_start(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=[*mails("in", 2), mail("empty", body="").partition(b"\n\n")[0] + b"\n"])

    found = json.loads(mover.run("upload", "--yes", "--json").stdout)
    mover.password = "wrong"
    failed = mover.run("upload", "--yes", "--json")

    assert found["state"] == "done"
    assert found["moved"] == {"messages": 3, "bytes": found["plan"]["bytes"], "read_back": 3}
    assert (found["not_moved"], found["changed"], found["problem"]) == ([], [], "")
    assert failed.returncode == 2
    assert set(json.loads(failed.stdout)) == set(found)
    assert json.loads(failed.stdout)["state"] is None
    assert "wrong user name or password" in json.loads(failed.stdout)["problem"]


def test_options_stand_before_or_behind_the_commands_name(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1), Projects=mails("project", 1), Notes=mails("note", 1))
    mover.options = ("--map", "Projects=Work/Projects", "--quota-limit", "1")

    refused = mover.run("upload", "--yes")
    moved = mover.run("upload", "--yes", "--quota-limit", "1G", "--map", "Notes=見積")

    assert refused.returncode == 3
    assert moved.returncode == 0
    assert names(dovecot, mover) == [("INBOX", "in-0"), ("Work.Projects", "project-0"), ("見積", "note-0")]


def test_a_server_with_a_prefix_and_dots(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(prefix="INBOX.", separator="."))
    mover = mover_to(dovecot, tmp_path)
    mover.write(
        Inbox=mails("in", 1), Sent=mails("sent", 1), **{"v1.2": mails("dot", 1), "見積__2024": mails("quote", 1)}
    )

    assert mover.run("upload", "--yes").returncode == 0
    with client_of(dovecot, mover) as client:
        there = {name for _, _, name in client.list_folders()}
        assert {"INBOX.Sent", "INBOX.v1_2", "INBOX.見積.2024"} <= there
        client.select_folder("INBOX.見積.2024", readonly=True)
        assert len(client.search()) == 1
    assert mover.run("check").returncode == 0
    again = json.loads(mover.run("upload", "--yes", "--json").stdout)
    assert again["plan"]["messages"] == 0


def test_mail_in_a_folder_that_only_holds_others_on_the_server(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Projects=mails("project", 1), **{"Projects.sbd__2024": mails("year", 1)})
    with client_of(dovecot, mover) as client:
        client.create_folder("Projects/2024")

    done = mover.run("upload", "--yes")

    assert done.returncode == 0, done.stderr
    assert names(dovecot, mover) == [("Projects", "project-0"), ("Projects.2024", "year-0")]


def test_names_that_hold_the_servers_delimiter(dovecot: Dovecot, mover: Mover, tmp_path: Path) -> None:
    folder = tmp_path / "Maildir" / ".a&AC8-b"  # "a/b" in modified UTF-7, with the delimiter inside
    (folder / "cur").mkdir(parents=True)
    (folder / "new").mkdir()
    (folder / "tmp").mkdir()
    (folder / "cur" / "1.x:2,S").write_bytes(mail("slash"))
    done = mover.run("upload", "--yes", "--local", str(tmp_path / "Maildir"))

    assert done.returncode == 0, done.stderr
    [arrived] = held(dovecot.mail_dir(user_of(mover)))
    assert (arrived.folder, arrived.flags) == ("a_b", {"\\Seen"})


BIG = "x" * 78 + "\n"


def test_a_plan_that_does_not_fit_is_not_begun(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota_storage="100k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("one", body=BIG * 620), mail("two", body=BIG * 620)])

    dry = mover.run("upload", "--dry-run")
    done = mover.run("upload", "--yes")
    forced = mover.run("upload", "--yes", "--no-quota-check")
    check = json.loads(mover.run("check", "--json").stdout)

    assert (dry.returncode, done.returncode, forced.returncode) == (3, 3, 3)
    assert "too much" in done.stdout
    assert "nothing was sent" in done.stderr
    assert check["upload"]["fits"] is False
    assert names(dovecot, mover) == []


@pytest.mark.parametrize(("reserve", "status"), [("40%", 3), ("40K", 3), ("30%", 0), ("30K", 0)])
def test_the_reserve_stays_free(dovecot_with: Start, tmp_path: Path, reserve: str, status: int) -> None:
    dovecot = dovecot_with(Settings(quota_storage="100k"))
    mover = mover_to(dovecot, tmp_path, "--reserve", reserve)
    mover.write(Inbox=[mail("one", body=BIG * 800)])  # 62.6 KiB

    assert mover.run("upload", "--yes").returncode == status
    assert len(names(dovecot, mover)) == (status == 0)


def test_a_limit_of_mails_is_held_to(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota_storage=None, quota_messages=20))
    mover = mover_to(dovecot, tmp_path, "--quota-limit", "1G")
    mover.write(Inbox=mails("in", 19), Notes=mails("note", 1))

    assert mover.run("upload", "--yes").returncode == 3
    assert mover.run("upload", "--yes", "--folder", "Inbox").returncode == 0
    assert mover.run("upload", "--yes").returncode == 3, "the reserve of 5 % is one mail"
    assert mover.run("upload", "--yes", "--reserve", "0").returncode == 0
    assert len(names(dovecot, mover)) == 20


def test_an_unknown_quota_has_to_be_said_or_waived(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota=False))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=mails("in", 1), Notes=mails("note", 1), Work=mails("work", 1))

    unknown = mover.run("upload", "--yes")
    check = json.loads(mover.run("check", "--json").stdout)

    assert unknown.returncode == 2
    assert "--quota-limit" in unknown.stderr
    assert check["upload"]["fits"] is None
    assert check["quota"] == [{"root": "", "resource": "STORAGE", "used": 0, "limit": None, "source": "unknown"}]
    assert names(dovecot, mover) == []
    assert mover.run("upload", "--yes", "--quota-limit", "100").returncode == 3
    assert mover.run("upload", "--yes", "--quota-limit", "10M", "--folder", "Inbox").returncode == 0
    assert mover.run("upload", "--yes", "--no-quota-check").returncode == 0
    assert len(names(dovecot, mover)) == 3
    assert mover.run("upload", "--yes").returncode == 0, "with nothing to send no room is needed"


def test_a_mail_larger_than_the_server_takes_stops_no_other(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(max_mail="10k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("first"), mail("large", body=BIG * 200), mail("last")])

    done = mover.run("upload", "--yes")
    again = json.loads(mover.run("upload", "--yes", "--json").stdout)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, "named once"
    assert (
        "Not moved: Inbox: large: The mail was not taken into the folder INBOX. The server says: Mail size"
        in done.stderr
    )
    assert [name for _, name in names(dovecot, mover)] == ["first", "last"]
    assert [(each["folder"], each["subject"]) for each in again["not_moved"]] == [("Inbox", "large")]


def test_a_box_that_others_fill_meanwhile_ends_the_move(dovecot_with: Start, tmp_path: Path) -> None:
    dovecot = dovecot_with(Settings(quota_storage="100k"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail(f"in-{n}", body=BIG * 100) for n in range(6)])
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy, client_of(dovecot, mover) as other:
        mover.go_through(proxy)
        proxy.hidden = ("MULTIAPPEND", "LITERAL+")
        seen = 0

        def change(line: bytes) -> bytes:
            nonlocal seen
            seen += b"APPENDUID" in line
            if b"APPENDUID" in line and seen == 2:
                other.append("Archive", uploaded(mail("theirs", body=BIG * 1000)))
            return line

        proxy.change = change
        done = mover.run("upload", "--yes", "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert found["state"] == "no-room"
    moved = found["moved"]["messages"]
    assert moved in (2, 3), "the third may have been on its way"
    assert [each["subject"] for each in found["not_moved"]] == [f"in-{n}" for n in range(moved, 6)]
    assert all(each["reason"] for each in found["not_moved"])
    assert "mailbox is full" in found["problem"]
    assert len(names(dovecot, mover)) == moved + 1


@pytest.mark.parametrize("more", [" LITERAL+ MULTIAPPEND", " LITERAL+", ""])
def test_without_uidplus_each_mail_is_found_by_itself(dovecot_with: Start, tmp_path: Path, more: str) -> None:
    dovecot = dovecot_with(Settings(capability="IMAP4rev1 NAMESPACE QUOTA SPECIAL-USE" + more))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("same", message_id=False), mail("other", message_id=False), *mails("in", 2)])
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)
        proxy.change = lambda line: line if b"APPENDUID" not in line else line.split()[0] + b" OK Append completed.\r\n"
        done = mover.run("upload", "--yes", "--json")
        again = mover.run("upload", "--yes", "--json")

    assert json.loads(done.stdout)["moved"]["read_back"] == 4
    assert sorted(name for _, name in names(dovecot, mover)) == ["in-0", "in-1", "other", "same"]
    assert json.loads(again.stdout)["plan"]["messages"] == 0
    assert states(mover) == {"verified": 4}


def test_no_password_is_written_anywhere(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    secret = mover.home.parent / "secret"
    secret.write_text(dovecot.password + "\nsecond line\n")
    canary = "kanarienvogel-4711"
    wrong = mover.home.parent / "wrong"
    wrong.write_text(canary)
    outputs = []
    for path, command in ((secret, "check"), (secret, "upload"), (wrong, "check"), (wrong, "upload")):
        done = mover.run(command, "--password-command", f"cat {path}", *(["--yes"] if command == "upload" else []))
        outputs.append(done.returncode)
        assert canary not in done.stdout + done.stderr
    for path in mover.home.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes()

    assert outputs == [1, 0, 2, 2]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="command lines are read from /proc")
def test_no_command_line_shows_the_password(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2))
    secret = mover.folder / "password"
    secret.write_text("kanarienvogel-4711")
    hold = Hold(b"* OK")
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.change = hold
        mover.go_through(proxy)
        process = mover.start("upload", "--yes", "--password-command", f"cat {secret}")
        hold.wait()
        texts = [
            (folder / name).read_bytes()
            for folder in Path("/proc").glob("[0-9]*")
            if _is_of(folder, process.pid)
            for name in ("cmdline", "environ")
        ]
        hold.let_go()
        status, _, err = ended(process)

    assert len(texts) >= 2
    assert not any(b"kanarienvogel" in text for text in texts)
    assert (status, "kanarienvogel" in err) == (2, False)


def _is_of(folder: Path, pid: int) -> bool:
    """Whether a process belongs to the session that `pid` leads."""
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == pid
    except OSError:
        return False


def test_a_store_that_changed_since_is_looked_at_anew(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 4))
    mover.run("check")
    write_mbox(mover.store / "Inbox", [*mails("in", 2), mail("new"), mail("in-3")])

    assert mover.run("upload", "--yes").returncode == 0
    assert [name for _, name in names(dovecot, mover)] == ["in-0", "in-1", "in-3", "new"]


@pytest.mark.parametrize("allowed", [50, 3, 1])
def test_where_each_mail_has_to_wait_several_connections_share_them(
    dovecot_with: Start, tmp_path: Path, allowed: int
) -> None:
    dovecot = dovecot_with(Settings(capability="IMAP4rev1 NAMESPACE QUOTA UIDPLUS", max_connections=allowed))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[*mails("in", 59), mail("in-59", body="")], Sent=mails("sent", 3))
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)
        done = mover.run("upload", "--yes", "--json")
        again = mover.run("upload", "--yes", "--json")

    found = json.loads(done.stdout)
    assert (done.returncode, found["state"], found["moved"]["read_back"]) == (0, "done", 63)
    assert json.loads(again.stdout)["plan"]["messages"] == 0
    assert sorted(names(dovecot, mover)) == sorted(
        [("INBOX", f"in-{n}") for n in range(60)] + [("Sent", f"sent-{n}") for n in range(3)]
    )
    assert b"{" in proxy.sent
    assert b"+}" not in proxy.sent
