"""`hikkoshi sync-flags` on every server, with CONDSTORE and without; and a phone that changes flags meanwhile."""

import json
from collections.abc import Callable, Iterable

import pytest

from hikkoshi.accounts.flags import plan_flags, sync_flags
from hikkoshi.index.queries import row_ids, rows
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage, silent
from hikkoshi.ledger.records import State
from hikkoshi.move import flag_sync
from hikkoshi.move.flag_plan import FlagPlan
from hikkoshi.move.flag_sync import FlagResult
from support.moving import mail, uploaded
from support.sides import NOON, Sides

SEEN, ANSWERED, FLAGGED, DELETED, FORWARDED = "\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "$Forwarded"
MEANWHILE = "its flags were changed on the server meanwhile"


def here(name: str, status: int, keys: str = "") -> bytes:
    """A mail as Thunderbird keeps it, with its status bits and keywords."""
    return f"X-Mozilla-Status: {status:04x}\nX-Mozilla-Keys: {keys}\n".encode() + mail(name)


def put(sides: Sides, *mails: tuple[str, int, str, Iterable[str]], folder: str = "INBOX") -> None:
    """Mails of both sides: name, status and keywords here, flags there. UIDs are 1, 2, … in an empty folder."""
    sides.mover.write(**{"Inbox" if folder == "INBOX" else "Work": [here(*each[:3]) for each in mails]})
    for name, _status, _keys, flags in mails:
        sides.other.append(folder, uploaded(mail(name)), flags, NOON)


def there(sides: Sides) -> list[set[str]]:
    """The flags of all mail on the server by folder and UID, keywords in lower case."""
    found = sorted(sides.other.mails().items())
    return [{flag if flag[0] == "\\" else flag.lower() for flag in seen.flags} for _place, seen in found]


def sync(sides: Sides, plan: FlagPlan) -> FlagResult:
    return sync_flags(sides.session, plan, silent, Cancel())


def reasons(result: FlagResult) -> dict[str, str]:
    return {failure.subject: failure.reason for failure in result.left}


def test_what_the_pc_has_is_added_and_nothing_is_taken_away(sides: Sides) -> None:
    put(
        sides,
        ("read", 0x1, "", []),
        ("all", 0x1007, "work $label1", []),
        ("same", 0x1, "work", [SEEN, "Work"]),
        ("more there", 0x4, "", [SEEN, "later"]),
        ("both", 0x5, "", [ANSWERED]),
    )
    before = sides.mover.run("check", "--json")
    assert json.loads(before.stdout)["differences"]["read_state"] == 4

    done = sides.mover.run("sync-flags", "--yes", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["changed"], found["state"], found["not_changed"]) == (4, "done", [])
    assert found["plan"]["messages"] == 4
    assert found["plan"]["server_more"] == 2
    assert found["plan"]["folders"] == [
        {
            "server": "INBOX",
            "messages": 4,
            "add": {"$Forwarded": 1, "$label1": 1, "\\Answered": 1, "\\Flagged": 3, "\\Seen": 3, "work": 1},
            "remove": {},
        }
    ]
    assert there(sides) == [
        {SEEN},
        {SEEN, ANSWERED, FLAGGED, "$forwarded", "work", "$label1"},
        {SEEN, "work"},
        {SEEN, FLAGGED, "later"},
        {SEEN, ANSWERED, FLAGGED},
    ]

    again = sides.mover.run("sync-flags", "--yes", "--json")
    assert (again.returncode, json.loads(again.stdout)["plan"]["messages"]) == (0, 0)
    after = json.loads(sides.mover.run("check", "--json").stdout)["differences"]
    assert (after["read_state"], after["flags"]) == (1, 2), "what the server has more"


def test_what_the_pc_lacks_is_taken_away_when_that_is_asked_for(sides: Sides) -> None:
    put(
        sides,
        ("unread", 0x0, "", [SEEN, FLAGGED]),
        ("keyword", 0x1, "", [SEEN, "work", "NonJunk"]),
        ("swapped", 0x4, "home", [SEEN, "work"]),
        ("deleted there", 0x1, "", [SEEN, DELETED]),
    )

    done = sides.mover.run("sync-flags", "--yes", "--json", "--remove")

    assert done.returncode == 0, done.stderr
    assert there(sides) == [set(), {SEEN, "nonjunk"}, {FLAGGED, "home"}, {SEEN, DELETED}]
    assert json.loads(done.stdout)["changed"] == 3


def test_the_next_look_finds_the_same_without_a_full_listing(sides: Sides) -> None:
    put(sides, ("one", 0x5, "work", []), ("two", 0x0, "", []), ("three", 0x2, "", [SEEN]))
    sides.look()

    result = sync(sides, plan_flags(sides.session))

    assert (result.state, result.changed, result.left) == (State.DONE, 2, ())
    told = sides.session.snapshot
    assert told is not None
    assert (told.counts.read_state, told.counts.flags) == (1, 0), "unread here, read there"
    assert sides.listed() == sides.other.mails()
    sides.other.change_flags("INBOX", 2, add=[FLAGGED])
    assert sides.look().counts.flags == 1
    assert sides.listed() == sides.other.mails()


