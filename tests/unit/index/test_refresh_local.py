"""Taking over into the index what changed in real stores on this PC, and nothing more."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hikkoshi.errors import Cancelled
from hikkoshi.index.account import compare
from hikkoshi.index.mapping import map_folders
from hikkoshi.index.proofs import KnownProofs
from hikkoshi.index.refresh_local import LocalRefresh, refresh_local
from hikkoshi.index.schema import LOCAL
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import silent
from hikkoshi.local.detect import open_store
from hikkoshi.mail.message import Message
from support.memory import FakeStore, placed
from support.planted import mail as planted

CLASSIC = b"From a@example.jp Tue Mar  5 10:00:00 2024\n"


def mail(number: int) -> bytes:
    return b"Message-ID: <%d@x>\nSubject: %d\n\ntext\n" % (number, number)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "index.sqlite") as opened:
        yield opened


def rows(index: Index) -> dict[str, int]:
    """Place -> row id."""
    return dict(index.db.execute("SELECT place, id FROM message ORDER BY id"))


def refresh(index: Index, path: Path) -> None:
    assert refresh_local(index, open_store(path), silent, Cancel()) == []


def flags(index: Index) -> dict[str, set[str]]:
    ids = rows(index)
    found = index.messages(ids.values())
    return {place: set(found[id_].message.flags) for place, id_ in ids.items()}


def compared(index: Index) -> None:
    folders = [entry.folder for entry in index.folders(LOCAL)]
    compare(index, map_folders(folders, [], {}, "/".join), KnownProofs({}))


def test_a_grown_mbox_keeps_the_rows_that_it_had(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(CLASSIC + mail(1) + b"\n" + CLASSIC + mail(2) + b"\n")
    refresh(index, path)
    before = rows(index)
    with path.open("ab") as file:
        file.write(CLASSIC + mail(3) + b"\n")
    refresh(index, path)

    after = rows(index)
    assert len(after) == 3
    assert before.items() <= after.items()


def test_a_growing_mbox_costs_no_walk_over_its_mails(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"")
    for number in range(1, 30):  # beyond offset 999, behind which the order of texts is not that of numbers
        with path.open("ab") as file:
            file.write(CLASSIC + mail(number) + b"\n")
        if number == 20:
            index.db.execute("DELETE FROM message WHERE id = (SELECT max(id) FROM message)")
        statements: list[str] = []
        index.db.set_trace_callback(statements.append)
        refresh(index, path)
        index.db.set_trace_callback(None)

        assert len(rows(index)) == number
        assert any("CAST" in statement for statement in statements) == (number == 20)
    assert [int(place.partition(":")[0]) for place in rows(index)] == sorted(
        int(place.partition(":")[0]) for place in rows(index)
    )


def test_a_renamed_file_keeps_its_row_and_has_the_flags_of_its_name(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "Maildir"
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    for number in range(3):
        (path / "new" / f"{number}.x").write_bytes(mail(number))
    refresh(index, path)
    before = rows(index)
    (path / "new" / "0.x").rename(path / "cur" / "0.x:2,S")
    (path / "new" / "1.x").unlink()
    refresh(index, path)

    assert rows(index) == {"cur/0.x:2,S": before["new/0.x"], "new/2.x": before["new/2.x"]}
    assert flags(index) == {"cur/0.x:2,S": {"\\Seen"}, "new/2.x": set()}


def test_two_files_that_change_names_stay_two_mails(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "Maildir"
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    (path / "cur" / "a:2,").write_bytes(mail(1))
    (path / "cur" / "a:2,S").write_bytes(mail(2))
    refresh(index, path)
    (path / "cur" / "a:2,").rename(path / "cur" / "a:2,F")
    (path / "cur" / "a:2,S").rename(path / "cur" / "a:2,")
    refresh(index, path)

    assert set(rows(index)) == {"cur/a:2,", "cur/a:2,F"}


def test_the_server_can_be_asked_while_children_read(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"".join(CLASSIC + mail(number) + b"\n" for number in range(300)))
    with LocalRefresh(index, open_store(path), Cancel(), children=2) as local:
        local.start()
        assert rows(index) == {}
        assert local.finish(silent) == []

    assert len(rows(index)) == 300


def test_a_cancel_while_children_read_leaves_the_folder_as_it_was(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"".join(CLASSIC + mail(number) + b"\n" for number in range(300)))
    cancel = Cancel()
    with LocalRefresh(index, open_store(path), cancel, children=1) as local:
        local.start()
        cancel.set("user")
        with pytest.raises(Cancelled):
            local.finish(silent)

    assert rows(index) == {}
    refresh(index, path)
    assert len(rows(index)) == 300


def test_after_a_comparison_only_lookalikes_that_changed_are_read(index: Index) -> None:
    alike = [planted(1, message_id=None), planted(1, message_id=None)]
    store = FakeStore(Inbox=placed(*alike), Sent=placed(planted(2)))
    asked: list[str] = []
    original = store.read

    def read(folder: object, place: str) -> bytes:
        asked.append(place)
        return original(folder, place)  # type: ignore[arg-type]

    store.read = read  # type: ignore[method-assign]
    store.bodies = {"1": b"Subject: x\n\none\n", "2": b"Subject: x\n\ntwo\n"}
    refresh_local(index, store, silent, Cancel())
    assert asked == ["1", "2"]
    compared(index)
    asked.clear()

    refresh_local(index, store, silent, Cancel())
    assert asked == []
    store.change("Sent", planted(3))
    refresh_local(index, store, silent, Cancel())
    assert asked == []
    compared(index)
    more: list[Message] = [*alike, planted(1, message_id=None)]
    store.change("Inbox", *more)
    store.bodies["3"] = b"Subject: x\n\nthree\n"
    refresh_local(index, store, silent, Cancel())
    assert asked == ["1", "2", "3"]


def test_an_unchanged_store_is_only_looked_at(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "box"
    path.write_bytes(CLASSIC + mail(1) + b"\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    refresh(index, path)
    before = rows(index)
    store = open_store(path)
    monkeypatch.setattr(Path, "open", None)
    assert refresh_local(index, store, silent, Cancel()) == []

    assert rows(index) == before
