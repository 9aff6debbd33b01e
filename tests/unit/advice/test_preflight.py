"""What was found in mails before they are sent, as people and programs are told."""

import pytest

from hikkoshi.advice.preflight import (
    finding_text,
    findings_json,
    noted,
    preflight_lines,
    remedy_text,
    repair_text,
)
from hikkoshi.ledger.records import Item
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.message import Problem
from hikkoshi.mail.remedies import REMEDIES
from hikkoshi.mail.repairs import Repair
from hikkoshi.move.notes import Note
from hikkoshi.move.preflight import Noticed, Preflight


def noticed(number: int, *notes: Note, offered: Repair | None = None) -> Noticed:
    return Noticed(number, "Inbox", b"Subject: n-%d" % number, notes, frozenset({offered} if offered else ()))


def test_a_line_for_each_kind_names_the_first_mails_and_what_can_be_done() -> None:
    mails = [noticed(n, Note(Finding.EMPTY_FIELD, f"X-{n}"), offered=Repair.DROP_EMPTY_FIELDS) for n in range(5)]
    found = Preflight((noticed(9, Note(Finding.NUL)), *mails), (Problem("Work", "it is gone"),))

    lines = preflight_lines(found)

    assert lines[0] == "Before sending:"
    assert lines[1] == "        1  mail with a NUL (refused by Cyrus, changed by Dovecot)"
    assert lines[2].strip() == "Inbox: n-9"
    assert (
        lines[3]
        == "        5  mails with header fields without a value (refused by iCloud; --repair drop-empty-fields)"
    )
    assert [line.strip() for line in lines[4:7]] == [f"Inbox: n-{n} [X-{n}]" for n in range(3)]
    assert lines[7].strip() == "and 2 more; --json names all"
    assert lines[8] == "Could not be looked at: Work: it is gone"
    assert preflight_lines(Preflight()) == []


def test_what_is_chosen_is_said_to_be_mended() -> None:
    found = Preflight((noticed(1, Note(Finding.EMPTY_FIELD, "X"), offered=Repair.DROP_EMPTY_FIELDS),))

    assert "mended: header fields without a value left away" in preflight_lines(found, [Repair.DROP_EMPTY_FIELDS])[1]


def test_where_a_date_comes_from_is_told() -> None:
    found = Preflight(
        tuple(noticed(n, Note(Finding.IMPOSSIBLE_DATE, source)) for n, source in enumerate(("received", "file")))
    )

    assert [line.strip() for line in preflight_lines(found)[2:]] == [
        "Inbox: n-0 [date from Received]",
        "Inbox: n-1 [date from the file's time]",
    ]


def test_nothing_of_a_mail_reaches_the_terminal_unescaped() -> None:
    evil = Noticed(1, "\x1b[31mIn", b"Subject: \x1b]0;x\x07\xe2\x80\xae", (Note(Finding.FLAGS_DROPPED, "\x1b[2J"),))

    text = "\n".join(preflight_lines(Preflight((evil,), (Problem("\x1b", "\x1b"),))))

    assert "\x1b" not in text
    assert "\u202e" not in text


def test_json_has_all_mails() -> None:
    mails = [
        noticed(n, Note(Finding.NUL), Note(Finding.EMPTY_FIELD, "X"), offered=Repair.DROP_EMPTY_FIELDS)
        for n in range(50)
    ]

    found = findings_json(mails)

    assert found["counts"] == {"nul": 50, "empty-field": 50}
    assert len(found["mails"]) == 50
    assert found["mails"][7] == {
        "folder": "Inbox",
        "subject": "n-7",
        "found": [{"kind": "nul", "detail": ""}, {"kind": "empty-field", "detail": "X"}],
        "repairs": ["drop-empty-fields"],
    }


def test_what_was_noted_of_a_move_is_read_from_the_ledger() -> None:
    items = [
        Item("Inbox", "1", 5, b"Subject: a", "INBOX", "", id=1),
        Item(
            "Inbox",
            "2",
            5,
            b"Subject: b",
            "INBOX",
            "",
            id=2,
            notes="empty-field X-A",
            repairs="drop-empty-fields later",
        ),
    ]

    assert noted(items) == [
        Noticed(2, "Inbox", b"Subject: b", (Note(Finding.EMPTY_FIELD, "X-A"),), frozenset({Repair.DROP_EMPTY_FIELDS}))
    ]


@pytest.mark.parametrize("finding", Finding)
def test_every_finding_has_words(finding: Finding) -> None:
    assert finding_text(finding, 1) != finding_text(finding, 2) or "flags" in finding_text(finding, 1)
    remedy = REMEDIES[finding]
    assert all(server in remedy_text(finding) for server in remedy.refused_by + remedy.changed_by)
    if remedy.repair:
        assert repair_text(remedy.repair)
