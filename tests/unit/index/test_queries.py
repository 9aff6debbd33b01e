from collections.abc import Iterator
from pathlib import Path

import pytest

from hikkoshi.index.landing import landed, new_folder
from hikkoshi.index.queries import Counts, folder_pairs, row_ids, rows, total, upload_sizes, uploadable
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Message
from support.planted import UIDVALIDITY, Planted, folder, mail, planted


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Planted]:
    with planted(tmp_path) as both:
        both.put(LOCAL, "Inbox", mail(1), mail(3), mail(2))
        both.put(LOCAL, "Projects", mail(4))
        both.put(LOCAL, "Old", mail(2))
        both.put(SERVER, "INBOX", mail(1, "\\Seen"), mail(9))
        both.put(SERVER, "Shared", mail(8))
        both.overrides = {"Old": "INBOX"}
        both.counts()
        yield both


def subjects(sides: Planted, ids: object) -> list[str]:
    found = []
    for row in rows(sides.index, ids):  # type: ignore[arg-type]
        shown = row.local or row.server
        assert shown
        found.append(shown.message.fields.split(b"Subject: ")[1].split(b"\r")[0].decode())
    return found


def test_folder_pairs_stand_in_the_order_of_the_pc_and_server_folders_behind(sides: Planted) -> None:
    pairs = folder_pairs(sides.index)
    assert [(pair.local, pair.server, pair.exists, pair.role) for pair in pairs] == [
        ("Inbox", "INBOX", True, Role.INBOX),
        ("Projects", "Projects", False, Role.NONE),
        ("Old", "INBOX", True, Role.NONE),
        (None, "Shared", True, Role.NONE),
    ]
    assert [(pair.local_messages, pair.server_messages) for pair in pairs] == [(3, 2), (1, 0), (1, 2), (0, 1)]


def test_the_server_folder_of_several_shows_its_own_mail_once(sides: Planted) -> None:
    assert [pair.counts.only_server for pair in folder_pairs(sides.index)] == [1, 0, 0, 1]


def test_rows_are_newest_first_and_can_be_of_some_facts_only(sides: Planted) -> None:
    inbox = folder_pairs(sides.index)[0].id
    assert subjects(sides, row_ids(sides.index, inbox)) == ["mail 9", "mail 3", "mail 2", "mail 1"]
    assert subjects(sides, row_ids(sides.index, inbox, Relation.READ)) == ["mail 1"]
    either = Relation.READ | Relation.ONLY_SERVER
    assert subjects(sides, row_ids(sides.index, None, either)) == ["mail 9", "mail 8", "mail 1"]


def test_rows_without_a_date_come_last(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", Message("", 1, frozenset(), None, mail(7).fields))
    sides.counts()
    assert subjects(sides, row_ids(sides.index, None))[-1] == "mail 7"


def test_a_window_of_rows_has_the_order_of_its_ids_and_skips_those_that_are_gone(sides: Planted) -> None:
    ids = row_ids(sides.index, None)
    assert [row.id for row in rows(sides.index, [ids[2], 10**6, ids[0]])] == [ids[2], ids[0]]


def test_a_row_names_where_its_copies_lie(sides: Planted) -> None:
    found = {(row.local_folder, row.server_folder) for row in sides.rows()}
    assert found == {
        ("Inbox", "INBOX"), ("Inbox", ""), ("", "INBOX"), ("Projects", ""), ("Old", ""), ("", "Shared")
    }  # fmt: skip


def test_an_upload_sends_each_mail_once(sides: Planted) -> None:
    assert subjects(sides, uploadable(sides.index)) == ["mail 2", "mail 3", "mail 4"]
    assert subjects(sides, uploadable(sides.index, ["Old", "Projects"])) == ["mail 4", "mail 2"]
    assert subjects(sides, uploadable(sides.index, [])) == []
    assert subjects(sides, uploadable(sides.index, None, Relation.SENT_GAP)) == []
    assert [size for _id, _view, size in upload_sizes(sides.index)] == [1030, 1020, 1040]


def test_counts_add_up_and_say_what_is_work() -> None:
    both = Counts(only_local=1, flags=2) + Counts(only_local=1, elsewhere=4, duplicates_local=8, left_out=16)
    assert both == Counts(only_local=2, flags=2, elsewhere=4, duplicates_local=8, left_out=16)
    assert both.work == 4
    assert total([]) == Counts()


def test_a_mail_that_landed_is_the_same_on_both_sides_at_once(sides: Planted) -> None:
    (row,) = [row for row in sides.rows() if row.local and row.local.message.fields == mail(3).fields]
    assert row.local
    there = Message("77", row.local.message.size, frozenset(), row.local.message.date, row.local.message.fields)
    landed(sides.index, row.id, "INBOX", UIDVALIDITY, there)
    (now,) = rows(sides.index, [row.id])
    assert now.relation == Relation.SAME
    assert now.server
    assert now.server.message == there
    assert folder_pairs(sides.index)[0].counts.only_local == 1
    before = sides.rows()
    assert sides.counts() == Counts(only_local=2, only_server=2, read_state=1)
    assert {(r.local, r.server) for r in before} == {(r.local, r.server) for r in sides.rows()}


def test_a_surplus_copy_that_landed_is_still_one(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(3))
    sides.counts()
    row = next(row for row in sides.rows() if row.relation & Relation.DUPLICATE_LOCAL)
    landed(sides.index, row.id, "INBOX", UIDVALIDITY, Message("77", 9, frozenset(), None, b""))
    assert rows(sides.index, [row.id])[0].relation & Relation.DUPLICATE_LOCAL


def test_what_landed_in_a_folder_made_anew_meanwhile_is_not_noted(sides: Planted) -> None:
    row = row_ids(sides.index, None, Relation.ONLY_LOCAL)[0]
    landed(sides.index, row, "INBOX", UIDVALIDITY + 1, Message("77", 9, frozenset(), None, b""))
    landed(sides.index, row, "Nowhere", UIDVALIDITY, Message("77", 9, frozenset(), None, b""))
    assert rows(sides.index, [row])[0].server is None


def test_a_folder_made_on_the_server_stands_beside_those_mapped_to_it(sides: Planted) -> None:
    new_folder(sides.index, folder("Projects"), 3)
    pair = folder_pairs(sides.index)[1]
    assert (pair.local, pair.server, pair.exists, pair.known) == ("Projects", "Projects", True, True)
    row = next(row for row in sides.rows() if row.local_folder == "Projects")
    landed(sides.index, row.id, "Projects", 3, Message("1", 1040, frozenset(), None, mail(4).fields))
    assert rows(sides.index, [row.id])[0].server_folder == "Projects"
    new_folder(sides.index, folder("Projects"), 4)
    assert sides.index.stamp(sides.index.server_folder("Projects") or 0) == "4"
