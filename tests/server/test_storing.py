"""Changing flags and removing mails by UID, on a real Dovecot."""

from collections.abc import Iterator

import pytest
from imapclient import IMAPClient

from hikkoshi.mail.flags import ANSWERED, DELETED, FLAGGED, SEEN
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.storing import Stored
from support.dovecot import Dovecot

pytestmark = pytest.mark.dovecot


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.make_user()


@pytest.fixture
def phone(dovecot: Dovecot, user: str) -> Iterator[IMAPClient]:
    """Another client, with three mails in the INBOX: UIDs 1, 2 and 3."""
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user, dovecot.password)
    for number in range(3):
        client.append("INBOX", b"Subject: %d\r\n\r\nbody\r\n" % number)
    client.select_folder("INBOX")
    yield client
    client.logout()


@pytest.fixture
def bulk(dovecot: Dovecot, user: str, phone: IMAPClient) -> Iterator[Bulk]:
    login = Login(
        host=dovecot.host, port=dovecot.imap_port, user=user, password=dovecot.password, security="plain", timeout=5.0
    )
    with Bulk.open(login) as opened:
        yield opened


def flags(phone: IMAPClient) -> dict[int, set[str]]:
    phone.noop()
    return {
        uid: {flag.decode() for flag in found[b"FLAGS"] if flag != b"\\Recent"}
        for uid, found in phone.fetch([1, 2, 3], ["FLAGS"]).items()
    }


def test_flags_are_added_and_taken_away_and_others_stay(bulk: Bulk, phone: IMAPClient) -> None:
    phone.add_flags([1, 2], [FLAGGED])
    bulk.select("INBOX")

    assert bulk.store([1, 3], [SEEN, "$Forwarded"]) == Stored(frozenset({1, 3}))
    assert flags(phone) == {1: {FLAGGED, SEEN, "$Forwarded"}, 2: {FLAGGED}, 3: {SEEN, "$Forwarded"}}

    bulk.store([1], [FLAGGED], remove=True)
    assert flags(phone)[1] == {SEEN, "$Forwarded"}


def test_what_somebody_changed_since_is_left_as_it_is(bulk: Bulk, phone: IMAPClient) -> None:
    # Dovecot counts changes from when it is first asked about them.
    seen = phone.folder_status("INBOX", ["HIGHESTMODSEQ"])[b"HIGHESTMODSEQ"]
    phone.add_flags([2], [ANSWERED])
    bulk.select("INBOX")

    stored = bulk.store([1, 2, 3], [FLAGGED], unchanged_since=seen)

    assert stored == Stored(frozenset({1, 3}), frozenset({2}))
    assert flags(phone) == {1: {FLAGGED}, 2: {ANSWERED}, 3: {FLAGGED}}


def test_only_the_mails_named_are_removed(bulk: Bulk, phone: IMAPClient) -> None:
    phone.add_flags([1, 2], [DELETED])
    bulk.select("INBOX")

    bulk.expunge([2, 3])

    assert flags(phone) == {1: {DELETED}, 3: set()}


def test_flags_that_nobody_checked_are_not_sent(bulk: Bulk) -> None:
    bulk.select("INBOX")

    for bad in (["\\Recent"], ["a b"], []):
        with pytest.raises(ValueError, match="cannot be stored"):
            bulk.store([1], bad)
