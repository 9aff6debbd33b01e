"""Connecting and logging in: what works, and a sentence for each thing that does not."""

import contextlib
import logging
import re
import socket
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hikkoshi.errors import ConnectFailed, HikkoshiError, LoginRefused, ProtocolBroken, TlsFailed, UsageError
from hikkoshi.server.connect import capabilities, connect
from hikkoshi.server.login import Login
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer

SECRET = "hunter2-not-to-be-seen"


def tls(dovecot: Dovecot, **changes) -> Login:
    login = Login("localhost", dovecot.imaps_port, dovecot.make_user(), dovecot.password, ca_file=dovecot.ca_file)
    return replace(login, **changes)


def plain(host: str, port: int, **changes) -> Login:
    return replace(Login(host, port, "mei", SECRET, "plain", timeout=5), **changes)


def refused(login: Login) -> HikkoshiError:
    """The error that connecting ends in; whatever it is, it does not give the password away."""
    with pytest.raises(HikkoshiError) as caught:
        connect(login).shutdown()
    shown = "".join(traceback.format_exception(caught.value)) + repr(login)
    assert login.password not in shown
    return caught.value


@pytest.mark.dovecot
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_tls_and_starttls_and_plain_loopback(dovecot: Dovecot, host: str) -> None:
    for login in (
        tls(dovecot, host=host),
        tls(dovecot, host=host, port=dovecot.imap_port, security="starttls"),
        tls(dovecot, host=host, port=dovecot.imap_port, security="plain", ca_file=None),
    ):
        client = connect(login)
        try:
            assert isinstance(client.socket(), ssl.SSLSocket) == (login.security != "plain")
            assert client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert client.socket().gettimeout() == login.timeout
            assert {"QUOTA", "UIDPLUS", "LITERAL+"} <= capabilities(client)
        finally:
            client.shutdown()


@pytest.mark.dovecot
def test_names_and_passwords_of_any_characters(dovecot: Dovecot) -> None:
    user = dovecot.make_user('芽衣 "x" \\')
    connect(tls(dovecot, user=user)).shutdown()

    assert isinstance(refused(tls(dovecot, user=user, password='ひみつ"\r\nx LOGOUT')), LoginRefused)


@pytest.mark.dovecot
def test_a_wrong_password(dovecot: Dovecot) -> None:
    error = refused(tls(dovecot, password=SECRET))

    assert isinstance(error, LoginRefused)
    assert "wrong user name or password" in str(error)


@pytest.mark.dovecot
def test_too_many_connections_is_said_in_the_servers_words(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    login = tls(dovecot_with(Settings(max_connections=1)))
    client = connect(login)
    with contextlib.closing(client.socket()):
        error = refused(login)
        client.shutdown()

    assert "Maximum number of connections" in str(error)
    assert "wrong" not in str(error)


def test_an_unknown_host() -> None:
    for host in ("nowhere.invalid", "a..b", "x" * 300):
        error = refused(Login(host, 993, "mei", SECRET, timeout=5))
        assert isinstance(error, ConnectFailed)
        assert "No server called" in str(error)


def test_a_closed_port_and_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert "takes no connections" in str(refused(Login("127.0.0.1", port, "mei", SECRET)))
    assert "is no port" in str(refused(Login("127.0.0.1", 99999, "mei", SECRET)))


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_a_silent_server_is_given_up(security: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        error = refused(plain(*listener.getsockname(), security=security, timeout=0.3))

    assert time.monotonic() - start < 3
    assert "does not answer" in str(error)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"220 mail.example.com ESMTP\r\n", "no IMAP server"),
        (b"+OK POP3 ready\r\n", "no IMAP server"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no IMAP server"),
        (b"\xff\xfe\x00\r\n", "no IMAP server"),
        (b"x" * 3_000_000, "no IMAP server"),
        (b"* OK {9999999999}\r\n", "no IMAP server"),
        (b"* BYE Too busy\x1b[2J\r\n", "turned us away: Too busy"),
        (b"* PREAUTH welcome\r\n", "somebody is logged in already"),
    ],
)
def test_greetings_that_are_none(greeting: bytes, words: str) -> None:
    with Peer(greeting=greeting) as peer:
        error = refused(plain(peer.host, peer.port))

    assert words in str(error)
    assert "\x1b" not in str(error)
    assert SECRET.encode() not in peer.received


