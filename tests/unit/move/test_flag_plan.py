"""Which flags would be set on the server and which taken away, and of which mails."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikkoshi.index.relation import Relation
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import ServerState
from hikkoshi.mail.flags import comparable, unpack
from hikkoshi.mail.folders import LEFT_OUT, role_by_name
from hikkoshi.move.flag_plan import FlagChange, FlagPlan, make_flag_plan
from support.planted import UIDVALIDITY, Planted, mail

THUNDERBIRD, MBOX, MAILDIR = "thunderbird", "mbox", "maildir"


def plan_of(sides: Planted, kind: str = THUNDERBIRD, *, remove: bool = True, **given: Iterable[str]) -> FlagPlan:
    for name in ("INBOX", "Archive", "Trash", "Drafts"):
        if name in {entry.folder.name for entry in sides.index.folders(SERVER)}:
            with sides.index.transaction():
                sides.index.set_server_state(sides.row(SERVER, name), ServerState(UIDVALIDITY, 1000, 10, 77))
    sides.counts()
    return make_flag_plan(sides.index, kind, remove=remove, **given)


def changes(plan: FlagPlan) -> dict[int, FlagChange]:
    return {item.uid: item.change for folder in plan.folders for item in folder.items}


def one(tmp_path: Path, ours: str, theirs: str, kind: str = THUNDERBIRD, others: str = "") -> FlagChange | None:
    """What would change on a mail with these flags; `others` are those of another mail beside it on the PC."""
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", mail(1, ours), mail(2, others))
        (uid,) = sides.put(SERVER, "INBOX", mail(1, theirs))
        return changes(plan_of(sides, kind)).get(uid)


@pytest.mark.parametrize(
    ("ours", "theirs", "add", "remove"),
    [
        ("\\Seen", "", ["\\Seen"], []),
        ("", "\\Seen", [], ["\\Seen"]),
        ("\\Flagged work", "\\Seen home", ["\\Flagged", "work"], ["\\Seen", "home"]),
        ("\\Seen Work", "\\Seen work \\Answered", [], ["\\Answered"]),
        ("\\Seen \\Draft", "\\Deleted", ["\\Seen"], []),
        ("$Forwarded", "$MDNSent NonJunk", ["$Forwarded"], []),
        ("\\Seen", "\\Recent $HasAttachment", ["\\Seen"], []),
        ("\\Seen", "ünicode", ["\\Seen"], []),
    ],
)
def test_what_would_change(tmp_path: Path, ours: str, theirs: str, add: list[str], remove: list[str]) -> None:
    change = one(tmp_path, ours, theirs)

    assert change is not None
    assert (list(change.add), list(change.remove), change.listed) == (add, remove, unpack(theirs))
    assert change.after == (unpack(theirs) - set(remove)) | set(add)


@pytest.mark.parametrize(("ours", "theirs"), [("\\Deleted", ""), ("\\Draft", ""), ("", "\\Deleted"), ("", "$Junk")])
def test_what_is_never_carried_over(tmp_path: Path, ours: str, theirs: str) -> None:
    assert one(tmp_path, ours, theirs) is None


@pytest.mark.parametrize(
    ("kind", "others", "remove"),
    [
        (THUNDERBIRD, "", ["$Forwarded", "\\Seen", "work"]),
        (MAILDIR, "", ["$Forwarded", "\\Seen"]),
        (MAILDIR, "home", ["$Forwarded", "\\Seen", "work"]),
        (MBOX, "\\Seen", ["\\Seen"]),
        (MBOX, "home", ["\\Seen", "work"]),
        (MBOX, "$Forwarded", ["$Forwarded", "\\Seen"]),
    ],
)
def test_what_a_folder_cannot_say_is_not_taken_away(tmp_path: Path, kind: str, others: str, remove: list[str]) -> None:
    change = one(tmp_path, "", "\\Seen work $Forwarded", kind, others)
    assert change is not None
    assert list(change.remove) == remove


def test_an_mbox_without_any_flags_says_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, "", "\\Seen", MBOX) is None


def test_what_the_server_has_more_is_counted_where_it_stays(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", mail(1, "\\Flagged"), mail(2), mail(3, "\\Seen"))
        uids = sides.put(SERVER, "INBOX", mail(1, "\\Seen"), mail(2, "\\Seen"), mail(3))
        plan = plan_of(sides, remove=False)

    assert plan.server_more == 2
    assert {uid: (change.add, change.remove) for uid, change in changes(plan).items()} == {
        uids[0]: (("\\Flagged",), ()), uids[2]: (("\\Seen",), ()),
    }  # fmt: skip


def test_flags_that_cannot_be_said_are_left_and_the_rest_goes(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", mail(1, "\\Seen a(b"), mail(2, "é"))
        uids = sides.put(SERVER, "INBOX", mail(1), mail(2))
        plan = plan_of(sides)

    assert {uid: change.add for uid, change in changes(plan).items()} == {uids[0]: ("\\Seen",)}
    assert [(each.subject, each.folder, each.reason) for each in plan.left] == [
        ("mail 1", "INBOX", "IMAP has no way to say “a(b”"),
        ("mail 2", "INBOX", "IMAP has no way to say “é”"),
    ]


def test_the_plan_has_what_the_look_left_and_is_sorted(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(SERVER, "INBOX")
        sides.put(SERVER, "Archive", mail(3))
        sides.put(LOCAL, "Inbox", *(mail(number, "\\Seen") for number in range(3, 9)))
        uids = sides.put(SERVER, "INBOX", *(mail(number) for number in range(8, 3, -1)))
        plan = plan_of(sides)

    assert [(folder.native, folder.uidvalidity, folder.modseq) for folder in plan.folders] == [
        ("INBOX", UIDVALIDITY, 77), ("Archive", UIDVALIDITY, 77),
    ]  # fmt: skip
    assert [item.uid for item in plan.folders[0].items] == sorted(uids)
    assert plan.folders[0].added == {"\\Seen": 5}
    assert plan.mails == 6


def test_each_copy_of_a_mail_is_judged_by_itself(tmp_path: Path) -> None:
    with Planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", mail(1, "\\Seen"), mail(1, "\\Seen"))
        uids = sides.put(SERVER, "INBOX", mail(1, "\\Seen"), mail(1))
        assert changes(plan_of(sides)).keys() == {uids[1]}


flags = st.sets(st.sampled_from(["\\Seen", "\\Answered", "\\Deleted", "\\Draft", "work", "Home", "$Forwarded"]))
folders = st.sampled_from(["Inbox", "Archive", "Trash", "Drafts"])
copies = st.lists(st.tuples(st.integers(1, 4), folders, flags), max_size=8)


@settings(max_examples=150, deadline=None)
@given(copies, copies, st.booleans())
def test_the_plan_is_what_a_walk_over_all_rows_finds(
    local: list[tuple[int, str, set[str]]], server: list[tuple[int, str, set[str]]], remove: bool
) -> None:
    with TemporaryDirectory() as path, Planted(Path(path)) as sides:
        for side, mails in ((LOCAL, local), (SERVER, server)):
            for name in ("Inbox", "Archive", "Trash", "Drafts"):
                shown = name.upper() if side and name == "Inbox" else name
                sides.put(side, shown, *(mail(number, " ".join(has)) for number, where, has in mails if where == name))
        found = changes(plan_of(sides, remove=remove))
        expected = {}
        for row in sides.rows():
            if row.local is None or row.server is None:
                continue
            if {role_by_name(row.local_folder), role_by_name(row.server_folder)} & set(LEFT_OUT):
                continue
            assert not row.relation & (Relation.AMBIGUOUS | Relation.LEFT_OUT)
            ours, theirs = row.local.message.flags, row.server.message.flags
            add = sorted(flag for flag in ours - theirs if flag not in ("\\Deleted", "\\Draft"))
            taken = sorted(flag for flag in theirs - ours if flag not in ("\\Deleted", "\\Draft")) if remove else []
            if add or taken:
                expected[int(row.server.message.place)] = (tuple(add), tuple(taken))
                after = found[int(row.server.message.place)].after
                if remove:
                    never = {"\\deleted", "\\draft"}
                    assert comparable(after) - never == comparable(ours) - never
        assert {uid: (change.add, change.remove) for uid, change in found.items()} == expected
