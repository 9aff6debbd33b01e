"""Naming mails: each, or as their number where they are many with one reason."""

import pytest

from hikkoshi.cli.naming import FEW, name_failures
from hikkoshi.move.receipt import Failure


def failures(folder: str, count: int, reason: str) -> list[Failure]:
    return [Failure(f"mail {number}", folder, reason) for number in range(count)]


def test_a_few_are_named_each(capsys: pytest.CaptureFixture[str]) -> None:
    name_failures("Not moved", failures("Inbox", FEW, "late"), 3)

    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"Not moved: Inbox: mail {number}: late" for number in range(FEW)]


def test_many_with_one_reason_are_one_line_and_others_stand_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    name_failures(
        "Not moved", [*failures("Inbox", 5000, "late"), *failures("Sent", 1, "late"), *failures("Inbox", 2, "bad")], 3
    )

    assert capsys.readouterr().err.splitlines() == [
        "Not moved: Sent: mail 0: late",
        "Not moved: Inbox: mail 0: bad",
        "Not moved: Inbox: mail 1: bad",
        "Not moved: Inbox: 5,000 mails: late",
        "“hikkoshi moves 3” names each of them.",
    ]
