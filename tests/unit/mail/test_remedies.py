"""The table of findings and remedies, and the page that shows it to people."""

import re
from pathlib import Path

from hikkoshi.mail.findings import Finding
from hikkoshi.mail.remedies import REMEDIES, repairs_for
from hikkoshi.mail.repairs import Repair, as_repairs

PAGE = Path(__file__).parents[3] / "docs" / "preflight.md"


def test_the_table_has_every_finding_and_every_repair() -> None:
    assert set(REMEDIES) == set(Finding)
    assert {remedy.repair for remedy in REMEDIES.values()} == {*Repair, None}
    assert repairs_for(int(~Finding(0)), unread=True) == set(Repair)
    for finding in (Finding.NUL, Finding.LONG_LINE, Finding.NO_HEADERS):
        assert REMEDIES[finding].repair is None


def test_the_page_says_what_the_table_says() -> None:
    rows = re.findall(
        r"^\| ([a-z-]+) \| [^|]+ \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )

    assert rows[0] == ("finding", "refused by", "changed by", "repair")
    assert [row for row in rows[1:] if row[0] != "---"] == [
        (finding.code, ", ".join(remedy.refused_by), ", ".join(remedy.changed_by), remedy.repair or "")
        for finding, remedy in REMEDIES.items()
    ]


def test_a_receipt_is_held_of_unread_mail_alone() -> None:
    assert repairs_for(Finding.ASKS_FOR_RECEIPT, unread=True) == {Repair.HOLD_RECEIPTS}
    assert repairs_for(Finding.ASKS_FOR_RECEIPT, unread=False) == frozenset()


def test_names_of_a_later_version_are_passed_over() -> None:
    assert as_repairs("fold-headers shorten-all") == {Repair.FOLD_HEADERS}
