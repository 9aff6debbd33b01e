"""Changing flags and removing mails by UID, on a real Dovecot."""

from collections.abc import Iterator

import pytest
from imapclient import IMAPClient

from hikkoshi.errors import CommandRefused
from hikkoshi.mail.flags import ANSWERED, DELETED, FLAGGED, SEEN
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.records import Flagging
from hikkoshi.server.storing import Stored
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy

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


@pytest.fixture
def harmed(dovecot: Dovecot, proxy: FaultProxy, user: str, phone: IMAPClient) -> Iterator[Bulk]:
    """The same over a line that can be harmed."""
    login = Login(host=proxy.host, port=proxy.port, user=user, password=dovecot.password, security="plain", timeout=5.0)
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


def test_what_was_changed_and_what_is_gone_may_come_with_a_no(
    harmed: Bulk, proxy: FaultProxy, phone: IMAPClient
) -> None:
    """RFC 7162 section 3.1.3: `NO [MODIFIED 101] Some of the messages no longer exist`."""
    seen = phone.folder_status("INBOX", ["HIGHESTMODSEQ"])[b"HIGHESTMODSEQ"]
    phone.add_flags([2], [ANSWERED])
    proxy.change = lambda line: line.replace(b"OK [MODIFIED 2]", b"NO [MODIFIED 2:3,99:4294967295]")
    harmed.select("INBOX")

    assert harmed.store([1, 2], [FLAGGED], unchanged_since=seen) == Stored(frozenset({1}), frozenset({2}))
    assert flags(phone)[1] == {FLAGGED}


@pytest.mark.parametrize("answer", [b"NO [CANNOT] No", b"NO No"])
def test_another_no_is_an_error_and_leaves_the_connection_usable(
    harmed: Bulk, proxy: FaultProxy, answer: bytes
) -> None:
    proxy.change = lambda line: line.split(b" ", 1)[0] + b" " + answer + b"\r\n" if b"OK Store" in line else line
    harmed.select("INBOX")

    with pytest.raises(CommandRefused, match="flags of mails in INBOX cannot be changed"):
        harmed.store([1], [FLAGGED])

    harmed.noop()


def test_the_flags_are_told_as_they_are_now_with_their_modseq(bulk: Bulk, phone: IMAPClient) -> None:
    phone.add_flags([1], [FLAGGED])
    bulk.select("INBOX")
    before = bulk.flags_now([1, 2, 99], modseq=True)
    phone.add_flags([2], [ANSWERED, "$Work"])
    bulk.noop()
    after = bulk.flags_now([1, 2], modseq=True)

    assert {uid: each.flags for uid, each in before.items()} == {1: {FLAGGED}, 2: set()}
    assert {uid: each.flags for uid, each in after.items()} == {1: {FLAGGED}, 2: {ANSWERED, "$Work"}}
    assert after[1] == before[1]
    assert (after[2].modseq or 0) > (before[2].modseq or 0) > 0
    assert bulk.flags_now([1]) == {1: Flagging(frozenset({FLAGGED}))}


def test_select_says_what_the_folder_keeps_and_whether_it_may_be_written(harmed: Bulk, proxy: FaultProxy) -> None:
    status = harmed.select("INBOX")
    assert not status.read_only
    assert status.permanent_flags is not None
    assert {SEEN, "\\*"} <= status.permanent_flags

    proxy.change = lambda line: (
        b"* OK [PERMANENTFLAGS ()] None\r\n"
        if b"PERMANENTFLAGS" in line
        else line.replace(b"[READ-WRITE]", b"[READ-ONLY]")
    )
    status = harmed.select("INBOX")
    assert status.read_only
    assert status.permanent_flags == frozenset()
    assert harmed.examine("INBOX").permanent_flags is None, "behind EXAMINE that says nothing"


def test_a_folder_open_for_writing_is_never_closed(harmed: Bulk, proxy: FaultProxy, phone: IMAPClient) -> None:
    """CLOSE would remove what the phone has marked; servers without UNSELECT are left open."""
    phone.add_flags([2], [DELETED])
    harmed._channel.capabilities -= {"UNSELECT"}
    harmed.select("INBOX")
    harmed._leave_for_append("INBOX")
    assert b"CLOSE" not in proxy.sent
    harmed.examine("INBOX")
    harmed._leave_for_append("INBOX")
    assert b"CLOSE" in proxy.sent

    assert flags(phone)[2] == {DELETED}
