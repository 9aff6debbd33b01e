"""The session on a store and a server in memory; real servers are asked in tests/server/."""

from collections.abc import Collection, Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from hikkoshi.accounts import early as early_room
from hikkoshi.accounts import session as room
from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.config import AccountConfig, Config, load_config, save_config
from hikkoshi.accounts.options import Options, files_in, files_of
from hikkoshi.accounts.session import AccountSession, Snapshot
from hikkoshi.errors import HikkoshiError, UsageError
from hikkoshi.index.queries import Counts
from hikkoshi.index.search import find_rows, progress
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import Progress, Stage, silent
from hikkoshi.mail.message import Message
from hikkoshi.move.room import Reserve, Source
from hikkoshi.server.folders import Namespace
from hikkoshi.server.overview import Overview
from hikkoshi.server.quota import QuotaRoot
from support.memory import FakeBulk, FakeStore, placed
from support.planted import mail

SERVER = "taro@imap.example.jp"
ADDRESS = parse_address(f"imaps://{SERVER}")


class FakeConnection(FakeBulk):
    """The one connection of a look; entering and leaving says how many are open."""

    def __init__(self, **folders: dict[int, Message]) -> None:
        super().__init__(**folders)
        self.roots: list[QuotaRoot] = []
        self.quota_asked: list[set[str]] = []
        self.open = 0

    def overview(self, quota_of: Collection[str] = (), *, sizes: bool = False) -> Overview:
        self.quota_asked.append({"INBOX", *quota_of})
        return Overview(self.folders(), {}, self.roots, Namespace(delimiter="/"), 5000)

    def offers(self, _capability: str) -> bool:
        return False

    def quota(self, natives: Iterable[str]) -> list[QuotaRoot]:
        self.quota_asked.append(set(natives))
        return self.roots

    def __enter__(self) -> "FakeConnection":
        self.open += 1
        return self

    def __exit__(self, *_exc: object) -> None:
        self.open -= 1


