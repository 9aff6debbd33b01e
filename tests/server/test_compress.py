"""COMPRESS=DEFLATE: asked for between two parts of a listing or two mails, on a slow line alone, and safe from what
servers send."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from hikkoshi.errors import ConnectionLost, ProtocolBroken
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.server import folder_look, line
from hikkoshi.server.appending import Outgoing, Posting
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.line import Sending, UplinkMeter
from hikkoshi.server.login import Login
from hikkoshi.server.news import Inquiry, Mails
from hikkoshi.server.records import Appended
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer


def filled(start: Callable[[Settings], Dovecot], count: int) -> tuple[Dovecot, str]:
    server = start(Settings(compress=True))
    user = server.make_user()
    with Bulk.open(Login(server.host, server.imap_port, user, server.password, "plain")) as bulk:
        for number in range(count):
            bulk.append("INBOX", b"Subject: %d\r\nMessage-ID: <%d@example.com>\r\n\r\nbody\r\n" % (number, number))
    return server, user


@pytest.mark.dovecot
@pytest.mark.parametrize("slow", [True, False])
def test_a_slow_line_is_compressed_between_two_parts(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    monkeypatch.setattr(folder_look, "CHUNK", 30)
    monkeypatch.setattr(line, "_BURST", 1000)
    monkeypatch.setattr(line, "_ENOUGH", 1200)
    monkeypatch.setattr(line, "SLOW", 1e12 if slow else 1.0)
    monkeypatch.setattr(line, "_SAVED", 1e9)
    server, user = filled(dovecot_with, 200)
    with (
        FaultProxy(server.host, server.imap_port) as proxy,
        Bulk.open(Login(proxy.host, proxy.port, user, server.password, "plain", timeout=5)) as bulk,
    ):
        overview = bulk.overview()
        inquiry = Inquiry("INBOX", None, overview.states["INBOX"], lambda: 200)
        before = proxy.answered
        uids = [uid for item in bulk.catch_up([inquiry]) if isinstance(item, Mails) for uid, _mail in item.mails]
        received = proxy.answered - before
        # The conversation goes on in step.
        assert bulk.examine("INBOX").messages == 200
        assert bulk.append("INBOX", b"Subject: x\r\n\r\n" + b"y" * 100_000).uid == 201

    assert sorted(uids) == list(range(1, 201))
    assert uids[0] > 190
    assert (b"COMPRESS DEFLATE" in proxy.sent) == slow
    assert (received < 200 * 100) == slow


@pytest.mark.dovecot
def test_cut_anywhere_in_a_compressed_listing(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_look, "CHUNK", 10)
    server, user = filled(dovecot_with, 40)
    with FaultProxy(server.host, server.imap_port) as proxy:
        login = Login(proxy.host, proxy.port, user, server.password, "plain", timeout=5)
        for down in range(0, 3000, 211):
            proxy.cut_after()
            with Bulk.open(login) as bulk:
                assert bulk._channel.compress()
                proxy.cut_after(down=down)
                with suppress(ConnectionLost):
                    bulk.examine("INBOX")
                    assert [message.place for message in bulk.list_new(1)] == [str(uid) for uid in range(1, 41)]
                    break
        else:
            pytest.fail("it was never whole")


def talking(answer: bytes) -> None:
    """What a server says behind the OK of COMPRESS."""

    def reply(tag: bytes, command: bytes) -> bytes:
        return tag + b" OK now\r\n" + answer if command.startswith(b"COMPRESS") else tag + b" OK\r\n"

    with Peer(reply) as peer, Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk:
        assert bulk._channel.compress()
        bulk.noop()


def test_what_is_not_deflated_ends_the_conversation() -> None:
    with pytest.raises(ProtocolBroken):
        talking(b"* OK in the clear\r\n")


def test_what_is_not_deflated_ends_a_conversation_while_mail_is_sent() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        return tag + b" OK now\r\n" + b"* OK in the clear\r\n" if command.startswith(b"COMPRESS") else tag + b" OK\r\n"

    with Peer(reply) as peer, Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk:
        assert bulk._channel.compress()
        with pytest.raises(ProtocolBroken):
            bulk.post("INBOX", letters(1))
        assert bulk.closed


def test_a_connection_that_is_gone_is_no_slow_line() -> None:
    """Asking the kernel about it would be an error of another kind."""
    capabilities = b"IMAP4rev1 AUTH=PLAIN LITERAL+ COMPRESS=DEFLATE"
    with (
        Peer(lambda tag, _command: tag + b" OK\r\n", capabilities=capabilities) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        assert bulk.takes_hurried
        bulk._channel.close()
        with pytest.raises(ConnectionLost):
            bulk.post("INBOX", letters(1))


def test_a_bomb_ends_at_the_limits_of_a_line() -> None:
    import zlib

    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    with pytest.raises(ProtocolBroken):
        talking(packer.compress(b"* " + b"x" * 200_000_000) + packer.flush(zlib.Z_SYNC_FLUSH))


def test_a_no_leaves_the_line_as_it_is() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        return tag + (b" NO [COMPRESSIONACTIVE] by TLS\r\n" if command.startswith(b"COMPRESS") else b" OK\r\n")

    with Peer(reply) as peer, Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk:
        assert not bulk._channel.compress()
        bulk.noop()


def letters(count: int) -> list[Outgoing]:
    contents = [b"Subject: %d\r\n\r\n" % number + b"body %d\r\n" % number * 2000 for number in range(count)]

    def outgoing(content: bytes) -> Outgoing:
        return Outgoing(len(content), (), 1_700_000_000, lambda: [content])

    return [outgoing(content) for content in contents]


@pytest.mark.dovecot
@pytest.mark.parametrize("capable", ["MULTIAPPEND LITERAL+", "LITERAL+", ""])
def test_mail_on_a_slow_line_is_compressed_between_two_mails(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch, capable: str
) -> None:
    server = dovecot_with(Settings(compress=True, capability=f"IMAP4rev1 UIDPLUS UNSELECT COMPRESS=DEFLATE {capable}"))
    user = server.make_user()
    mails = letters(30)
    asked: list[int] = []

    def worth(_meter: UplinkMeter, _now: Sending, remaining: int) -> bool:
        asked.append(remaining)
        return len(asked) == 12

    monkeypatch.setattr(UplinkMeter, "worth", worth)
    with (
        FaultProxy(server.host, server.imap_port) as proxy,
        Bulk.open(Login(proxy.host, proxy.port, user, server.password, "plain", timeout=5)) as bulk,
    ):
        post = bulk.post_many if bulk.takes_many else bulk.post
        postings = [post("INBOX", mails[:3]), post("INBOX", mails[3:20])]
        for posting in postings:
            bulk.answers_to(posting)
        before = len(proxy.sent)
        postings.append(post("INBOX", mails[20:]))
        bulk.answers_to(postings[-1])
        sent = len(proxy.sent) - before
        uids = [result.uid for posting in postings for result in posting.results if isinstance(result, Appended)]
        found = bulk.read_back("INBOX", range(1, 31), {uid: mails[uid - 1].size for uid in range(1, 31)})

    assert uids == list(range(1, 31))
    assert found.digests == {
        uid: canonical_digest(b"".join(map(bytes, mails[uid - 1].chunks()))) for uid in range(1, 31)
    }
    if not capable:
        assert asked == []
        return
    assert proxy.sent.count(b"COMPRESS DEFLATE") == 1
    assert sent < sum(mail.size for mail in mails[20:]) / 2
    if "MULTI" in capable:
        # Both parts are together with those they went with.
        assert postings[1].together == list(range(17))
        assert proxy.sent.count(b" APPEND ") == 3


@pytest.mark.dovecot
def test_a_large_mail_which_is_a_batch_by_itself_is_compressed_as_well(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = dovecot_with(Settings(compress=True))
    asked: list[int] = []
    monkeypatch.setattr(UplinkMeter, "worth", lambda *_: asked.append(1) or len(asked) == 3)
    with (
        FaultProxy(server.host, server.imap_port) as proxy,
        Bulk.open(Login(proxy.host, proxy.port, server.make_user(), server.password, "plain", timeout=5)) as bulk,
    ):
        for number in range(4):
            bulk.answers_to(bulk.post_many("INBOX", letters(4)[number:][:1]))

    assert proxy.sent.count(b"COMPRESS DEFLATE") == 1
    assert proxy.sent.count(b" APPEND ") == 2


@pytest.mark.dovecot
def test_a_command_that_proves_shapes_goes_whole(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = dovecot_with(Settings(compress=True))
    asked: list[int] = []
    monkeypatch.setattr(UplinkMeter, "worth", lambda *_: asked.append(1) or len(asked) > 1)
    with (
        FaultProxy(server.host, server.imap_port) as proxy,
        Bulk.open(Login(proxy.host, proxy.port, server.make_user(), server.password, "plain", timeout=5)) as bulk,
    ):
        posting = bulk.post_many("INBOX", letters(2))
        bulk.answers_to(posting)

    # The second mail's flags would count as taken by a server that has not seen them.
    assert proxy.sent.count(b" APPEND ") == 1
    assert b"COMPRESS DEFLATE" not in proxy.sent


@pytest.mark.dovecot
def test_cut_anywhere_in_mail_that_is_compressed_on_its_way(
    dovecot_with: Callable[[Settings], Dovecot], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = dovecot_with(Settings(compress=True))
    mails = letters(12)
    whole = False
    for up in range(0, 60_000, 3001):
        user = server.make_user()
        asked: list[int] = []
        monkeypatch.setattr(UplinkMeter, "worth", lambda *_: asked.append(1) or len(asked) == 3)  # noqa: B023
        with (
            FaultProxy(server.host, server.imap_port) as proxy,
            Bulk.open(Login(proxy.host, proxy.port, user, server.password, "plain", timeout=5)) as bulk,
        ):
            bulk.answers_to(bulk.post_many("INBOX", letters(2)))
            proxy.cut_after(up=up)
            posting = Posting(12)
            try:
                bulk.post_many("INBOX", mails, posting)
                bulk.answers_to(posting)
                whole = True
            except ConnectionLost:
                pass
        there = [result.uid for result in posting.results if isinstance(result, Appended)]
        stored = sum(1 for name in ("new", "cur") for _ in (server.mail_dir(user) / name).iterdir())
        assert len(there) + 2 <= stored <= len(posting.begun) + 2
    assert whole
