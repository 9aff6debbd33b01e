"""The arithmetic of quota."""

import pytest

from hikkoshi.move.room import MESSAGE, STORAGE, Load, Reserve, Room, Source, fits, outlook, rooms
from hikkoshi.server.quota import QuotaRoot

KIB = 1024
NONE = Reserve(size=0)


def root(used: int, limit: int, *folders: str, resource: str = STORAGE, name: str = "root") -> QuotaRoot:
    return QuotaRoot(name, resource, used, limit, frozenset(folders))  # type: ignore[arg-type]


def one(roots: list[QuotaRoot], loads: dict[str, Load], **given) -> bool | None:
    return fits(outlook(rooms(roots, **{"reserve": NONE, "user_limit": None, "used": 0, **given}), loads))


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, True), (1, True), (10 * KIB, True), (10 * KIB + 1, False), (9 * KIB + 1, True)],
)
def test_bytes_are_rounded_up_to_kib_as_the_server_does(size: int, expected: bool) -> None:
    assert one([root(90 * KIB, 100 * KIB, "INBOX")], {"INBOX": Load(size, 1)}) is expected


def test_the_sum_is_rounded_and_not_each_mail() -> None:
    [after] = outlook(
        rooms([root(0, 100 * KIB)], NONE, user_limit=None, used=0), {"a": Load(1500, 3), "b": Load(1500, 3)}
    )
    assert after.after == 3 * KIB


@pytest.mark.parametrize(
    ("reserve", "fitting"),
    [(Reserve(percent=5), 85 * KIB), (Reserve(size=10 * KIB), 80 * KIB), (Reserve(percent=0.5), 89 * KIB)],
)
def test_the_reserve_is_kept_free(reserve: Reserve, fitting: int) -> None:
    full = [root(10 * KIB, 100 * KIB, "INBOX")]

    assert one(full, {"INBOX": Load(fitting, 1)}, reserve=reserve) is True
    assert one(full, {"INBOX": Load(fitting + KIB, 1)}, reserve=reserve) is False


def test_a_reserve_of_bytes_keeps_no_mails_free_and_a_percentage_does() -> None:
    assert (Reserve(size=100).of(MESSAGE, 50), Reserve(percent=5).of(MESSAGE, 50)) == (0, 3)


def test_a_limit_of_mails_counts_mails() -> None:
    roots = [root(0, 1 << 30, "INBOX"), root(7, 10, "INBOX", resource=MESSAGE)]

    assert one(roots, {"INBOX": Load(1 << 20, 3)}) is True
    assert one(roots, {"INBOX": Load(1, 4)}) is False


def test_a_folder_counts_under_its_own_roots_and_a_new_one_under_all() -> None:
    small, large = root(0, 10 * KIB, "INBOX", name="a"), root(0, 100 * KIB, "Archive", name="b")

    assert one([small, large], {"Archive": Load(50 * KIB, 1)}) is True
    assert one([small, large], {"INBOX": Load(50 * KIB, 1)}) is False
    assert one([small, large], {"New": Load(50 * KIB, 1)}) is False


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
