"""Ranges of ids, and what of them would be uploaded."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.app.gesture import Gesture, scroll_step
from hikkoshi.app.selection import RangeSet, Selection, UploadTable
from hikkoshi.move.room import Load

numbers = st.lists(st.integers(-5, 40))


@given(first=numbers, second=numbers, out=numbers)
def test_a_range_set_is_a_set(first: list[int], second: list[int], out: list[int]) -> None:
    ranges = RangeSet()
    ranges.add(first)
    ranges.add(second)
    for number in out:
        ranges.discard(number)

    expected = set(first) | set(second)
    expected -= set(out)
    assert list(ranges) == sorted(expected)
    assert len(ranges) == len(expected)
    assert all((number in ranges) == (number in expected) for number in range(-6, 42))


def test_a_million_in_a_row_is_one_range() -> None:
    ranges = RangeSet()
    ranges.add(range(1_000_000))

    assert ranges == RangeSet([(0, 1_000_000)])


def made(order: range = range(100, 120)) -> Selection:
    """A list of 20 rows of which the even ids would be uploaded, each as large as its id."""
    selection = Selection()
    selection.use(UploadTable(((row, 1 + row % 4 // 2, row) for row in range(100, 120, 2)), {1: "INBOX", 2: "Sent"}))
    selection.show(array("q", order))
    return selection


steps = st.lists(
    st.one_of(
        st.tuples(st.just("toggle"), st.integers(0, 19)),
        st.tuples(st.just("begin"), st.integers(0, 19)),
        st.tuples(st.just("keep"), st.integers(0, 19)),
        st.tuples(st.just("extend"), st.integers(0, 19)),
        st.tuples(st.just("turn"), st.integers(0, 1)),
    )
)


@given(steps)
def test_what_is_counted_as_it_changes_is_what_is_selected(steps: list[tuple[str, int]]) -> None:
    selection = made()
    spanning = False
    for step, at in steps:
        if step == "toggle":
            selection.toggle(at)
            spanning = False
        elif step in ("begin", "keep"):
            selection.begin(at, keep=step == "keep")
            spanning = True
        elif step == "extend" and spanning:
            selection.extend(at)
        elif step == "turn":
            selection.show(array("q", range(119, 99, -1) if at else range(100, 120)))
            spanning = False

    shown = sum(selection.has(position) for position in range(20))
    ids = list(selection.ids())
    assert shown == len(ids) == selection.count
    sent = [row for row in ids if row % 2 == 0]
    assert selection.uploads() == sent
    assert selection.sendable == len(sent)
    assert selection.size == sum(sent)
    assert sum((load for load in selection.loads.values()), Load()) == Load(sum(sent), len(sent))


def test_loads_go_to_the_folder_of_each_row() -> None:
    selection = made()
    selection.add([100, 102, 104])

    assert selection.loads == {"INBOX": Load(204, 2), "Sent": Load(102, 1)}


def test_a_gesture_that_is_cancelled_leaves_no_trace() -> None:
    selection = made()
    selection.add([103])
    gesture = Gesture(selection)
    gesture.press(5, 0, shift=False, ctrl=False)
    gesture.drag_to(9)
    assert selection.count == 5
    gesture.cancel()

    assert list(selection.ids()) == [103]
    assert not gesture.active


def test_dragging_scrolls_faster_further_out() -> None:
    steps = [scroll_step(y, 5, 25) for y in (0, 4, 5, 6, 23, 24, 26, 40)]

    assert steps == [-20, -4, -1, 0, 0, 1, 9, 20]
