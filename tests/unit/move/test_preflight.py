"""Looking at the mails of a plan: what is found, that it is found once, and what repairs make of the plan."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hikkoshi.errors import Cancelled
from hikkoshi.index.account import compare
from hikkoshi.index.looked import Looked, keep_looks, looked_at
from hikkoshi.index.mapping import map_folders
from hikkoshi.index.proofs import KnownProofs
from hikkoshi.index.queries import row_ids
from hikkoshi.index.refresh_local import LocalRefresh
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage, silent
from hikkoshi.local.detect import open_store
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.findings import Examined, Finding
from hikkoshi.mail.repairs import Repair
from hikkoshi.move import preflight as module
from hikkoshi.move.notes import Note
from hikkoshi.move.plan import Plan, make_plan
from hikkoshi.move.preflight import Preflight, look_over, make_preflight, with_repairs
from hikkoshi.move.room import STORAGE, Room, Source
from hikkoshi.move.source import pack_parcel
from support.moving import mail, write_mbox

ROOMS = [Room("", STORAGE, 0, 1 << 30, Source.SERVER)]
EIGHT_BIT = mail("eight").replace(b"Subject: eight", "Subject: 見積".encode())
EMPTY_FIELD = mail("empty", fields="X-Keys:\n")
RECEIPT = mail("receipt", fields="Return-Receipt-To: a@example.com\n")
READ_RECEIPT = mail("read", fields="X-Mozilla-Status: 0001\nReturn-Receipt-To: a@example.com\n")
UNDATED = re.sub(rb"(?m)^(Date|Received):.*\n", b"", mail("undated"))
ODD_FLAGS = mail("flags", fields="X-Mozilla-Status: 0001\nX-Mozilla-Keys: work caf\u00e9\n")
PLAIN = mail("plain")


class Look:
    """A folder of mbox files with an index of its own, and how often its mails are read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "store"
        self.index = Index(folder / "index.sqlite")
        self.reads: list[str] = []
        self._patch = monkeypatch

    @property
    def store(self) -> LocalStore:
        return open_store(self.folder)

    def plan(self) -> Plan:
        """The plan for all of it."""
        with LocalRefresh(self.index, self.store, Cancel(), 0) as refresh:
            refresh.start()
            refresh.finish(silent)
        local = [entry.folder for entry in self.index.folders(LOCAL)]
        compare(self.index, map_folders(local, [], {}, "/".join), KnownProofs())
        return make_plan(self.index, row_ids(self.index, None), ROOMS)

    def look(self, plan: Plan, cancel: Cancel | None = None) -> Preflight:
        store, told = self.store, []
        original = module.upload_pieces

        def counted(*given) -> Iterator[bytes]:
            self.reads.append(given[2])
            return original(*given)

        with self._patch.context() as patch:
            patch.setattr(module, "upload_pieces", counted)
            problems = look_over(
                plan.items,
                store=store,
                folders={folder.native: folder for folder in store.folders()},
                index=self.index,
                report=told.append,
                cancel=cancel or Cancel(),
            )
        self.told: list[Progress] = told
        return make_preflight(plan, self.index, {}, problems)


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    made = Look(tmp_path, monkeypatch)
    yield made
    made.index.close()


def found(preflight: Preflight) -> list[tuple[Note, ...]]:
    return [noticed.notes for noticed in preflight.mails]


def test_each_mail_with_something_to_say_is_named_with_its_repairs(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN, EIGHT_BIT, EMPTY_FIELD, RECEIPT, READ_RECEIPT, UNDATED, ODD_FLAGS])

    preflight = look.look(look.plan())

    assert set(found(preflight)) == {
        (Note(Finding.EIGHT_BIT_HEADER),),
        (Note(Finding.EMPTY_FIELD, "X-Keys"),),
        (Note(Finding.ASKS_FOR_RECEIPT),),
        (Note(Finding.IMPOSSIBLE_DATE, "from-line"),),
        (Note(Finding.FLAGS_DROPPED, "café"),),
    }
    assert len(preflight.mails) == 5
    assert preflight.counts()[Finding.EIGHT_BIT_HEADER] == 1
    assert preflight.offered() == {Repair.ENCODE_HEADERS: 1, Repair.DROP_EMPTY_FIELDS: 1, Repair.HOLD_RECEIPTS: 1}
    assert {repair for noticed in preflight.mails for repair in noticed.offered} == {
        Repair.ENCODE_HEADERS,
        Repair.DROP_EMPTY_FIELDS,
        Repair.HOLD_RECEIPTS,
    }


