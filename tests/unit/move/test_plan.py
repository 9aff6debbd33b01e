from pathlib import Path

import pytest

from hikkoshi.index.queries import row_ids, uploadable
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.move.plan import Plan, make_plan
from hikkoshi.move.room import STORAGE, Load, Room, Source
from support.planted import Planted, mail, planted

ROOM = Room("", STORAGE, 0, 1 << 30, Source.SERVER)


@pytest.fixture
def sides(tmp_path: Path) -> Planted:
    return planted(tmp_path)


def plan_of_all(sides: Planted, append_limit: int | None = None) -> Plan:
    sides.counts()
    return make_plan(sides.index, row_ids(sides.index, None), [ROOM], append_limit=append_limit)


def test_each_mail_goes_once_even_if_every_row_is_asked_for(sides: Planted) -> None:
    with sides:
        sides.put(LOCAL, "Inbox", mail(1), mail(1), mail(2))
        sides.put(LOCAL, "Projects", mail(1))
        sides.put(SERVER, "INBOX")

        plan = plan_of_all(sides)

        assert len(plan.items) == 2
        assert {item.row for item in plan.items} == set(uploadable(sides.index))
        assert [refusal.reason for refusal in plan.refused] == ["it is a further copy of a mail that goes up once"] * 2


def test_what_the_server_has_is_refused_with_the_reason(sides: Planted) -> None:
    with sides:
        sides.put(LOCAL, "Inbox", mail(1))
        sides.put(SERVER, "INBOX", mail(1))

        assert [refusal.reason for refusal in plan_of_all(sides).refused] == ["the server has it already"]


def test_partial_doubtful_and_left_out_mail_is_refused(sides: Planted) -> None:
    with sides:
        sides.put(LOCAL, "Inbox", mail(1, partial=True), mail(2, subject="one", sender="a@x", message_id="again"))
        sides.put(LOCAL, "Trash", mail(3))
        sides.put(SERVER, "INBOX", mail(4, subject="other", sender="b@x", message_id="again"))

        plan = plan_of_all(sides)

        assert plan.items == ()
        assert len({refusal.reason for refusal in plan.refused}) == 3


def test_a_mail_over_the_servers_limit_is_refused_and_the_others_go(sides: Planted) -> None:
    with sides:
        sides.put(LOCAL, "Inbox", mail(1, size=1000), mail(2, size=1001))
        sides.put(SERVER, "INBOX")

        plan = plan_of_all(sides, append_limit=1000)

        assert [item.message.size for item in plan.items] == [1000]
        assert "1,000 bytes" in plan.refused[0].reason


def test_the_shares_say_how_much_goes_where_and_which_folders_are_new(sides: Planted) -> None:
    with sides:
        sides.put(LOCAL, "Inbox", mail(1, size=10), mail(2, size=20))
        sides.put(LOCAL, "Projects", mail(3, size=30))
        sides.put(SERVER, "INBOX")

        plan = plan_of_all(sides)

        assert [("INBOX", False, Load(30, 2)), ("Projects", True, Load(30, 1))] == [
            (share.target, share.new, share.load) for share in plan.shares
        ]
        assert Load(60, 3) == plan.load