def test_a_server_that_hangs_up_at_once() -> None:
    with Peer(greeting=b"* OK ready\r\n", capabilities=b"IMAP4rev1 LOGIN") as peer:
        error = refused(plain(peer.host, peer.port))

    assert isinstance(error, ConnectFailed)
    assert "cut it again" in str(error)


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        (b"IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2 AUTH=CRAM-MD5", "without TLS"),
        (b"IMAP4rev1 LOGINDISABLED", "without TLS"),
    ],
)
def test_a_server_without_login_is_not_sent_the_password(offered: bytes, words: str) -> None:
    with Peer(capabilities=offered) as peer:
        error = refused(plain(peer.host, peer.port))

    assert isinstance(error, LoginRefused)
    assert words in str(error)
    assert b"LOGIN " not in peer.received
    assert SECRET.encode() not in peer.received


@pytest.mark.dovecot
def test_logins_forbidden_without_tls(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(plaintext=False, listen="127.0.0.2"))
    error = refused(plain(server.host, server.imap_port))

    assert isinstance(error, LoginRefused)
    assert "imaps://" in str(error)


def test_login_stands_in_where_authenticate_is_not_offered() -> None:
    with Peer(lambda tag, _command: tag + b" OK in\r\n", capabilities=b"IMAP4rev1") as peer:
        connect(plain(peer.host, peer.port, user='a "b"')).shutdown()

    assert b'LOGIN "a \\"b\\"" "' + SECRET.encode() + b'"\r\n' in peer.received


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"NO [AUTHENTICATIONFAILED] no " + SECRET.encode(), LoginRefused),
        (b"BAD what is " + SECRET.encode(), LoginRefused),
        (b"* BYE go away " + SECRET.encode(), ConnectFailed),
        (b"?? " + SECRET.encode(), ProtocolBroken),
    ],
)
def test_a_password_that_the_server_echoes_is_not_shown(answer: bytes, kind: type) -> None:
    def reply(tag: bytes, _command: bytes) -> bytes:
        return (answer if answer.startswith(b"*") else tag + b" " + answer) + b"\r\n"

    with Peer(reply, capabilities=b"IMAP4rev1") as peer:
        error = refused(plain(peer.host, peer.port, timeout=1))

    assert type(error) is kind


