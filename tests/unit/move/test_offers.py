"""What of a plan fits where the whole does not."""

from collections import defaultdict
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Message
from hikkoshi.move.offers import Kind, Offer, make_offer, narrowed, offers
from hikkoshi.move.plan import FolderShare, Plan, PlanItem
from hikkoshi.move.room import MESSAGE, STORAGE, Load, Room, Source, fits, outlook

KIB = 1024


def item(row: int, size: int, *, when: str | None = "2024-01-01", folder: str = "Inbox", target: str = "") -> PlanItem:
    date = None if when is None else int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp())
    role = Role.SENT if folder == "Sent" else Role.NONE
    return PlanItem(
        row, folder, folder, Message(str(row), size, frozenset(), date, b""), target or folder, folder, role
    )


def room(limit: int, *folders: str, resource: str = STORAGE, used: int = 0, reserve: int = 0, name: str = "") -> Room:
    return Room(name, resource, used, limit, Source.SERVER, reserve, frozenset(folders) if folders else None)


def plan(items: list[PlanItem], rooms: list[Room]) -> Plan:
    loads: defaultdict[str, Load] = defaultdict(Load)
    for each in items:
        loads[each.target] += Load(each.message.size, 1)
    shares = tuple(FolderShare(target, target, False, load) for target, load in loads.items())
    return Plan((), shares, tuple(outlook(rooms, loads)), tuple(items))


def chosen(kind: Kind, items: list[PlanItem], *rooms: Room) -> tuple[list[int], Offer]:
    offer = make_offer(kind, items, rooms)
    return [each.row for each in offer.items], offer


MAILS = [
    item(1, 400, when="2021-05-01"),
    item(2, 300, when="2023-02-01", folder="Sent"),
    item(3, 200, when="2023-07-01"),
    item(4, 100, when="2022-01-01", folder="Work"),
    item(5, 150, when=None, folder="Work"),
]


def test_newest_first_ends_at_the_first_that_does_not_fit() -> None:
    rows, offer = chosen(Kind.NEWEST, MAILS, room(700))

    assert rows == [3, 2, 4]
    assert datetime.fromtimestamp(offer.since or 0, UTC).date().isoformat() == "2022-01-01"
    assert (offer.load, offer.left) == (Load(600, 3), Load(550, 2))


def test_a_mail_that_never_fits_is_passed_over() -> None:
    rows, offer = chosen(Kind.NEWEST, [item(9, 701, when="2024-01-01"), *MAILS], room(700))
    assert (rows, offer.too_large) == ([3, 2, 4], 1)


def test_mail_without_a_date_comes_last_and_then_no_date_is_named() -> None:
    rows, offer = chosen(Kind.NEWEST, MAILS, room(1150))
    assert (rows, offer.since) == ([3, 2, 4, 1, 5], None)


def test_smallest_first_takes_as_many_as_can_be() -> None:
    rows, offer = chosen(Kind.SMALLEST, MAILS, room(460))
    assert (rows, offer.largest) == ([4, 5, 3], 200)


def test_whole_folders_sent_mail_first() -> None:
    rows, offer = chosen(Kind.FOLDER, MAILS, room(560))
    assert (rows, offer.folders) == ([2, 4, 5], ("Sent", "Work"))
    assert chosen(Kind.FOLDER, MAILS, room(299))[1].folders == ("Work",)


def test_whole_years_newest_first() -> None:
    assert chosen(Kind.YEAR, MAILS, room(700))[1].years == (2023, 2022)
    assert chosen(Kind.YEAR, MAILS, room(499))[1].years == (2022,)


def test_a_limit_of_mails_counts_mails() -> None:
    for kind, count in ((Kind.NEWEST, 2), (Kind.SMALLEST, 2), (Kind.FOLDER, 1), (Kind.YEAR, 2)):
        assert len(chosen(kind, MAILS, room(1 << 20), room(2, resource=MESSAGE))[0]) == count


def test_a_full_root_does_not_keep_the_others_empty() -> None:
    rows, _offer = chosen(Kind.NEWEST, MAILS, room(10, "Inbox", name="a"), room(1000, "Sent", "Work", name="b"))
    assert rows == [2, 4, 5]


def test_a_root_that_is_full_is_closed_for_what_is_older_and_no_other() -> None:
    items = [item(n, 100, when=f"20{20 - n:02}-01-01", folder=name) for n, name in enumerate("ababab")]
    rows, _offer = chosen(Kind.NEWEST, [*items, item(9, 1, when="2001-01-01", folder="a")],
                          room(150, "a", name="x"), room(1000, "b", name="y"))  # fmt: skip
    assert rows == [0, 1, 3, 5]


def test_nothing_is_offered_where_all_fits_or_nobody_knows() -> None:
    full, unknown = room(5000), Room("", STORAGE, 0, None, Source.UNKNOWN)
    assert offers(plan(MAILS, [full]), [full]) == []
    assert offers(plan(MAILS, [unknown]), [unknown]) == []
    tight = room(700)
    assert [offer.kind for offer in offers(plan(MAILS, [tight]), [tight])] == list(Kind)
    nothing = room(50)
    assert offers(plan(MAILS, [nothing]), [nothing]) == []


