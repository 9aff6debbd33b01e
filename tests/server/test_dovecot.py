"""The private Dovecot that the other tests build on does what its settings say."""

import poplib
import ssl
import time
from collections.abc import Callable

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from support.dovecot import Dovecot
from support.dovecot_config import Settings

pytestmark = pytest.mark.dovecot

MAIL = b"From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"


def login(server: Dovecot, user: str) -> IMAPClient:
    client = IMAPClient(server.host, server.imap_port, ssl=False)
    client.login(user, server.password)
    return client


def test_each_user_has_a_mailbox_of_its_own_that_can_be_looked_into(dovecot: Dovecot) -> None:
    user, other = dovecot.make_user(), dovecot.make_user()
    with login(dovecot, user) as client:
        client.append("INBOX", MAIL)
    with login(dovecot, other) as client:
        assert client.folder_status("INBOX")[b"MESSAGES"] == 0
    files = [path.read_bytes() for name in ("new", "cur") for path in (dovecot.mail_dir(user) / name).iterdir()]

    assert files == [MAIL.replace(b"\r\n", b"\n")] or files == [MAIL]


def test_a_wrong_password_is_refused_at_once(dovecot: Dovecot) -> None:
    start = time.monotonic()
    with pytest.raises(LoginError), IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(dovecot.make_user(), "wrong")

    assert time.monotonic() - start < 1


def test_tls_is_verified_with_the_runs_own_authority(dovecot: Dovecot) -> None:
    context = ssl.create_default_context(cafile=str(dovecot.ca_file))
    with IMAPClient(dovecot.host, dovecot.imaps_port, ssl_context=context) as client:
        client.login(dovecot.make_user(), dovecot.password)
        assert client.has_capability("QUOTA")
    with pytest.raises(ssl.SSLCertVerificationError):
        IMAPClient(dovecot.host, dovecot.imaps_port, ssl_context=ssl.create_default_context())


def test_pop3_shows_the_inbox(dovecot: Dovecot) -> None:
    user = dovecot.make_user()
    with login(dovecot, user) as client:
        client.append("INBOX", MAIL)
    pop = poplib.POP3(dovecot.host, dovecot.pop3_port)
    pop.user(user)
    pop.pass_(dovecot.password)

    assert pop.stat()[0] == 1
    pop.quit()


def test_special_folders_are_there_at_the_first_login(dovecot: Dovecot) -> None:
    with login(dovecot, dovecot.make_user()) as client:
        found = {name: flags for flags, _, name in client.list_folders()}

    assert b"\\Sent" in found["Sent"]
    assert b"\\Trash" in found["Trash"]


def test_a_restart_keeps_ports_and_mail(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings())
    user = server.make_user()
    with login(server, user) as client:
        client.append("INBOX", MAIL)
    server.restart()
    with login(server, user) as client:
        assert client.folder_status("INBOX")[b"MESSAGES"] == 1


def test_settings_shape_quota_namespace_and_capabilities(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(
        Settings(
            quota_storage="100k", quota_messages=5, prefix="INBOX.", separator=".",
            capability="IMAP4rev1 QUOTA NAMESPACE", folders=(("送信済み", ""),),
        )
    )  # fmt: skip
    with login(server, server.make_user()) as client:
        assert set(client.capabilities()) == {b"IMAP4REV1", b"QUOTA", b"NAMESPACE"}
        assert client.namespace().personal == (("INBOX.", "."),)
        assert {quota.resource: quota.limit for quota in client.get_quota("INBOX")} == {"STORAGE": 100, "MESSAGE": 5}
        assert "INBOX.送信済み" in [name for _, _, name in client.list_folders()]


def test_without_quota_there_is_no_quota(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(quota=False))
    with login(server, server.make_user()) as client:
        assert not client.has_capability("QUOTA")


def test_plain_logins_can_be_forbidden(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    server = dovecot_with(Settings(plaintext=False, listen="127.0.0.2"))
    with IMAPClient(server.host, server.imap_port, ssl=False) as client:
        assert client.has_capability("LOGINDISABLED")


def test_it_starts_quickly(dovecot_with: Callable[[Settings], Dovecot]) -> None:
    start = time.monotonic()
    dovecot_with(Settings())

    assert time.monotonic() - start < 2  # 0.05 s on an idle machine; a busy one may need longer
