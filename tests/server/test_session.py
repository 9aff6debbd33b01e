"""Small conversations: folders, quota, status and new folders, on Dovecot and in others' words."""

from collections.abc import Callable, Iterator

import pytest

from hikkoshi.errors import CommandRefused, ConnectionLost, ProtocolBroken
from hikkoshi.mail.folders import Role
from hikkoshi.server.login import Login
from hikkoshi.server.session import ServerSession
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer


def login_to(server: Dovecot) -> Login:
    return Login("localhost", server.imaps_port, server.make_user(), server.password, ca_file=server.ca_file)


@pytest.fixture
def session(dovecot: Dovecot) -> Iterator[ServerSession]:
    with ServerSession.open(login_to(dovecot)) as opened:
        yield opened


def natives(session: ServerSession) -> set[str]:
    return {folder.native for folder in session.folders()}


def answering(answers: dict[bytes, bytes], **settings) -> Peer:
    """A peer that has an untagged answer for each command that starts with a key; NO for all others."""

    def reply(tag: bytes, command: bytes) -> bytes:
        for start, answer in answers.items():
            if command.startswith(start):
                return answer if answer.endswith(b"!") else answer + tag + b" OK done\r\n"
        return tag + b" NO not here\r\n"

    return Peer(reply, **settings)


def open_peer(peer: Peer, timeout: float = 5) -> ServerSession:
    return ServerSession.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=timeout))


@pytest.mark.dovecot
def test_folders_have_roles(session: ServerSession) -> None:
    roles = {folder.name: folder.role for folder in session.folders()}

    assert roles == {
        "INBOX": Role.INBOX, "Sent": Role.SENT, "Drafts": Role.DRAFTS, "Trash": Role.TRASH, "Junk": Role.JUNK,
        "Archive": Role.ARCHIVE,
    }  # fmt: skip


@pytest.mark.dovecot
@pytest.mark.parametrize("path", [("見積", "2024"), ('a "b" \\c',), ("R&D", "日本&", "x"), ("100 %",)])
def test_folders_are_made_with_their_parents_and_found_again(session: ServerSession, path: tuple[str, ...]) -> None:
    native = session.namer()(path)
    session.create(native)
    session.create(native)

    made = {folder.path: folder for folder in session.folders()}
    assert made[path].native == native
    assert all(made[path[:depth]].selectable for depth in range(1, len(path) + 1))
    assert session.status(native).messages == 0


@pytest.mark.dovecot
def test_new_folders_are_subscribed(session: ServerSession) -> None:
    session.create("見積/2024")

    subscribed = b" ".join(session._imap.lsub()[1])
    assert b"&iYt6TQ-/2024" in subscribed
    assert b'&iYt6TQ-"' in subscribed.replace(b"&iYt6TQ- ", b'&iYt6TQ-"')


@pytest.mark.dovecot
def test_a_delimiter_within_a_level_is_replaced(session: ServerSession) -> None:
    assert session.namer()(("2023/24", "x")) == "2023_24/x"


@pytest.mark.dovecot
def test_a_folder_that_cannot_be_made_is_named(session: ServerSession) -> None:
    with pytest.raises(CommandRefused, match=r"The folder a\.b cannot be made") as caught:
        session.create("a.b")  # the file system of a Maildir++ has no room for the dot

    assert caught.value.code == "CANNOT"
    assert natives(session)


@pytest.mark.dovecot
def test_a_prefix_and_another_delimiter(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(prefix="INBOX.", separator="."))
    with ServerSession.open(login_to(server)) as session:
        native = session.namer()(("案件", "v1.2/x"))
        session.create("INBOX.案件.sub")
        folders = {folder.path: folder for folder in session.folders()}

        assert native == "INBOX.案件.v1_2/x"
        assert folders[("Sent",)].native == "INBOX.Sent"
        assert folders[("Sent",)].role == Role.SENT
        assert folders[("INBOX",)].role == Role.INBOX
        assert folders[("案件", "sub")].native == "INBOX.案件.sub"
        assert folders[("案件",)].selectable
        with pytest.raises(CommandRefused, match="nowhere"):
            session.create("nowhere")


@pytest.mark.dovecot
def test_parents_that_hold_no_mail(session: ServerSession) -> None:
    session._imap.create("top/sub")
    folders = {folder.name: folder for folder in session.folders()}

    assert not folders["top"].selectable
    assert folders["top/sub"].selectable
    session.create("top/sub/deep")
    assert "top/sub/deep" in natives(session)


@pytest.mark.dovecot
def test_status(session: ServerSession) -> None:
    session._imap.append("Sent", "", "", b"Subject: x\r\n\r\nbody\r\n")
    status = session.status("Sent")

    assert (status.messages, status.uidnext, status.size) == (1, 2, 20)
    assert status.uidvalidity > 0
    with pytest.raises(CommandRefused, match="The folder 見積 cannot be asked about"):
        session.status("見積")


@pytest.mark.dovecot
def test_quota_in_bytes_for_folders_of_any_name(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(quota_storage="100k", quota_messages=5))
    with ServerSession.open(login_to(server)) as session:
        session.create('見積 "A&B"')
        session._imap.append("INBOX", "", "", b"Subject: x\r\n\r\n" + b"x" * 5000)
        roots = {root.resource: root for root in session.quota(["INBOX", '見積 "A&B"'])}

    assert roots["STORAGE"].limit == 100 * 1024
    assert roots["STORAGE"].used == 5 * 1024  # rounded up by the server
    assert (roots["MESSAGE"].limit, roots["MESSAGE"].used) == (5, 1)
    assert roots["STORAGE"].folders == {"INBOX", '見積 "A&B"'}


