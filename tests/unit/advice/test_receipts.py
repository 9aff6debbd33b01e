"""Past moves and receipts, as JSON and for people."""

import pytest
from msgspec.structs import replace

from hikkoshi.advice.receipts import mail_json, mail_lines, move_json, move_line, receipt_lines
from hikkoshi.ledger.records import Item, ItemState, Move, State
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.mail_receipt import Fate, mail_receipt
from hikkoshi.move.notes import Note, pack_notes
from hikkoshi.move.telling import count_texts, state_text

EVIL = "a\x1b[2J\u202eb"
SENT = Item(
    "Inbox", "0:90", 90, b"Subject: Hello\r\nFrom: Mei <mei@example.jp>\r\nMessage-ID: <x@y>", "INBOX", "\\Seen work",
    3, ItemState.VERIFIED, b"\xab" * 32, 1_704_196_800, "received", 7, 20, 21, "", "facts", "/mail/Inbox", 1_704_200_000,
    there_size=92, there_flags="\\Seen", there_date=1_704_196_800,
)  # fmt: skip


def with_state(state: ItemState, **changes: object) -> Item:
    return replace(SENT, state=state, **changes)


def move(state: State, reason: str = "", **counts: int) -> Move:
    by_state = {ItemState(name): count for name, count in counts.items()}
    sizes = {name: 1024 * count for name, count in by_state.items()}
    return Move(12, "mei@example.jp", "/mail", 1_704_196_800, 1_704_196_860, state, reason, by_state, sizes)


def test_a_moved_mail_has_all_that_an_audit_asks_for() -> None:
    assert mail_json(mail_receipt(SENT)) == {
        "fate": "moved",
        "state": "verified",
        "reason": "",
        "subject": "Hello",
        "message_id": "x@y",
        "from": {"folder": "Inbox", "path": "/mail/Inbox", "place": "0:90"},
        "to": {"folder": "INBOX", "uid": 21, "uidvalidity": 7},
        "size": 90,
        "digest": "ab" * 32,
        "date": "2024-01-02T12:00:00+00:00",
        "date_source": "received",
        "flags": ["\\Seen", "work"],
        "notes": [],
        "repairs": [],
        "sent_at": "2024-01-02T12:53:20+00:00",
        "verified": "facts",
        "as_sent": True,
        "server": {"size": 92, "flags": ["\\Seen"], "date": "2024-01-02T12:00:00+00:00"},
    }


@pytest.mark.parametrize(
    ("state", "fate", "words"),
    [
        (ItemState.LANDED, Fate.MOVED, "not read back"),
        (ItemState.UNDOING, Fate.MOVED, "was begun and not ended"),
        (ItemState.SENDING, Fate.IN_DOUBT, "answer did not come"),
        (ItemState.DOUBTFUL, Fate.IN_DOUBT, "given"),
        (ItemState.PLANNED, Fate.NOT_MOVED, "ended before it"),
        (ItemState.FAILED, Fate.NOT_MOVED, "given"),
        (ItemState.REFUSED, Fate.NOT_MOVED, "given"),
        (ItemState.REMOVED, Fate.REMOVED, "given"),
        (ItemState.VANISHED, Fate.GONE, "given"),
    ],
)
def test_every_other_mail_has_its_reason(state: ItemState, fate: Fate, words: str) -> None:
    reason = "the reason that was given" if words == "given" else ""
    receipt = mail_receipt(with_state(state, verified="", reason=reason))

    assert receipt.fate is fate
    assert not receipt.as_sent
    assert words in receipt.reason
    assert words in "\n".join(mail_lines(receipt))


def test_what_was_never_stored_has_no_digest_and_no_date() -> None:
    receipt = mail_receipt(with_state(ItemState.FAILED, uid=None, reason="too large"))

    assert (receipt.digest, receipt.date, receipt.uid, receipt.uidvalidity) == ("", None, None, None)


def test_what_was_found_in_it_and_mended_is_said_in_words() -> None:
    notes = pack_notes([Note(Finding.ODD_DATE, "received")])
    receipt = mail_receipt(with_state(ItemState.VERIFIED, notes=notes, repairs=str(Repair.FINAL_LINE_END)))

    lines = list(mail_lines(receipt))
    assert any("date is written in an unusual way" in line and "date from Received" in line for line in lines)
    assert any("mended: a line end added" in line for line in lines)
    assert mail_json(receipt)["notes"] == [{"kind": Finding.ODD_DATE.code, "detail": "received"}]


@pytest.mark.parametrize(
    ("verified", "as_sent", "words"),
    [
        ("facts", True, "UID, size, flags and date"),
        ("bytes", True, "whole"),
        ("facts+flags", True, "set again"),
        ("bytes+flags", True, "set again"),
        ("its date is another one", False, "its date is another one"),
    ],
)
def test_how_it_was_verified(verified: str, as_sent: bool, words: str) -> None:
    receipt = mail_receipt(with_state(ItemState.VERIFIED, verified=verified))

    assert receipt.as_sent is as_sent
    assert words in list(mail_lines(receipt))[-1]


def test_nothing_of_it_can_act_on_a_terminal() -> None:
    changes = dict.fromkeys(("folder", "place", "target", "native", "verified", "reason", "flags"), EVIL)
    receipt = mail_receipt(with_state(ItemState.VERIFIED, fields=b"Subject: " + EVIL.encode(), **changes))
    evil_move = Move(1, EVIL, EVIL, 0, None, State.DONE, "", {}, {})

    for text in (
        *receipt_lines(evil_move, [receipt]),
        move_line(evil_move),
        str([mail_json(receipt), move_json(evil_move)]),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize("state", [*State])
def test_every_state_has_words_of_its_own(state: State) -> None:
    texts = {state_text(move(each)) for each in State}

    assert len(texts) == len(State)
    assert state_text(move(state))


def test_what_became_of_the_mails_of_a_move() -> None:
    stopped = move(State.STOPPED, "SIGHUP", verified=50, landed=2, planned=6, doubtful=1, sending=1, refused=3)

    assert count_texts(stopped) == [
        "52 of 60 mails are there", "2 not read back", "6 not begun", "2 in doubt", "3 left out by the plan",
    ]  # fmt: skip
    assert "ended early (the terminal was closed)" in move_line(stopped)
    assert "52.0 KiB" in move_line(stopped)
    assert move_json(stopped)["bytes"] == 52 * 1024
