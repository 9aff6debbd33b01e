"""What a move did, from the ledger alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hikkoshi.ledger.records import Item, ItemState, Landing, Sending, Settling, State
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.receipt import make_receipt, subject
from hikkoshi.move.telling import tell_unfinished

ACCOUNT = "mei@example.jp"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def begin(ledger: Ledger, count: int) -> tuple[int, list[int]]:
    items = [Item("Inbox", f"{n}", 100, b"Subject: mail %d" % n, "INBOX", "") for n in range(count)]
    return ledger.begin(ACCOUNT, "/mail", items)


def test_every_mail_is_in_it_once_with_its_reason(ledger: Ledger) -> None:
    move, ids = begin(ledger, 7)
    for id_ in ids[:3]:
        ledger.step(landed=[Landing(id_, 7, id_)])
    ledger.verified([(ids[0], "facts"), (ids[1], "its date is another one")])
    ledger.step(settled=[Settling(ids[3], ItemState.FAILED, "too large")])
    ledger.step(settled=[Settling(ids[4], ItemState.DOUBTFUL, "several could be it")])
    ledger.step(sending=[Sending(ids[5], b"", "", 0, "", 7, 9)])

    receipt = make_receipt(ledger, move, State.CONNECTION_LOST, "The line was cut.")

    assert (receipt.landed, receipt.bytes, receipt.read_back) == (3, 300, 1)
    assert [(f.subject, f.reason) for f in receipt.changed] == [("mail 1", "its date is another one")]
    assert [(f.subject, f.reason) for f in receipt.failed] == [("mail 3", "too large")]
    assert [(f.subject, f.reason) for f in receipt.doubtful] == [
        ("mail 4", "several could be it"),
        ("mail 5", "the server's answer did not come"),
    ]
    assert [f.subject for f in receipt.waiting] == ["mail 6"]
    assert all(f.reason for f in receipt.waiting)
    assert receipt.not_sent == 1
    assert not receipt.complete


@pytest.mark.parametrize(
    "state",
    [ItemState.LANDED, ItemState.PLANNED, ItemState.SENDING, ItemState.FAILED, ItemState.DOUBTFUL],
)
def test_it_is_complete_only_where_every_mail_arrived(ledger: Ledger, state: ItemState) -> None:
    move, ids = begin(ledger, 2)
    for id_ in ids:
        ledger.step(landed=[Landing(id_, 7, id_)])
    ledger.verified((id_, "facts") for id_ in ids)
    assert make_receipt(ledger, move, State.DONE).complete
    assert not make_receipt(ledger, move, State.STOPPED).complete
    ledger.step(settled=[Settling(ids[1], state)])

    assert make_receipt(ledger, move, State.DONE).complete is (state is ItemState.LANDED)


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (State.STOPPED, "SIGHUP", "the terminal was closed"),
        (State.STOPPED, "SIGTERM", "the program was ended"),
        (State.STOPPED, "", "the program was ended"),
        (State.NO_ROOM, "no-room", "no room was left"),
        (State.CONNECTION_LOST, "connection-lost", "the connection was lost"),
        (State.FAILED, "failed", "an error ended it"),
    ],
)
def test_a_move_that_ended_early_is_told_in_a_sentence(ledger: Ledger, state: State, reason: str, words: str) -> None:
    move, ids = begin(ledger, 3)
    ledger.step(landed=[Landing(ids[0], 7, 1)])
    ledger.step(settled=[Settling(ids[1], ItemState.DOUBTFUL, "x")])
    ledger.finish(move, state, reason)

    told = tell_unfinished(ledger.untold(ACCOUNT))

    assert f"ended early ({words}): 1 of 3 mails arrived" in told
    assert "Of 1 mail it is not known whether it arrived." in told


def test_a_subject_is_made_safe_and_never_empty() -> None:
    assert subject(b"Subject: =?utf-8?b?44GC?= \x1b[2J") == "あ \ufffd[2J"
    assert subject(b"From: x") == "(no subject)"
    assert subject(b"Subject:") == "(no subject)"