def test_a_narrowed_plan_is_of_these_mails_in_the_plans_order() -> None:
    tight = room(700)
    whole = plan(MAILS, [tight])
    part = narrowed(whole, make_offer(Kind.NEWEST, whole.items, [tight]), [tight])

    assert [each.row for each in part.items] == [2, 3, 4]
    assert {share.target: share.load for share in part.shares} == {
        "Sent": Load(300, 1), "Inbox": Load(200, 1), "Work": Load(100, 1)
    }  # fmt: skip
    assert (part.fits, whole.fits) == (True, False)
    assert [each.row for each in part.left_out] == [each.row for each in whole.items if each.row not in (2, 3, 4)]
    less = narrowed(part, make_offer(Kind.FOLDER, part.items, [room(350)]), [room(350)])
    assert sorted(each.row for each in (*less.items, *less.left_out)) == [each.row for each in whole.items]


NAMES = ["Inbox", "Sent", "Work", "New"]
ITEMS = st.lists(
    st.builds(
        lambda size, year, folder, target: (size, year, folder, target),
        st.integers(1, 5000), st.none() | st.integers(1990, 2030), st.sampled_from(NAMES), st.sampled_from(NAMES),
    ),
    max_size=40,
)  # fmt: skip
ROOMS = st.lists(
    st.builds(
        lambda limit, names, messages, used, reserve: room(
            limit // 100 if messages else limit, *names, resource=MESSAGE if messages else STORAGE, used=used,
            reserve=reserve,
        ),
        st.integers(0, 60_000), st.sets(st.sampled_from(NAMES[:3])), st.booleans(), st.integers(0, 50), st.integers(0, 50),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(made=ITEMS, rooms=ROOMS, kind=st.sampled_from(list(Kind)))
def test_an_offer_always_fits_and_could_not_be_larger_in_its_way(
    made: list[tuple[int, int | None, str, str]], rooms: list[Room], kind: Kind
) -> None:
    items = [
        item(row, size, when=f"{year}-06-01" if year else None, folder=folder, target=target)
        for row, (size, year, folder, target) in enumerate(made)
    ]
    whole = plan(items, rooms)
    offer = make_offer(kind, whole.items, rooms)
    part = narrowed(whole, offer, rooms)

    assert part.fits is not False
    assert part.load == offer.load
    assert offer.load + offer.left == whole.load
    if whole.fits is not False:
        assert offer.left.messages == sum(1 for each in items if each.message.date is None and kind is Kind.YEAR)
    groups: dict[object, list[PlanItem]] = defaultdict(list)
    for each in items:
        year = None if each.message.date is None else datetime.fromtimestamp(each.message.date, UTC).year
        groups[{Kind.FOLDER: each.local_folder, Kind.YEAR: year}.get(kind, each.row)].append(each)
    groups.pop(None, None)
    taken = {each.row for each in offer.items}
    for group in groups.values():
        rows = {each.row for each in group}
        assert rows <= taken or not rows & taken, "a group goes as a whole"
        if rows <= taken or kind in (Kind.NEWEST, Kind.SMALLEST):
            continue
        assert fits(outlook(rooms, loads_of([*offer.items, *group]))) is False, "it would have fitted, too"


def loads_of(items: list[PlanItem]) -> dict[str, Load]:
    loads: defaultdict[str, Load] = defaultdict(Load)
    for each in items:
        loads[each.target] += Load(each.message.size, 1)
    return dict(loads)


@settings(max_examples=200, deadline=None)
@given(made=ITEMS, limit=st.integers(0, 60_000))
def test_in_one_room_no_mail_goes_before_one_that_has_its_turn_earlier(
    made: list[tuple[int, int | None, str, str]], limit: int
) -> None:
    """The slow way: sort, and take while it fits."""
    items = [item(row, size, when=f"{year}-06-01" if year else None) for row, (size, year, *_names) in enumerate(made)]
    ways = {
        Kind.NEWEST: lambda each: (each.message.date is None, -(each.message.date or 0), each.row),
        Kind.SMALLEST: lambda each: (
            each.message.size, each.message.date is None, -(each.message.date or 0), each.row,
        ),
    }  # fmt: skip
    for kind, key in ways.items():
        expected, left = [], limit
        for each in sorted((each for each in items if each.message.size <= limit), key=key):
            if each.message.size > left:
                break
            expected.append(each.row)
            left -= each.message.size
        assert chosen(kind, items, room(limit))[0] == expected


def test_a_small_root_within_a_large_one_is_closed_alone() -> None:
    items = [item(n, 100, when=f"20{20 - n:02}-01-01", folder=name) for n, name in enumerate("abab")]
    rows, _offer = chosen(Kind.NEWEST, items, room(1000, "a", "b", name="user"), room(150, "a", name="own"))
    assert rows == [0, 1, 3]


@pytest.mark.parametrize("kind", list(Kind))
def test_its_cost_grows_with_the_number_of_mails_and_no_faster(kind: Kind) -> None:
    """Sixteen times the mails: were each looked at for each other, it would take 256 times as long."""

    def cost(count: int) -> float:
        items = [
            item(n, 1000 + n % 977, when=f"{2000 + n % 25}-01-01", folder=f"F{n % 40}", target=f"F{n % 40}")
            for n in range(count)
        ]
        rooms = [room(count * 700), room(count, resource=MESSAGE), room(count * 20, "F1", "F2")]
        start = process_time()
        make_offer(kind, items, rooms)
        return process_time() - start

    few = min(cost(1000) for _ in range(3))
    assert min(cost(16_000) for _ in range(2)) < 100 * few
