import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hikkoshi.errors import IndexUnusable
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message
from support.memory import placed
from support.planted import folder, mail


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "cache" / "index.sqlite") as opened:
        yield opened


def test_only_the_user_can_read_the_file(index: Index) -> None:
    assert stat.S_IMODE(index.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(index.path.parent.stat().st_mode) == 0o700


def test_folders_come_back_as_they_were_in_their_order(index: Index) -> None:
    folders = [
        Folder("Local Folders/見積/a.b", ("見積", "a.b"), Role.NONE, "/x/見積.sbd/a.b", "Local Folders"),
        Folder("Inbox", ("Inbox",), Role.INBOX, "/x/Inbox", "pop"),
    ]
    index.sync_folders(LOCAL, folders)
    assert [entry.folder for entry in index.folders(LOCAL)] == folders
    assert [entry.known for entry in index.folders(LOCAL)] == [False, False]
    index.sync_folders(LOCAL, reversed(folders))
    assert [entry.folder for entry in index.folders(LOCAL)] == folders[::-1]


def test_a_folder_keeps_its_mail_when_only_its_name_or_role_changes(index: Index) -> None:
    (row,) = index.sync_folders(SERVER, [folder("Sent")]).values()
    index.set_stamp(row, "7")
    index.add(row, placed(mail(1)))
    renamed = Folder("Sent 2", ("Sent 2",), Role.NONE, "Sent")
    assert index.sync_folders(SERVER, [renamed]) == {"Sent": row}
    assert index.totals(SERVER) == (1, 1, 1010)
    assert index.stamp(row) == "7"


def test_the_sides_do_not_touch_each_other(index: Index) -> None:
    index.sync_folders(LOCAL, [folder("Inbox")])
    index.sync_folders(SERVER, [folder("Inbox")])
    index.sync_folders(LOCAL, [])
    assert [entry.side for entry in index.folders()] == [SERVER]


def test_messages_come_back_as_they_were(index: Index) -> None:
    (row,) = index.sync_folders(LOCAL, [folder("Inbox")]).values()
    messages = placed(mail(1, "\\Seen $label1"), mail(2, partial=True, raw=b"Subject: \x00\xff"))
    assert index.add(row, messages) == 2
    ids = [r[0] for r in index.db.execute("SELECT id FROM message ORDER BY id")]
    assert [found.message for found in index.messages([*ids, 999]).values()] == messages


def test_a_message_at_the_same_place_takes_the_others_stead(index: Index) -> None:
    (row,) = index.sync_folders(SERVER, [folder("INBOX")]).values()
    index.add(row, placed(mail(1)))
    index.add(row, placed(mail(2, "\\Seen")))
    ((_id, flags),) = index.server_uids(row).values()
    assert flags == "\\Seen"


def test_progress_is_told_in_steps(index: Index) -> None:
    (row,) = index.sync_folders(LOCAL, [folder("Inbox")]).values()
    told: list[int] = []
    with index.transaction():
        assert index.add(row, placed(*[mail(1)] * 2500), told.append) == 2500
    assert told == [1000, 2000]
    assert index.totals(LOCAL) == (1, 2500, 2500 * 1010)


def test_a_transaction_is_done_whole_or_not_at_all(index: Index) -> None:
    (row,) = index.sync_folders(LOCAL, [folder("Inbox")]).values()

    def broken_off() -> Iterator[Message]:
        yield from placed(*[mail(1)] * 1500)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), index.transaction():
        index.add(row, broken_off())
    assert index.totals(LOCAL)[1] == 0
    with index.transaction():
        index.add(row, placed(mail(1)))
    assert index.totals(LOCAL)[1] == 1


def test_an_index_of_another_version_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with Index(path) as index:
        index.sync_folders(LOCAL, [folder("Inbox")])
        index.db.execute("PRAGMA user_version = 1")
    with Index(path) as index:
        assert index.folders() == []
        index.sync_folders(LOCAL, [folder("Inbox")])
    with Index(path) as index:
        assert len(index.folders()) == 1


@pytest.mark.parametrize("content", [b"this is no database, however long one looks at it" * 20, None])
def test_a_file_that_is_no_index_is_told_and_left_alone(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(IndexUnusable, match="No mail is concerned") as error:
        Index(path)
    assert str(path) in str(error.value)
    assert path.is_dir() or path.read_bytes() == content


def test_a_held_view_does_not_change_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with Index(path) as writer, Index(path) as reader:
        reader.hold()
        writer.sync_folders(LOCAL, [folder("Inbox")])
        assert reader.folders() == []
        reader.hold()
        assert len(reader.folders()) == 1
        writer.sync_folders(LOCAL, [])
        reader.release()
        assert reader.folders() == []


def test_a_second_writer_that_has_to_wait_too_long_says_so(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with Index(path) as one, Index(path) as other:
        other.db.execute("PRAGMA busy_timeout = 10")
        with one.transaction(), pytest.raises(IndexUnusable, match="locked") as error, other.transaction():
            pass
        assert isinstance(error.value.__cause__, sqlite3.Error)
