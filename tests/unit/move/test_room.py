"""The arithmetic of quota."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hikkoshi.move.room import AUTOMATIC, MESSAGE, STORAGE, Decided, Load, Reserve, Room, Source, fits, outlook, rooms
from hikkoshi.server.quota import QuotaRoot

KIB = 1024
NONE = Reserve(size=0)


def root(used: int, limit: int, *folders: str, resource: str = STORAGE, name: str = "root") -> QuotaRoot:
    return QuotaRoot(name, resource, used, limit, frozenset(folders))  # type: ignore[arg-type]


def one(roots: list[QuotaRoot], loads: dict[str, Load], **given) -> bool | None:
    return fits(outlook(rooms(roots, **{"reserve": NONE, "user_limit": None, "used": 0, **given}), loads))


ROUNDED = 2 * 1023
"""A server may have less room by so much than it says: the use told too low, the limit too high."""


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, True), (1, True), (10 * KIB - ROUNDED, True), (10 * KIB - ROUNDED + 1, False), (10 * KIB, False)],
)
def test_what_the_server_may_have_rounded_away_is_not_counted_on(size: int, expected: bool) -> None:
    assert one([root(90 * KIB, 100 * KIB, "INBOX")], {"INBOX": Load(size, 1)}) is expected


@given(
    used=st.integers(0, 1 << 40),
    limit=st.integers(0, 1 << 40),
    sizes=st.lists(st.integers(1, 1 << 30), max_size=20),
    tells=st.sampled_from(["dovecot", "cyrus"]),
)
def test_a_plan_that_fits_is_never_refused(used: int, limit: int, sizes: list[int], tells: str) -> None:
    """The servers' own arithmetic, as measured: bytes are summed up; Dovecot rounds up what it tells, Cyrus down."""
    told_used = (-(-used // KIB) if tells == "dovecot" else used // KIB) * KIB
    limit = limit if tells == "dovecot" else limit // KIB * KIB
    told_limit = -(-limit // KIB) * KIB
    load = Load(sum(sizes), len(sizes))

    if one([root(told_used, told_limit, "INBOX")], {"INBOX": load}):
        assert not sizes or used + sum(sizes) <= limit
    elif used + sum(sizes) + 2 * ROUNDED <= limit:
        raise AssertionError("it would have fitted")


def test_the_sum_is_rounded_and_not_each_mail() -> None:
    [after] = outlook(
        rooms([root(0, 100 * KIB)], NONE, user_limit=None, used=0), {"a": Load(1500, 3), "b": Load(1500, 3)}
    )
    assert after.after == 3 * KIB


@pytest.mark.parametrize(
    ("reserve", "fitting"),
    [(Reserve(percent=5), 85 * KIB), (Reserve(size=10 * KIB), 80 * KIB), (Reserve(percent=1), 89 * KIB)],
)
def test_the_reserve_is_kept_free(reserve: Reserve, fitting: int) -> None:
    full = [root(10 * KIB, 100 * KIB, "INBOX")]

    assert one(full, {"INBOX": Load(fitting - ROUNDED, 1)}, reserve=reserve) is True
    assert one(full, {"INBOX": Load(fitting - ROUNDED + 1, 1)}, reserve=reserve) is False


def test_a_reserve_of_bytes_keeps_no_mails_free_and_a_percentage_does() -> None:
    assert (Reserve(size=100).of(MESSAGE, 50), Reserve(percent=5).of(MESSAGE, 50)) == (0, 3)


@pytest.mark.parametrize(
    ("incoming", "resource", "expected"),
    [
        (Load(6 * KIB, 90), STORAGE, (6 * KIB, Decided.INCOMING)),
        (Load(5 * KIB, 90), STORAGE, (5 * KIB, Decided.PERCENT)),
        (Load(0, 0), STORAGE, (5 * KIB, Decided.PERCENT)),
        (None, STORAGE, (5 * KIB, Decided.PERCENT)),
        (Load(1 << 40, 7), MESSAGE, (5120, Decided.PERCENT)),
        (Load(0, 5121), MESSAGE, (5121, Decided.INCOMING)),
    ],
)
def test_the_default_is_the_larger_of_a_share_and_of_what_comes_in(
    incoming: Load | None, resource: str, expected: tuple[int, Decided]
) -> None:
    limit = 100 * KIB
    assert replace(AUTOMATIC, incoming=incoming).decide(resource, limit) == expected
    assert Reserve(percent=5, incoming=incoming).decide(resource, limit) == (5 * KIB, Decided.PERCENT)
    assert Reserve(size=3, incoming=incoming).decide(STORAGE, limit) == (3, Decided.SIZE)


@given(percent=st.floats(0, 100), limit=st.integers(0, 1 << 60))
def test_a_share_is_rounded_up_and_is_never_more_than_the_limit(percent: float, limit: int) -> None:
    kept = Reserve(percent=percent).of(STORAGE, limit)
    assert kept <= limit
    assert Fraction(percent) * limit <= 100 * kept < Fraction(percent) * limit + 100


def test_a_limit_of_mails_counts_mails() -> None:
    roots = [root(0, 1 << 30, "INBOX"), root(7, 10, "INBOX", resource=MESSAGE)]

    assert one(roots, {"INBOX": Load(1 << 20, 3)}) is True
    assert one(roots, {"INBOX": Load(1, 4)}) is False


def test_a_folder_counts_under_its_own_roots_and_a_new_one_under_all() -> None:
    small, large = root(0, 10 * KIB, "INBOX", name="a"), root(0, 100 * KIB, "Archive", name="b")

    assert one([small, large], {"Archive": Load(50 * KIB, 1)}) is True
    assert one([small, large], {"INBOX": Load(50 * KIB, 1)}) is False
    assert one([small, large], {"New": Load(50 * KIB, 1)}) is False


def test_a_folder_under_several_roots_has_to_fit_into_each() -> None:
    roots = [root(0, 20 * KIB, "INBOX", "A", name="user"), root(0, 15 * KIB, "INBOX", "A", name="second")]

    [user, second] = outlook(
        rooms(roots, NONE, user_limit=None, used=0), {"INBOX": Load(9 * KIB, 2), "A": Load(9 * KIB, 3)}
    )
    assert (user.fits, second.fits) == (True, False)
    assert second.missing == 18 * KIB - (15 * KIB - ROUNDED)


NAMES = ["INBOX", "A", "B", "new"]


@given(
    limits=st.lists(
        st.tuples(st.sets(st.sampled_from(NAMES[:3])), st.sampled_from([STORAGE, MESSAGE]), st.integers(0, 200 * KIB)),
        max_size=5,
    ),
    loads=st.dictionaries(
        st.sampled_from(NAMES), st.builds(Load, st.integers(0, 80 * KIB), st.integers(0, 80 * KIB)), max_size=4
    ),
)
def test_every_root_of_every_folder_holds_what_counts_under_it(
    limits: list[tuple[set[str], str, int]], loads: dict[str, Load]
) -> None:
    """The slow way: every root is filled folder by folder; a folder that no root names may be under any of them."""
    roots = [root(0, top, *names, resource=res, name=str(n)) for n, (names, res, top) in enumerate(limits)]
    known = {name for names, _res, _top in limits for name in names}
    expected = True
    for names, resource, top in limits:
        filled = 0
        for name, load in loads.items():
            if name in names or name not in known:
                filled += load.messages if resource == MESSAGE else load.size
        slack = 0 if resource == MESSAGE else ROUNDED
        expected = expected and (filled == 0 or filled <= top - slack)

    found = fits(outlook(rooms(roots, NONE, user_limit=None, used=0), loads))

    assert (found is not False) == expected
    assert (found is None) == (expected and not any(res == STORAGE for _names, res, _top in limits))


def test_a_box_that_is_over_its_limit_takes_nothing_and_needs_nothing() -> None:
    over = [root(120 * KIB, 100 * KIB, "INBOX")]

    assert one(over, {"INBOX": Load(1, 1)}) is False
    assert one(over, {}) is True


def test_without_quota_the_users_word_counts_and_the_sum_of_sizes() -> None:
    [room] = rooms([], NONE, user_limit=100 * KIB, used=60 * KIB)
    assert (room.used, room.limit, room.source) == (60 * KIB, 100 * KIB, Source.USER)
    assert one([], {"INBOX": Load(40 * KIB, 1)}, user_limit=100 * KIB, used=60 * KIB) is True
    assert one([], {"INBOX": Load(41 * KIB, 1)}, user_limit=100 * KIB, used=60 * KIB) is False


def test_nobodys_word_is_unknown_even_with_a_limit_of_mails() -> None:
    assert one([], {"INBOX": Load(1, 1)}) is None
    assert one([root(0, 10, "INBOX", resource=MESSAGE)], {"INBOX": Load(1, 1)}) is None
    assert one([root(0, 10, "INBOX", resource=MESSAGE)], {"INBOX": Load(1, 11)}) is False
    [unknown] = rooms([], NONE, user_limit=None, used=5)
    assert unknown == Room("", STORAGE, 5, None, Source.UNKNOWN)


def test_the_smaller_of_the_users_and_the_servers_limit_holds() -> None:
    roots = [root(50 * KIB, 100 * KIB, "INBOX")]

    assert one(roots, {"INBOX": Load(20 * KIB, 1)}, user_limit=60 * KIB) is False
    assert one(roots, {"INBOX": Load(20 * KIB, 1)}, user_limit=200 * KIB) is True
    assert one(roots, {"INBOX": Load(60 * KIB, 1)}, user_limit=200 * KIB) is False
