"""The overview costs one round trip where the server can do that, and never more than it needs."""

from collections.abc import Callable

import pytest

from hikkoshi.errors import CommandRefused, ConnectionLost, ProtocolBroken
from hikkoshi.mail.folders import Role
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.overview import Overview
from hikkoshi.server.records import FolderStatus
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer

MODSEQ = "IMAP4rev1 LIST-EXTENDED SPECIAL-USE NAMESPACE QUOTA CONDSTORE"


def commands(sent: bytes) -> list[str]:
    return [line.split(b" ", 1)[1].decode() for line in bytes(sent).split(b"\r\n") if line]


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        (None, ['LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))']),
        ("IMAP4rev1 LIST-STATUS", ['LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))']),
        (MODSEQ, ['LIST "" "*"', 'STATUS "Archive"']),
        ("IMAP4rev1 NAMESPACE QUOTA", ['LIST "" "*"']),
    ],
)
def test_what_is_asked(
    dovecot_with: Callable[[Settings], Dovecot], capability: str | None, expected: list[str]
) -> None:
    server = dovecot_with(Settings(capability=capability))
    with FaultProxy(server.host, server.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, server.make_user(), server.password, "plain")
        with Bulk.open(login) as bulk:
            del proxy.sent[:]
            overview = bulk.overview(["Sent"])
            asked = commands(proxy.sent)

    for start in expected:
        assert [line for line in asked if line.startswith(start)], asked
    if capability and "QUOTA" not in capability:
        assert asked[1:] == ['LIST "" ""']
    else:
        assert asked[1:4] == ["NAMESPACE", 'GETQUOTAROOT "INBOX"', 'GETQUOTAROOT "Sent"']
    assert len([line for line in asked if line.startswith("STATUS")]) == (6 if capability == MODSEQ else 0)
    assert {folder.role for folder in overview.folders} == {
        Role.INBOX, Role.SENT, Role.DRAFTS, Role.TRASH, Role.JUNK, Role.ARCHIVE,
    }  # fmt: skip


def seen(answers: dict[bytes, bytes], capabilities: bytes) -> tuple[Overview, list[str]]:
    """The overview of a server with an answer for each command that starts so, and what it was asked."""

    def reply(tag: bytes, command: bytes) -> bytes:
        for start, answer in answers.items():
            if command.startswith(start):
                return answer + (b"" if b" NO " in answer else tag + b" OK done\r\n").replace(b"TAG", tag)
        return tag + b" NO not here\r\n"

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR " + capabilities) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        overview = bulk.overview()
    return overview, commands(peer.received)[2:]


LISTED = b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" top\r\n'


def test_a_server_that_tells_uses_only_when_asked_is_asked() -> None:
    answers = {
        b'LIST "" "*" RETURN': b'* LIST (\\Sent) "/" Foo\r\n',
        b"LIST": b'* LIST () "/" Foo\r\n',
    }
    for offered, role in ((b"SPECIAL-USE LIST-EXTENDED", Role.SENT), (b"SPECIAL-USE", Role.NONE), (b"", Role.NONE)):
        overview, _asked = seen(answers, offered)
        assert [folder.role for folder in overview.folders] == [role]


def test_states_without_all_that_is_needed_are_left_out() -> None:
    status = (
        b"* STATUS INBOX (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 7 HIGHESTMODSEQ 0)\r\n* STATUS top ()\r\n"
        b'* STATUS "a b" (UIDVALIDITY 7 MESSAGES 3 HIGHESTMODSEQ 12)\r\n* STATUS {1}\r\nc (MESSAGES 1)\r\n* STATUS (x)\r\n'
    )
    overview, _asked = seen({b"LIST": LISTED + status}, b"LIST-STATUS CONDSTORE")

    assert overview.states == {"INBOX": FolderStatus(3, 7, 5), "a b": FolderStatus(3, 7, 0, modseq=12)}


def test_a_server_that_offers_list_status_and_refuses_it_is_asked_plainly() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"LIST") and b"RETURN" not in command:
            return LISTED + tag + b" OK done\r\n"
        return tag + b" NO not so\r\n"

    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN LIST-STATUS") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        overview = bulk.overview()

    assert [folder.native for folder in overview.folders] == ["INBOX", "top"]
    assert overview.states == {}


def test_folders_that_cannot_be_listed_are_told_and_the_line_is_in_step() -> None:
    with (
        Peer(lambda tag, command: tag + (b" NO sorry\r\n" if b"LIST" in command else b" OK\r\n")) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain")) as bulk,
    ):
        with pytest.raises(CommandRefused, match="sorry"):
            bulk.overview()
        bulk.noop()


@pytest.mark.parametrize(
    "answer", [b"* LIST (((\r\n", b'* LIST () "/" {99999999}\r\n', b"zz OK what\r\n", b"* QUOTA (\r\n"]
)
def test_an_answer_that_makes_no_sense_closes_the_line(answer: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        seen({b"LIST": LISTED + answer, b"GETQUOTAROOT": answer}, b"QUOTA")


@pytest.mark.dovecot
def test_cut_anywhere(dovecot: Dovecot) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, dovecot.make_user(), dovecot.password, "plain", timeout=5)
        with Bulk.open(login) as bulk:
            before = proxy.answered
            bulk.overview()
            length = proxy.answered - before
        for down in range(0, length, 61):
            with Bulk.open(login) as bulk:
                proxy.cut_after(down=down)
                with pytest.raises(ConnectionLost):
                    bulk.overview()
                proxy.cut_after()
