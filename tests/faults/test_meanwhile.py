"""What else befalls a move, or happens between one that was killed and the next: the disk fills up, the terminal is closed,
it is killed again and again, the server is restarted or numbers its mail anew, the mbox is compacted by its client."""

import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.points import SETTINGS, kills, known, sampled, spread
from support.crash import Case, DyingMover, Hosts
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.dying_mover import ANSWER, COMMIT, COMMITTED, FULL, HANG_UP, SENDING, Fault
from support.letters_at_risk import LETTERS, difference, there
from support.moving import write_mbox

pytestmark = pytest.mark.dovecot

KILLED = -signal.SIGKILL
MakeCase = Callable[[str, str], Case]


def _on_every_setting(faults: list[Fault], sampled: int = 1) -> Iterator[Any]:
    """These faults on every server and by every way; the first `sampled` of a tenth of them are in the sample."""
    for number, (host, way) in enumerate(SETTINGS):
        for place, fault in enumerate(faults):
            sample = [pytest.mark.sample] if number % 5 == place < sampled else []
            yield pytest.param(host, way, fault, id=f"{host}-{way}-{fault}", marks=[pytest.mark.matrix, *sample])


@pytest.mark.parametrize(
    ("host", "way", "fault"), list(_on_every_setting([Fault(FULL, at) for at in (2, 3, 5, 8, 11, 14)], 3))
)
def test_a_full_disk_on_this_pc(case: MakeCase, host: str, way: str, fault: Fault) -> None:
    move = case(host, way)

    assert move.upload(fault).status == 2
    assert "database or disk is full" in move.said
    move.goes_on()
    assert move.difference() == ""


@pytest.mark.parametrize(
    ("host", "way", "fault"), list(_on_every_setting([Fault(HANG_UP, at) for at in (1, 6, 13)], 3))
)
def test_a_terminal_that_is_closed(case: MakeCase, host: str, way: str, fault: Fault) -> None:
    move = case(host, way)

    assert move.upload(fault).status == 1
    assert "the upload ended before" in move.said
    move.goes_on()
    assert "the terminal was closed" in "".join(each.read_text() for each in move.folder.glob("2.*"))
    assert move.difference() == ""


AGAIN = [Fault(kind, at) for kind in (COMMIT, COMMITTED, ANSWER) for at in (1, 2, 4, 7)] + [Fault(SENDING, 3)]


@pytest.mark.parametrize(("host", "way", "fault"), list(_on_every_setting(AGAIN, 2)))
def test_killed_again(case: MakeCase, host: str, way: str, fault: Fault) -> None:
    """In the middle of what it sends, and then while it settles what that has left or sends the rest."""
    move = case(host, way)

    assert move.upload(Fault(SENDING, 8)).status == KILLED
    assert move.upload(fault).status == KILLED, move.said
    move.goes_on()
    assert move.difference() == ""


def _resumed() -> Iterator[Any]:
    counts = known()
    for number, (host, way) in enumerate(SETTINGS):
        points = [fault for fault in kills(counts[host, way]) if fault.kind != COMMIT or fault.at > 2]
        for place in sorted(spread(len(points), number + 3) | spread(len(points), number + 6)):
            sample = [pytest.mark.sample] if place % 10 == 0 else []
            fault = points[place]
            yield pytest.param(host, way, fault, id=f"{host}-{way}-{fault}", marks=[pytest.mark.matrix, *sample])


@pytest.mark.parametrize(("host", "way", "fault"), list(_resumed()))
def test_killed_and_resumed(case: MakeCase, host: str, way: str, fault: Fault) -> None:
    move = case(host, way)

    assert move.upload(fault).status == KILLED, move.said
    move.goes_on("resume")
    assert move.difference() == ""


def number_anew(server: Dovecot, user: str) -> None:
    """Give each folder with mail another UIDVALIDITY, as after a restore; its mails keep their UIDs."""
    maildir = server.mail_dir(user)
    for folder in [maildir, *(path for path in maildir.iterdir() if (path / "cur").is_dir())]:
        uids = folder / "dovecot-uidlist"
        if uids.exists():
            uids.write_text(re.sub(r"\bV(\d+)\b", lambda found: f"V{int(found[1]) + 1}", uids.read_text(), count=1))
            for index in folder.glob("dovecot.index*"):
                index.unlink()


