"""What the ledger remembers of moves and their mails."""

from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from msgspec.structs import replace

from hikkoshi.errors import LedgerError
from hikkoshi.ledger.records import Item, ItemState, Landing, Mended, Sending, Settling, State, There
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


def test_of_a_mended_mail_both_what_was_sent_and_its_original_are_known(ledger: Ledger) -> None:
    move, [mended, plain] = ledger.begin(SERVER, "/mail", [replace(item(1), repairs="a b"), item(2)])
    chosen = [each.repairs for each in ledger.items(move)]
    how = Mended(size=120, fields=b"Subject: sent", source_size=91, source_body=b"original")
    ledger.step(sending=(Sending(mended, b"sent", "", 5, "date", 7, 3, "a", "note", mended=how) for _ in range(1)))
    send(ledger, plain)

    one, two = ledger.items(move)

    assert chosen == ["a b", ""]
    assert (one.size, one.body, one.fields_sent, one.repairs, one.notes) == (
        120,
        b"sent",
        b"Subject: sent",
        "a",
        "note",
    )
    assert (one.original_size, one.original_body, one.fields) == (91, b"original", b"Subject: 1")
    assert (two.size, two.body, two.fields_sent) == (92, b"d", b"Subject: 2")
    assert (two.original_size, two.original_body) == (92, b"d")


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

    assert bool(list(ledger.uploads(SERVER))) == (state in (ItemState.LANDED, ItemState.VERIFIED, ItemState.UNDOING))
    assert bool(ledger.in_doubt(SERVER)) == (state is ItemState.SENDING)


@pytest.mark.parametrize("state", [*State])
def test_moves_that_ended_early_are_told_once(ledger: Ledger, state: State) -> None:
    move, _ = ledger.begin(SERVER, "/mail", map(item, range(2)))
    ledger.finish(move, state, "SIGHUP")

    ended = state in (State.DONE, State.UNDONE)
    assert [(each.id, each.state) for each in ledger.untold(SERVER)] == ([] if ended else [(move, state)])
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


def test_a_mail_that_the_plan_left_out_is_in_it_with_its_reason(ledger: Ledger) -> None:
    refused = replace(item(2), state=ItemState.REFUSED, reason="too large")
    move, _ = ledger.begin(SERVER, "/mail", [item(1), refused])

    assert [(each.state, each.reason) for each in ledger.items(move)] == [
        (ItemState.PLANNED, ""),
        (ItemState.REFUSED, "too large"),
    ]
    assert list(ledger.uploads(SERVER)) == []


def test_a_move_that_is_gone_on_with_is_the_same_one(ledger: Ledger) -> None:
    move, ids = ledger.begin(SERVER, "/mail", map(item, range(3)))
    send(ledger, ids[0])
    land(ledger, ids[0])
    settle(ledger, ids[1], ItemState.FAILED, "x")
    ledger.finish(move, State.STOPPED, "user")
    ledger.tell(move)
    before, mark = ledger.moves(SERVER), ledger.uploads_mark()

    elsewhere = replace(item(1), id=ids[1], place="900:100", native="/mail/Inbox")
    ledger.resume(move, [elsewhere])

    found = ledger.move(move)
    assert found is not None
    assert (found.state, found.ended, found.reason) == (State.RUNNING, None, "")
    assert [each.id for each in ledger.untold(SERVER)] == [move]
    assert ledger.items(move)[1] == elsewhere
    assert ledger.items(move)[0].state is ItemState.LANDED
    ledger.finish(move, State.DONE)
    assert ledger.moves(SERVER) != before, "others see that something was done"
    assert ledger.uploads_mark() != mark


def test_mails_of_another_move_are_not_planned_by_it(ledger: Ledger) -> None:
    first, [one] = ledger.begin(SERVER, "/mail", [item(1)])
    second, _ = ledger.begin(SERVER, "/mail", [item(2)])
    settle(ledger, one, ItemState.FAILED, "x")

    ledger.resume(second, [replace(item(9), id=one)])

    assert ledger.items(first)[0].state is ItemState.FAILED


