"""What goes today of a plan: in its order what fits into the day's budget."""

from time import time

import pytest

from hikkoshi.mail.message import Message
from hikkoshi.move.budget import Budget, BudgetSpent
from hikkoshi.move.plan import PlanItem
from hikkoshi.move.today import Today


def planned(*sizes: int) -> list[tuple[PlanItem, int]]:
    return [
        (PlanItem(row, "Inbox", "Inbox", Message("", size, frozenset(), None, b""), "INBOX", "INBOX"), row)
        for row, size in enumerate(sizes)
    ]


def never(_item: PlanItem, _id: int, reason: str) -> None:
    pytest.fail(reason)


def test_mails_that_do_not_fit_are_skipped_and_the_others_go() -> None:
    mails = planned(686, 686, 300, 5, 10, 4)
    today = Today(Budget(1000), [item for item, _id in mails])
    gone = [id_ for start in (0, 3) for _item, id_ in today.take(mails[start : start + 3], never)]
    assert gone == [0, 2, 3, 5]


def test_it_ends_where_not_even_the_smallest_fits_and_goes_on_when_the_first_that_was_put_off_does() -> None:
    mails = planned(90, 60, 11, 50)
    now = time()
    today = Today(Budget(100, [(int(now) - 1000, 5)]), [item for item, _id in mails])
    assert [id_ for _item, id_ in today.take(mails[:2], never)] == [0]
    with pytest.raises(BudgetSpent) as spent:
        today.take(mails[2:], never)
    assert spent.value.until >= now + 86_400 - 1  # 60 bytes need what went now, 5 would be free earlier


def test_where_all_went_nothing_is_said() -> None:
    mails = planned(50, 50)
    today = Today(Budget(100), [item for item, _id in mails])
    assert today.take(mails, never) == mails
    today.end()


def test_a_folder_of_which_nothing_fits_is_put_off_as_a_whole() -> None:
    mails = planned(60, 50, 70, 40)
    today = Today(Budget(100), [item for item, _id in mails])
    today.take(mails[:1], never)
    assert (today.any_fits(mails[1:3]), today.any_fits(mails[3:])) == (False, True)
    with pytest.raises(BudgetSpent):
        today.end()


def test_a_mail_that_has_outgrown_the_whole_budget_is_refused_and_stops_nothing() -> None:
    mails = planned(101, 100)
    refused: list[int] = []
    today = Today(Budget(100), [item for item, _id in mails])
    assert today.any_fits(mails[:1])
    gone = today.take(mails, lambda _item, id_, _reason: refused.append(id_))
    assert (refused, gone) == ([0], mails[1:])
    today.end()