def test_only_the_rows_and_folders_that_were_asked_for(sides: Sides) -> None:
    work = sides.native("Work")
    sides.other.create(work)
    put(sides, ("a", 0x1, "", []), ("b", 0x1, "", []))
    put(sides, ("c", 0x1, "", []), folder=work)
    sides.look()
    with Index(sides.session.index_path) as index:
        ids = {row.local.message.place: row.id for row in rows(index, row_ids(index, None)) if row.local}
        wanted = [row.id for row in rows(index, ids.values()) if b"<b@" in row.local.message.fields]  # type: ignore[union-attr]

    assert sync(sides, plan_flags(sides.session, wanted)).changed == 1
    done = sides.mover.run("sync-flags", "--yes", "--folder", "Work")

    assert done.returncode == 0, done.stderr
    flags = {seen.fields[3]: seen.flags for seen in sides.other.mails().values()}
    assert flags == {"a": frozenset(), "b": {SEEN}, "c": {SEEN}}


def test_what_the_phone_changed_since_the_look_is_left(sides: Sides) -> None:
    put(
        sides,
        ("flagged", 0x1, "", []),
        ("quiet", 0x1, "", []),
        ("read by both", 0x1, "", []),
        ("unread again", 0x4, "", [SEEN]),
        ("gone", 0x1, "", []),
    )
    sides.look()
    plan = plan_flags(sides.session, remove=True)
    sides.other.change_flags("INBOX", 1, add=[FLAGGED])
    sides.other.change_flags("INBOX", 3, add=[SEEN])
    sides.other.change_flags("INBOX", 4, take=[SEEN])
    sides.other.expunge("INBOX", 5)

    result = sync(sides, plan)

    assert reasons(result) == {
        "flagged": MEANWHILE, "unread again": MEANWHILE, "gone": "it is no longer on the server",
    }  # fmt: skip
    assert result.changed == 2
    assert there(sides) == [{FLAGGED}, {SEEN}, {SEEN}, set()]
    assert sides.listed().items() >= sides.other.mails().items(), "the change is shown at once"
    # What is shown now is what the user has seen when they ask again.
    sides.look()
    assert sync(sides, plan_flags(sides.session, remove=True)).complete
    assert there(sides) == [{SEEN}, {SEEN}, {SEEN}, {FLAGGED}]


def test_what_the_phone_changes_while_it_runs_is_left(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_sync, "AT_ONCE", 2)
    put(sides, *((f"m-{number}", 0x1, "", []) for number in range(4)))
    sides.look()

    def report(progress: Progress) -> None:
        if progress.stage is Stage.FLAGS and progress.what and progress.done == 2:
            sides.other.change_flags("INBOX", 4, add=[FLAGGED])

    result = sync_flags(sides.session, plan_flags(sides.session), report, Cancel())

    assert reasons(result) == {"m-3": MEANWHILE}
    assert there(sides) == [{SEEN}, {SEEN}, {SEEN}, {FLAGGED}]


def test_ones_own_changes_since_the_look_are_no_reason_to_leave_a_mail(sides: Sides) -> None:
    put(sides, ("one", 0x5, "", [ANSWERED]), ("two", 0x0, "", [SEEN]))
    sides.look()
    assert sync(sides, plan_flags(sides.session)).changed == 1

    result = sync(sides, plan_flags(sides.session, remove=True))

    assert (result.changed, result.left) == (2, ())
    assert there(sides) == [{SEEN, FLAGGED}, set()]


def test_a_folder_that_was_made_anew_is_left(sides: Sides) -> None:
    work = sides.native("Work")
    sides.other.create(work)
    sides.mover.write(Inbox=[here("a", 0x1)])
    sides.other.append(work, uploaded(mail("a")), [], NOON)
    sides.look()
    plan = plan_flags(sides.session)
    sides.other.delete(work)
    sides.other.create(work)
    sides.other.append(work, uploaded(mail("another")), [], NOON)
    assert plan.folders[0].uidvalidity != sides.other.uidvalidity(work)

    result = sync(sides, plan)

    assert reasons(result) == {"a": "its folder was made anew on the server; look again"}
    assert there(sides) == [set()]


def test_mail_in_doubt_and_left_out_is_not_touched(sides: Sides) -> None:
    trash = sides.native("Trash")
    if trash not in sides.other.folders():
        sides.other.create(trash)
    sides.mover.write(Inbox=[here("filed", 0x1), here("id", 0x1)], Trash=[here("thrown", 0x1)])
    sides.other.append(trash, uploaded(mail("filed")), [], NOON)
    sides.other.append(trash, uploaded(mail("thrown")), [], NOON)
    # The same Message-ID, and another mail: nobody can say.
    other = uploaded(mail("id")).replace(b"Subject: id", b"Subject: other").replace(b"a@example", b"z@example")
    sides.other.append("INBOX", other, [], NOON)

    done = sides.mover.run("sync-flags", "--yes", "--json", "--remove")

    counts = json.loads(sides.mover.run("check", "--json").stdout)["differences"]
    assert (counts["ambiguous"], counts["left_out"], counts["read_state"]) == (1, 1, 1)
    assert (done.returncode, json.loads(done.stdout)["plan"]["messages"]) == (0, 0)
    assert not any(there(sides))


def test_two_thousand_mails(sides_on: Callable[[str], Sides]) -> None:
    sides = sides_on("dovecot")
    put(sides, *((f"m{number}", number % 8, "work" if number % 3 else "", []) for number in range(2100)))
    sides.look()

    result = sync(sides, plan_flags(sides.session))

    assert (result.state, result.left) == (State.DONE, ())
    assert sum(1 for flags in there(sides) if "work" in flags) == 1400
    assert sides.look().counts.work == 0
