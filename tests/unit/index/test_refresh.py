"""Reading again what changed, and only that, on both sides."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.errors import Cancelled, CommandRefused, LocalChanged
from hikkoshi.index.landing import landed
from hikkoshi.index.refresh_local import LocalRefresh, refresh_local
from hikkoshi.index.refresh_server import refresh_server
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage, silent
from hikkoshi.local.detect import open_store
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from support.dovecot import Dovecot
from support.memory import FakeBulk, FakeStore, placed
from support.planted import folder, mail


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "index.sqlite") as opened:
        yield opened


def places(index: Index, side: int, name: str) -> list[str]:
    rows = index.db.execute(
        "SELECT place FROM message JOIN folder ON folder.id = folder WHERE folder.side = ? AND name = ?"
        " ORDER BY CAST(place AS INTEGER)",
        (side, name),
    )
    return [str(row[0]) for row in rows]


def local(index: Index, store: FakeStore, cancel: Cancel | None = None) -> list[Problem]:
    return refresh_local(index, store, silent, cancel or Cancel())


def test_only_the_folders_that_changed_are_read_again(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1)), Sent=placed(mail(2)))
    assert local(index, store) == []
    store.change("Sent", mail(2), mail(3))
    assert local(index, store) == []
    assert store.scanned == ["Inbox", "Sent", "Sent"]
    assert places(index, LOCAL, "Sent") == ["1", "2"]


def test_a_folder_that_went_away_takes_its_mail_with_it(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1)), Sent=placed(mail(2)))
    local(index, store)
    del store.mail["Sent"]
    local(index, store)
    assert index.totals(LOCAL)[:2] == (1, 1)


def test_a_folder_written_to_meanwhile_is_read_once_more(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1), mail(2)))

    def written_once(name: str, problems: list[Problem]) -> None:
        if len(store.scanned) == 1:
            store.change(name, mail(1), mail(2), mail(3))
            raise LocalChanged("it changed")

    store.trouble = written_once
    assert local(index, store) == []
    assert places(index, LOCAL, "Inbox") == ["1", "2", "3"]
    local(index, store)
    assert store.scanned == ["Inbox", "Inbox"]


def test_a_folder_written_to_all_the_time_is_a_problem_and_the_rest_goes_on(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1)), Sent=placed(mail(2)))
    local(index, store)
    store.change("Inbox", mail(1), mail(3))

    def always(name: str, problems: list[Problem]) -> None:
        if name == "Inbox":
            raise LocalChanged("it changed again")

    store.trouble = always
    assert local(index, store) == [Problem("Inbox", "it changed again")]
    assert store.scanned == ["Inbox", "Sent", "Inbox", "Inbox"]
    # What was known of it stays, and it is known to be no longer the whole.
    assert places(index, LOCAL, "Inbox") == ["1"]
    assert [entry.known for entry in index.folders(LOCAL)] == [False, True]


def test_an_unreadable_folder_is_told_each_time_until_it_can_be_read(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1)), Sent=placed(mail(2)))

    def unreadable(name: str, problems: list[Problem]) -> None:
        if name == "Inbox":
            raise PermissionError(13, "Permission denied")

    store.trouble = unreadable
    for _time in range(2):
        (problem,) = local(index, store)
        assert problem.where == "Inbox"
        assert "Permission denied" in problem.what
        assert "[Errno" not in problem.what
    assert places(index, LOCAL, "Sent") == ["1"]
    store.trouble = lambda name, problems: None
    assert local(index, store) == []
    assert places(index, LOCAL, "Inbox") == ["1"]


def test_a_folder_that_vanishes_before_it_is_read_is_told(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1)), Sent=placed(mail(2)))

    def stamp(folder: Folder) -> str:
        if folder.native == "Inbox":
            raise FileNotFoundError(2, "No such file or directory")
        return "1"

    store.stamp = stamp  # type: ignore[method-assign]
    assert [problem.where for problem in local(index, store)] == ["Inbox"]
    assert places(index, LOCAL, "Sent") == ["1"]


def test_one_bad_mail_is_told_and_the_folder_is_read_again_next_time(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1), mail(2)))
    store.trouble = lambda name, problems: problems.append(Problem("Inbox: 100", "it is cut"))
    for _time in range(2):
        assert local(index, store) == [Problem("Inbox: 100", "it is cut")]
        assert places(index, LOCAL, "Inbox") == ["1", "2"]
    assert store.scanned == ["Inbox", "Inbox"]


def test_a_folder_named_in_another_encoding_is_told_and_the_rest_is_read(index: Index) -> None:
    store = FakeStore(**{"Inbox": placed(mail(1)), "\udc8e\udcf3": placed(mail(2))})
    (problem,) = local(index, store)
    assert problem.where == "\ufffd\ufffd"
    assert places(index, LOCAL, "Inbox") == ["1"]


@pytest.mark.parametrize("children", [0, 1])
def test_a_mail_named_in_another_encoding_is_told_and_the_rest_is_read(
    index: Index, tmp_path: Path, children: int
) -> None:
    current = tmp_path / "Maildir" / "cur"
    for part in ("cur", "new", "tmp"):
        (current.parent / part).mkdir(parents=True)
    (current / "1.x:2,S").write_bytes(mail(1).fields + b"\r\n\r\nbody\r\n")
    try:
        (current / os.fsdecode("2.見積:2,S".encode("cp932"))).write_bytes(mail(2).fields + b"\r\n\r\nbody\r\n")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    with LocalRefresh(index, open_store(current.parent), Cancel(), children) as refresh:
        refresh.start()
        (problem,) = refresh.finish(silent)
    assert problem.where == "INBOX"
    assert "2.\ufffd" in problem.what
    assert "no text in UTF-8" in problem.what
    assert [row[0] for row in index.db.execute("SELECT place FROM message")] == ["cur/1.x:2,S"]


def test_a_cancel_leaves_the_folder_as_it_was(index: Index) -> None:
    store, cancel = FakeStore(Inbox=placed(mail(1))), Cancel()
    local(index, store)
    store.change("Inbox", mail(1), mail(2))
    store.trouble = lambda name, problems: cancel.set("user")
    with pytest.raises(Cancelled):
        local(index, store, cancel)
    assert places(index, LOCAL, "Inbox") == ["1"]
    store.trouble = lambda name, problems: None
    local(index, store)
    assert places(index, LOCAL, "Inbox") == ["1", "2"]


def test_lookalikes_without_message_id_are_told_apart_by_their_bodies_and_no_other_mail_is_read(index: Index) -> None:
    store = FakeStore(Inbox=placed(mail(1, message_id=None), mail(1, message_id=None), mail(1), mail(2)))
    store.bodies = {"1": b"Subject: x\n\none\n", "2": b"X-UIDL: 7\nSubject: x\n\none\n"}
    local(index, store)
    found = [row[0] for row in index.db.execute("SELECT body FROM message ORDER BY id")]
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[2:] == [None, None]


def server(index: Index, bulk: FakeBulk, cancel: Cancel | None = None) -> list[Problem]:
    bulk.asked.clear()
    return refresh_server(index, bulk, bulk.folders(), silent, cancel or Cancel())  # type: ignore[arg-type]


def flags_of(index: Index) -> dict[int, str]:
    row = index.server_folder("INBOX")
    assert row is not None
    return {uid: flags for uid, (_id, flags) in index.server_uids(row).items()}


def test_a_second_look_asks_for_flags_and_for_nothing_else(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1), 2: mail(2)})
    server(index, bulk)
    assert bulk.asked == ["new 1"]
    server(index, bulk)
    assert bulk.asked == ["flags"]


def test_changed_flags_vanished_and_new_mail_are_noted(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1), 2: mail(2), 3: mail(3)})
    server(index, bulk)
    bulk.mail["INBOX"] = {1: mail(1, "\\Seen"), 3: mail(3), 4: mail(4, "\\Flagged")}
    server(index, bulk)
    assert flags_of(index) == {1: "\\Seen", 3: "", 4: "\\Flagged"}
    assert bulk.asked == ["flags", "new 4"]


def test_mail_of_others_below_our_own_uploads_is_found(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1)})
    server(index, bulk)
    # Another client delivered 2 and 3, then we uploaded 4 and noted it without a listing.
    bulk.mail["INBOX"] |= {2: mail(2), 3: mail(3), 4: mail(4)}
    index.db.execute("INSERT INTO pair (id, view, mail, relation, lead, why) VALUES (1, 1, 1, 1, 1, 0)")
    landed(index, 1, "INBOX", 7, placed(mail(1), mail(2), mail(3), mail(4))[3])
    assert places(index, SERVER, "INBOX") == ["1", "4"]
    server(index, bulk)
    assert places(index, SERVER, "INBOX") == ["1", "2", "3", "4"]
    assert bulk.asked == ["flags", "new 2"]


def test_rows_of_known_mail_stay_when_mail_below_is_listed(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1), 4: mail(4)})
    server(index, bulk)
    before = dict(index.db.execute("SELECT place, id FROM message"))
    bulk.mail["INBOX"][2] = mail(2)
    server(index, bulk)
    after = dict(index.db.execute("SELECT place, id FROM message"))
    assert before.items() <= after.items()


def test_a_folder_made_anew_is_listed_anew(index: Index) -> None:
    bulk = FakeBulk(INBOX={5: mail(1), 6: mail(2)})
    server(index, bulk)
    bulk.uidvalidity, bulk.mail["INBOX"] = 8, {5: mail(7), 1: mail(8)}
    server(index, bulk)
    assert bulk.asked == ["new 1"]
    row = index.server_folder("INBOX")
    assert row is not None
    assert index.stamp(row) == "8"
    subjects = [row[0] for row in index.db.execute("SELECT fields FROM message ORDER BY place")]
    assert [mail(8).fields, mail(7).fields] == subjects


def test_an_emptied_folder_is_empty_and_known(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1)})
    server(index, bulk)
    bulk.mail["INBOX"] = {}
    server(index, bulk)
    assert bulk.asked == []
    assert places(index, SERVER, "INBOX") == []
    assert [entry.known for entry in index.folders(SERVER)] == [True]


def test_a_folder_that_cannot_be_opened_is_told_and_the_rest_is_listed(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1)}, Shared={1: mail(2)}, Sent={1: mail(3)})
    bulk.refused = {"Shared"}
    (problem,) = server(index, bulk)
    assert problem.where == "Shared"
    assert "no such luck" in problem.what
    assert [entry.known for entry in index.folders(SERVER)] == [True, False, True]
    bulk.refused = set()
    assert server(index, bulk) == []
    assert places(index, SERVER, "Shared") == ["1"]


def test_a_refusal_in_the_middle_of_a_listing_is_told_and_the_folder_is_not_known(index: Index) -> None:
    bulk = FakeBulk(INBOX={1: mail(1), 2: mail(2)})
    whole = bulk.list_new

    def broken(first_uid: int) -> Iterator[Message]:
        yield next(iter(whole(first_uid)))
        raise CommandRefused("in the middle")

    bulk.list_new = broken  # type: ignore[method-assign]
    assert [problem.where for problem in server(index, bulk)] == ["INBOX"]
    assert [entry.known for entry in index.folders(SERVER)] == [False]
    bulk.list_new = whole  # type: ignore[method-assign]
    assert server(index, bulk) == []
    assert places(index, SERVER, "INBOX") == ["1", "2"]


def test_what_came_in_before_a_cancel_stays_and_is_known_not_to_be_all(index: Index) -> None:
    bulk, cancel = FakeBulk(INBOX={1: mail(1), 2: mail(2)}), Cancel()
    whole = bulk.list_new

    def stopping(first_uid: int) -> Iterator[Message]:
        for message in whole(first_uid):
            yield message
            cancel.set("user")

    bulk.list_new = stopping  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        server(index, bulk, cancel)
    assert places(index, SERVER, "INBOX") == ["1"]
    state = index.server_state(index.server_folder("INBOX") or 0)
    assert state is not None
    assert not state.complete
    bulk.list_new = whole  # type: ignore[method-assign]
    server(index, bulk)
    assert bulk.asked == ["flags", "new 2"]
    assert places(index, SERVER, "INBOX") == ["1", "2"]


def test_progress_tells_each_folder_and_the_end(index: Index) -> None:
    told: list[Progress] = []
    refresh_local(index, FakeStore(Inbox=[], Sent=[]), told.append, Cancel())
    assert told == [
        Progress(Stage.SCAN, "Inbox", 0, 2), Progress(Stage.SCAN, "Sent", 1, 2), Progress(Stage.SCAN, "", 2, 2)
    ]  # fmt: skip


def mbox_of(*messages: bytes) -> bytes:
    return b"".join(b"From a@b Sat Mar  9 12:30:05 2024\n" + message + b"\n" for message in messages)


def test_an_mbox_that_grows_is_read_again(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "mail" / "Inbox"
    path.parent.mkdir()
    one, other = mail(1).fields + b"\r\n\r\nbody\r\n", mail(2).fields + b"\r\n\r\nbody\r\n"
    path.write_bytes(mbox_of(one))
    store = open_store(path.parent)
    assert refresh_local(index, store, silent, Cancel()) == []
    path.write_bytes(mbox_of(one, other))
    assert refresh_local(index, open_store(path.parent), silent, Cancel()) == []
    stored = [bytes(row[0]) for row in index.db.execute("SELECT fields FROM message ORDER BY id")]
    assert stored == [mail(1).fields, mail(2).fields]


@pytest.mark.dovecot
def test_a_real_server_is_listed_and_then_only_what_changed(index: Index, dovecot: Dovecot) -> None:
    user = dovecot.make_user()
    login = Login(dovecot.host, dovecot.imap_port, user, dovecot.password, "plain")
    contents = [mail(n).fields + b"\r\n\r\nbody\r\n" for n in range(1, 6)]

    def refresh(folders: Iterable[Folder]) -> list[Problem]:
        with Bulk.open(login) as bulk:
            return refresh_server(index, bulk, folders, silent, Cancel())

    with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as client:
        client.login(user, dovecot.password)
        for content in contents[:3]:
            client.append("INBOX", content)
        inbox, missing = folder("INBOX"), folder("Not there")
        (problem,) = refresh([inbox, missing])
        assert problem.where == "Not there"
        assert list(flags_of(index)) == [1, 2, 3]
        client.select_folder("INBOX")
        client.add_flags(1, [b"\\Seen"])
        client.delete_messages(2)
        client.expunge()
        for content in contents[3:]:
            client.append("INBOX", content)
        assert index.server_folder("INBOX") is not None
        # As if the upload of 5 had been noted, and 4 never been listed.
        row = index.server_folder("INBOX") or 0
        with index.transaction():
            index.add(row, [Message("5", 0, frozenset(), None, b"")])
        assert refresh([inbox]) == []
    assert flags_of(index) == {1: "\\Seen", 3: "", 4: "", 5: ""}
    assert bytes(index.db.execute("SELECT fields FROM message WHERE place = 4").fetchone()[0]) == mail(4).fields
