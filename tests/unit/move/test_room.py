import pytest
from hypothesis import given
from hypothesis import strategies as st

from hikkoshi.move.room import KIB, MESSAGE, STORAGE, Load, Reserve, Room, Source, fits, outlook, rooms
from hikkoshi.server.quota import QuotaRoot

MIB = KIB * KIB


def storage(used: int, limit: int | None, reserve: int = 0, folders: frozenset[str] | None = None) -> Room:
    return Room("root", STORAGE, used, limit, Source.SERVER, reserve, folders)


@pytest.mark.parametrize(
    ("added", "fitting"), [(5 * MIB, True), (5 * MIB + 1, False)], ids=["to the reserve", "one byte over"]
)
def test_a_load_fits_up_to_the_reserve_and_not_a_byte_further(added: int, fitting: bool) -> None:
    (found,) = outlook([storage(4 * MIB, 10 * MIB, MIB)], {"INBOX": Load(added, 1)})

    assert fitting is found.fits


def test_what_is_missing_is_told_in_the_rooms_unit() -> None:
    (found,) = outlook([storage(9 * MIB, 10 * MIB, MIB)], {"INBOX": Load(2 * MIB, 1)})

    assert (found.after, found.missing) == (11 * MIB, 2 * MIB)


def test_nothing_to_send_fits_into_a_box_that_is_over_its_limit() -> None:
    assert fits(outlook([storage(12 * MIB, 10 * MIB)], {})) is True


def test_messages_are_counted_where_the_limit_is_of_messages() -> None:
    room = Room("root", MESSAGE, 8, 10, Source.SERVER)

    assert [outlook([room], {"INBOX": Load(1, count)})[0].fits for count in (2, 3)] == [True, False]


def test_an_unknown_limit_for_bytes_is_neither_fitting_nor_not() -> None:
    assert fits(outlook([storage(0, None)], {"INBOX": Load(1, 1)})) is None


def test_a_limit_that_is_passed_outweighs_an_unknown_one() -> None:
    passed = Room("", MESSAGE, 10, 10, Source.SERVER)

    assert fits(outlook([storage(0, None), passed], {"INBOX": Load(1, 1)})) is False


def test_a_folder_counts_only_under_its_own_root() -> None:
    shared, own = storage(0, MIB, folders=frozenset({"Shared"})), storage(0, MIB, folders=frozenset({"INBOX"}))

    found = outlook([shared, own], {"INBOX": Load(512 * KIB, 1)})

    assert [each.after for each in found] == [0, 512 * KIB]


def test_a_folder_that_is_not_there_yet_counts_under_every_root() -> None:
    roots = [storage(0, MIB, folders=frozenset({name})) for name in ("Shared", "INBOX")]

    assert [each.after for each in outlook(roots, {"new": Load(512 * KIB, 1)})] == [512 * KIB] * 2


def test_the_users_limit_stands_beside_the_servers() -> None:
    server = QuotaRoot("root", STORAGE, 3 * MIB, 10 * MIB, frozenset({"INBOX"}))

    found = rooms([server], Reserve(), user_limit=5 * MIB, used=2 * MIB)

    assert [(room.source, room.used, room.limit) for room in found] == [
        (Source.SERVER, 3 * MIB, 10 * MIB),
        (Source.USER, 3 * MIB, 5 * MIB),
    ]


def test_a_server_that_tells_only_a_message_limit_leaves_bytes_unknown() -> None:
    server = QuotaRoot("root", MESSAGE, 1, 10, frozenset({"INBOX"}))

    found = rooms([server], Reserve(), user_limit=None, used=7)

    assert (found[1].source, found[1].used, found[1].limit) == (Source.UNKNOWN, 7, None)


@given(st.integers(0, 1 << 50), st.floats(0, 100))
def test_a_percentage_is_rounded_in_favour_of_the_reserve(limit: int, percent: float) -> None:
    reserve = Reserve(percent).of(STORAGE, limit)

    assert limit * percent / 100 - 1 <= reserve <= limit * percent / 100 + 1
    assert reserve >= int(limit * percent // 100)


def test_a_reserve_in_bytes_says_nothing_of_messages() -> None:
    assert (Reserve(size=5).of(STORAGE, 100), Reserve(size=5).of(MESSAGE, 100)) == (5, 0)


@given(
    st.integers(0, 1 << 40),
    st.integers(1, 1 << 40),
    st.integers(0, 1 << 30),
    st.lists(st.integers(1, 1 << 30), max_size=9),
)
def test_a_plan_that_fits_never_takes_the_server_into_the_reserve(
    used: int, limit: int, reserve: int, sizes: list[int]
) -> None:
    used = used // KIB * KIB
    (found,) = outlook([storage(used, limit, reserve)], {"INBOX": Load(sum(sizes), len(sizes))})

    after_by_the_servers_rounding = used + -(-sum(sizes) // KIB) * KIB
    if sizes and found.fits:
        assert after_by_the_servers_rounding <= limit - reserve
