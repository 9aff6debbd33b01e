"""Mail that reads like commands, behind a command line that the server calls BAD, in each way of sending."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from hikkoshi.errors import ProtocolBroken
from hikkoshi.move import lanes
from hikkoshi.server import appending
from hikkoshi.server.appending import Outgoing, Posting
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Mover, held, mail, mover_to, user_of

pytestmark = pytest.mark.dovecot

FOLLOWED = ("AUTH=PLAIN", "COMPRESS=DEFLATE")  # the proxy follows no commands behind these
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "MULTIAPPEND": ((), ()),
    "LITERAL+": (("MULTIAPPEND",), ()),
    "LITERAL-": (("MULTIAPPEND", "LITERAL+"), ("LITERAL-",)),
    "plain": (("MULTIAPPEND", "LITERAL+"), ()),
    "lanes": (("MULTIAPPEND", "LITERAL+"), ()),
}
"""What the server must not offer for a way, and what it shall seem to offer besides."""
COMMANDS = "x1 DELETE Archive\nx2 CREATE Pwned\nx3 STORE 1:* +FLAGS (\\Deleted)\nx4 APPEND Pwned {3+}\nabc\nx5 LOGOUT\n"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, proxy: FaultProxy) -> str:
    """Each way of sending in turn."""
    hidden, proxy.shown = WAYS[request.param]
    proxy.hidden = (*hidden, *FOLLOWED)
    return str(request.param)


@pytest.fixture
def login(dovecot: Dovecot, proxy: FaultProxy) -> Login:
    """A user behind the line."""
    return Login(proxy.host, proxy.port, dovecot.make_user(), dovecot.password, "plain", timeout=5)


def outgoing(number: int) -> Outgoing:
    content = mail(f"in-{number}", body=COMMANDS).replace(b"\n", b"\r\n")
    return Outgoing(len(content), (), 1_700_000_000 + number, lambda: [content])


def folders(dovecot: Dovecot, user: str) -> set[str]:
    with Bulk.open(Login(dovecot.host, dovecot.imap_port, user, dovecot.password, "plain", timeout=5)) as bulk:
        return {folder.name for folder in bulk.overview().folders}


def test_a_first_line_that_the_server_itself_calls_bad(
    dovecot: Dovecot, proxy: FaultProxy, login: Login, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first mail of its kind waits for its go-ahead, so that nothing of it follows the BAD."""
    numbers = count()
    for name in ("append_message", "append_arguments"):
        write = getattr(appending, name)

        def spoilt(*given: object, write: Callable[..., bytes] = write) -> bytes:
            before, quote, _date = write(*given).rpartition(b'"')[0].rpartition(b'"')
            return before + quote + b'no date" '

        monkeypatch.setattr(appending, name, spoilt)
    before = folders(dovecot, login.user)
    posting = Posting(12)
    mails = [outgoing(next(numbers)) for _ in range(12)]
    with Bulk.open(login) as bulk:
        if way == "lanes":
            further = lanes.Lanes(login)
            dealt = lanes.LanePosting(12)
            with pytest.raises(ProtocolBroken):  # noqa: PT012 - which of them notices it depends on the time
                further.post("INBOX", mails, bulk, dealt)
                further.answers_to(dealt)
            further.close()
        else:
            with pytest.raises(ProtocolBroken):  # noqa: PT012
                (bulk.post_many if way == "MULTIAPPEND" else bulk.post)("INBOX", mails, posting)
                bulk.answers_to(posting)
        assert bulk.closed or way == "lanes"

    assert b"x1 DELETE" not in proxy.sent
    assert folders(dovecot, login.user) == before
    assert held(dovecot.mail_dir(login.user)) == []


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_bad_in_the_middle_of_a_move(
    dovecot: Dovecot, proxy: FaultProxy, way: str, number: int, tmp_path: Path
) -> None:
    """Whatever was on its way, each mail arrives once and as it was, and none was carried out."""
    mover: Mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    names = [f"in-{n}" for n in range(24 if way == "lanes" else 6)]
    mover.write(Inbox=[mail(name, body=COMMANDS * 40) for name in names])
    before = folders(dovecot, user_of(mover))
    proxy.refuse(b"APPEND", number, b"BAD Command Argument Error. 11")
    done = mover.run("upload", "--yes")
    rest = mover.run("upload", "--yes")

    assert rest.returncode == 0, done.stderr + rest.stderr
    assert folders(dovecot, user_of(mover)) == before
    there = held(dovecot.mail_dir(user_of(mover)))
    assert sorted(each.name for each in there) == sorted(names)
    assert all(each.content.count(b"x1 DELETE") == 40 and "\\Deleted" not in each.flags for each in there)
