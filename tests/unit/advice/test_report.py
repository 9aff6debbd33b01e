from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import asdict

from hikkoshi.advice.report import (
    amount_text,
    count_lines,
    failed_json,
    folders_json,
    outlook_text,
    plan_lines,
    problems_json,
    quota_json,
    size_text,
)
from hikkoshi.index.queries import Counts, FolderPair
from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Problem
from hikkoshi.move.plan import FolderShare, Plan
from hikkoshi.move.room import MESSAGE, STORAGE, Load, Room, Source, outlook

MIB = 1 << 20


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 * MIB, "5.0 MiB"), (3 << 30, "3.0 GiB"),
     (5 << 40, "5,120.0 GiB")],
)  # fmt: skip
def test_sizes_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


def test_amounts_have_the_unit_of_their_resource() -> None:
    assert amount_text(MESSAGE, 1) == "1 mail"
    assert amount_text(MESSAGE, 1200) == "1,200 mails"
    assert amount_text(STORAGE, 1024) == "1.0 KiB"


def storage(used: int, limit: int | None, reserve: int = 0) -> Room:
    return Room("", STORAGE, used, limit, Source.SERVER if limit else Source.UNKNOWN, reserve)


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (storage(MIB, 4 * MIB), "Quota: 1.0 MiB of 4.0 MiB used (25 %), 2.0 MiB (50 %) after"),
        (storage(MIB, None), "Quota: unknown; 1.0 MiB used, 2.0 MiB after"),
        (
            storage(3 * MIB, 4 * MIB, MIB),
            "Quota: 3.0 MiB of 4.0 MiB used (75 %), 4.0 MiB (100 %) after, 1.0 MiB too much (a reserve of 1.0 MiB is "
            "kept free)",
        ),
    ],
)
def test_where_a_limit_would_stand(room: Room, text: str) -> None:
    (found,) = outlook([room], {"INBOX": Load(MIB, 1)})
    assert outlook_text(found) == text


def test_a_limit_of_nothing_is_full() -> None:
    (found,) = outlook([storage(0, 0)], {"INBOX": Load(MIB, 1)})
    assert "(100 %) after" in outlook_text(found)


def test_a_plan_names_its_folders_and_makes_them_harmless() -> None:
    shares = (FolderShare("a", "Sent\x1b]0;x", False, Load(2048, 1)), FolderShare("b", "見積/2024", True, Load(10, 2)))
    lines = plan_lines(Plan((), shares, (), ()))
    assert lines[0] == "3 mails, 2.0 KiB, would be uploaded"
    assert lines[1].split() == ["1", "2.0", "KiB", "Sent\ufffd]0;x"]
    assert lines[2].endswith("見積/2024 (new folder)")


def test_every_count_is_told() -> None:
    counts = Counts(*range(1, 11))
    assert sorted(count for count, _text in count_lines(counts)) == list(range(1, 11))


def test_folders_of_the_report_have_the_same_counts_as_the_whole() -> None:
    pair = FolderPair(1, "Sent", "Sent Items", "Sent Items", True, Role.SENT, Counts(sent_gap=2), 2, 3, 1, True)
    assert folders_json([pair]) == [
        {"local": "Sent", "server": "Sent Items", "role": "sent", **asdict(Counts(sent_gap=2))}
    ]


def test_quota_figures_say_whose_they_are() -> None:
    (one,) = quota_json([storage(5, None)])
    assert one == {"root": "", "resource": "STORAGE", "used": 5, "limit": None, "source": "unknown"}


def test_a_check_that_failed_has_the_same_keys_and_says_why() -> None:
    when = datetime(2026, 11, 24, 9, 41, tzinfo=timezone(timedelta(hours=9)))
    failed = failed_json("a@b", when, Problem("a@b", "no"))
    assert list(failed) == [
        "schema", "account", "checked_at", "local", "server", "quota", "differences", "upload", "folders", "problems",
        "remarks",
    ]  # fmt: skip
    assert failed["checked_at"] == "2026-11-24T09:41:00+09:00"
    assert failed["differences"] is None
    assert failed["problems"] == [{"where": "a@b", "what": "no"}]


def test_problems_can_be_printed_whatever_name_they_tell() -> None:
    (told,) = problems_json([Problem("受信\udc8e", "\x1b[2J")])
    assert told == {"where": "受信\ufffd", "what": "\ufffd[2J"}