class Account:
    """A session on two folders of the PC and two of the server."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = files_in(path)
        self.store = FakeStore(Inbox=placed(mail(1), mail(2)), Projects=placed(mail(3, size=9000)))
        self.bulk = FakeConnection(INBOX={1: mail(1)}, Shared={1: mail(3, size=9000)})
        monkeypatch.setattr(room.Bulk, "open", lambda _login: self.bulk)

    def open(self, **options: object) -> AccountSession:
        given = Options(Path("fake"), ADDRESS, **options)  # type: ignore[arg-type]
        return AccountSession(given, self.store, "s3cret", self.files)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(tmp_path, monkeypatch)


def test_a_refresh_looks_at_both_sides_and_hangs_up(account: Account) -> None:
    told: list[Progress] = []
    snapshot = account.open().refresh(told.append, Cancel())
    assert snapshot.counts == Counts(only_local=1, elsewhere=1)
    assert (snapshot.local_total[:2], snapshot.server_total[:2]) == ((2, 3), (2, 2))
    assert (snapshot.server, snapshot.limits.told, snapshot.server_whole) == (SERVER, 5000, True)
    assert snapshot.checked_at.tzinfo is not None
    assert list(dict.fromkeys(progress.stage for progress in told)) == [
        Stage.CONNECT, Stage.LIST, Stage.SCAN, Stage.COMPARE
    ]  # fmt: skip
    assert account.bulk.open == 0


def test_a_first_look_is_shown_early_with_what_is_not_known_yet(account: Account) -> None:
    session = account.open()
    early: list[Snapshot] = []
    told: list[Progress] = []
    whole = session.refresh(told.append, Cancel(), early.append)
    first = early[0]
    assert (first.whole, whole.whole) == (False, True)
    assert first.local_total[:2] == (2, 3)
    assert sum(pair.pending for pair in first.pairs) == 3
    assert first.counts == Counts()
    assert whole.counts == Counts(only_local=1, elsewhere=1)
    assert sum(pair.pending for pair in whole.pairs) == 0
    assert (first.pairs[0].server, first.pairs[0].exists) == ("INBOX", True)
    assert max(progress.mails for progress in told if progress.stage is Stage.LIST) == 2
    early.clear()
    account.bulk.mail["INBOX"][2] = mail(2)
    assert session.refresh(silent, Cancel(), early.append).counts == Counts(elsewhere=1)
    assert early == []


def test_a_folder_that_came_since_is_shown_early_but_one_that_cannot_be_opened_is_not(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    early: list[Snapshot] = []
    account.bulk.mail["Refused"] = {}
    account.bulk.refused = {"Refused"}
    session.refresh(silent, Cancel(), early.append)
    assert early == []
    account.bulk.mail["Archive"] = {uid: mail(uid) for uid in range(20, 24)}
    session.refresh(silent, Cancel(), early.append)
    assert [seen.whole for seen in early] == [False]
    assert early[0].counts.only_server == 4


def test_mail_that_comes_later_into_folders_that_are_known_is_not_shown_early(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    account.bulk.mail["Archive"] = {1: mail(20)}
    account.bulk.mail["INBOX"] |= {uid: mail(uid) for uid in range(30, 40)}
    account.bulk.refused = {"Archive"}
    early: list[Snapshot] = []
    snapshot = session.refresh(silent, Cancel(), early.append)
    assert early == []
    assert snapshot.counts.only_server == 10


def test_who_leaves_waits_for_no_comparison(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_room, "_EVERY", 0.0)
    monkeypatch.setattr(early_room, "_SHARE", 0.0)
    cancel = Cancel()
    early: list[Snapshot] = []

    def report(progress: Progress) -> None:
        if progress.mails:
            cancel.set("user")

    with pytest.raises(HikkoshiError, match="Stopped"):
        account.open().refresh(report, cancel, early.append)
    assert [seen.server_total[1] for seen in early] == [0]


def test_early_looks_change_nothing_in_the_end(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.bulk.mail = {name: {uid: mail(uid) for uid in range(1, 9)} for name in ("INBOX", "Projects", "Shared")}
    account.store.change("Projects", *(mail(number) for number in range(5, 14)))
    expected = account.open().refresh(silent, Cancel())
    account.files.index.unlink()
    monkeypatch.setattr(early_room, "_EVERY", 0.0)
    monkeypatch.setattr(early_room, "_SHARE", 0.0)
    early: list[Snapshot] = []
    found = account.open().refresh(silent, Cancel(), early.append)
    assert len(early) >= 3
    assert all(seen.counts.only_local == seen.counts.sent_gap == seen.counts.elsewhere == 0 for seen in early)
    assert replace(found, checked_at=expected.checked_at) == expected


def test_what_was_seen_early_cannot_be_uploaded_where_the_list_was_cut(account: Account) -> None:
    session = account.open()
    cancel = Cancel()
    with pytest.raises(HikkoshiError, match="Stopped"):
        session.refresh(silent, cancel, lambda _seen: cancel.set("user"))
    assert session.plan().items == ()
    with pytest.raises(HikkoshiError, match="not listed to its end"):
        session.upload(session.plan(), lambda _event: None, Cancel())
    assert session.refresh(silent, Cancel()).counts == Counts(only_local=1, elsewhere=1)


def test_what_was_looked_at_can_be_made_searchable_and_a_busy_index_disturbs_nobody(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    stopped = Cancel()
    stopped.set()
    session.fill_search(stopped)
    session.fill_search(Cancel())
    with Index(account.files.index) as index:
        assert len(find_rows(index, "mail 1")) == 1
        assert progress(index) == (5, 5)
    account.files.index.write_bytes(b"no database")
    session.fill_search(Cancel())


def test_the_connections_are_ended_when_the_work_is_stopped(account: Account) -> None:
    cancel = Cancel()
    cancel.set("user")
    with pytest.raises(HikkoshiError):
        account.open().refresh(silent, cancel)
    assert account.bulk.open == 0


def test_limits_are_asked_for_where_mail_would_go(account: Account) -> None:
    account.bulk.mail["Projects"] = {}
    account.store.change("Projects", mail(4))
    session = account.open()
    session.refresh(silent, Cancel())
    assert account.bulk.quota_asked == [{"INBOX"}, {"INBOX", "Projects"}]
    # Known from the last time, so all of it is asked for at once.
    session.refresh(silent, Cancel())
    assert account.bulk.quota_asked[2:] == [{"INBOX", "Projects"}]


def test_the_limits_of_the_server_and_of_the_user_hold_with_their_reserve(account: Account) -> None:
    account.bulk.roots = [QuotaRoot("r", "STORAGE", 1024, 1 << 20, frozenset({"INBOX"}))]
    snapshot = account.open(quota_limit=1 << 30, reserve=Reserve(size=100)).refresh(silent, Cancel())
    assert [(each.source, each.limit, each.reserve) for each in snapshot.rooms] == [
        (Source.SERVER, 1 << 20, 100), (Source.USER, 1 << 30, 100)
    ]  # fmt: skip


def test_without_any_limit_the_room_is_unknown_and_so_is_whether_it_fits(account: Account) -> None:
    session = account.open()
    (unknown,) = session.refresh(silent, Cancel()).rooms
    assert (unknown.source, unknown.limit, unknown.used) == (Source.UNKNOWN, None, 1010 + 9000)
    assert session.plan().fits is None


def test_the_plan_holds_what_is_missing_and_refuses_what_the_server_does_not_take(account: Account) -> None:
    del account.bulk.mail["Shared"]
    session = account.open()
    session.refresh(silent, Cancel())
    plan = session.plan()
    assert [(item.local_folder, item.target) for item in plan.items] == [("Inbox", "INBOX")]
    assert [refusal.item.local_folder for refusal in plan.refused] == ["Projects"]
    assert session.plan([]).items == ()


def test_a_server_folder_that_cannot_be_opened_forbids_uploading(account: Account) -> None:
    account.bulk.refused = {"Shared"}
    session = account.open()
    snapshot = session.refresh(silent, Cancel())
    assert [problem.where for problem in snapshot.problems] == ["Shared"]
    assert not snapshot.server_whole
    with pytest.raises(HikkoshiError, match="Nothing was sent"):
        session.upload(session.plan(), lambda _event: None, Cancel())


def test_a_mapping_is_compared_with_at_once_and_remembered(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    assert session.remap({"Projects": "Shared"}, silent, Cancel()).counts == Counts(only_local=1)
    assert load_config(account.files.config).accounts == {SERVER: AccountConfig(mapping={"Projects": "Shared"})}
    again = account.open()
    assert again.overrides == {"Projects": "Shared"}
    assert again.refresh(silent, Cancel()).counts == Counts(only_local=1)


def test_an_unknown_folder_in_a_mapping_changes_nothing(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    with pytest.raises(UsageError, match="“Nowhere”"):
        session.remap({"Nowhere": "Shared"}, silent, Cancel())
    assert session.overrides == {}
    assert load_config(account.files.config) == Config()


def test_an_unknown_folder_on_the_command_line_is_refused(account: Account) -> None:
    with pytest.raises(UsageError, match="“Nowhere”"):
        account.open(mapping={"Nowhere": "Shared"}).refresh(silent, Cancel())


def test_a_remembered_mapping_of_a_folder_that_is_no_more_is_passed_over(account: Account) -> None:
    mapping = {"Of another PC": "Shared", "Projects": "Shared"}
    save_config(account.files.config, Config(accounts={SERVER: AccountConfig(mapping=mapping)}))
    session = account.open()
    assert session.refresh(silent, Cancel()).counts == Counts(only_local=1)
    session.remap({**session.overrides, "Inbox": "INBOX"}, silent, Cancel())
    assert load_config(account.files.config).accounts[SERVER].mapping == {**mapping, "Inbox": "INBOX"}


def test_the_command_line_wins_over_what_was_remembered(account: Account) -> None:
    save_config(account.files.config, Config(accounts={SERVER: AccountConfig(mapping={"Projects": "INBOX"})}))
    assert account.open(mapping={"Projects": "Shared"}).refresh(silent, Cancel()).counts == Counts(only_local=1)


def test_remembering_a_mapping_keeps_what_others_wrote_meanwhile(account: Account) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    other = {"jiro@imap.example.jp": AccountConfig(mapping={"a": "b"})}
    save_config(account.files.config, Config(theme="night", accounts=other))
    session.remap({"Projects": "Shared"}, silent, Cancel())
    config = load_config(account.files.config)
    assert config.theme == "night"
    assert set(config.accounts) == {SERVER, "jiro@imap.example.jp"}


def test_without_an_earlier_move_nothing_was_left_behind(account: Account) -> None:
    assert account.open().left_behind() == ""


def test_no_password_stands_in_any_file_or_in_the_sessions_text(account: Account, tmp_path: Path) -> None:
    session = account.open()
    session.refresh(silent, Cancel())
    session.remap({"Projects": "Shared"}, silent, Cancel())
    assert all(b"s3cret" not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert "s3cret" not in repr(vars(session))


def test_each_store_and_each_login_has_an_index_of_its_own(tmp_path: Path) -> None:
    other = parse_address("imaps://jiro@imap.example.jp")
    options = [
        Options(tmp_path, ADDRESS), Options(tmp_path / "x", ADDRESS), Options(tmp_path, other),
        Options(tmp_path, ADDRESS, local_account="b"),
    ]  # fmt: skip
    assert len({files_of(each).index for each in options}) == 4
    assert len({files_of(each).ledger for each in options}) == 1
    assert len({files_of(each).lock for each in options}) == 2
