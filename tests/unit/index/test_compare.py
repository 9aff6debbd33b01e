"""What the comparison says of planted cases, in the terms of `check`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from hikkoshi.index.compare import WHY_CUT, WHY_LEDGER, WHY_MESSAGE_ID_ONLY
from hikkoshi.index.queries import Counts, folder_pairs
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER
from support.planted import UIDVALIDITY, Planted, mail, planted, proof


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Planted]:
    with planted(tmp_path) as both:
        both.put(LOCAL, "Inbox")
        both.put(SERVER, "INBOX")
        both.put(SERVER, "Sent")
        both.put(SERVER, "Trash")
        yield both


NO_ID = {"message_id": None}
NO_DATE = {"message_id": None, "date": None}

Plant = Callable[[Planted], None]


def same_mail(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"))
    sides.put(SERVER, "INBOX", mail(1, "\\Seen"))


def one_each(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "INBOX", mail(2))


def id_reused_for_other_mails(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, message_id="x"), mail(2, message_id="x"))
    sides.put(SERVER, "INBOX", mail(1, message_id="x"))


def id_reused_and_nothing_agrees(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, message_id="x"))
    sides.put(SERVER, "INBOX", mail(2, message_id="x", sender="hanako@example.jp"))


def id_reused_on_one_side_only(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, message_id="x"), mail(2, message_id="x", sender="hanako@example.jp"))


def no_id_same_headers_same_size(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, **NO_ID))
    sides.put(SERVER, "INBOX", mail(1, **NO_ID))


def no_id_same_headers_a_line_end_less(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=1000, **NO_ID))
    sides.put(SERVER, "INBOX", mail(1, size=1002, **NO_ID))


def no_id_same_headers_other_size(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=1000, **NO_ID))
    sides.put(SERVER, "INBOX", mail(1, size=1003, **NO_ID))


def no_id_other_headers(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, **NO_ID))
    sides.put(SERVER, "INBOX", mail(2, **NO_ID))


def no_id_two_bodies_of_one_size(sides: Planted) -> None:
    one, other = sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_ID), mail(1, size=9, **NO_ID))
    sides.bodies({one: b"a", other: b"b"})
    sides.put(SERVER, "INBOX", mail(1, size=9, **NO_ID))


def no_id_two_copies_of_one_body(sides: Planted) -> None:
    one, other = sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_ID), mail(1, size=9, **NO_ID))
    sides.bodies({one: b"a", other: b"a"})
    sides.put(SERVER, "INBOX", mail(1, size=9, **NO_ID))


def no_id_two_sizes_of_which_one_fits(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_ID), mail(1, size=90, **NO_ID))
    sides.put(SERVER, "INBOX", mail(1, size=9, **NO_ID))


def weak_headers_same_size(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_DATE))
    sides.put(SERVER, "INBOX", mail(1, size=9, **NO_DATE))


def weak_headers_other_size(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_DATE))
    sides.put(SERVER, "INBOX", mail(1, size=90, **NO_DATE))


def no_headers_on_one_side(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, raw=b""))


def headers_changed_by_cyrus(sides: Planted) -> None:
    raw = "Date: Sat, 9 Mar 2024 21:30:05 +0900\r\nSubject: 件\0\r\nMessage-ID: <x@y>".encode()
    masked = raw.replace("件\0".encode(), b"XXXX")
    sides.put(LOCAL, "Inbox", mail(1, raw=raw))
    sides.put(SERVER, "INBOX", mail(1, raw=masked))


def headers_changed_by_cyrus_and_no_id(sides: Planted) -> None:
    raw = "Date: Sat, 9 Mar 2024 21:30:05 +0900\r\nSubject: 件\0".encode()
    sides.put(LOCAL, "Inbox", mail(1, raw=raw))
    sides.put(SERVER, "INBOX", mail(1, raw=raw.replace("件\0".encode(), b"XXXX")))


def list_copy_with_another_subject(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "INBOX", mail(1, subject="[list 12] mail 1"))


def list_copy_whose_sender_cyrus_masked(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, sender="太郎"))
    sides.put(SERVER, "INBOX", mail(1, sender="XXXXXX", subject="[list 12] mail 1"))


def own_and_list_copy_both_there(sides: Planted) -> None:
    both = (mail(1), mail(1, subject="[list 12] mail 1"))
    sides.put(LOCAL, "Inbox", *both)
    sides.put(SERVER, "INBOX", *both)


def three_copies_and_one(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(1), mail(1))
    sides.put(SERVER, "INBOX", mail(1))


def one_copy_and_three(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "INBOX", mail(1), mail(1), mail(1))


def two_copies_and_none(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(1))


def same_mail_in_two_local_folders(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(LOCAL, "Projects", mail(1))
    sides.put(SERVER, "INBOX", mail(1))


def in_two_local_folders_and_nowhere_else(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(LOCAL, "Projects", mail(1))


def sent_to_oneself_with_a_server_copy_in_the_inbox(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(LOCAL, "Sent", mail(1))
    sides.put(SERVER, "INBOX", mail(1))


def sent_and_only_here(sides: Planted) -> None:
    sides.put(LOCAL, "Sent", mail(1))


def sent_and_filed_elsewhere(sides: Planted) -> None:
    sides.put(LOCAL, "Sent", mail(1))
    sides.put(SERVER, "Projects", mail(1))


def sent_on_both_sides(sides: Planted) -> None:
    sides.put(LOCAL, "Sent", mail(1))
    sides.put(SERVER, "Sent", mail(1))


def filed_in_the_sent_folder_of_the_server_alone(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "Sent", mail(1))


def filed_elsewhere(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"))
    sides.put(SERVER, "Projects", mail(1))


def server_copy_in_the_trash(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "Trash", mail(1))


def local_copy_in_the_trash(sides: Planted) -> None:
    sides.put(LOCAL, "Trash", mail(1))
    sides.put(SERVER, "INBOX", mail(1))


def trash_on_both_sides(sides: Planted) -> None:
    sides.put(LOCAL, "Trash", mail(1, "\\Seen"))
    sides.put(SERVER, "Trash", mail(1), mail(2))


def all_that_is_left_out_here(sides: Planted) -> None:
    for number, name in enumerate(("Trash", "Junk", "Unsent Messages", "Templates"), 1):
        sides.put(LOCAL, name, mail(number), mail(number))


def partial_and_whole_on_the_server(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, partial=True))
    sides.put(SERVER, "INBOX", mail(1))


def partial_and_nowhere_else(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, partial=True))


def read_here_only(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"))
    sides.put(SERVER, "INBOX", mail(1))


def flagged_there_only(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"))
    sides.put(SERVER, "INBOX", mail(1, "\\Flagged"))


def keywords_in_other_case(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "$label1 NonJunk"))
    sides.put(SERVER, "INBOX", mail(1, "$Label1 nonjunk \\Recent"))


def a_draft_on_both_sides(sides: Planted) -> None:
    sides.put(LOCAL, "Drafts", mail(1))
    sides.put(SERVER, "Drafts", mail(1, "\\Draft"))


def a_draft_outside_the_drafts(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "INBOX", mail(1, "\\Draft"))


def a_draft_filed_among_other_mail_here(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "Drafts", mail(1, "\\Draft"))


def id_reused_and_one_pair_is_left_over(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, message_id="x"), mail(2, message_id="x"))
    again = mail(2, message_id="x", subject="mail 2, corrected")
    sides.put(SERVER, "INBOX", mail(1, message_id="x"), again)


def in_doubt_but_the_only_rival_is_in_the_trash(sides: Planted) -> None:
    sides.put(LOCAL, "Trash", mail(1, message_id="x"))
    sides.put(SERVER, "INBOX", mail(2, message_id="x", sender="hanako@example.jp"))


def cut_on_the_server(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=20_000))
    sides.put(SERVER, "INBOX", mail(1, size=2_000))


def cut_on_the_server_and_whole_in_another_folder(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=20_000))
    sides.put(SERVER, "INBOX", mail(1, size=2_000))
    sides.put(SERVER, "Sent", mail(1, size=19_000))


def some_headers_less_on_the_server(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=6_000))
    sides.put(SERVER, "INBOX", mail(1, size=1_000))


def a_server_that_does_not_tell_sizes(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=20_000))
    sides.put(SERVER, "INBOX", replace(mail(1), size=0))


def without_its_attachments_here(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=2_000))
    sides.put(SERVER, "INBOX", mail(1, size=20_000))


CASES: list[tuple[Plant, Counts, int]] = [
    (same_mail, Counts(), 0),
    (one_each, Counts(only_local=1, only_server=1), 1),
    (id_reused_for_other_mails, Counts(only_local=1), 1),
    (id_reused_and_nothing_agrees, Counts(ambiguous=1), 0),
    (id_reused_on_one_side_only, Counts(only_local=2), 2),
    (no_id_same_headers_same_size, Counts(), 0),
    (no_id_same_headers_a_line_end_less, Counts(), 0),
    (no_id_same_headers_other_size, Counts(ambiguous=1), 0),
    (no_id_other_headers, Counts(only_local=1, only_server=1), 1),
    (no_id_two_bodies_of_one_size, Counts(ambiguous=2), 0),
    (no_id_two_copies_of_one_body, Counts(duplicates_local=1), 0),
    (no_id_two_sizes_of_which_one_fits, Counts(only_local=1), 1),
    (weak_headers_same_size, Counts(ambiguous=1), 0),
    (weak_headers_other_size, Counts(only_local=1, only_server=1), 1),
    (no_headers_on_one_side, Counts(only_local=1), 1),
    (headers_changed_by_cyrus, Counts(), 0),
    (headers_changed_by_cyrus_and_no_id, Counts(), 0),
    (list_copy_with_another_subject, Counts(), 0),
    (list_copy_whose_sender_cyrus_masked, Counts(), 0),
    (own_and_list_copy_both_there, Counts(), 0),
    (three_copies_and_one, Counts(duplicates_local=2), 0),
    (one_copy_and_three, Counts(duplicates_server=2), 0),
    (two_copies_and_none, Counts(only_local=1, duplicates_local=1), 1),
    (same_mail_in_two_local_folders, Counts(), 0),
    (in_two_local_folders_and_nowhere_else, Counts(only_local=1), 1),
    (sent_to_oneself_with_a_server_copy_in_the_inbox, Counts(sent_gap=1), 1),
    (sent_and_only_here, Counts(only_local=1, sent_gap=1), 1),
    (sent_and_filed_elsewhere, Counts(elsewhere=1, sent_gap=1), 1),
    (sent_on_both_sides, Counts(), 0),
    (filed_in_the_sent_folder_of_the_server_alone, Counts(elsewhere=1), 0),
    (filed_elsewhere, Counts(elsewhere=1, read_state=1), 0),
    (server_copy_in_the_trash, Counts(elsewhere=1), 0),
    (local_copy_in_the_trash, Counts(left_out=1), 0),
    (trash_on_both_sides, Counts(left_out=1), 0),
    (all_that_is_left_out_here, Counts(left_out=8), 0),
    (partial_and_whole_on_the_server, Counts(left_out=1), 0),
    (partial_and_nowhere_else, Counts(left_out=1), 0),
    (read_here_only, Counts(read_state=1), 0),
    (flagged_there_only, Counts(read_state=1, flags=1), 0),
    (keywords_in_other_case, Counts(), 0),
    (a_draft_on_both_sides, Counts(), 0),
    (a_draft_outside_the_drafts, Counts(flags=1), 0),
    (a_draft_filed_among_other_mail_here, Counts(elsewhere=1), 0),
    (id_reused_and_one_pair_is_left_over, Counts(ambiguous=1), 0),
    (cut_on_the_server, Counts(ambiguous=1), 0),
    (cut_on_the_server_and_whole_in_another_folder, Counts(), 0),
    (some_headers_less_on_the_server, Counts(), 0),
    (a_server_that_does_not_tell_sizes, Counts(), 0),
    (without_its_attachments_here, Counts(), 0),
    (in_doubt_but_the_only_rival_is_in_the_trash, Counts(left_out=1, ambiguous=1), 0),
]


@pytest.mark.parametrize(("plant", "counts", "uploads"), CASES, ids=[case[0].__name__ for case in CASES])
def test_planted(plant: Plant, counts: Counts, uploads: int, sides: Planted) -> None:
    plant(sides)
    assert sides.counts() == counts
    assert len(sides.sent_by_upload()) == uploads


@pytest.mark.parametrize(("plant", "counts", "uploads"), CASES, ids=[case[0].__name__ for case in CASES])
def test_nothing_is_missing_after_an_upload(plant: Plant, counts: Counts, uploads: int, sides: Planted) -> None:
    plant(sides)
    sides.counts()
    assert sides.upload() == uploads
    after = sides.counts()
    assert (after.only_local, after.sent_gap, sides.sent_by_upload()) == (0, 0, [])
    assert after.only_server == counts.only_server


def test_a_copy_filed_where_it_belongs_stands_beside_it(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"))
    sides.put(SERVER, "Projects", mail(1, "\\Seen"))
    sides.put(SERVER, "INBOX", mail(1))
    assert sides.counts() == Counts(read_state=1)
    beside = [row for row in sides.rows() if row.local]
    assert [row.server_folder for row in beside] == ["INBOX"]


def test_among_equal_copies_those_of_equal_flags_stand_together(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, "\\Seen"), mail(1))
    sides.put(SERVER, "INBOX", mail(1), mail(1, "\\Seen"))
    assert sides.counts() == Counts(duplicates_local=1, duplicates_server=1)


def test_a_sent_mail_goes_into_the_sent_folder_and_not_the_inbox_too(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(LOCAL, "送信済みトレイ", mail(1))
    assert sides.counts() == Counts(only_local=1, sent_gap=1)
    assert sides.sent_by_upload() == [("送信済みトレイ", "Sent")]


def test_asking_for_one_folder_sends_its_copy_of_a_mail_that_lies_in_others_too(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(1))
    sides.put(LOCAL, "Projects", mail(1))
    sides.put(LOCAL, "Sent", mail(1))
    sides.counts()
    assert sides.sent_by_upload("Projects") == [("Projects", "Projects")]
    assert sides.sent_by_upload("Inbox") == [("Inbox", "INBOX")]
    assert sides.sent_by_upload("Inbox", "Projects", "Sent") == [("Sent", "Sent")]


def test_a_sent_gap_is_closed_from_the_sent_folder_alone(sides: Planted) -> None:
    sent_to_oneself_with_a_server_copy_in_the_inbox(sides)
    sides.counts()
    assert sides.sent_by_upload("Inbox") == []
    assert sides.sent_by_upload("Sent") == [("Sent", "Sent")]


def test_sent_mail_put_into_another_folder_by_the_user_is_no_gap_afterwards(sides: Planted) -> None:
    sides.overrides = {"Sent": "Projects"}
    sides.put(SERVER, "Projects")
    sides.put(LOCAL, "Sent", mail(1))
    assert sides.counts() == Counts(only_local=1, sent_gap=1)
    assert sides.upload() == 1
    assert sides.counts() == Counts()
    assert sides.sent_by_upload() == []


@pytest.mark.parametrize("given", [{}, NO_ID, NO_DATE, {"raw": b""}], ids=["id", "no id", "no date", "no headers"])
def test_the_ledger_knows_what_a_server_rewrote(given: dict[str, None], sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=100, **given), mail(1, size=200, **given))  # type: ignore[arg-type]
    sides.put(LOCAL, "Sent", mail(3))
    expected = 2 if given else 1
    assert sides.counts().only_local == expected + 1
    assert sides.upload(rewrite=True) == expected + 1
    after = sides.counts()
    assert after == Counts(duplicates_local=2 - expected)
    assert {row.why for row in sides.rows() if row.server} == {WHY_LEDGER}


def test_the_ledger_tells_lookalikes_of_one_size_apart_by_their_bodies(sides: Planted) -> None:
    one, other = sides.put(LOCAL, "Inbox", mail(1, size=9, **NO_ID), mail(1, size=9, **NO_ID))
    sides.bodies({one: b"a", other: b"b"})
    (uid,) = sides.put(SERVER, "INBOX", mail(1, size=9, **NO_ID))
    sides.proofs = {("INBOX", UIDVALIDITY, uid): proof(mail(1, size=9, **NO_ID), b"b")}
    assert sides.counts() == Counts(only_local=1)
    (left,) = [row for row in sides.rows() if row.relation & Relation.ONLY_LOCAL]
    assert left.local is not None
    assert left.local.message.place == str(one)


def test_a_proof_of_another_uidvalidity_proves_nothing(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    (uid,) = sides.put(SERVER, "INBOX", mail(9))
    sides.proofs = {("INBOX", UIDVALIDITY + 1, uid): proof(mail(1))}
    assert sides.counts() == Counts(only_local=1, only_server=1)


def test_a_row_says_why(sides: Planted) -> None:
    list_copy_with_another_subject(sides)
    sides.counts()
    assert [row.why for row in sides.rows()] == [WHY_MESSAGE_ID_ONLY]


def test_a_copy_cut_by_others_is_in_doubt_and_our_own_upload_is_not(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, size=20_000))
    (there,) = sides.put(SERVER, "INBOX", mail(1, size=2_000))
    assert sides.counts() == Counts(ambiguous=1)
    assert [(row.why, row.local is None, row.server is None) for row in sides.rows()] == [(WHY_CUT, False, False)]

    sides.proofs["INBOX", UIDVALIDITY, there] = proof(mail(1, size=20_000), b"digest")
    assert sides.counts() == Counts()


def test_a_server_folder_that_could_not_be_read_is_not_compared(sides: Planted) -> None:
    same_mail(sides)
    row = sides.index.server_folder("INBOX")
    assert row is not None
    sides.index.set_stamp(row, None)
    with pytest.raises(AssertionError):
        sides.counts()  # its mail is on no row
    assert [pair.known for pair in folder_pairs(sides.index) if pair.server == "INBOX"] == [False]


LOCAL_FOLDERS = ["Inbox", "Sent", "Local Sent/Sent", "Projects", "Trash", "Drafts", "見積/2024"]
SERVER_FOLDERS = ["INBOX", "Sent", "Projects", "Trash", "Archive", "Drafts"]
FLAGS = ["", "\\Seen", "\\Flagged", "\\Seen $label1"]


@st.composite
def accounts(draw: st.DrawFn) -> list[tuple[int, str, dict[str, object]]]:
    """(side, folder, arguments of `mail`) of each message: few mails, many copies, some alike."""
    kind = st.sampled_from([{}, {"message_id": "reused"}, NO_ID, NO_DATE, {"raw": b""}, {"partial": True}])
    one = st.tuples(
        st.sampled_from([(LOCAL, name) for name in LOCAL_FOLDERS] + [(SERVER, name) for name in SERVER_FOLDERS]),
        st.integers(1, 6),
        kind,
        st.sampled_from(FLAGS),
        st.sampled_from([0, 500, 9000]),
    )
    found = []
    for (side, name), number, facts, flags, size in draw(st.lists(one, max_size=30)):
        extra = {key: value for key, value in facts.items() if key != "partial" or side == LOCAL}
        found.append((side, name, {"number": number, "flags": flags, "size": size, **extra}))
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(account=accounts(), rewrite=st.booleans())
def test_any_account_is_counted_once_and_whole_after_one_upload(
    account: list[tuple[int, str, dict[str, object]]], rewrite: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with planted(tmp_path_factory.mktemp("any")) as sides:
        for name in LOCAL_FOLDERS:
            sides.put(LOCAL, name)
        for name in SERVER_FOLDERS:
            sides.put(SERVER, name)
        for side, name, given in account:
            (place,) = sides.put(side, name, mail(**given))  # type: ignore[arg-type]
            if side == LOCAL:
                sides.bodies({place: str(given["number"]).encode()})
        before = sides.counts()
        by_rows = sum((pair.counts for pair in folder_pairs(sides.index)), Counts())
        assert by_rows == before
        missing = {row.id for row in sides.rows() if row.relation & (Relation.ONLY_LOCAL | Relation.SENT_GAP)}
        sent = sides.upload(rewrite=rewrite)
        assert max(before.only_local, before.sent_gap) <= sent <= min(before.only_local + before.sent_gap, len(missing))
        after = sides.counts()
        assert (after.only_local, after.sent_gap, sides.sent_by_upload()) == (0, 0, [])
        assert after == replace(
            after, only_server=before.only_server, left_out=before.left_out, duplicates_local=before.duplicates_local
        )
        assert after.ambiguous == before.ambiguous


def test_every_count_has_a_planted_case() -> None:
    seen = {name for _plant, counts, _uploads in CASES for name, count in asdict(counts).items() if count}
    assert seen == set(asdict(Counts()))
