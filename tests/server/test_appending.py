"""Many mails at once: in one command, and without waiting for each answer."""

import re
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from hikkoshi.errors import CommandRefused, ConnectionLost, LocalChanged, ProtocolBroken
from hikkoshi.server import appending
from hikkoshi.server.appending import Outgoing, Posting
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.records import Appended
from hikkoshi.server.session import ServerSession
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer

WHEN = 1_700_000_000
SEEN = "\\Seen"
COMMANDS = b"x1 DELETE Archive\r\nx2 CREATE Pwned\r\nx3 LOGOUT\r\n"


def mail(number: int, body: bytes = b"body\r\n", *flags: str) -> Outgoing:
    content = b"Message-ID: <%d@example.com>\r\nSubject: %d\r\n\r\n" % (number, number) + body
    return Outgoing(len(content), flags, WHEN + number, lambda: [content])


def content_of(outgoing: Outgoing) -> bytes:
    return b"".join(bytes(chunk) for chunk in outgoing.chunks())


def through(proxy: FaultProxy, dovecot: Dovecot, user: str = "", timeout: float = 5.0) -> Login:
    return Login(proxy.host, proxy.port, user or dovecot.make_user(), dovecot.password, "plain", timeout=timeout)


def stored(dovecot: Dovecot, user: str) -> int:
    return sum(1 for name in ("new", "cur") for _ in (dovecot.mail_dir(user) / name).iterdir())


def literals(sent: bytes) -> list[str]:
    """How each mail was announced, by commands: `+` without waiting, `.` waiting."""
    lines = [line for line in bytes(sent).split(b"\r\n") if re.search(rb"\) \"[^\"]+\" \{\d+\+?\}\Z", line)]
    found: list[str] = []
    for line in lines:
        sign = "+" if line.endswith(b"+}") else "."
        if b" APPEND " in line:
            found.append(sign)
        else:
            found[-1] += sign
    return found


@pytest.mark.dovecot
def test_many_mails_in_one_command_come_in_order_and_only_proven_ones_hurry(
    dovecot: Dovecot, proxy: FaultProxy
) -> None:
    login = through(proxy, dovecot)
    with Bulk.open(login) as bulk:
        first = [mail(n, b"x\r\n", *([SEEN] if n % 3 else [])) for n in range(8)]
        postings = [
            bulk.post_many("INBOX", first),
            bulk.post_many("INBOX", [mail(n, b"y\r\n", SEEN) for n in range(8, 12)]),
        ]
        for posting in postings:
            bulk.answers_to(posting)
        facts = bulk.fetch_facts("INBOX", range(1, 13))
        uids = [result.uid for posting in postings for result in posting.results if isinstance(result, Appended)]
        wholes = {uid: bulk.fetch_whole("INBOX", uid) for uid in uids if uid}

    assert sorted(uids) == list(range(1, 13))
    assert [wholes[uid] for uid in uids if uid] == [content_of(each) for each in first] + [
        content_of(mail(n, b"y\r\n", SEEN)) for n in range(8, 12)
    ]
    assert [facts[uid].date for uid in uids if uid] == [WHEN + n for n in range(12)]
    assert [SEEN in facts[uid].flags for uid in uids if uid] == [bool(n % 3) for n in range(8)] + [True] * 4
    assert literals(proxy.sent) == ["..", "++++++", "++++"]


@pytest.mark.dovecot
def test_one_shape_alone_is_proven_by_two_mails(dovecot: Dovecot, proxy: FaultProxy) -> None:
    with Bulk.open(through(proxy, dovecot)) as bulk:
        bulk.append("INBOX", content_of(mail(0)), [], WHEN)
        for count in (3, 3, 1):
            bulk.answers_to(bulk.post_many("INBOX", [mail(n) for n in range(count)]))

    assert literals(proxy.sent) == [".", "..", "+", "+++", "+"]


