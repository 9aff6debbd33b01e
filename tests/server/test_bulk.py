"""Listing, appending and reading back: on Dovecot, through a line that is cut, and with answers of others."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hikkoshi.errors import CommandRefused, ConnectionLost, ProtocolBroken
from hikkoshi.mail.headers import identity_fields
from hikkoshi.mail.message import Message
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.records import Appended, Facts
from hikkoshi.server.session import ServerSession
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer

WHEN = 1_700_000_000
SEEN = "\\Seen"


def mail(number: int, body: bytes = b"body\r\n") -> bytes:
    return (
        b"Received: by mx; Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <%d@example.com>\r\n"
        b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: a@example.com\r\nSubject: =?utf-8?B?5pel?=\r\n folded %d\r\n\r\n"
    ) % (number, number) + body


def login_to(server: Dovecot, user: str = "", **changes) -> Login:
    """Without TLS, so that a proxy can read along."""
    settings = {"host": server.host, "port": server.imap_port, "security": "plain", "timeout": 5.0, **changes}
    return Login(user=user or server.make_user(), password=server.password, **settings)


@pytest.fixture
def bulk(dovecot: Dovecot) -> Iterator[Bulk]:
    login = login_to(dovecot, host="localhost", port=dovecot.imaps_port, security="tls", ca_file=dovecot.ca_file)
    with Bulk.open(login) as opened:
        yield opened


def through(proxy: FaultProxy, dovecot: Dovecot, user: str = "", timeout: float = 5.0) -> Login:
    return login_to(dovecot, user, host=proxy.host, port=proxy.port, timeout=timeout)


def stored(dovecot: Dovecot, user: str, folder: str = "") -> list[bytes]:
    """The mails in Dovecot's own files, line ends as CRLF."""
    box = dovecot.mail_dir(user) / folder if folder else dovecot.mail_dir(user)
    paths = [path for name in ("new", "cur") for path in sorted((box / name).iterdir())]
    return [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in paths]


# Listing


@pytest.mark.dovecot
def test_a_listing_has_all_that_the_index_needs(bulk: Bulk) -> None:
    bulk.append("INBOX", mail(1), [SEEN, "$Forwarded"], WHEN)
    bulk.append("INBOX", b"\r\nno header at all\r\n", [], WHEN + 1)
    status = bulk.examine("INBOX")

    assert (status.messages, status.uidnext, status.permanent_flags) == (2, 3, None)
    assert list(bulk.list_new(1)) == [
        Message("1", len(mail(1)), frozenset({SEEN, "$Forwarded"}), WHEN, identity_fields(mail(1))),
        Message("2", 20, frozenset(), WHEN + 1, b""),
    ]
    assert [message.place for message in bulk.list_new(2)] == ["2"]
    assert list(bulk.list_new(3)) == []
    assert dict(bulk.list_flags()) == {1: {SEEN, "$Forwarded"}, 2: set()}


@pytest.mark.dovecot
def test_an_empty_folder_and_one_that_cannot_be_opened(bulk: Bulk) -> None:
    bulk.examine("Sent")

    assert list(bulk.list_new(1)) == []
    assert list(bulk.list_flags()) == []
    with pytest.raises(CommandRefused, match="The folder 見積/なし cannot be opened"):
        bulk.examine("見積/なし")
    assert bulk.examine("INBOX").messages == 0


@pytest.mark.dovecot
def test_looking_changes_nothing(dovecot: Dovecot, bulk: Bulk) -> None:
    bulk.append("INBOX", mail(1), [], WHEN)
    bulk.examine("INBOX")
    list(bulk.list_new(1))
    bulk.fetch_whole("INBOX", 1)

    assert bulk.fetch_facts("INBOX", [1])[1].flags == frozenset()


@pytest.mark.dovecot
def test_a_listing_given_up_closes_the_connection(dovecot: Dovecot, proxy: FaultProxy) -> None:
    with Bulk.open(through(proxy, dovecot)) as bulk:
        for number in range(3):
            bulk.append("INBOX", mail(number))
        bulk.examine("INBOX")
        listing = bulk.list_new(1)
        next(listing)
        listing.close()

        assert bulk.closed
        with pytest.raises(ConnectionLost):
            bulk.noop()


