"""Which of the mails that were under way when a move ended have arrived."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hikkoshi.errors import CommandRefused
from hikkoshi.index.schema import SERVER
from hikkoshi.ledger.records import Item, ItemState, Landing, Sending
from hikkoshi.ledger.store import Ledger
from hikkoshi.mail.message import Message
from hikkoshi.move.settle import Settled, settle
from support.planted import UIDVALIDITY, Planted, mail

ACCOUNT = "mei@example.jp"


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Planted]:
    with Planted(tmp_path) as planted:
        yield planted


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def under_way(ledger: Ledger, message: Message, *, uidnext: int, uidvalidity: int = UIDVALIDITY) -> int:
    """A mail that was being sent to INBOX when the program ended; its number in the ledger."""
    _, [id_] = ledger.begin(ACCOUNT, "/mail", [Item("Inbox", "0:1", message.size, message.fields, "INBOX", "")])
    ledger.step(sending=[Sending(id_, b"", "", 0, "", uidvalidity, uidnext)])
    return id_


def state(ledger: Ledger, id_: int) -> tuple[ItemState, int | None]:
    [item] = [each for move in range(1, 9) for each in ledger.items(move) if each.id == id_]
    return item.state, item.uid


def test_one_that_is_there_has_landed(sides: Planted, ledger: Ledger) -> None:
    _, uid = sides.put(SERVER, "INBOX", mail(1), mail(2))
    id_ = under_way(ledger, mail(2), uidnext=uid)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(arrived=1)
    assert state(ledger, id_) == (ItemState.LANDED, uid)
    assert settle(sides.index, ledger, ACCOUNT) == Settled()


def test_one_that_is_not_there_was_never_sent(sides: Planted, ledger: Ledger) -> None:
    sides.put(SERVER, "INBOX", mail(1), mail(3))
    id_ = under_way(ledger, mail(2), uidnext=1)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(missing=1)
    assert state(ledger, id_)[0] is ItemState.PLANNED


def test_a_uid_below_the_saved_one_is_not_ours(sides: Planted, ledger: Ledger) -> None:
    (uid,) = sides.put(SERVER, "INBOX", mail(2))
    id_ = under_way(ledger, mail(2), uidnext=uid + 1)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(missing=1)
    assert state(ledger, id_)[0] is ItemState.PLANNED


def test_a_mail_of_another_size_is_another_mail(sides: Planted, ledger: Ledger) -> None:
    sides.put(SERVER, "INBOX", replace(mail(2), size=mail(2).size + 3))
    id_ = under_way(ledger, mail(2), uidnext=1)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(missing=1)
    assert state(ledger, id_)[0] is ItemState.PLANNED


def test_one_of_several_stays_in_doubt(sides: Planted, ledger: Ledger) -> None:
    sides.put(SERVER, "INBOX", mail(2), mail(2))
    id_ = under_way(ledger, mail(2), uidnext=1)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(doubtful=1)
    assert state(ledger, id_)[0] is ItemState.DOUBTFUL


def test_what_another_upload_is_known_to_have_brought_is_not_counted_twice(sides: Planted, ledger: Ledger) -> None:
    first, second = sides.put(SERVER, "INBOX", mail(2), mail(2))
    known = under_way(ledger, mail(2), uidnext=1)
    ledger.step(landed=[Landing(known, UIDVALIDITY, first)])
    id_ = under_way(ledger, mail(2), uidnext=1)

    settle(sides.index, ledger, ACCOUNT)
    assert state(ledger, id_) == (ItemState.LANDED, second)


def test_in_a_folder_that_has_another_uidvalidity_all_mail_is_looked_at(sides: Planted, ledger: Ledger) -> None:
    """The saved UIDNEXT says nothing about it."""
    uid, _other = sides.put(SERVER, "INBOX", mail(2), mail(3))
    there = under_way(ledger, mail(2), uidnext=99, uidvalidity=UIDVALIDITY - 1)
    missing = under_way(ledger, mail(4), uidnext=1, uidvalidity=UIDVALIDITY - 1)

    assert settle(sides.index, ledger, ACCOUNT) == Settled(arrived=1, missing=1)
    assert state(ledger, there) == (ItemState.LANDED, uid)
    assert state(ledger, missing) == (ItemState.PLANNED, None)


def test_one_mail_there_is_one_of_two_whatever_uidvalidity_they_were_sent_under(sides: Planted, ledger: Ledger) -> None:
    (uid,) = sides.put(SERVER, "INBOX", mail(2))
    ids = [under_way(ledger, mail(2), uidnext=1, uidvalidity=UIDVALIDITY - number) for number in range(2)]

    assert settle(sides.index, ledger, ACCOUNT) == Settled(arrived=1, missing=1)
    assert {state(ledger, id_) for id_ in ids} == {(ItemState.LANDED, uid), (ItemState.PLANNED, None)}


def test_a_folder_that_is_gone_tells_nothing(sides: Planted, ledger: Ledger) -> None:
    _, [id_] = ledger.begin(ACCOUNT, "/mail", [Item("Inbox", "0:1", 9, b"Subject: x", "Gone", "")])
    ledger.step(sending=[Sending(id_, b"", "", 0, "", UIDVALIDITY, 1)])

    assert settle(sides.index, ledger, ACCOUNT) == Settled(doubtful=1)
    assert state(ledger, id_)[0] is ItemState.DOUBTFUL


def test_a_folder_that_cannot_be_opened_now_is_asked_next_time(sides: Planted, ledger: Ledger) -> None:
    (uid,) = sides.put(SERVER, "INBOX", mail(2))
    id_ = under_way(ledger, mail(2), uidnext=1)
    folder = sides.index.server_folder("INBOX")
    assert folder is not None
    sides.index.set_stamp(folder, None)
    assert settle(sides.index, ledger, ACCOUNT) == Settled(open=1)
    assert state(ledger, id_)[0] is ItemState.SENDING

    sides.index.set_stamp(folder, str(UIDVALIDITY))
    settle(sides.index, ledger, ACCOUNT)
    assert state(ledger, id_) == (ItemState.LANDED, uid)


def test_as_many_equal_mails_as_were_sent_have_all_arrived(sides: Planted, ledger: Ledger) -> None:
    uids = sides.put(SERVER, "INBOX", mail(2), mail(2))
    ids = [under_way(ledger, mail(2), uidnext=1) for _ in range(2)]

    settle(sides.index, ledger, ACCOUNT)
    assert [state(ledger, id_) for id_ in ids] == [(ItemState.LANDED, uid) for uid in uids]


def test_of_equal_mails_those_that_are_not_there_were_never_sent(sides: Planted, ledger: Ledger) -> None:
    (uid,) = sides.put(SERVER, "INBOX", mail(2))
    ids = [under_way(ledger, mail(2), uidnext=1) for _ in range(2)]

    settle(sides.index, ledger, ACCOUNT)
    assert sorted(state(ledger, id_) for id_ in ids) == [(ItemState.LANDED, uid), (ItemState.PLANNED, None)]


def test_mails_with_the_same_headers_and_size_are_told_apart_by_their_bodies(sides: Planted, ledger: Ledger) -> None:
    """A scanner's pages: of two that were on their way one has arrived, and nothing but its body says which."""
    message = mail(2)
    _, uid = sides.put(SERVER, "INBOX", mail(1), message)
    items = [Item("Inbox", f"{place}:1", message.size, message.fields, "INBOX", "") for place in range(2)]
    _, ids = ledger.begin(ACCOUNT, "/mail", items)
    ledger.step(sending=[Sending(id_, b"%d" % id_, "", 0, "", UIDVALIDITY, uid) for id_ in ids])
    asked: list[tuple[str, int]] = []

    def digest_of(native: str, uid: int) -> bytes:
        asked.append((native, uid))
        return b"%d" % ids[1]

    assert settle(sides.index, ledger, ACCOUNT, digest_of) == Settled(arrived=1, missing=1)
    assert (state(ledger, ids[0])[0], state(ledger, ids[1])) == (ItemState.PLANNED, (ItemState.LANDED, uid))
    assert asked == [("INBOX", uid)]


def test_a_body_that_cannot_be_read_leaves_them_in_doubt(sides: Planted, ledger: Ledger) -> None:
    message = mail(2)
    [uid] = sides.put(SERVER, "INBOX", message)
    items = [Item("Inbox", f"{place}:1", message.size, message.fields, "INBOX", "") for place in range(2)]
    _, ids = ledger.begin(ACCOUNT, "/mail", items)
    ledger.step(sending=[Sending(id_, b"%d" % id_, "", 0, "", UIDVALIDITY, uid) for id_ in ids])

    def digest_of(_native: str, _uid: int) -> bytes:
        raise CommandRefused("gone")

    assert settle(sides.index, ledger, ACCOUNT, digest_of) == Settled(doubtful=2)
