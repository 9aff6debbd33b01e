"""Which message summaries are believed, and what they say."""

import os
from pathlib import Path

import pytest

from hikkoshi.local.mork import MorkError
from hikkoshi.local.msf import fresh_summary, parse_summary, read_summary, summary_path
from hikkoshi.local.standing import Standing
from support.mork import SummaryRow, summary

CONTENT = b"From - \nA: 1\nB: 2\n\nFrom - \nA: 3\nB: 4\n\n"
SECOND = str(CONTENT.rindex(b"From "))
TIME = 1_700_000_000


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "受信"
    path.write_bytes(CONTENT)
    os.utime(path, (TIME, TIME))
    return path


def write(mbox: Path, *rows: SummaryRow, size: int = len(CONTENT), date: int = TIME) -> None:
    summary_path(mbox).write_bytes(summary(rows, folder_size=size, folder_date=date, removed=1))


def test_flags_keywords_and_liveness_of_a_fresh_one(mbox: Path) -> None:
    write(mbox, SummaryRow("0", 0x1, "$label1 見積", subject="a)b"), SummaryRow(SECOND, 0x1006))

    found = fresh_summary(mbox)

    assert found is not None
    assert found.standings == {
        "0": Standing(frozenset(("\\Seen", "$label1", "見積"))),
        SECOND: Standing(frozenset(("\\Answered", "\\Flagged", "$Forwarded"))),
    }


def test_a_listed_mail_is_live_whatever_its_expunged_bit_says(mbox: Path) -> None:
    write(mbox, SummaryRow("0", 0x9), SummaryRow(SECOND, 0x401))

    found = fresh_summary(mbox)

    assert found is not None
    assert found.standings["0"] == Standing(frozenset(("\\Seen",)), live=True)
    assert found.standings[SECOND].partial


@pytest.mark.parametrize(
    ("size", "date", "fresh"),
    [
        (len(CONTENT), TIME, True),
        (len(CONTENT), TIME - 4000, True),
        (len(CONTENT), TIME + 4000, True),
        (len(CONTENT), TIME - 4001, False),
        (len(CONTENT), TIME + 4001, False),
        (len(CONTENT) + 1, TIME, False),
        (0, TIME, False),
    ],
)
def test_fresh_means_the_same_size_and_about_the_same_time(mbox: Path, size: int, date: int, fresh: bool) -> None:
    write(mbox, SummaryRow("0"), size=size, date=date)

    assert (fresh_summary(mbox) is not None) == fresh


@pytest.mark.parametrize("token", ["3", "99999", "x"])
def test_one_whose_places_start_no_mail_is_another_files(mbox: Path, token: str) -> None:
    write(mbox, SummaryRow("0"), SummaryRow(token))

    assert fresh_summary(mbox) is None


def test_one_that_thunderbird_itself_wants_to_make_anew(mbox: Path) -> None:
    write(mbox, SummaryRow("0"))
    path = summary_path(mbox)
    path.write_bytes(
        path.read_bytes().replace(b"(80=", b"(FF=forceReparse)(80=", 1).replace(b"(^87=", b"(^FF=1)(^87=", 1)
    )

    found = read_summary(mbox)

    assert found is not None
    assert found.force_reparse
    assert fresh_summary(mbox) is None


@pytest.mark.parametrize("share", [0, 1, 3, 10, 40])
def test_a_cut_one_counts_as_missing(mbox: Path, share: int) -> None:
    write(mbox, SummaryRow("0", 1), SummaryRow(SECOND, 1))
    path = summary_path(mbox)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * share // 100])

    assert fresh_summary(mbox) is None


def test_none_at_all(mbox: Path) -> None:
    assert fresh_summary(mbox) is None


def test_one_that_may_not_be_read_is_not_passed_over(mbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    write(mbox, SummaryRow("0", 1))
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything, so the refusal is played

    with pytest.raises(PermissionError):
        fresh_summary(mbox)


def test_the_mails_of_old_versions_are_found_by_offset_or_row(mbox: Path) -> None:
    def told(text: bytes) -> set[str]:
        return set(parse_summary(text).standings)

    rows = (SummaryRow("0"), SummaryRow("590"))
    text = summary(rows, folder_size=1, folder_date=1)

    assert told(text.replace(b"=storeToken)", b"=msgOffset)").replace(b"=msgOffset)(86", b"=other)(86")) == {
        "0",
        str(0x590),
    }
    assert told(text.replace(b"=storeToken)", b"=other)")) == {"1", "2"}


def test_a_number_that_is_none_is_damage() -> None:
    text = summary([SummaryRow("0", 1)], folder_size=1, folder_date=1)

    with pytest.raises(MorkError):
        parse_summary(text.replace(b"=1)]\n", b"=zz)]\n", 1))
