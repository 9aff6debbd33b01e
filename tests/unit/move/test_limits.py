"""How large a mail the server takes: told, learnt, forgotten."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.ledger.store import Ledger
from hikkoshi.move.limits import ANY_SIZE, KEPT_DAYS, REFUSED, SizeLearner, SizeLimits, learnt_limit

SERVER = "taro@imap.example.jp"


@pytest.fixture
def ledger(tmp_path: Path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def test_what_the_server_says_holds_for_all_folders_or_for_one() -> None:
    limits = SizeLimits(told=100, told_of={"Small": 50, "Large": 1000})

    assert [limits.reason_against("INBOX", size) == "" for size in (100, 101)] == [True, False]
    assert [limits.reason_against("Small", size) == "" for size in (50, 51)] == [True, False]
    assert limits.reason_against("Large", 101) != ""
    assert "50 bytes" in limits.reason_against("Small", 60)
    assert ANY_SIZE.reason_against("INBOX", 1 << 40) == ""


def test_a_mail_as_large_as_one_that_was_refused_is_not_sent_again() -> None:
    limits = SizeLimits(refused=5000)

    assert limits.reason_against("INBOX", 4999) == ""
    assert "refused a mail of 5,000 bytes" in limits.reason_against("INBOX", 5000)
    assert "--retry-refused" in limits.reason_against("INBOX", 6000)
    assert limits.trying_again().reason_against("INBOX", 6000) == ""


@given(
    told=st.none() | st.integers(0, 99),
    of=st.dictionaries(st.sampled_from("ab"), st.integers(0, 99)),
    refused=st.none() | st.integers(1, 99),
)
def test_up_to_the_least_size_every_folder_takes_a_mail(
    told: int | None, of: dict[str, int], refused: int | None
) -> None:
    limits = SizeLimits(told, of, refused)
    for size in range(101):
        taken = all(limits.reason_against(name, size) == "" for name in "abc")
        assert taken == (limits.least is None or size <= limits.least)


def test_the_smallest_size_refused_is_remembered_until_as_large_a_mail_lands(ledger: Ledger) -> None:
    learner = SizeLearner(ledger, SERVER)
    for size in (9000, 7000, 8000):
        learner.refused(size)
    assert learnt_limit(ledger, SERVER) == 7000
    assert learnt_limit(ledger, "other@imap.example.jp") is None

    later = SizeLearner(ledger, SERVER)
    later.landed(6999)
    assert learnt_limit(ledger, SERVER) == 7000
    later.landed(7000)
    assert learnt_limit(ledger, SERVER) is None
    later.refused(12_000)
    assert learnt_limit(ledger, SERVER) == 12_000


def test_it_counts_for_thirty_days(ledger: Ledger) -> None:
    SizeLearner(ledger, SERVER).refused(7000)
    at = ledger.learnt(SERVER)[REFUSED].at

    assert learnt_limit(ledger, SERVER, now=at + KEPT_DAYS * 86_400) == 7000
    assert learnt_limit(ledger, SERVER, now=at + KEPT_DAYS * 86_400 + 1) is None


def test_what_is_refused_once_more_counts_from_then_on(ledger: Ledger) -> None:
    SizeLearner(ledger, SERVER).refused(7000)
    ledger.db.execute("UPDATE learnt SET at = at - 29 * 86400")
    SizeLearner(ledger, SERVER).refused(7000)
    at = ledger.learnt(SERVER)[REFUSED].at
    assert learnt_limit(ledger, SERVER, now=at + 2 * 86_400) == 7000


def test_a_mail_larger_than_all_that_may_go_in_a_day_is_refused_by_the_plan() -> None:
    limits = SizeLimits(told=5000, day=1000)
    assert limits.reason_against("INBOX", 1000) == ""
    assert "larger than the 1,000 bytes that may go up in a day" in limits.reason_against("INBOX", 1001)
    assert limits.least == limits.trying_again().least == 1000
