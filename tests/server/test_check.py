"""`hikkoshi check`, the installed command, against a real server."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, mail, mails, mover_to, state_of, uploaded, user_of, write_mbox

pytestmark = pytest.mark.dovecot

COUNTS = {
    "only_local", "only_server", "read_state", "flags", "elsewhere", "sent_gap", "duplicates_local",
    "duplicates_server", "ambiguous", "left_out",
}  # fmt: skip
KEYS = {
    "schema", "account", "checked_at", "local", "server", "quota", "differences", "upload", "folders", "problems",
    "remarks",
}  # fmt: skip


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    return mover_to(dovecot, tmp_path)


def put(dovecot: Dovecot, mover: Mover, contents: list[bytes], folder: str = "INBOX", flags: tuple[str, ...] = ()):
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user_of(mover), dovecot.password)
        for content in contents:
            client.append(folder, uploaded(content), flags, datetime.fromisoformat("2024-01-02T12:00:00+00:00"))


def test_nothing_to_do_is_0_and_a_difference_is_1(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2), Sent=mails("sent", 1))

    different = mover.run("check")
    put(dovecot, mover, mails("in", 2))
    put(dovecot, mover, mails("sent", 1), "Sent")
    same = mover.run("check")

    assert (different.returncode, different.stderr) == (1, "")
    assert "3  mails only on this PC" in different.stdout
    assert "1  sent mail missing in the server's sent folder" in different.stdout
    assert "Inbox - INBOX: 2 mails only on this PC" in different.stdout
    assert (same.returncode, same.stderr) == (0, "")
    assert "Both sides have the same mail." in same.stdout


@pytest.mark.parametrize(
    ("local", "server", "flags", "status"),
    [
        ("X-Mozilla-Status: 0001\n", "INBOX", (), 1),  # read here only
        ("X-Mozilla-Status: 0000\n", "INBOX", ("\\Flagged",), 1),
        ("X-Mozilla-Status: 0000\n", "Archive", (), 0),  # filed elsewhere: for --strict alone
    ],
)
def test_what_counts_for_the_exit_status(
    dovecot: Dovecot, mover: Mover, local: str, server: str, flags: tuple[str, ...], status: int
) -> None:
    mover.write(Inbox=[mail("in", fields=local)])
    put(dovecot, mover, [mail("in")], server, flags)

    assert mover.run("check").returncode == status
    assert mover.run("check", "--strict").returncode == 1


def test_strict_is_0_where_nothing_differs(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=[mail("in")])
    put(dovecot, mover, [mail("in")])

    assert mover.run("check", "--strict").returncode == 0


def test_the_json_object_is_all_there_is_and_has_the_schema(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 2), Sent=mails("sent", 1), 見積=mails("quote", 1), Trash=mails("trash", 1))
    put(dovecot, mover, [mail("in-0"), mail("theirs")])

    done = mover.run("check", "--json")
    found = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (1, "")
    assert set(found) == KEYS
    assert found["schema"] == 1
    assert found["account"] == f"{user_of(mover)}@{dovecot.host}"
    assert datetime.fromisoformat(found["checked_at"]).tzinfo is not None
    sizes = [len(uploaded(each)) for each in (*mails("in", 2), *mails("sent", 1), *mails("quote", 1), mail("trash-0"))]
    assert found["local"] == {"kind": "mbox-folder", "folders": 4, "messages": 5, "bytes": sum(sizes)}
    theirs = len(uploaded(mail("in-0"))) + len(uploaded(mail("theirs")))
    assert found["server"] == {"host": dovecot.host, "folders": 6, "messages": 2, "bytes": theirs}
    assert found["quota"] == [
        {"root": "User quota", "resource": "STORAGE", "used": 1024, "limit": 1 << 30, "source": "server"}
    ]
    assert found["differences"] == {
        "only_local": 3, "only_server": 1, "read_state": 0, "flags": 0, "elsewhere": 0, "sent_gap": 1,
        "duplicates_local": 0, "duplicates_server": 0, "ambiguous": 0, "left_out": 1,
    }  # fmt: skip
    assert found["upload"] == {"messages": 3, "bytes": sum(sizes[1:4]), "fits": True}
    assert found["problems"] == []
    rows = {(row["local"], row["server"]): row for row in found["folders"]}
    assert all(set(row) == {"local", "server", "role", *COUNTS} for row in found["folders"])
    assert rows["Sent", "Sent"]["role"] == "sent"
    assert rows["見積", "見積"]["only_local"] == 1
    assert (rows["Inbox", "INBOX"]["only_local"], rows["Inbox", "INBOX"]["only_server"]) == (1, 1)
    assert (None, "Archive") in rows
    assert "見積" in done.stdout, "people read it too"


def test_a_check_that_fails_prints_the_object_with_what_is_known(mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    mover.password = "wrong"

    done = mover.run("check", "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 2
    assert set(found) == KEYS
    assert found["account"] == f"{user_of(mover)}@127.0.0.1"
    assert found["checked_at"]
    assert {name for name in KEYS if found[name] is None} == {
        "local", "server", "quota", "differences", "upload", "folders",
    }  # fmt: skip
    assert "wrong user name or password" in found["problems"][0]["what"]
    assert "wrong user name or password" in done.stderr


def test_a_check_without_its_two_sides_prints_the_object_too(mover: Mover) -> None:
    mover.url = "imaps://user:hunter2@example.com"

    done = mover.run("check", "--json")
    found = json.loads(done.stdout)

    assert (done.returncode, found["account"]) == (2, None)
    assert "hunter2" not in done.stdout + done.stderr


def test_names_that_a_terminal_would_act_on_are_escaped(mover: Mover) -> None:
    mover.write(**{"evil\x1b[2J\x9b1m\u202etxt": mails("in", 1)})

    found = mover.run("check", "--json")
    text = mover.run("check")

    assert not {"\x1b", "\x9b", "\u202e"} & set(found.stdout + found.stderr + text.stdout + text.stderr)
    assert json.loads(found.stdout)["folders"][0]["local"] == "evil\x1b[2J\x9b1m\u202etxt"


def test_looking_fetches_no_bodies_and_changes_nothing(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 3))
    put(dovecot, mover, mails("in", 5))
    put(dovecot, mover, mails("sent", 2), "Sent")
    mover.run("check")  # this Dovecot makes its special folders once they are looked at
    shutil.rmtree(mover.home)
    before, store = state_of(dovecot.mail_dir(user_of(mover))), state_of(mover.store)

    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)
        done = mover.run("check")
        commands = bytes(proxy.sent).upper()

    def mail_of(files: dict) -> dict:
        """Mail and its times, names, flags and UIDs; not the logs and caches that Dovecot writes for itself."""
        names = [path for path in files if not Path(path).name.startswith("dovecot.")]
        return {path: files[path][2 if Path(path).name == "dovecot-uidlist" else slice(None)] for path in names}

    assert done.returncode == 0
    assert commands.count(b"BODY.PEEK[") == commands.count(b"BODY.PEEK[HEADER.FIELDS") > 0
    assert b"BODY[" not in commands
    assert b"RFC822 " not in commands
    assert b"SELECT" not in commands
    assert b"STORE" not in commands
    assert mail_of(state_of(dovecot.mail_dir(user_of(mover)))) == mail_of(before)
    assert state_of(mover.store) == store


def test_a_second_check_asks_only_for_what_is_new(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 3))
    put(dovecot, mover, mails("in", 3))
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)
        mover.run("check")
        before = len(proxy.sent)
        put(dovecot, mover, [mail("new")])
        done = mover.run("check", "--strict", "--json")
        sent = bytes(proxy.sent[before:])

    assert json.loads(done.stdout)["differences"]["only_server"] == 1
    assert b"UID FETCH 4:* " in sent
    assert b"1:* (UID FLAGS RFC822.SIZE" not in sent


def test_a_folder_that_the_server_does_not_open_is_named_and_the_rest_compared(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1), Projects=mails("project", 1))
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user_of(mover), dovecot.password)
        client.create_folder("Projects")
        client.append("Projects", uploaded(mail("project-0")))
    folder = dovecot.mail_dir(user_of(mover)) / ".Projects"
    folder.chmod(0)
    try:
        done = mover.run("check", "--json")
        people = mover.run("check")
        refused = mover.run("upload", "--yes")
    finally:
        folder.chmod(0o700)
    found = json.loads(done.stdout)

    assert (done.returncode, people.returncode, refused.returncode) == (2, 2, 2)
    assert [problem["where"] for problem in found["problems"]] == ["Projects"]
    assert found["folders"][0]["local"] == "Inbox"
    assert found["folders"][0]["only_local"] == 1
    assert "Projects" in people.stderr
    assert "could not be opened" in refused.stderr
    assert "Nothing was sent" in refused.stderr
    assert mover.run("upload", "--yes").returncode == 0, "once it can be read"


def test_a_line_cut_during_the_listing_ends_in_a_sentence(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    put(dovecot, mover, mails("in", 30))
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)

        def change(line: bytes) -> bytes:
            if b"RFC822.SIZE" in line:
                proxy.cut_after(down=20)
            return line

        proxy.change = change
        done = mover.run("check", "--json")

    assert done.returncode == 2
    assert "cut" in json.loads(done.stdout)["problems"][0]["what"]
    assert "Traceback" not in done.stderr


def test_sigterm_during_the_listing_ends_with_2(dovecot: Dovecot, mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    put(dovecot, mover, mails("in", 3))
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        mover.go_through(proxy)
        hold = Hold(b" FETCH (")
        proxy.change = hold
        process = mover.start("check", "--json")
        hold.wait()
        process.terminate()
        hold.let_go()
        status, out, err = ended(process)

    assert status == 2
    assert "Stopped" in json.loads(out)["problems"][0]["what"]
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_crash(mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    with mover.start("check") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        err = process.stderr.read()

    assert "Traceback" not in err


@pytest.mark.parametrize("language", ["ja_JP.UTF-8", "ja_JP.eucJP", "C"])
def test_no_language_stops_it(mover: Mover, language: str) -> None:
    mover.write(Inbox=mails("in", 1), 見積=mails("quote", 1))
    mover.variables = {"LANG": language, "LC_ALL": language}

    done = mover.run("check", "--json")
    people = mover.run("check")

    assert (done.returncode, people.returncode) == (1, 1)
    assert [row["local"] for row in json.loads(done.stdout)["folders"]][:2] == ["Inbox", "見積"]
    assert "Traceback" not in people.stderr


def test_a_terminal_without_the_letters_gets_escapes(mover: Mover) -> None:
    mover.write(見積=mails("quote", 1))
    mover.variables = {"PYTHONIOENCODING": "latin-1"}

    done = mover.run("check", "--json")
    people = mover.run("check")

    assert json.loads(done.stdout)["folders"][0]["local"] == "見積"
    assert "\\u898b\\u7a4d" in people.stdout
    assert people.returncode == 1


def test_a_disk_that_is_full_ends_in_a_sentence(mover: Mover) -> None:
    mover.write(Inbox=mails("in", 1))
    (mover.home / ".cache").mkdir(parents=True)
    (mover.home / ".cache" / "hikkoshi").symlink_to("/dev/full")

    done = mover.run("check")

    assert done.returncode == 2
    assert done.stderr.startswith("hikkoshi: The index ")
    assert "Traceback" not in done.stderr


def test_its_files_are_the_users_alone(mover: Mover) -> None:
    write_mbox(mover.store / "Inbox", mails("in", 1))
    mover.run("check")
    mover.run("upload", "--yes")
    made = [path for path in mover.home.rglob("*") if "hikkoshi" in str(path)]

    assert {path.suffix for path in made if path.is_file()} >= {".sqlite", ".lock", ".holder"}
    assert {oct(path.stat().st_mode & 0o777) for path in made} == {"0o600", "0o700"}
