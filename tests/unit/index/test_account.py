"""Comparing by what was touched, and by SQL, says what a comparison of every message, one by one, would say."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikkoshi.index.queries import Counts, folder_pairs, row_ids, rows, total, uploadable
from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.move.limits import SizeLimits
from hikkoshi.move.plan import make_outline, make_plan
from support.pairing_twin import indexed_rows, indexed_tally, twin_rows
from support.planted import UIDVALIDITY, Planted, mail, planted, proof

LOCAL_FOLDERS = ["Inbox", "Sent", "Projects", "Trash", "Drafts"]
SERVER_FOLDERS = ["INBOX", "Sent", "Projects", "Trash", "Drafts"]
FOLDERS = [(LOCAL, name) for name in LOCAL_FOLDERS] + [(SERVER, name) for name in SERVER_FOLDERS]
KINDS = st.sampled_from(
    [{}, {}, {}, {"message_id": "reused"}, {"message_id": None}, {"message_id": None, "date": None}, {"raw": b""}]
)

Step = Callable[[Planted], None]


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Planted]:
    with planted(tmp_path) as both:
        for side, name in FOLDERS:
            both.put(side, name)
        yield both


def _ids(sides: Planted, picked: list[int]) -> list[int]:
    there = [row[0] for row in sides.index.db.execute("SELECT id FROM message ORDER BY id")]
    # The newest first: they are the ones that the steps put there.
    return sorted({there[-1 - number % len(there)] for number in picked}) if there else []


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Something that a refresh, the user or an upload does to the index."""
    what = draw(st.sampled_from(["put", "put", "put", "flags", "remove", "clear", "map", "proof", "unknown", "known"]))
    side, name = draw(st.sampled_from(FOLDERS))
    picked = draw(st.lists(st.integers(0, 50), max_size=4))
    message = mail(
        draw(st.integers(1, 5)),
        draw(st.sampled_from(["", "\\Seen", "\\Flagged", "\\Draft"])),
        size=draw(st.sampled_from([0, 500, 9000])),
        partial=side == LOCAL and draw(st.booleans()) and draw(st.booleans()),
        **draw(KINDS),  # type: ignore[arg-type]
    )
    target = draw(st.sampled_from(["INBOX", "Sent", "New"]))
    flags = draw(st.sampled_from([frozenset[str](), frozenset({"\\Seen"})]))

    def step(sides: Planted) -> None:
        index = sides.index
        ids = _ids(sides, picked)
        with index.transaction():
            if what == "flags":
                index.update_flags((id_, flags) for id_ in ids)
            elif what == "remove":
                index.remove(ids)
            elif what == "clear":
                index.clear(sides.row(side, name))
            elif what in ("unknown", "known"):
                row = sides.row(SERVER, "Projects")
                index.set_stamp(row, None if what == "unknown" else str(UIDVALIDITY))
        if what == "put":
            sides.put(side, name, message)
        elif what == "map":
            sides.overrides = {"Projects": target}
        elif what == "proof":
            (uid,) = sides.put(SERVER, "INBOX", mail(1, raw=b"Subject: [rewritten]"))
            sides.proofs["INBOX", UIDVALIDITY, uid] = proof(message, b"body")

    return step


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(steps(), max_size=8), max_size=5))
def test_what_was_touched_is_compared_as_if_all_were(
    rounds: list[list[Step]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with planted(tmp_path_factory.mktemp("rounds")) as sides:
        for side, name in FOLDERS:
            sides.put(side, name)
        # So much other mail that the steps touch a small part of it.
        sides.put(LOCAL, "Inbox", *[mail(number) for number in range(100, 180)])
        sides.compare()
        for round_ in rounds:
            for step in round_:
                step(sides)
            sides.compare()
            assert indexed_rows(sides.index) == twin_rows(sides.index, sides.targets(), sides.proofs)
            assert indexed_tally(sides.index)
            _assert_outlined(sides)


def _assert_outlined(sides: Planted) -> None:
    """The outline of an upload says what its plan says."""
    limit = 1050
    plan = make_plan(sides.index, uploadable(sides.index), [], limits=SizeLimits(told=limit))
    outline = make_outline(sides.index, [], limits=SizeLimits(told=limit))
    assert (outline.shares, outline.outlooks) == (plan.shares, plan.outlooks)
    assert {each.item.row for each in outline.refused} == {each.item.row for each in plan.refused}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(steps(), max_size=30))
def test_a_first_comparison_says_what_one_of_every_message_says(
    story: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with planted(tmp_path_factory.mktemp("first")) as sides:
        for side, name in FOLDERS:
            sides.put(side, name)
        for step in story:
            step(sides)
        sides.compare()
        assert indexed_rows(sides.index) == twin_rows(sides.index, sides.targets(), sides.proofs)
        assert indexed_tally(sides.index)


def test_rows_keep_their_ids_from_one_comparison_to_the_next(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(2))
    sides.put(SERVER, "INBOX", mail(1), mail(9))
    sides.compare()
    before = {row.id: row.local and row.local.message.place for row in sides.rows()}
    sides.put(SERVER, "INBOX", mail(2), mail(3))
    sides.compare()
    after = {row.id: row.local and row.local.message.place for row in sides.rows()}
    assert before.items() <= after.items()


def test_only_what_was_touched_is_written_again(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", *[mail(number) for number in range(1, 500)])
    sides.put(SERVER, "INBOX", *[mail(number) for number in range(1, 500)])
    sides.compare()
    before = sides.index.db.total_changes
    sides.put(SERVER, "INBOX", mail(500))
    sides.compare()
    # The new mail's own rows in message, pair, touched and tally; folders, views, standings, state.
    assert sides.index.db.total_changes - before < 120


def test_while_the_server_is_listed_nothing_is_said_of_what_it_lacks(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1), mail(2, "\\Seen"))
    sides.put(LOCAL, "Sent", mail(3))
    sides.put(SERVER, "INBOX", mail(2))
    sides.compare(whole=False)
    facts = {row.local.message.place: row.relation for row in sides.rows() if row.local}
    assert list(facts.values()).count(Relation.PENDING) == 2
    assert Relation.READ in facts.values()
    assert not uploadable(sides.index)
    sides.put(SERVER, "INBOX", mail(3))
    assert sides.counts() == Counts(only_local=1, read_state=1, sent_gap=1, elsewhere=1)


def test_a_doubt_is_settled_by_what_the_rest_of_the_listing_brings(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1, message_id="x"))
    sides.put(SERVER, "INBOX", mail(2, message_id="x", sender="hanako@example.jp"))
    sides.compare(whole=False)
    assert [row.relation & Relation.AMBIGUOUS for row in sides.rows()] == [Relation.AMBIGUOUS] * 2
    sides.put(SERVER, "INBOX", mail(1, message_id="x"))
    assert sides.counts() == Counts(only_server=1)


def test_counts_follow_what_an_upload_notes_and_the_comparison_behind_it(sides: Planted) -> None:
    from hikkoshi.index.landing import landed

    sides.put(LOCAL, "Inbox", mail(1))
    sides.compare()
    (id_,) = row_ids(sides.index, None)
    (row,) = rows(sides.index, [id_])
    assert row.local
    landed(sides.index, id_, "INBOX", UIDVALIDITY, mail(1).__class__("77", *_rest(row.local.message)))
    assert total(folder_pairs(sides.index)) == Counts()
    assert indexed_tally(sides.index)
    assert sides.counts() == Counts()
    assert indexed_tally(sides.index)


def _rest(message: object) -> tuple[object, ...]:
    from msgspec.structs import astuple

    return astuple(message)[1:]  # type: ignore[arg-type]


def test_mail_of_a_folder_that_went_away_is_on_no_row(sides: Planted) -> None:
    sides.put(LOCAL, "Inbox", mail(1))
    sides.put(SERVER, "INBOX", mail(1))
    sides.compare()
    sides.index.sync_folders(
        SERVER, [entry.folder for entry in sides.index.folders(SERVER) if entry.folder.name != "INBOX"]
    )
    sides.index.sync_folders(
        LOCAL, [entry.folder for entry in sides.index.folders(LOCAL) if entry.folder.name != "Sent"]
    )
    targets = {name: target for name, target in sides.targets().items() if name != "Sent"}
    from hikkoshi.index.account import compare
    from hikkoshi.index.proofs import KnownProofs

    compare(sides.index, targets, KnownProofs())
    assert total(folder_pairs(sides.index)) == Counts(only_local=1)
    assert indexed_rows(sides.index) == twin_rows(sides.index, targets, {})
