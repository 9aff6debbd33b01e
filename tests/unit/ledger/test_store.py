"""What the ledger remembers of moves and their mails."""

from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from msgspec.structs import replace

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.records import Item, ItemState, Landing, Sending, Settling, State
from hikkoshi.ledger.store import Ledger

SERVER = "mei@example.jp"


def item(number: int) -> Item:
    return Item("Inbox", f"{number}:100", 90 + number, b"Subject: %d" % number, "INBOX", "\\Seen")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def send(ledger: Ledger, id_: int) -> None:
    ledger.step(sending=[Sending(id_, b"d", "\\Seen $x", 5, "date", 7, 3)])


def land(ledger: Ledger, id_: int) -> None:
    ledger.step(landed=[Landing(id_, 7, 4)])


def settle(ledger: Ledger, id_: int, state: ItemState, reason: str = "") -> None:
    ledger.step(settled=[Settling(id_, state, reason)])


def test_a_plan_is_written_down_in_its_order(ledger: Ledger, tmp_path: Path) -> None:
    move, ids = ledger.begin(SERVER, "/mail", map(item, range(3)))

    with Ledger(ledger.path) as other:
        assert other.items(move) == [replace(item(n), id=id_) for n, id_ in enumerate(ids)]
        assert other.counts(move) == {ItemState.PLANNED: 3}


def test_each_step_of_a_mail_is_there_for_the_next_process(ledger: Ledger) -> None:
    move, [id_, other_id] = ledger.begin(SERVER, "/mail", map(item, range(2)))
    send(ledger, id_)
    with Ledger(ledger.path) as other:
        [doubtful] = other.in_doubt(SERVER)
        assert (doubtful.id, doubtful.body, doubtful.flags, doubtful.date) == (id_, b"d", "\\Seen $x", 5)
        assert (doubtful.uidvalidity, doubtful.uidnext, doubtful.uid) == (7, 3, None)
    land(ledger, id_)
    ledger.verified([(id_, "bytes")])
    settle(ledger, other_id, ItemState.FAILED, "too large")
    with Ledger(ledger.path) as other:
        first, second = other.items(move)
        assert (first.state, first.uid, first.verified) == (ItemState.VERIFIED, 4, "bytes")
        assert (second.state, second.reason) == (ItemState.FAILED, "too large")
        assert other.in_doubt(SERVER) == []
        assert [each.id for each in other.uploads(SERVER)] == [id_]


def test_what_is_asked_of_one_account_is_of_no_other(ledger: Ledger) -> None:
    _, [id_] = ledger.begin(SERVER, "/mail", [item(1)])
    send(ledger, id_)

    assert ledger.in_doubt("other@example.jp") == []
    land(ledger, id_)
    assert list(ledger.uploads("other@example.jp")) == []
    assert ledger.untold("other@example.jp") == []
    assert ledger.moves("other@example.jp") == (0, 0)


@pytest.mark.parametrize("state", [*ItemState])
def test_only_what_arrived_counts_as_uploaded(ledger: Ledger, state: ItemState) -> None:
    _, [id_] = ledger.begin(SERVER, "/mail", [item(1)])
    land(ledger, id_)
    settle(ledger, id_, state)

    assert bool(list(ledger.uploads(SERVER))) == (state in (ItemState.LANDED, ItemState.VERIFIED))
    assert bool(ledger.in_doubt(SERVER)) == (state is ItemState.SENDING)


@pytest.mark.parametrize("state", [*State])
def test_moves_that_ended_early_are_told_once(ledger: Ledger, state: State) -> None:
    move, _ = ledger.begin(SERVER, "/mail", map(item, range(2)))
    ledger.finish(move, state, "SIGHUP")

    assert [(each.id, each.state) for each in ledger.untold(SERVER)] == ([] if state is State.DONE else [(move, state)])
    ledger.tell(move)
    assert ledger.untold(SERVER) == []


def test_the_number_of_moves_tells_that_something_happened(ledger: Ledger) -> None:
    assert ledger.moves(SERVER) == (0, 0)
    move, _ = ledger.begin(SERVER, "/mail", [item(1)])
    assert ledger.moves(SERVER) == (1, 0)
    ledger.finish(move, State.DONE)
    assert ledger.moves(SERVER) == (1, 1)


def test_a_full_disk_is_an_error_with_a_sentence_and_leaves_it_whole(ledger: Ledger) -> None:
    move, ids = ledger.begin(SERVER, "/mail", [item(1)])
    pages = ledger.db.execute("PRAGMA page_count").fetchone()[0]
    ledger.db.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(LedgerError, match="full"):
        ledger.begin(SERVER, "/mail", map(item, range(1000)))
    assert ledger.moves(SERVER) == (1, 0)
    settle(ledger, ids[0], ItemState.FAILED, "x")  # it can go on once there is room
    assert [each.reason for each in ledger.items(move)] == ["x"]


def test_a_file_that_breaks_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.begin(SERVER, "/mail", map(item, range(500)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    path.write_bytes(content)

    with Ledger(path) as ledger, pytest.raises(LedgerError, match="cannot be read"):
        ledger.untold(SERVER)


def test_what_was_sent_since_counts_all_that_left(ledger: Ledger) -> None:
    move, [first, second, third] = ledger.begin(SERVER, "/mail", map(item, range(3)))
    before = int(time())
    send(ledger, first)
    send(ledger, second)
    land(ledger, first)
    settle(ledger, second, ItemState.FAILED, "too large")

    [(when, size)] = ledger.sent_since(SERVER, before)
    assert before <= when <= time()
    assert size == item(0).size
    assert ledger.sent_since(SERVER, int(time()) + 1) == []
    assert ledger.sent_since("else@example.jp", 0) == []
    assert ledger.items(move)[third - first].sent_at is None


def test_what_is_learnt_of_a_server_is_kept_until_it_is_forgotten(ledger: Ledger) -> None:
    ledger.learn(SERVER, "refused-size", 500)
    ledger.learn(SERVER, "refused-size", 400)
    ledger.learn("else@example.jp", "refused-size", 1)

    with Ledger(ledger.path) as other:
        assert other.learnt(SERVER)["refused-size"].value == 400
    ledger.forget(SERVER, "refused-size")
    assert ledger.learnt(SERVER) == {}
    assert ledger.learnt("else@example.jp") != {}