@pytest.mark.dovecot
def test_cut_anywhere_in_a_listing(dovecot: Dovecot, proxy: FaultProxy) -> None:
    login = through(proxy, dovecot)
    with Bulk.open(login) as bulk:
        for number in range(3):
            bulk.append("INBOX", mail(number), [SEEN], WHEN)
        bulk.examine("INBOX")
        before = proxy.answered
        whole = list(bulk.list_new(1))
        length = proxy.answered - before
    for down in range(0, length, 23):
        with Bulk.open(login) as bulk:
            bulk.examine("INBOX")
            proxy.cut_after(down=down)
            found: list[Message] = []
            with pytest.raises(ConnectionLost):
                found.extend(bulk.list_new(1))
            assert found == whole[: len(found)]
            proxy.cut_after()


@pytest.mark.dovecot
def test_a_silent_server_is_given_up(dovecot: Dovecot, proxy: FaultProxy) -> None:
    with Bulk.open(through(proxy, dovecot, timeout=0.4)) as bulk:
        proxy.change = lambda _line: b""
        with pytest.raises(ConnectionLost, match="stopped answering"):
            bulk.examine("INBOX")


@pytest.mark.dovecot
def test_a_slow_server_is_waited_for(dovecot: Dovecot, proxy: FaultProxy) -> None:
    with Bulk.open(through(proxy, dovecot)) as bulk:
        proxy.delay = 0.05
        assert bulk.append("INBOX", mail(1)).uid == 1


# Appending


@pytest.mark.dovecot
def test_a_mail_arrives_byte_for_byte_with_its_flags_and_date(dovecot: Dovecot) -> None:
    odd = mail(1, b"8-bit \xff\xfe, a bare \r here, From and .\r\n.\r\nand no end of line")
    login = login_to(dovecot)
    with Bulk.open(login) as bulk:
        for _ in range(3):
            appended = bulk.append("INBOX", odd, [SEEN, "$Forwarded", "work"], WHEN)
        assert appended == Appended(bulk.examine("INBOX").uidvalidity, 3)
        assert bulk.fetch_whole("INBOX", 3) == odd
        assert bulk.fetch_facts("INBOX", [1, 3, 99]) == {
            uid: Facts(len(odd), frozenset({SEEN, "$Forwarded", "work"}), WHEN) for uid in (1, 3)
        }

    assert len(stored(dovecot, login.user)) == 3


@pytest.mark.dovecot
def test_the_first_mail_of_each_folder_and_flag_set_waits_for_the_server(dovecot: Dovecot, proxy: FaultProxy) -> None:
    with Bulk.open(through(proxy, dovecot)) as bulk:
        for folder, flags in [("INBOX", [SEEN])] * 3 + [("INBOX", [])] * 2 + [("Sent", [SEEN])] * 2:
            bulk.append(folder, b"Subject: x\r\n\r\n", flags, WHEN)
    lines = [line for line in proxy.sent.split(b"\r\n") if b"APPEND" in line]

    assert [line.endswith(b"{14+}") for line in lines] == [False, True, True, False, True, False, True]


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("capability", "expected"),
    [("IMAP4rev1 UIDPLUS LITERAL-", [False, True, False]), ("IMAP4rev1 UIDPLUS", [False, False, False])],
)
def test_literals_as_the_server_offers_them(
    dovecot_with: Callable[[Settings], Dovecot], capability: str, expected: list[bool]
) -> None:
    server = dovecot_with(Settings(capability=capability))
    with FaultProxy(server.host, server.imap_port) as proxy, Bulk.open(through(proxy, server)) as bulk:
        for size in (10, 4096 - len(mail(1, b"")), 4097 - len(mail(1, b""))):
            bulk.append("INBOX", mail(1, b"x" * size))
        lines = [line for line in proxy.sent.split(b"\r\n") if b"APPEND" in line]

    assert [line.endswith(b"+}") for line in lines] == expected


@pytest.mark.dovecot
def test_refusals_have_a_code_and_leave_the_connection_in_step(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(quota_storage="45k", max_mail="20k"))
    with Bulk.open(login_to(server)) as bulk:
        codes = []
        for folder, size in (("Nope", 1), ("INBOX", 30_000), ("INBOX", 15_000), ("INBOX", 30_000), ("INBOX", 15_000)):
            try:
                codes.append(bulk.append(folder, mail(1, b"x" * size)).uid)
            except CommandRefused as error:
                codes.append(error.code)
        for _ in range(2):
            with pytest.raises(CommandRefused, match="INBOX") as caught:
                bulk.append("INBOX", mail(1, b"x" * 19_900))
            assert caught.value.code == "OVERQUOTA"
        with pytest.raises(CommandRefused):
            bulk.append("INBOX", b"")

        assert codes == ["TRYCREATE", "LIMIT", 1, "LIMIT", 2]
        assert bulk.append("INBOX", mail(2)).uid == 3