def test_a_second_look_reads_nothing_and_a_changed_mail_is_read_again(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN, EIGHT_BIT])
    first = look.look(look.plan())
    assert len(look.reads) == 2

    again = look.look(look.plan())
    write_mbox(look.folder / "Inbox", [PLAIN, EIGHT_BIT, EMPTY_FIELD])
    appended = look.look(look.plan())

    assert again == first
    assert len(look.reads) == 3
    assert len(found(appended)) == 2
    write_mbox(look.folder / "Inbox", [EMPTY_FIELD, PLAIN])
    assert found(look.look(look.plan())) == [(Note(Finding.EMPTY_FIELD, "X-Keys"),)]
    assert len(looked_at(look.index, range(100))) == 2


def test_what_was_looked_at_until_it_was_stopped_is_kept(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [mail(f"m-{n}") for n in range(5)])
    plan = look.plan()

    class Stopping(Cancel):
        def check(self) -> None:
            if len(look.reads) == 3:
                self.set("user")
            super().check()

    with pytest.raises(Cancelled):
        look.look(plan, Stopping())

    # It was stopped within the third.
    assert len(looked_at(look.index, (item.row for item in plan.items))) == 2
    look.reads.clear()
    look.look(plan)
    assert len(look.reads) == 3


def test_what_was_found_in_a_mail_is_not_kept_for_another_that_got_its_row(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN])
    [item] = look.plan().items
    found_in = Looked(Examined(int(Finding.NUL)))

    keep_looks(look.index, [(item.row, replace(item.message, place="7:8"), found_in)])
    keep_looks(look.index, [(item.row, replace(item.message, size=1), found_in)])
    assert looked_at(look.index, [item.row]) == {}
    keep_looks(look.index, [(item.row, item.message, found_in)])
    assert looked_at(look.index, [item.row]) == {item.row: found_in}


def test_it_tells_how_far_it_is(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN, EIGHT_BIT])
    plan = look.plan()

    look.look(plan)

    assert look.told[0] == Progress(Stage.LOOK, "Inbox", 0, 2, 0, plan.load.size)


def test_a_mail_that_cannot_be_read_is_told_and_the_rest_is_looked_at(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN])
    write_mbox(look.folder / "Work", [EIGHT_BIT])
    plan = look.plan()
    (look.folder / "Inbox").unlink()
    folders = {folder.native: folder for folder in look.store.folders()}
    gone = {item.local_native for item in plan.items} - set(folders)
    folders |= {native: replace(next(iter(folders.values())), native=native) for native in gone}

    problems = look_over(
        plan.items, store=look.store, folders=folders, index=look.index, report=silent, cancel=Cancel()
    )

    assert [problem.where for problem in problems] == ["Inbox"]
    assert len(found(make_preflight(plan, look.index, {}, problems))) == 1


def test_flags_that_the_target_refuses_are_named(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [mail("keys", fields="X-Mozilla-Status: 0000\nX-Mozilla-Keys: work\n")])
    plan = look.plan()
    look.look(plan)
    target = plan.items[0].target

    refused = make_preflight(plan, look.index, {target: frozenset({"\\Seen"})})
    kept = make_preflight(plan, look.index, {target: frozenset({"\\*"})})

    assert found(refused) == [(Note(Finding.FLAGS_DROPPED, "work"),)]
    assert found(kept) == []


def test_repairs_count_for_what_fits_and_no_mail_grows_by_more(look: Look) -> None:
    write_mbox(look.folder / "Inbox", [PLAIN, EIGHT_BIT, EMPTY_FIELD, RECEIPT, READ_RECEIPT])
    plan = look.plan()
    look.look(plan)

    mended = with_repairs(plan, look.index, frozenset(Repair))

    store = look.store
    folders = {folder.native: folder for folder in store.folders()}
    assert with_repairs(plan, look.index, frozenset()) is plan
    assert [item.message for item in mended.items] == [item.message for item in plan.items]
    assert mended.load.size == sum(item.size for item in mended.items) > plan.load.size
    assert mended.outlooks[0].after >= plan.outlooks[0].after
    assert sum(bool(item.repairs) for item in mended.items) == 3
    for item in mended.items:
        parcel = pack_parcel(store, folders[item.local_native], item.message, item.repairs)
        assert parcel.size <= item.size
        assert parcel.repairs == item.repairs
    assert with_repairs(mended, look.index, frozenset(Repair)).load == mended.load


def test_a_mail_that_was_not_looked_at_keeps_the_repairs_that_were_chosen_for_it(look: Look) -> None:
    """A move that is gone on with: what it needs is seen as it is packed."""
    write_mbox(look.folder / "Inbox", [EIGHT_BIT])
    plan = look.plan()
    chosen = {plan.items[0].row: frozenset({Repair.ENCODE_HEADERS})}

    resumed = with_repairs(plan, look.index, frozenset(), chosen)

    assert [item.repairs for item in resumed.items] == [frozenset({Repair.ENCODE_HEADERS})]