@pytest.mark.dovecot
def test_nothing_of_a_login_is_logged(dovecot: Dovecot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(tls(dovecot))
    client.shutdown()

    assert not re.search("AUTHENTICATE|LOGIN", caplog.text)
    assert dovecot.password not in repr(vars(client).get("_cmd_log"))


# TLS


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_authority_that_nobody_knows(dovecot: Dovecot, security: str) -> None:
    port = dovecot.imaps_port if security == "tls" else dovecot.imap_port
    error = refused(tls(dovecot, ca_file=None, security=security, port=port))

    assert isinstance(error, TlsFailed)
    assert "not trusted" in str(error)
    assert "--ca-file" in str(error)


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name(dovecot_with: Callable[[Settings], Dovecot], security: str) -> None:
    server = dovecot_with(Settings(listen="127.0.0.2"))
    port = server.imaps_port if security == "tls" else server.imap_port
    error = refused(tls(server, host="127.0.0.2", security=security, port=port))

    assert isinstance(error, TlsFailed)
    assert "another name" in str(error)


def self_signed(folder: Path, days: int) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key."""
    key, certificate, request = folder / "key.pem", folder / "own.pem", folder / "own.csr"
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    subprocess.run([*new, "-out", request, "-subj", "/CN=localhost"], check=True, capture_output=True)
    extensions = folder / "extensions"
    extensions.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:TRUE\n"
        "keyUsage=critical,keyCertSign,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    sign = ["openssl", "x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", str(days)]
    subprocess.run([*sign, "-extfile", extensions], check=True, capture_output=True)
    return certificate, key


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_an_expired_certificate(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, -1)
    with Peer(context=server_context(certificate, key)) as peer:
        error = refused(plain("localhost", peer.port, security="tls", ca_file=certificate))

    assert isinstance(error, TlsFailed)
    assert "expired" in str(error)
    assert not peer.received


def test_a_certificate_of_its_own_that_the_user_trusts(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, 2)
    with Peer(context=server_context(certificate, key)) as peer:
        connect(plain("localhost", peer.port, security="tls", ca_file=certificate)).shutdown()


@pytest.mark.parametrize(
    ("offered", "words"), [(b"AUTH=XOAUTH2 AUTH=OAUTHBEARER", "OAUTHBEARER, XOAUTH2"), (b"", "lets nobody log in")]
)
def test_a_server_without_passwords_is_not_sent_one(tmp_path: Path, offered: bytes, words: str) -> None:
    certificate, key = self_signed(tmp_path, 2)
    with Peer(context=server_context(certificate, key), capabilities=b"IMAP4rev1 LOGINDISABLED " + offered) as peer:
        error = refused(plain("localhost", peer.port, security="tls", ca_file=certificate))

    assert isinstance(error, LoginRefused)
    assert words in str(error)
    assert b"LOGIN " not in peer.received


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_older_than_1_2_is_refused(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, 2)
    context = server_context(certificate, key)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Peer(context=context) as peer:
        error = refused(plain("localhost", peer.port, security="tls", ca_file=certificate))

    assert isinstance(error, TlsFailed)
    assert "older than 1.2" in str(error)


@pytest.mark.dovecot
def test_tls_to_a_port_that_has_none(dovecot: Dovecot) -> None:
    error = refused(tls(dovecot, port=dovecot.imap_port))

    assert isinstance(error, TlsFailed)
    assert "does not speak TLS" in str(error)


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("hello")

    for name in ("no.pem", "nowhere.pem"):
        error = refused(Login("localhost", 993, "mei", SECRET, ca_file=tmp_path / name))
        assert isinstance(error, UsageError)
        assert name in str(error)


@pytest.mark.parametrize("host", ["192.0.2.1", "mail.example.com", "localhost.example.com"])
def test_plain_is_for_this_machine_alone(host: str) -> None:
    start = time.monotonic()
    error = refused(plain(host, 143))

    assert isinstance(error, TlsFailed)
    assert time.monotonic() - start < 1


@pytest.mark.dovecot
def test_starttls_that_was_taken_out_is_no_reason_to_go_on_without(dovecot: Dovecot) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.change = lambda line: line.replace(b" STARTTLS", b"")
        error = refused(tls(dovecot, port=proxy.port, security="starttls"))

    assert isinstance(error, TlsFailed)
    assert "does not offer STARTTLS" in str(error)
    assert b"AUTHENTICATE" not in proxy.sent


@pytest.mark.dovecot
@pytest.mark.parametrize("answer", [b"NO not today", b"BAD what?"])
def test_starttls_that_is_refused(dovecot: Dovecot, answer: bytes) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.change = lambda line: re.sub(rb"OK Begin TLS.*", answer + b"\r", line)
        error = refused(tls(dovecot, port=proxy.port, security="starttls"))

    assert isinstance(error, TlsFailed)
    assert b"AUTHENTICATE" not in proxy.sent


@pytest.mark.dovecot
def test_what_is_slipped_in_before_tls_ends_the_connection(dovecot: Dovecot) -> None:
    injected = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nx OK"
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.change = lambda line: line + injected if b"Begin TLS" in line else line
        error = refused(tls(dovecot, port=proxy.port, security="starttls"))

    assert isinstance(error, TlsFailed)
    assert "slipped in" in str(error)


def test_preauth_cannot_lead_around_starttls() -> None:
    with Peer(greeting=b"* PREAUTH hello\r\n", capabilities=b"IMAP4rev1 STARTTLS") as peer:
        error = refused(plain(peer.host, peer.port, security="starttls"))

    assert isinstance(error, LoginRefused)


@pytest.mark.dovecot
@pytest.mark.parametrize("security", ["plain", "starttls"])
def test_cut_anywhere_on_the_way_in(dovecot: Dovecot, security: str) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        login = tls(dovecot, port=proxy.port, security=security, timeout=5)
        connect(login).shutdown()
        for down in (0, 1, 5, 60, 130, proxy.answered // 3, proxy.answered // 2, proxy.answered - 3):
            proxy.cut_after(down=down)
            assert isinstance(refused(login), ConnectFailed | TlsFailed)


def test_nothing_is_left_open(recwarn: pytest.WarningsRecorder) -> None:
    before = threading.active_count()
    with Peer(capabilities=b"IMAP4rev1 LOGINDISABLED") as peer:
        for _ in range(3):
            refused(plain(peer.host, peer.port))

    assert threading.active_count() == before
    assert not recwarn


# Round trips


def commands(sent: bytes) -> list[str]:
    """What a client has sent, without tags and without what only the server may know."""
    return [b" ".join(line.split(b" ")[1:3]).decode() for line in bytes(sent).split(b"\r\n") if line]


def turns(proxy: FaultProxy, login: Login) -> list[str]:
    del proxy.sent[:]
    connect(replace(login, host=proxy.host, port=proxy.port)).shutdown()
    return commands(proxy.sent)


@pytest.mark.dovecot
def test_one_round_trip_logs_in_where_the_server_tells_what_it_can_do(dovecot: Dovecot) -> None:
    login = tls(dovecot, security="plain", port=dovecot.imap_port)
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        assert turns(proxy, login) == ["AUTHENTICATE PLAIN"]

        proxy.change = lambda line: re.sub(rb"\[CAPABILITY [^]]*\] ", b"", line)
        # To a client that asks, Dovecot tells it after the login as a response of its own.
        assert turns(proxy, login) == ["CAPABILITY", "AUTHENTICATE PLAIN"]

        proxy.change = lambda line: line.replace(b" SASL-IR", b"")
        assert turns(proxy, login)[0] == "AUTHENTICATE PLAIN"
        assert proxy.sent.split(b"\r\n")[0].endswith(b"AUTHENTICATE PLAIN")  # the secret goes in a line of its own


def test_what_was_said_before_the_login_is_not_taken_for_what_holds_after_it() -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR QUOTA] ready\r\n"
    with Peer(greeting=greeting, capabilities=b"IMAP4rev1 SASL-IR UIDPLUS") as peer:
        imap = connect(plain(peer.host, peer.port))
        imap.shutdown()

    assert capabilities(imap) == {"IMAP4REV1", "SASL-IR", "UIDPLUS"}
    assert commands(peer.received) == ["AUTHENTICATE PLAIN", "CAPABILITY"]


@pytest.mark.dovecot
def test_what_was_said_in_the_clear_is_asked_again_under_tls(dovecot: Dovecot) -> None:
    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:

        def change(line: bytes) -> bytes:
            if b"Begin TLS" in line:
                proxy.change = None
            return line.replace(b" SASL-IR", b" SASL-IR INJECTED")

        proxy.change = change
        imap = connect(tls(dovecot, port=proxy.port, security="starttls"))
        imap.shutdown()

    assert "INJECTED" not in capabilities(imap)


def test_a_goodbye_waits_for_nobody() -> None:
    with Peer() as peer:
        imap = connect(plain(peer.host, peer.port))
        start = time.monotonic()
        imap.say_goodbye()
        assert time.monotonic() - start < 1
    assert peer.received.endswith(b"bye LOGOUT\r\n")
