"""An undo that ends at any point: at each write to the ledger, before it and behind it, and at answers of the server.

The process is gone then: nothing of it is carried out any more. Another undo goes on, and an upload instead of it brings no
mail twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.accounts.undoing import plan_undo, undo
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import silent
from hikkoshi.ledger.store import Ledger
from hikkoshi.server.channel import Channel
from support.dovecot import Dovecot
from support.moving import Mover, held, mail, mails, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

OURS = ["in-0", "in-1", "in-2", "note-0", "note-1"]
WRITES, ANSWERS = 7, 60
"""How many there are, at least; the last test sees that no more are needed."""


class Killed(BaseException):
    """The process is no more."""


class Killer:
    """Ends the process at the `point`-th of the points that `step` is told of; `seen`: how many there were."""

    def __init__(self, point: int) -> None:
        self.point, self.seen = point, 0

    @property
    def dead(self) -> bool:
        return self.seen >= self.point

    def step(self) -> None:
        self.seen += 1
        self.check()

    def check(self) -> None:
        if self.dead:
            raise Killed


@contextmanager
def killing(where: str, point: int) -> Iterator[Killer]:
    """Have an undo die: `where` is before or behind a write, or an answer. The dead neither write nor send."""
    killer = Killer(point)
    write, read, send = Ledger._write, Channel.read, Channel.send

    @contextmanager
    def writing(self: Ledger) -> Iterator[None]:
        killer.check()
        if where == "before":
            killer.step()
        with write(self):
            yield
        if where == "behind":
            killer.step()

    def reading(self: Channel, *given: int, **named: bool) -> object:
        found = read(self, *given, **named)
        if where == "answer":
            killer.step()
        return found

    def sending(self: Channel, data: bytes | memoryview) -> None:
        killer.check()
        send(self, data)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ledger, "_write", writing)
        patched.setattr(Channel, "read", reading)
        patched.setattr(Channel, "send", sending)
        patched.setattr(Channel, "say_goodbye", Channel.close)
        yield killer


@pytest.fixture
def mover(dovecot: Dovecot, tmp_path: Path) -> Mover:
    """Five mails of ours, in two folders, among others, of which one is marked as deleted."""
    mover = mover_to(dovecot, tmp_path)
    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user_of(mover), dovecot.password)
        client.append("INBOX", uploaded(mail("theirs")))
        client.append("INBOX", uploaded(mail("marked")), ["\\Deleted"])
    mover.write(Inbox=mails("in", 3), Notes=mails("note", 2))
    session = session_of(mover, dovecot)
    session.refresh(silent, Cancel())
    assert session.upload(session.plan(), lambda _: None, Cancel()).complete
    return mover


def session_of(mover: Mover, dovecot: Dovecot) -> AccountSession:
    options = Options(mover.store, parse_address(f"imap://{user_of(mover)}@{dovecot.host}:{dovecot.imap_port}"))
    return AccountSession(options, AccountSession.open_store(options), mover.password, files_in(mover.folder / "files"))


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return sorted(each.name for each in held(dovecot.mail_dir(user_of(mover))))


def die(mover: Mover, dovecot: Dovecot, where: str, point: int) -> bool:
    """An undo that is killed; False: it was through before."""
    session = session_of(mover, dovecot)
    session.refresh(silent, Cancel())
    plan = plan_undo(session, 1)
    with killing(where, point):
        try:
            undo(session, plan, silent, Cancel())
        except Killed:
            return True
    return False


def undo_again(mover: Mover, dovecot: Dovecot) -> None:
    session = session_of(mover, dovecot)
    session.refresh(silent, Cancel())
    result = undo(session, plan_undo(session, 1), silent, Cancel())
    assert result.complete, result
    assert session.snapshot is not None
    assert session.snapshot.counts.only_local == len(OURS)


def upload_again(mover: Mover, dovecot: Dovecot) -> None:
    session = session_of(mover, dovecot)
    session.refresh(silent, Cancel())
    session.upload(session.plan(), lambda _: None, Cancel())


POINTS = [(where, point) for where in ("before", "behind") for point in range(1, WRITES + 1)]
POINTS += [("answer", point) for point in range(1, ANSWERS, 4)]


@pytest.mark.parametrize(("where", "point"), POINTS)
def test_another_undo_goes_on(dovecot: Dovecot, mover: Mover, where: str, point: int) -> None:
    assert die(mover, dovecot, where, point)

    undo_again(mover, dovecot)

    assert on_server(dovecot, mover) == ["marked", "theirs"]
    with Ledger(files_in(mover.folder / "files").ledger) as ledger:
        assert {item.state.value for item in ledger.items(1)} == {"removed"}
        assert ledger.untold(str(session_of(mover, dovecot).server)) == []


@pytest.mark.parametrize(("where", "point"), [("behind", 2), ("behind", 3), ("answer", 29), ("answer", 41)])
@pytest.mark.parametrize("first", [upload_again, undo_again])
def test_an_upload_instead_brings_no_mail_twice(
    dovecot: Dovecot, mover: Mover, where: str, point: int, first: Callable[[Mover, Dovecot], None]
) -> None:
    die(mover, dovecot, where, point)

    first(mover, dovecot)
    upload_again(mover, dovecot)

    assert on_server(dovecot, mover) == sorted(["marked", "theirs", *OURS])


@pytest.mark.parametrize(("where", "count"), [("before", WRITES), ("answer", ANSWERS)])
def test_there_are_not_many_more_points(dovecot: Dovecot, mover: Mover, where: str, count: int) -> None:
    assert not die(mover, dovecot, where, 2 * count)