@pytest.mark.dovecot
def test_progress_is_told_in_bytes(bulk: Bulk) -> None:
    sent: list[int] = []
    message = mail(1, b"x" * 200_000)
    bulk.append("INBOX", message, progress=sent.append)

    assert sent == sorted(sent)
    assert sent[-1] == len(message)
    assert len(sent) > 2


@pytest.mark.dovecot
@pytest.mark.parametrize("flags", [["\\Recent"], ["a b"], ["x)\r\nx DELETE Sent"]])
def test_unchecked_flags_are_never_sent(dovecot: Dovecot, proxy: FaultProxy, flags: list[str]) -> None:
    with Bulk.open(through(proxy, dovecot)) as bulk:
        with pytest.raises(ValueError, match="flags"):
            bulk.append("INBOX", mail(1), flags)
        bulk.noop()

    assert b"APPEND" not in proxy.sent


COMMANDS = b"x1 DELETE Archive\r\nx2 CREATE Pwned\r\nx3 LOGOUT\r\n"


@pytest.mark.dovecot
@pytest.mark.parametrize("first", [True, False])
def test_a_mail_of_commands_after_a_bad_harms_nothing(
    dovecot: Dovecot, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """A command line that the server calls BAD: with a `{n+}` literal it would carry out the mail's lines."""
    login = through(proxy, dovecot)
    with Bulk.open(login) as bulk:
        if not first:
            bulk.append("INBOX", mail(1), [SEEN])
            # More than the buffers on the way hold, so that the answer comes while the mail is being sent.
            monkeypatch.setattr("hikkoshi.server.appending.HURRIED", 1 << 30)
            proxy.stall_after(up=1)
        sent = len(proxy.sent)
        monkeypatch.setattr(
            "hikkoshi.server.appending.append_arguments", lambda *_: b'APPEND INBOX (\\Seen) "no date" '
        )
        with pytest.raises(ProtocolBroken):
            bulk.append("INBOX", COMMANDS if first else b"x" * 40_000_000 + b"\r\n" + COMMANDS, [SEEN])
        assert bulk.closed
        with pytest.raises(ConnectionLost):
            bulk.append("INBOX", mail(2), [SEEN])
    with ServerSession.open(login_to(dovecot, login.user)) as session:
        names = {folder.name for folder in session.folders()}

    assert "Archive" in names
    assert "Pwned" not in names
    assert COMMANDS not in proxy.sent[sent:]
    assert len(stored(dovecot, login.user)) == (0 if first else 1)


def test_a_no_while_a_large_mail_goes_out_is_heard_and_the_mail_sent_to_its_end() -> None:
    size = 3_000_000

    def reply(tag: bytes, command: bytes) -> bytes:
        return tag + b" OK done\r\n"

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LITERAL+") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        bulk.append("INBOX", b"one")
        peer.refuse_early = b"[LIMIT] too large"
        with pytest.raises(CommandRefused, match="too large") as caught:
            bulk.append("INBOX", b"x" * size)
        assert caught.value.code == "LIMIT"
        assert bulk.append("INBOX", b"two") == Appended(None, None)
        assert peer.received.count(b"x") >= size


@pytest.mark.parametrize("hurried", [False, True])
@pytest.mark.parametrize(
    "answer",
    [b"{tag} BAD no\r\n", b"zz OK what\r\n", b"* BAD no\r\n", b"?\r\n", b"{tag} PERHAPS\r\n", b"{tag}\r\n", b"\r\n"],
)
def test_after_an_answer_that_makes_no_sense_nothing_more_is_sent(answer: bytes, hurried: bool) -> None:
    asked: list[bytes] = []

    def reply(tag: bytes, command: bytes) -> bytes:
        if not command.startswith(b"APPEND"):
            return tag + b" OK\r\n"
        asked.append(command)
        return tag + b" OK done\r\n" if hurried and len(asked) == 1 else answer.replace(b"{tag}", tag)

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LITERAL+", go_ahead=hurried) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        if hurried:
            bulk.append("INBOX", b"one")
        with pytest.raises(ProtocolBroken):
            bulk.append("INBOX", b"x DELETE INBOX\r\n")
        assert bulk.closed
        received = len(peer.received)
        with pytest.raises(ConnectionLost):
            bulk.noop()

    assert len(peer.received) == received
    assert (b"x DELETE INBOX" in peer.received) == hurried


def test_no_to_a_hurried_mail_leaves_the_connection_in_step() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if b"no thanks" in command:
            return tag + b" NO [LIMIT] too much\r\n"
        return b"* 3 EXISTS\r\n" + tag + b" OK [APPENDUID 7 8] done\r\n"

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LITERAL+") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        assert bulk.append("INBOX", b"one") == Appended(7, 8)
        with pytest.raises(CommandRefused, match="too much") as caught:
            bulk.append("INBOX", b"no thanks")
        assert caught.value.code == "LIMIT"
        assert bulk.append("INBOX", b"two") == Appended(7, 8)
        assert b"{3+}\r\ntwo\r\n" in peer.received


@pytest.mark.parametrize("code", [b"", b"[APPENDUID] ", b"[APPENDUID x y] ", b"[APPENDUID 1 2,3] ", b"[READ-WRITE] "])
def test_without_uidplus_nobody_knows_the_uid(code: bytes) -> None:
    with (
        Peer(lambda tag, _command: tag + b" OK " + code + b"done\r\n") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        assert bulk.append("INBOX", b"one") == Appended(None, None)


@pytest.mark.dovecot
def test_cut_anywhere_in_an_upload(dovecot: Dovecot, proxy: FaultProxy) -> None:
    """Whatever arrived is one whole mail or none, and `find_appended` knows which."""
    login = through(proxy, dovecot)
    message = mail(1, b"line\r\n" * 50)
    fields = identity_fields(message)
    with Bulk.open(login) as bulk:
        sent, answered = len(proxy.sent), proxy.answered
        bulk.append("INBOX", message, [SEEN], WHEN)
        up, down = len(proxy.sent) - sent, proxy.answered - answered
    expected = 1
    cuts = [{"up": at} for at in (0, 1, 20, up // 2, up - 3, up - 2, up - 1)] + [
        {"down": at} for at in (0, 2, 20, down - 1)
    ]
    for cut in cuts:
        with Bulk.open(login) as bulk:
            first = bulk.examine("INBOX").uidnext
            proxy.cut_after(**cut)
            with pytest.raises(ConnectionLost):
                bulk.append("INBOX", message, [SEEN], WHEN)
            proxy.cut_after()
        with Bulk.open(login) as bulk:
            found = bulk.find_appended("INBOX", first, len(message), fields)
            expected += len(found)
            assert bulk.examine("INBOX").messages == expected
            if cut.get("down", 0) >= 20:
                assert len(found) == 1  # the answer was lost, the mail was not
            if cut.get("up", up) < up - 2:
                assert not found

    assert set(stored(dovecot, login.user)) == {message}


@pytest.mark.dovecot
def test_a_lost_answer_is_found_out_with_find_appended(dovecot: Dovecot, proxy: FaultProxy) -> None:
    login = through(proxy, dovecot, timeout=1)
    with Bulk.open(login) as bulk:
        bulk.append("INBOX", mail(1))
        proxy.change = lambda line: None if b"APPENDUID" in line else line
        with pytest.raises(ConnectionLost):
            bulk.append("INBOX", mail(1))
        proxy.change = None
    with Bulk.open(login) as bulk:
        fields = identity_fields(mail(1))
        assert bulk.find_appended("INBOX", 2, len(mail(1)), fields) == [2]
        assert bulk.find_appended("INBOX", 1, len(mail(1)), fields) == [1, 2]
        assert bulk.find_appended("INBOX", 3, len(mail(1)), fields) == []
        assert bulk.find_appended("INBOX", 1, len(mail(1)) + 1, fields) == []
        assert bulk.find_appended("INBOX", 1, len(mail(1)), identity_fields(mail(2))) == []
        bulk.append("INBOX", mail(2))
        assert bulk.find_appended("INBOX", 3, len(mail(2)), identity_fields(mail(2))) == [3]


@pytest.mark.dovecot
def test_a_mail_that_is_gone_is_named(bulk: Bulk) -> None:
    with pytest.raises(CommandRefused, match="INBOX has no mail with the number 5") as caught:
        bulk.fetch_whole("INBOX", 5)

    assert caught.value.code == "NONEXISTENT"


@pytest.mark.dovecot
def test_names_of_any_kind(dovecot: Dovecot) -> None:
    login = login_to(dovecot)
    for name in ("見積/R&D", 'a "b" \\c'):
        with ServerSession.open(login) as session:
            session.create(name)
        with Bulk.open(login) as bulk:
            assert bulk.append(name, mail(1)).uid == 1
            assert bulk.examine(name).messages == 1
            assert bulk.fetch_whole(name, 1) == mail(1)


# What other servers say

HEADER = b"Subject: x\r\n\r\n"
LISTED = (
    b'RFC822.SIZE 9 FLAGS () INTERNALDATE " 1-Jan-2024 09:00:00 +0900" BODY[HEADER.FIELDS ("SUBJECT")] {14}\r\n'
    + HEADER
)
EXAMINED = b"* FLAGS (a)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n"


def listing(answer: bytes, examined: bytes = EXAMINED) -> list[Message]:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return examined + tag + b" OK [READ-ONLY] done\r\n"
        return answer + (b"" if answer.endswith(b"NO sorry\r\n") else b"%b OK done\r\n" % tag)

    with Peer(reply) as peer, Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk:
        bulk.examine("INBOX")
        return list(bulk.list_new(1))


def test_unasked_answers_in_between() -> None:
    answer = (
        b"* 4 EXISTS\r\n* 1 FETCH (FLAGS (a))\r\n* OK still here\r\n* 1 FETCH (" + LISTED + b" UID 5)\r\n"
        b"* 1 FETCH (UID 5 FLAGS (b))\r\n* 2 EXPUNGE\r\n* 2 FETCH (UID 6 " + LISTED + b")\r\n* FLAGS (c)\r\n"
    )  # fmt: skip

    assert [message.place for message in listing(answer)] == ["5", "6"]


def test_a_mail_in_two_pieces_and_one_that_is_not_all_there() -> None:
    answer = (
        b"* 1 FETCH (UID 5 FLAGS (a))\r\n* 1 FETCH (UID 5 " + LISTED + b")\r\n"
        b'* 2 FETCH (UID 6 FLAGS () INTERNALDATE NIL BODY[HEADER.FIELDS ("SUBJECT")] NIL)\r\n'
    )

    assert listing(answer) == [
        Message("5", 9, frozenset(), 1704067200, b"Subject: x"),
        Message("6", 0, frozenset(), None, b""),
    ]


def test_a_server_without_end_is_cut_off() -> None:
    with pytest.raises(ProtocolBroken):
        listing(b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, n) for n in range(1, 3000)))


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 5 BODY[] {999999999}\r\n",
        b"* 1 FETCH (UID\r\n",
        b"* 1 FETCH " + b"(" * 3_000_000,
        b"+ what\r\n",
    ],
)
def test_hostile_listings_are_cut_off(answer: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        listing(answer)


def test_bye_in_the_middle() -> None:
    with pytest.raises(ConnectionLost, match="shutting down"):
        listing(b"* 1 FETCH (UID 5 " + LISTED + b")\r\n* BYE shutting down\r\n")


def test_folders_without_lasting_numbers_and_without_uidnext() -> None:
    with pytest.raises(CommandRefused, match="INBOX"):
        listing(b"", examined=b"* 3 EXISTS\r\n")

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"UID FETCH * (UID)"):
            return b"* 3 FETCH (UID 41)\r\n" + tag + b" OK\r\n"
        return EXAMINED.replace(b"UIDNEXT", b"UNSEEN") + tag + b" OK\r\n"

    with Peer(reply) as peer, Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk:
        assert bulk.examine("INBOX").uidnext == 42