@pytest.mark.dovecot
@pytest.mark.parametrize("settings", [Settings(quota=False), Settings(quota_storage=None)])
def test_no_quota_and_no_limits(dovecot_with: Callable[[Settings], Dovecot], settings: Settings) -> None:
    with ServerSession.open(login_to(dovecot_with(settings))) as session:
        assert session.quota(["INBOX"]) == []


@pytest.mark.dovecot
@pytest.mark.parametrize("form", ["literal", "quoted"])
def test_names_may_be_literals(dovecot: Dovecot, form: str) -> None:
    user = dovecot.make_user()
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, user, dovecot.password, "plain")
        if form == "literal":
            proxy.change = lambda line: line.replace(b' "/" Sent', b' "/" {4}\r\nSent')
        with ServerSession.open(login) as session:
            roles = {folder.name: folder.role for folder in session.folders()}

    assert roles["Sent"] == Role.SENT


@pytest.mark.dovecot
def test_cut_anywhere_in_a_listing(dovecot: Dovecot) -> None:
    user = dovecot.make_user()
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, user, dovecot.password, "plain", timeout=5)
        with ServerSession.open(login) as session:
            before = proxy.answered
            assert session.folders()
            length = proxy.answered - before
        for down in range(0, length, 17):
            with ServerSession.open(login) as session:
                proxy.cut_after(down=down)
                with pytest.raises(ConnectionLost):
                    session.folders()
                with pytest.raises(ConnectionLost):
                    session.status("INBOX")
                proxy.cut_after()


@pytest.mark.dovecot
def test_a_silent_server_is_given_up(dovecot: Dovecot) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, dovecot.make_user(), dovecot.password, "plain", timeout=0.5)
        with ServerSession.open(login) as session:
            proxy.change = lambda _line: b""
            with pytest.raises(ConnectionLost, match="stopped answering"):
                session.folders()


# What other servers say


def test_courier() -> None:
    answers = {
        b"NAMESPACE": b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\n',
        b'LIST "" "*"': b'* LIST (\\HasNoChildren) "." "INBOX.Sent"\r\n* LIST (\\HasChildren) "." "INBOX"\r\n',
        b"STATUS": b'* STATUS "INBOX" (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 5)\r\n',
        b"GETQUOTAROOT": b'* QUOTAROOT "INBOX" "ROOT"\r\n* QUOTA "ROOT" (STORAGE 1 976 MESSAGE 1 1000)\r\n',
    }
    with answering(answers, capabilities=b"IMAP4rev1 AUTH=PLAIN NAMESPACE QUOTA") as peer, open_peer(peer) as session:
        assert [(folder.name, folder.role) for folder in session.folders()] == [
            ("Sent", Role.SENT),
            ("INBOX", Role.INBOX),
        ]
        assert session.status("INBOX").uidnext == 9
        assert session.status("INBOX").size is None
        assert [root.limit for root in session.quota(["INBOX"])] == [1000, 976 * 1024]


@pytest.mark.parametrize(
    ("plain", "special"),
    [
        (b'* LIST (\\Sent) "/" Gesendet\r\n', b""),
        (b'* LIST () "/" Gesendet\r\n', b'* LIST (\\Sent) "/" "Gesendet"\r\n'),
    ],
)
def test_special_use_in_plain_list_or_only_when_asked(plain: bytes, special: bytes) -> None:
    answers = {b'LIST "" "*" RETURN': special, b'LIST "" "*"': plain, b'LIST "" ""': b'* LIST () "/" ""\r\n'}
    with answering(answers, capabilities=b"IMAP4rev1 AUTH=PLAIN SPECIAL-USE") as peer, open_peer(peer) as session:
        assert [folder.role for folder in session.folders()] == [Role.SENT]


def test_the_delimiter_of_a_server_without_namespace() -> None:
    answers = {b'LIST "" ""': b'* LIST (\\Noselect) "." ""\r\n'}
    with answering(answers) as peer, open_peer(peer) as session:
        assert session.namer()(("a", "b.c")) == "a.b_c"


def test_append_limit() -> None:
    with answering({}, capabilities=b"IMAP4rev1 AUTH=PLAIN APPENDLIMIT=35651584") as peer, open_peer(peer) as session:
        assert session.append_limit == 35651584
    with answering({}, capabilities=b"IMAP4rev1 AUTH=PLAIN APPENDLIMIT") as peer, open_peer(peer) as session:
        assert session.append_limit is None


def test_a_status_that_leaves_out_what_was_asked_for() -> None:
    with answering({b"STATUS": b'* STATUS "INBOX" ()\r\n'}) as peer, open_peer(peer) as session:
        with pytest.raises(CommandRefused, match="does not say why"):
            session.status("INBOX")
        with pytest.raises(CommandRefused, match="not here"):
            session.create("x")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"* BYE shutting down\r\n!", ConnectionLost),
        (b"?? !", ConnectionLost),
        (b"?? what\r\n!", ProtocolBroken),
        (b"* LIST () {99999999}\r\n!", ProtocolBroken),
        (b'* LIST ((((("\r\n', ProtocolBroken),
        (b"* LIST " + b"(" * 2_000_000 + b"\r\n!", ProtocolBroken),
    ],
)
def test_answers_that_make_no_sense_end_the_connection(answer: bytes, error: type) -> None:
    def reply(tag: bytes, _command: bytes) -> bytes:
        return answer.removesuffix(b"!") + (b"" if answer.endswith(b"!") else tag + b" OK done\r\n")

    with Peer(reply) as peer, open_peer(peer, timeout=1) as session:
        with pytest.raises(error):
            session.folders()
        with pytest.raises(ConnectionLost):
            session.folders()
