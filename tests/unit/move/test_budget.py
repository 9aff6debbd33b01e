"""What may go in a day, by arithmetic."""

from time import process_time

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
    ones = [budget.days([1] * count, NOW) for count in (0, 70, 71, 170, 171, 1000)]
    assert ones == [1, 1, 2, 2, 3, 11]


def test_large_mails_take_a_day_each_and_small_ones_go_beside_them() -> None:
    assert Budget(1000).days([686] * 8 + [1] * 250, NOW) == 8
    assert Budget(1000).days([1] * 250 + [686] * 8, NOW) == 8


def test_mails_larger_than_the_budget_take_no_day() -> None:
    assert Budget(100).days([101, 50, 500, 50], NOW) == 1
    assert Budget(100, [(NOW - 10, 100)]).days([101, 50, 500, 50], NOW) == 2


def test_a_hundred_thousand_mails_are_forecast_within_two_seconds() -> None:
    sizes = [1 + number * 7919 % 1000 for number in range(100_000)]
    for size in (1000, 100_000, 10_000_000):
        began = process_time()
        assert Budget(size).days(sizes, NOW) >= sum(sizes) / size
        assert process_time() - began < 2


def by_days(budget: int, left: int, sizes: list[int]) -> int:
    """The slow twin: day after day over what is left."""
    sizes = [size for size in sizes if size <= budget]
    days = 1
    while True:
        later = []
        for size in sizes:
            if size <= left:
                left -= size
            else:
                later.append(size)
        if not later:
            return days
        sizes, left, days = later, budget, days + 1


@given(st.integers(1, 100), st.integers(0, 120), st.lists(st.integers(1, 110), max_size=60))
def test_days_are_those_of_going_day_by_day(size: int, gone: int, sizes: list[int]) -> None:
    budget = Budget(size, [(NOW - 10, gone)])
    assert budget.days(sizes, NOW) == by_days(size, max(0, size - gone), sizes)


@given(
    st.lists(st.tuples(st.integers(NOW - 2 * DAY, NOW + 50), st.integers(1, 50)), max_size=20),
    st.lists(st.tuples(st.integers(0, 50), st.integers(NOW - 2 * DAY, NOW + 2 * DAY)), max_size=20),
)
def test_what_is_left_is_what_the_last_day_has_not_taken_even_where_the_clock_is_set_back(
    sent: list[tuple[int, int]], steps: list[tuple[int, int]]
) -> None:
    budget, known = Budget(1000, sent), list(sent)
    for size, now in steps:
        assert budget.left(now) == max(0, 1000 - sum(each for when, each in known if when + DAY > now))
        budget.add(size, now)
        known.append((now, size))


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