NUMBERED = [Fault(ANSWER, 8), Fault(ANSWER, 14), Fault(SENDING, 7), Fault(SENDING, 16), Fault(COMMITTED, 7)]


@pytest.mark.parametrize("way", ["together", "hurried", "small", "waiting"])
@pytest.mark.parametrize("fault", sampled(NUMBERED, NUMBERED[1]))
@pytest.mark.parametrize("command", ["upload", "resume"])
def test_another_uidvalidity(case: MakeCase, way: str, fault: Fault, command: str) -> None:
    move = case("maildir", way)
    assert move.upload(fault).status == KILLED
    assert isinstance(move.server, Dovecot)
    number_anew(move.server, move.user)

    move.goes_on(command)
    assert move.difference() == ""


def test_an_empty_folder_that_courier_numbers_anew_until_mail_is_in_it(case: MakeCase) -> None:
    """A second passes between the look into the folder and the first mail."""
    move = case("courier", "waiting")
    examined = threading.Event()

    def wait(line: bytes) -> bytes:
        if line.startswith(b"* OK [UIDVALIDITY"):
            examined.wait(1.1)
        return line

    move.line.change = wait

    assert move.upload().status == 0, move.said
    move.line.change = None
    move.goes_on()
    assert move.difference() == ""


@pytest.mark.parametrize("fault", sampled(NUMBERED, NUMBERED[2]))
@pytest.mark.parametrize(("host", "way"), [("maildir", "together"), ("sdbox", "waiting"), ("cyrus", "hurried")])
@pytest.mark.parametrize("command", ["upload", "resume"])
def test_an_mbox_that_its_client_has_compacted(
    hosts: Hosts, mover: DyingMover, letters: Path, tmp_path: Path, host: str, way: str, fault: Fault, command: str
) -> None:
    """The first mail was deleted there, so that all others lie elsewhere."""
    store = tmp_path / "store"
    shutil.copytree(letters, store)
    gone, *left = (letter for letter in LETTERS if letter.folder == "Inbox")
    with Case(hosts, mover, host, way, tmp_path, store) as move:
        assert move.upload(fault).status == KILLED
        write_mbox(store / "Inbox", [letter.stored() for letter in left])

        assert move.run(command, "--yes").status in ((0, 1) if command == "resume" else (0,)), move.said
        move.goes_on()
        found = move.holdings()
        found[there(gone)] = max(found[there(gone)], 1)
        assert difference(found) == ""


@pytest.mark.parametrize("way", ["together", "hurried", "small", "waiting"])
@pytest.mark.matrix
@pytest.mark.parametrize("number", [1, pytest.param(4, marks=pytest.mark.sample), 7])
@pytest.mark.parametrize("driver", ["maildir", "sdbox"])
def test_a_server_that_is_restarted(
    mover: DyingMover, letters: Path, tmp_path: Path, driver: str, way: str, number: int
) -> None:
    """All its connections end without a word, behind or in front of what it was about to say."""
    hosts = Hosts()
    server = hosts.start(driver, lambda: Dovecot(Settings(driver=driver)))
    try:
        with Case(hosts, mover, driver, way, tmp_path, letters) as move:
            restarted: list[bytes] = []

            def restart(line: bytes) -> None:
                server.restart()
                restarted.append(line)

            move.line.at_answer(b"APPEND", number, restart)

            assert move.upload().status == 0, move.said
            assert len(restarted) == 1
            move.goes_on()
            assert move.difference() == ""
    finally:
        hosts.close()


@pytest.mark.parametrize(("host", "way"), [("maildir", "together"), ("cyrus", "hurried"), ("bare", "waiting")])
def test_two_at_once(case: MakeCase, letters: Path, host: str, way: str) -> None:
    """The second is told who is at work, and sends nothing."""
    move = case(host, way)
    appending, told = threading.Event(), threading.Event()

    def hold(line: bytes) -> bytes:
        appending.set()
        assert told.wait(30)
        return line

    move.line.at_answer(b"APPEND", 2, hold)
    other = DyingMover()
    statuses: list[int] = []
    first = threading.Thread(target=lambda: statuses.append(move.upload().status))
    first.start()
    try:
        assert appending.wait(30)
        status, said = move.beside(other)
    finally:
        told.set()
        first.join(60)
        other.close()

    assert status == 2
    assert "Another hikkoshi" in said or "another hikkoshi" in said
    assert statuses == [0]
    move.goes_on()
    assert move.difference() == ""