@pytest.mark.dovecot
def test_a_refused_command_stores_nothing_and_the_next_one_goes_on(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(max_mail="10k"))
    user = server.make_user()
    with Bulk.open(Login(server.host, server.imap_port, user, server.password, "plain", timeout=5)) as bulk:
        bulk.answers_to(bulk.post_many("INBOX", [mail(0), mail(1)]))
        refused = bulk.post_many("INBOX", [mail(2), mail(3, b"x" * 11_000), mail(4)])
        taken = bulk.post_many("INBOX", [mail(5), mail(6)])
        for posting in (refused, taken):
            bulk.answers_to(posting)

    assert [result.code for result in refused.results if isinstance(result, CommandRefused)] == ["LIMIT"] * 3
    assert refused.together == [0, 1, 2]
    assert [isinstance(result, Appended) for result in taken.results] == [True, True]
    assert stored(server, user) == 4


@pytest.mark.dovecot
@pytest.mark.parametrize("hidden", [("MULTIAPPEND",), ("MULTIAPPEND", "LITERAL+")])
def test_single_commands_have_each_their_own_answer(
    dovecot: Dovecot, proxy: FaultProxy, hidden: tuple[str, ...]
) -> None:
    proxy.hidden = hidden
    with Bulk.open(through(proxy, dovecot)) as bulk:
        mails = [mail(n, b"" if n == 70 else b"x" * 40_000 + b"\r\n") for n in range(100)]
        mails[70] = Outgoing(0, (), WHEN, list)
        posting = bulk.post("INBOX", mails)
        bulk.answers_to(posting)

    uids = [result.uid if isinstance(result, Appended) else None for result in posting.results]
    assert uids == [*range(1, 71), None, *range(71, 100)]
    assert isinstance(posting.results[70], CommandRefused)
    assert bulk.takes_many is False


def test_no_more_is_on_its_way_than_the_window_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "_WINDOW_MAILS", 64)
    monkeypatch.setattr(appending, "_WINDOW_BYTES", 4 << 20)
    answered: list[bytes] = []
    most = 0

    def reply(tag: bytes, command: bytes) -> bytes:
        answered.append(tag)
        Event().wait(0.002)  # slower than the line, so that the window fills
        return tag + b" OK [APPENDUID 1 %d] done\r\n" % len(answered)

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LITERAL+") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        send = bulk._channel.send

        def counting(data) -> None:
            nonlocal most
            most = max(most, len(bulk._under_way), sum(each.size for each in bulk._under_way.values()) >> 16)
            send(data)

        bulk._channel.send = counting  # type: ignore[method-assign]
        bulk.answers_to(bulk.post("INBOX", [mail(n) for n in range(200)]))
        bulk.answers_to(bulk.post("INBOX", [mail(n, b"x" * 100_000) for n in range(60)]))

    assert most == 64
    assert len(answered) == 260


# Mail that reads like commands


