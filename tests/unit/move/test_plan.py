"""What would go, and why the rest would not."""

from pathlib import Path

from msgspec.structs import replace

from hikkoshi.index.queries import row_ids
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.move.limits import SizeLimits
from hikkoshi.move.plan import Plan, make_plan
from hikkoshi.move.room import STORAGE, Load, Room, Source
from support.planted import Planted, mail

PLENTY = [Room("", STORAGE, 0, 1 << 30, Source.SERVER)]


def plan_of(sides: Planted, **given) -> Plan:
    sides.counts()
    return make_plan(sides.index, row_ids(sides.index, None), PLENTY, **given)


def test_each_mail_that_does_not_go_has_its_reason(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(
            LOCAL,
            "Inbox",
            mail(1),
            mail(2),
            mail(3, partial=True),
            replace(mail(4), size=0),
            mail(5, size=5000),
            mail(6),
        )
        sides.put(LOCAL, "Trash", mail(7))
        sides.put(LOCAL, "Work", mail(6))
        sides.put(SERVER, "INBOX", mail(2))
        plan = plan_of(sides, limits=SizeLimits(told=4000))

    assert sorted(item.message.fields for item in plan.items) == [mail(1).fields, mail(6).fields]
    reasons = {refusal.item.message.fields: refusal.reason for refusal in plan.refused}
    assert "has it already" in reasons[mail(2).fields]
    assert "headers were downloaded" in reasons[mail(3).fields]
    assert "is empty" in reasons[mail(4).fields]
    assert "larger than the 4,000 bytes" in reasons[mail(5).fields]
    assert "goes up once" in reasons[mail(6).fields]
    assert "left out" in reasons[mail(7).fields]


def test_what_goes_where_is_summed_up_by_folder(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", mail(1), mail(2))
        sides.put(LOCAL, "見積", mail(3))
        sides.put(SERVER, "INBOX")
        plan = plan_of(sides)

    assert [(share.target, share.new, share.load) for share in plan.shares] == [
        ("INBOX", False, Load(mail(1).size + mail(2).size, 2)),
        ("見積", True, Load(mail(3).size, 1)),
    ]
    assert plan.load == Load(mail(1).size + mail(2).size + mail(3).size, 3)
    assert plan.fits is True


def test_more_rows_than_one_window_are_all_planned_in_order(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", *[mail(n) for n in range(1203)])
        sides.counts()
        ids = row_ids(sides.index, None)
        plan = make_plan(sides.index, ids, PLENTY)

    assert [item.row for item in plan.items] == list(ids)


def test_nothing_to_send_fits_anywhere(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.counts()
        assert make_plan(sides.index, [], [Room("", STORAGE, 0, None, Source.UNKNOWN)]).fits is True
