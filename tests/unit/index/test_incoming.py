"""What came in within 30 days, each mail once whatever side still has it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hikkoshi.index.incoming import incoming
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.mail.message import Message
from support.planted import Planted, mail

NOW = 1_800_000_000
DAY = 86_400


def came(number: int, days_ago: float, size: int = 0) -> Message:
    return replace(mail(number, size=size), date=int(NOW - days_ago * DAY))


@pytest.fixture
def sides(tmp_path: Path):
    with Planted(tmp_path) as planted:
        yield planted


def found(sides: Planted) -> tuple[int, int]:
    sides.compare()
    return incoming(sides.index, NOW)


def test_mail_counts_once_whichever_side_has_it(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", came(1, 1, 1000), came(2, 2, 200))  # fetched and taken off the server; still on both
    sides.put(LOCAL, "Work", came(2, 2, 200))  # a further copy
    sides.put(SERVER, "INBOX", came(2, 2, 200), came(3, 3, 30))  # not fetched yet
    sides.put(SERVER, "Archive", came(3, 3, 30), came(4, 4, 4))

    assert found(sides) == (1234, 4)


def test_the_larger_copy_is_what_a_mail_takes(sides: Planted) -> None:
    """A server may have a line end more; a further copy may have lost its attachments."""
    sides.put(LOCAL, "Inbox", came(1, 1, 1000))
    sides.put(LOCAL, "Work", came(1, 1, 1000))
    sides.put(SERVER, "INBOX", came(1, 1, 1002))
    assert found(sides) == (1002, 1)


def test_what_one_wrote_or_threw_away_did_not_come_in(sides: Planted) -> None:
    for side in (LOCAL, SERVER):
        for number, name in enumerate(("Sent", "Drafts", "Templates", "Outbox", "Trash", "Junk"), 10 * side + 1):
            sides.put(side, name, came(number, 1))
    assert found(sides) == (0, 0)
    sides.put(LOCAL, "Inbox", came(1, 1, 77))  # sent to oneself
    assert found(sides)[1] == 1


def test_only_thirty_days_count(sides: Planted) -> None:
    sides.put(SERVER, "INBOX", came(1, 29.9, 100), came(2, 30.1, 1000), came(3, -0.5, 10), came(4, -2, 1))
    sides.put(LOCAL, "Inbox", replace(mail(5), date=None))
    assert found(sides) == (110, 2)


def test_a_folder_of_all_mail_counts_what_did_not_go_out(sides: Planted) -> None:
    sides.put(SERVER, "All Mail", came(1, 1, 1), came(2, 1, 20), came(3, 1, 300))
    sides.put(SERVER, "Sent", came(2, 1, 20))
    sides.put(SERVER, "INBOX", came(3, 1, 300))
    assert found(sides) == (301, 2)


def test_headers_alone_are_not_the_mail(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", replace(came(1, 1, 5), partial=True), replace(came(2, 1, 5), partial=True))
    sides.put(SERVER, "INBOX", came(1, 1, 900))
    assert found(sides)[0] == 900


FOLDERS = [(LOCAL, "Inbox"), (LOCAL, "Sent"), (LOCAL, "Work"), (SERVER, "INBOX"), (SERVER, "Drafts"), (SERVER, "Trash")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(copies=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(FOLDERS)), max_size=30, unique=True))
def test_it_is_what_counting_by_hand_gives(tmp_path_factory: pytest.TempPathFactory, copies: list) -> None:
    """Mail n came n*5 days ago; it counts where a copy lies in a folder that takes what comes in."""
    with Planted(tmp_path_factory.mktemp("index")) as sides:
        for number, (side, name) in copies:
            sides.put(side, name, came(number, number * 5, number))
        there = {number for number, (_side, name) in copies if name in ("Inbox", "Work", "INBOX") and number * 5 < 30}
        assert found(sides) == (sum(there), len(there))


def test_it_walks_over_the_rows_of_those_days_alone(sides: Planted) -> None:
    def steps() -> int:
        sides.compare()
        taken = [0]

        def step() -> None:
            taken[0] += 1

        sides.index.db.set_progress_handler(step, 1)
        incoming(sides.index, NOW)
        sides.index.db.set_progress_handler(None, 1)
        return taken[0]

    sides.put(SERVER, "INBOX", *[came(number, 1) for number in range(20)])
    few = steps()
    sides.put(SERVER, "INBOX", *[came(number, 400) for number in range(100, 3000)])
    assert steps() < few + 300