@pytest.mark.parametrize("how", ["", "facts"])
def test_a_mail_is_ours_until_it_is_known_to_be_removed(ledger: Ledger, how: str) -> None:
    move, [id_] = ledger.begin(SERVER, "/mail", [item(1)])
    send(ledger, id_)
    land(ledger, id_)
    if how:
        ledger.verified([(id_, how)], {id_: There(91, frozenset({"\\Seen"}), 5)})
    before = ledger.items(move)[0]
    mark = ledger.moves(SERVER)

    ledger.undo(move)
    ledger.undoing([id_])
    assert [each.uid for each in ledger.uploads(SERVER)] == [4]
    assert ledger.moves(SERVER) != mark
    ledger.tell(move)
    ledger.undone(kept=[id_])
    assert ledger.items(move)[0] == before
    ledger.undoing([id_])
    ledger.undone(removed=[id_], reason="removed")
    assert list(ledger.uploads(SERVER)) == []
    assert ledger.upload_at(SERVER, "INBOX", 7, 4) is None
    [gone] = ledger.items(move)
    assert (gone.state, gone.uid, gone.reason) == (ItemState.REMOVED, 4, "removed")


def test_an_undone_move_keeps_the_time_when_it_ended(ledger: Ledger) -> None:
    move, [first, second] = ledger.begin(SERVER, "/mail", [item(1), item(2)])
    land(ledger, first)
    land(ledger, second)
    ledger.finish(move, State.DONE)
    ledger.db.execute("UPDATE move SET ended = 1000")
    ledger.undo(move)
    ledger.undone(removed=[first], vanished={second: "deleted since"}, reason="removed")
    ledger.end_undo(move)

    [known] = ledger.history()
    assert (known.state, known.ended) == (State.UNDONE, 1000)
    assert known.undone is not None
    assert known.undone > 1000
    assert known.counts == {ItemState.REMOVED: 1, ItemState.VANISHED: 1}
    assert list(ledger.uploads(SERVER)) == []
    assert [each.reason for each in ledger.items(move)] == ["removed", "deleted since"]


def test_an_undo_that_was_cut_off_is_told(ledger: Ledger) -> None:
    move, [id_] = ledger.begin(SERVER, "/mail", [item(1)])
    land(ledger, id_)
    ledger.finish(move, State.DONE)
    assert ledger.untold(SERVER) == []

    ledger.undo(move)
    ledger.undoing([id_])

    assert [each.id for each in ledger.untold(SERVER)] == [move]


def test_the_history_is_of_one_account_or_of_all(ledger: Ledger) -> None:
    one, [id_, _] = ledger.begin(SERVER, "/mail", map(item, range(2)))
    other, _ = ledger.begin("else@example.jp", "/mail", [item(3)])
    land(ledger, id_)

    assert [each.id for each in ledger.history()] == [one, other]
    [found] = ledger.history(SERVER)
    assert (found.counts, found.sizes) == (
        {ItemState.LANDED: 1, ItemState.PLANNED: 1}, {ItemState.LANDED: 90, ItemState.PLANNED: 91},
    )  # fmt: skip
    assert ledger.move(99) is None


def test_what_was_found_again_under_another_uidvalidity_has_no_first_uid(ledger: Ledger) -> None:
    move, [id_] = ledger.begin(SERVER, "/mail", [item(1)])
    send(ledger, id_)
    land(ledger, id_)

    ledger.readdress([(id_, 8, 40)])

    [found] = ledger.items(move)
    assert (found.uidvalidity, found.uid, found.uidnext) == (8, 40, None)


def test_what_was_mended_when_it_was_sent_before_is_not_so_when_it_is_planned_anew(ledger: Ledger) -> None:
    move, [id_] = ledger.begin(SERVER, "/mail", [replace(item(1), repairs="a b")])
    how = Mended(size=120, fields=b"Subject: sent", source_size=91, source_body=b"original")
    ledger.step(sending=[Sending(id_, b"sent", "", 5, "date", 7, 3, "a", mended=how)])
    settle(ledger, id_, ItemState.PLANNED)

    ledger.resume(move, [replace(item(1), id=id_, repairs="b")])

    [planned] = ledger.items(move)
    assert (planned.size, planned.original_size, planned.fields_sent) == (91, 91, b"Subject: 1")
    assert planned.repairs == "b"