def test_permanent_flags_are_told_where_they_say_something() -> None:
    flags = b"* OK [PERMANENTFLAGS (\\Seen \\*)] limited\r\n"
    with (
        Peer(lambda tag, _command: EXAMINED + flags + tag + b" OK\r\n") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        assert bulk.examine("INBOX").permanent_flags == {SEEN, "\\*"}


# Size


@pytest.mark.dovecot
def test_thousands_of_mails_are_listed_and_looked_up(dovecot: Dovecot) -> None:
    user = dovecot.make_user()
    with Bulk.open(login_to(dovecot, user)) as bulk:
        bulk.append("INBOX", mail(0))
    for number in range(1, 5000):
        path = dovecot.mail_dir(user) / "cur" / f"{WHEN + number}.M{number}.host:2,S"
        path.write_bytes(mail(number))
        path.chmod(0o666)
    with Bulk.open(login_to(dovecot, user, timeout=30.0)) as bulk:
        status = bulk.examine("INBOX")
        start = time.monotonic()
        messages = list(bulk.list_new(1))

        assert status.messages == len(messages) == 5000
        assert len(bulk.fetch_facts("INBOX", range(1, 5001, 2))) == 2500
        assert time.monotonic() - start < 20


@pytest.mark.dovecot
def test_two_connections_do_not_mind_each_other(dovecot: Dovecot) -> None:
    login = login_to(dovecot)

    def upload(start: int) -> list[int | None]:
        with Bulk.open(login) as bulk:
            return [bulk.append("INBOX", mail(number)).uid for number in range(start, start + 20)]

    with ThreadPoolExecutor(2) as pool:
        uids = [uid for found in pool.map(upload, (0, 100)) for uid in found]

    assert sorted(uids) == list(range(1, 41))
