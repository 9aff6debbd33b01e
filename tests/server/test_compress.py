"""COMPRESS=DEFLATE: asked for between two parts of a listing, on a slow line alone, and safe from what servers send."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from hikkoshi.errors import ConnectionLost, ProtocolBroken
from hikkoshi.server import deflate, folder_look
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.news import Inquiry, Mails
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
    monkeypatch.setattr(deflate, "_BURST", 1000)
    monkeypatch.setattr(deflate, "_ENOUGH", 1200)
    monkeypatch.setattr(deflate, "_SLOW", 1e12 if slow else 1.0)
    monkeypatch.setattr(deflate, "_SAVED", 1e9)
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
