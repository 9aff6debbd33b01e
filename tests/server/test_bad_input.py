"""What users and their mail get wrong: a sentence, a status that is not 0, no traceback, nothing changed."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import Hold, Mover, ended, held, mail, mails, mover_to, state_of, uploaded, user_of, write_mbox

pytestmark = pytest.mark.dovecot


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=mails("in", 2))
    return mover


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


def refused(done: "subprocess.CompletedProcess[str]", words: str, status: int = 2) -> None:
    """It ended with `status` and one sentence with `words` in it."""
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


class TestServer:
    def test_wrong_password(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.password = "wrong"
        refused(mover.run("upload", "--yes"), "wrong user name or password")

    def test_no_password(self, mover: Mover) -> None:
        refused(mover.run("check", "--password-command", "true"), "The password command printed nothing")
        refused(mover.run("check", "--password-command", "exit 3"), "ended with status 3")

    def test_unknown_host(self, mover: Mover) -> None:
        mover.url = "imaps://user@no-such-host.invalid"
        refused(mover.run("check"), "No server called no-such-host.invalid is known")

    def test_refused_port(self, mover: Mover) -> None:
        with socket.socket() as held_port:
            held_port.bind(("127.0.0.1", 0))
            mover.url = f"imaps://user@127.0.0.1:{held_port.getsockname()[1]}"
            refused(mover.run("upload", "--yes"), "takes no connections on port")

    def test_a_certificate_that_is_not_trusted(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.url = f"imaps://{dovecot.make_user()}@localhost:{dovecot.imaps_port}"
        refused(mover.run("upload", "--yes"), "The certificate of localhost is not trusted")

    def test_a_certificate_for_another_name(self, dovecot_with: Callable[[Settings], Dovecot], mover: Mover) -> None:
        dovecot = dovecot_with(Settings(listen="127.0.0.2"))
        mover.url = f"imaps://{dovecot.make_user()}@127.0.0.2:{dovecot.imaps_port}"
        mover.options = ("--ca-file", str(dovecot.ca_file))
        refused(mover.run("upload", "--yes"), "The certificate of 127.0.0.2 is for another name")

    def test_a_server_without_login(self, dovecot_with: Callable[[Settings], Dovecot], mover: Mover) -> None:
        dovecot = dovecot_with(Settings(plaintext=False, listen="127.0.0.2"))
        mover.url = f"imap://{dovecot.make_user()}@127.0.0.2:{dovecot.imap_port}"
        refused(mover.run("upload", "--yes"), "takes no password over a line without TLS; none was sent")

    def test_tls_where_there_is_none(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.url = f"imaps://user@127.0.0.1:{dovecot.imap_port}"
        refused(mover.run("check"), "does not speak TLS")

    @pytest.mark.parametrize(
        ("option", "value", "words"),
        [
            ("--server", "pop3://user@host", "must begin with imaps://"),
            ("--server", "imaps://host", "needs a user and a host"),
            ("--server", "imaps://user:hunter2@host", "can be seen by others"),
            ("--server", "imaps://user@host:99999", "cannot be read"),
            ("--ca-file", "/no/such/file", "is not there"),
            ("--ca-file", __file__, "no certificate in PEM form"),
            ("--quota-limit", "lots", "is no size"),
            ("--reserve", "101%", "cannot be more than 100"),
            ("--map", "Inbox", "is no mapping"),
            ("--map", "Nowhere=INBOX", "no local folder “Nowhere” to map"),
        ],
    )
    def test_options_that_make_no_sense(
        self, dovecot: Dovecot, mover: Mover, option: str, value: str, words: str
    ) -> None:
        if value == __file__:
            mover.url = f"imaps://user@localhost:{dovecot.imaps_port}"
        done = mover.run("upload", "--yes", option, value)
        refused(done, words)
        assert "hunter2" not in done.stdout + done.stderr

    def test_a_config_file_that_is_none(self, dovecot: Dovecot, mover: Mover) -> None:
        config = mover.home / ".config/hikkoshi/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("theme = ")
        refused(mover.run("upload", "--yes"), "cannot be read")
        assert on_server(dovecot, mover) == []


class TestStore:
    def test_no_such_path(self, mover: Mover) -> None:
        shutil.rmtree(mover.store)
        refused(mover.run("check"), "There is nothing at")

    @pytest.mark.parametrize("kind", ["file", "folder", "empty"])
    def test_a_path_that_is_no_store(self, mover: Mover, kind: str) -> None:
        shutil.rmtree(mover.store)
        if kind == "file":
            mover.store.write_bytes(b"\x7fELF not mail")
        else:
            mover.store.mkdir()
        if kind == "folder":
            (mover.store / "notes.txt").write_text("hello")
        refused(mover.run("check"), str(mover.store))

    def test_a_file_that_cannot_be_read(self, dovecot: Dovecot, mover: Mover) -> None:
        mover.write(Locked=mails("locked", 1))
        command = mover.command("upload", "--yes", "--json")
        if os.geteuid() == 0:
            # Root reads everything: be nobody.
            command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
            if shutil.which("setpriv") is None:
                pytest.skip("there is no setpriv to be somebody else with")
            (mover.store / "Locked").chmod(0o000)
            mover.home.mkdir(exist_ok=True)
            for path in (mover.home, mover.store, *mover.store.iterdir()):
                os.chown(path, 65534, -1)
            for parent in mover.store.parents:
                if parent.is_relative_to("/tmp/pytest-of-root"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        else:
            (mover.store / "Locked").chmod(0o000)
        if _cannot_start(command):
            pytest.skip("the program cannot be started as somebody else here")
        done = subprocess.run(command, env=mover.environment(), capture_output=True, text=True, timeout=60, check=False)

        assert done.returncode == 1, done.stderr
        assert "Locked" in done.stderr
        assert "Traceback" not in done.stderr
        assert on_server(dovecot, mover) == ["in-0", "in-1"]

    def test_mbox_files_as_they_are_found_in_the_wild(self, dovecot: Dovecot, mover: Mover) -> None:
        bodies = ["a\n\nFrom here on it is text\n", "NUL \0 here\n", "", "a\n>From b\n"]
        contents = [mail(f"odd-{n}", body=body) for n, body in enumerate(bodies)]
        contents += [b"no header at all, but a first line\nand a second\n", b"Subject: bare\n"]
        path = mover.store / "Inbox"
        write_mbox(path, contents)
        path.write_bytes(path.read_bytes().replace(b"From - Mon", b"From someone@example.com Mon"))
        before = state_of(mover.store)

        done = mover.run("upload", "--yes")
        again = mover.run("upload", "--yes", "--json")
        check = mover.run("check")

        arrived = held(dovecot.mail_dir(user_of(mover)))
        expected = [uploaded(content.replace(b">From ", b"From ")) for content in contents]
        # The blank line behind a mail that is all header ends its header.
        expected[4:] = [content + b"\r\n" for content in expected[4:]]
        assert sorted(each.content for each in arrived) == sorted(expected)
        assert done.returncode == 0, done.stderr
        assert "the server changed its bytes" in done.stderr, "Dovecot shows a NUL as 0x80"
        assert json.loads(again.stdout)["plan"]["messages"] == 0
        assert (again.returncode, again.stderr, check.returncode, check.stderr) == (0, "", 0, "")
        assert state_of(mover.store) == before

    def test_a_nul_spoils_no_exit_status(self, mover: Mover) -> None:
        """A mail with one is compared and sent like others, and pre-flight names it."""
        write_mbox(mover.store / "Inbox", [mail("zero", body="NUL \0 here\n")])
        write_mbox(mover.store / "Other", [mail("plain")])

        check = mover.run("check", "--json")
        dry = mover.run("upload", "--dry-run")
        done = mover.run("upload", "--yes", "--folder", "Other")
        flags = mover.run("sync-flags", "--yes")

        assert (check.returncode, json.loads(check.stdout)["problems"]) == (1, [])
        assert dry.returncode == 0, dry.stderr
        assert "1  mail with a NUL" in dry.stdout
        assert (done.returncode, flags.returncode) == (0, 0), done.stderr + flags.stderr

    def test_mail_marked_as_deleted_is_told_and_spoils_no_exit_status(self, dovecot: Dovecot, mover: Mover) -> None:
        cur = mover.folder / "Maildir" / "cur"
        cur.mkdir(parents=True)
        (cur.parent / "new").mkdir()
        (cur / "1.a:2,ST").write_bytes(mail("gone"))
        (cur / "2.b:2,S").write_bytes(mail("kept"))
        local, told = ("--local", str(cur.parent)), "1 mail marked as deleted (T) was left out."

        done = mover.run("upload", "--yes", *local)
        flags = mover.run("sync-flags", "--yes", *local)
        check, as_json = mover.run("check", *local), mover.run("check", "--json", *local)

        assert [each.returncode for each in (done, flags, check, as_json)] == [0, 0, 0, 0]
        assert [each.stderr for each in (done, flags, check)] == [f"INBOX: {told}\n"] * 3
        found = json.loads(as_json.stdout)
        assert (found["problems"], found["remarks"]) == ([], [{"where": "INBOX", "what": told}])
        assert on_server(dovecot, mover) == ["kept"]

    def test_a_file_that_is_cut(self, dovecot: Dovecot, mover: Mover) -> None:
        path = mover.store / "Inbox"
        path.write_bytes(path.read_bytes()[:-5])

        check, done = mover.run("check"), mover.run("upload", "--yes")

        refused(check, "ends in the middle of a mail", 2)
        refused(done, "ends in the middle of a mail", 1)
        assert on_server(dovecot, mover) == ["in-0"]

    def test_an_empty_mail_is_named_and_stops_no_other(self, dovecot: Dovecot, mover: Mover) -> None:
        path = mover.store / "Inbox"
        path.write_bytes(b"From - Mon Jan  1 10:00:00 2024\nX-Mozilla-Status: 0001\n\n" + path.read_bytes())
        (mover.folder / "Maildir" / "cur").mkdir(parents=True)
        (mover.folder / "Maildir" / "new").mkdir()
        (mover.folder / "Maildir" / "cur" / "1.a:2,S").write_bytes(b"")
        (mover.folder / "Maildir" / "cur" / "2.b:2,S").write_bytes(mail("full"))

        done = mover.run("upload", "--yes", "--local", str(mover.folder / "Maildir"))
        mbox = mover.run("upload", "--yes")

        refused(done, "it is empty", 1)
        assert "Traceback" not in mbox.stderr
        assert {"full", "in-0", "in-1"} <= set(on_server(dovecot, mover))

    def test_a_file_that_shrinks_while_it_is_sent(self, dovecot: Dovecot, mover: Mover) -> None:
        # More than are on their way at once: the last of them are read after the file has changed.
        mover.write(Inbox=mails("in", 300))
        with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
            hold = Hold(b"APPENDUID", 2)
            proxy.change = hold
            mover.go_through(proxy)
            process = mover.start("upload", "--yes", "--json")
            hold.wait()
            write_mbox(mover.store / "Inbox", [mail("in-0"), mail("in-2"), mail("in-4")])
            hold.let_go()
            status, out, err = ended(process)
            receipt = json.loads(out)
            rest = mover.run("upload", "--yes")

        assert (status, receipt["state"]) == (1, "done"), err
        assert {each["subject"] for each in receipt["not_moved"]} >= {"in-298", "in-299"}
        assert all("refresh" in each["reason"] for each in receipt["not_moved"])
        assert rest.returncode == 0, rest.stderr
        arrived = on_server(dovecot, mover)
        assert len(arrived) == len(set(arrived)) < 300
        assert {"in-0", "in-2", "in-4"} <= set(arrived)

    def test_names_that_are_no_text(self, dovecot: Dovecot, mover: Mover) -> None:
        name = "見積".encode("cp932")
        try:
            (mover.store / os.fsdecode(name)).write_bytes(
                (mover.store / "Inbox").read_bytes().replace(b"in-", b"quote-")
            )
        except OSError:
            pytest.skip("this file system takes names in UTF-8 alone")

        check = mover.run("check", "--json")
        people = mover.run("check")
        done = mover.run("upload", "--yes")

        assert "Traceback" not in check.stderr + people.stderr + done.stderr
        assert json.loads(check.stdout)["differences"]["only_local"] == 2
        assert ["no text in UTF-8" in problem["what"] for problem in json.loads(check.stdout)["problems"]] == [True]
        assert (check.returncode, people.returncode, done.returncode) == (2, 2, 1)
        assert "no text in UTF-8" in done.stderr
        assert on_server(dovecot, mover) == ["in-0", "in-1"]


def _cannot_start(command: list[str]) -> bool:
    tried = subprocess.run([*command[: command.index("--local")], "--version"], capture_output=True, check=False)
    return tried.returncode != 0
