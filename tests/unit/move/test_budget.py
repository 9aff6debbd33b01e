"""What may go in a day, by arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.move.budget import DAY, Budget

NOW = 1_800_000_000


def test_what_went_is_free_again_a_day_later() -> None:
    budget = Budget(100, [(NOW - DAY, 60), (NOW - DAY + 10, 30), (NOW - 5, 20)])
    assert budget.left(NOW) == 50
    assert budget.left(NOW + 10) == 80
    assert budget.left(NOW + DAY) == 100
    budget.add(50, NOW)
    assert budget.left(NOW) == 0


def test_it_goes_on_when_there_is_room_for_the_next_mail() -> None:
    budget = Budget(100, [(NOW - 10, 30), (NOW - 100, 60)])
    assert budget.opens(10, NOW) == NOW
    assert budget.opens(11, NOW) == NOW - 100 + DAY
    assert budget.opens(70, NOW) == NOW - 100 + DAY
    assert budget.opens(71, NOW) == NOW - 10 + DAY


def test_days_are_counted_with_what_is_left_today() -> None:
    budget = Budget(100, [(NOW - 10, 30)])
    assert [budget.days(size, NOW) for size in (0, 70, 71, 170, 171, 1000)] == [1, 1, 2, 2, 3, 11]


@given(
    st.lists(st.tuples(st.integers(NOW - 2 * DAY, NOW), st.integers(1, 500)), max_size=20),
    st.integers(1, 1000),
    st.integers(1, 1000),
)
def test_the_first_second_with_room_is_found(sent: list[tuple[int, int]], size: int, need: int) -> None:
    """The slow twin tries every moment at which something becomes free."""
    budget = Budget(size, sent)
    need = min(need, size)
    moments = sorted({NOW, *(when + DAY for when, _size in sent if when + DAY > NOW)})
    assert budget.opens(need, NOW) == next(at for at in moments if budget.left(at) >= need)