@pytest.mark.dovecot
@pytest.mark.parametrize("place", [0, 1])
def test_a_mail_of_commands_behind_a_bad_line_of_the_first_many(
    dovecot: Dovecot, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    login = through(proxy, dovecot)
    lines = [b"() ", b"() "]
    lines[place] = b'() "no date" '
    monkeypatch.setattr(appending, "append_message", lambda *_: lines.pop(0))
    with Bulk.open(login) as bulk:
        posting = Posting(4)
        with pytest.raises(ProtocolBroken):
            bulk.post_many("INBOX", [mail(n, COMMANDS) if n >= place else mail(n) for n in range(4)], posting)
        assert bulk.closed
        assert posting.blamed == [0, 1]
        monkeypatch.undo()
        with pytest.raises(ConnectionLost):
            bulk.post_many("INBOX", [mail(9), mail(8)])

    with ServerSession.open(through(proxy, dovecot, login.user)) as session:
        names = {folder.name for folder in session.folders()}
    assert "Archive" in names
    assert "Pwned" not in names
    assert COMMANDS not in proxy.sent
    assert stored(dovecot, login.user) == 0


@pytest.mark.parametrize("way", ["many", "one by one"])
@pytest.mark.parametrize("answer", [b"{tag} BAD no\r\n", b"* BAD no\r\n", b"zz OK what\r\n", b"nonsense\r\n"])
def test_after_nonsense_to_one_of_many_nothing_more_is_sent(way: str, answer: bytes) -> None:
    asked = 0

    def reply(tag: bytes, command: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return answer.replace(b"{tag}", tag) if asked == 3 else tag + b" OK done\r\n"

    capabilities = b"IMAP4rev1 AUTH=PLAIN LITERAL+" + (b" MULTIAPPEND" if way == "many" else b"")
    with (
        Peer(reply, capabilities=capabilities) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        send = bulk.post_many if way == "many" else bulk.post
        postings = []
        with pytest.raises(ProtocolBroken):  # noqa: PT012 - which of the calls notices it depends on the time
            for start in range(0, 400, 20):
                postings.append(Posting(20))
                send("INBOX", [mail(n, b"x" * 9_000) for n in range(start, start + 20)], postings[-1])
                if way == "many":
                    bulk.answers_to(postings[-1])
            bulk.answers_to(postings[-1])
        assert bulk.closed
        sent = len(peer.received)
        with pytest.raises(ConnectionLost):
            bulk.post("INBOX", [mail(1)])
        assert len(peer.received) == sent or not peer.received.endswith(b"Subject: 1")
    blamed = [number for posting in postings for number in posting.blamed]
    assert bool(blamed) == answer.startswith(b"{tag}")


def test_a_no_before_the_end_of_many_cuts_the_line() -> None:
    """What a server makes of the rest of a command that it refused early is not known."""

    def reply(tag: bytes, _command: bytes) -> bytes:
        return tag + b" OK done\r\n"

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LITERAL+ MULTIAPPEND") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=20)) as bulk,
    ):
        bulk.answers_to(bulk.post_many("INBOX", [mail(0), mail(1)]))
        peer.refuse_early = b"[LIMIT] too much"
        posting = Posting(40)
        with pytest.raises(ConnectionLost, match="too much"):
            bulk.post_many("INBOX", [mail(n, b"x" * 400_000) for n in range(40)], posting)
        assert bulk.closed
        assert posting.results == [None] * 40


# Mail that changes while it is sent


@pytest.mark.dovecot
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("error", [LocalChanged("it changed"), OSError("disk")])
def test_nothing_of_a_mail_is_stored_that_breaks_off(
    dovecot: Dovecot, proxy: FaultProxy, error: Exception, many: bool
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"Subject: x\r\n\r\n"
        yield b"y" * 100_000
        raise error

    login = through(proxy, dovecot)
    with Bulk.open(login) as bulk:
        broken = Outgoing(200_000, (), WHEN, chunks)
        bulk.answers_to(bulk.post("INBOX", [mail(0)]))
        with pytest.raises(type(error)):
            (bulk.post_many if many else bulk.post)("INBOX", [mail(1), broken, mail(2)])
        assert bulk.closed

    with Bulk.open(through(proxy, dovecot, login.user)) as bulk:
        assert bulk.examine("INBOX").messages == (1 if many else 2)


@pytest.mark.dovecot
@pytest.mark.parametrize("length", [9, 11])
def test_a_mail_that_is_not_as_long_as_it_said_is_cut(dovecot: Dovecot, proxy: FaultProxy, length: int) -> None:
    login = through(proxy, dovecot)
    with Bulk.open(login) as bulk:
        with pytest.raises(ValueError, match="10 bytes"):
            bulk.post("INBOX", [Outgoing(10, (), WHEN, lambda: [b"x" * length])])
        assert bulk.closed
    assert stored(dovecot, login.user) == 0
