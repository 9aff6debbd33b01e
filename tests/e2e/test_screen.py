"""The installed program in a real terminal against Dovecot, with keys alone."""

from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.command import Hikkoshi
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.profile import Account, Mail, MailFolder, write_profile
from support.terminal import Terminal
from support.tools import Tool

pytestmark = [pytest.mark.dovecot, pytest.mark.tmux]


def letter(number: int, name: str = "mail") -> bytes:
    date = f"Mon, {number % 27 + 1} Jan 2024 10:00:00 +0900"
    return (
        f"Received: from a by b; {date}\nDate: {date}\nFrom: suzuki@example.com\nTo: tanaka@example.jp\n"
        f"Subject: =?UTF-8?B?6KaL56mN?= {name} {number}\nMessage-ID: <{name}{number}@example.com>\n\nhello {number}\n"
    ).encode()


@pytest.fixture
def office(dovecot: Dovecot, tmp_path: Path) -> tuple[Hikkoshi, Path]:
    """Ten mails in the inbox, of which the server has the even ones, and three sent ones that it lacks."""
    user = dovecot.make_user("tanaka")
    inbox = [Mail(letter(number), status=number % 2) for number in range(10)]
    sent = [Mail(letter(number, "sent"), status=1) for number in range(3)]
    account = Account("pop3", "mail.example.jp", user, email=f"{user}@example.jp", folders=(
        MailFolder(("Inbox",), inbox), MailFolder(("Sent",), sent),
    ))  # fmt: skip
    profile = write_profile(tmp_path / "thunderbird", (account,))
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user, dovecot.password)
        for number in range(0, 10, 2):
            client.append("INBOX", letter(number))
    return Hikkoshi(tmp_path / "home", profile, dovecot, user), dovecot.mail_dir(user)


def bodies(folder: Path) -> list[bytes]:
    """What the server's own files hold."""
    return sorted(path.read_bytes() for part in ("cur", "new") for path in (folder / part).iterdir())


def test_what_is_missing_is_selected_and_uploaded_with_keys_alone(office: tuple[Hikkoshi, Path], tmux: Tool) -> None:
    program, maildir = office
    with Terminal(tmux, program.arguments, program.environment) as terminal:
        terminal.wait_for("checked")
        terminal.type("m")
        terminal.wait_for("5 selected")
        terminal.type("u")
        terminal.wait_for("Upload 5 mails")
        terminal.type("Enter")
        terminal.wait_for("5 mails arrived")
        terminal.type("Enter")
        terminal.wait_for(lambda screen: "arrived" not in screen)
        terminal.type("M")
        terminal.wait_for("3 selected")
        terminal.type("F5")
        terminal.wait_for("Upload 3 mails")
        terminal.type("Enter")
        terminal.wait_for("3 mails arrived")
        terminal.type("Enter")
        terminal.wait_for(lambda screen: "arrived" not in screen)
        terminal.type("q")

        assert terminal.wait_for_end() == 0
    assert sorted(letter(number) for number in range(10)) == bodies(maildir)
    assert sorted(letter(number, "sent") for number in range(3)) == bodies(maildir / ".Sent")
    read = [path.read_bytes() for path in (maildir / "cur").iterdir() if "S" in path.name.partition(":2,")[2]]
    assert sorted(letter(number) for number in (1, 3, 5, 7, 9)) == sorted(read)


def test_a_closed_terminal_ends_the_move_cleanly_and_the_next_start_tells(
    office: tuple[Hikkoshi, Path], dovecot: Dovecot, tmux: Tool
) -> None:
    program, maildir = office
    with FaultProxy(dovecot.host, dovecot.imaps_port) as proxy:
        slow = [word.replace(f":{dovecot.imaps_port}", f":{proxy.port}") for word in program.arguments]
        with Terminal(tmux, slow, program.environment) as terminal:
            terminal.wait_for("checked")
            terminal.type("M")
            terminal.wait_for("selected")
            proxy.delay = 0.5
            terminal.type("u")
            terminal.wait_for("Upload 8 mails")
            terminal.type("Enter")
            # The batch of the inbox is there and is read back; the one of the sent mail is not begun.
            terminal.wait_for(lambda _screen: len(bodies(maildir)) == 10)
            terminal.hang_up()
        proxy.delay = 0.0
        arrived = len(bodies(maildir)) - 5 + len(bodies(maildir / ".Sent"))
        assert arrived == 5

        with Terminal(tmux, slow, program.environment, 80, 24) as terminal:
            terminal.wait_for(lambda screen: "ended early" in screen and f"{arrived} of 8 mails" in screen)
            terminal.type("Escape")  # Enter would go on with it
            terminal.wait_for(lambda screen: "ended early" not in screen and "mail 9" in screen)
            terminal.type("q")
            assert terminal.wait_for_end() == 0
        done = program.run("upload", "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(letter(number) for number in range(10)) == bodies(maildir)
    assert sorted(letter(number, "sent") for number in range(3)) == bodies(maildir / ".Sent")
