"""Scanning a store in child processes: the same mail in the same order as in this process, and every error told."""

from pathlib import Path

import pytest

from hikkoshi.errors import Cancelled, HelperDied, LocalChanged
from hikkoshi.local import mbox_look
from hikkoshi.local.detect import open_store
from hikkoshi.local.look import NOTHING_KNOWN, Changes, Known
from hikkoshi.local.scan import AT_LEAST_ONE, AUTOMATIC, LocalScan
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.message import Message, Problem
from support.following import followed
from support.profile import Account, Mail, MailFolder, write_profile

CLASSIC = b"From a@example.jp Tue Mar  5 10:00:00 2024\n"


def mail(number: int) -> bytes:
    return b"Date: Tue, 5 Mar 2024 10:00:00 +0900\nMessage-ID: <%d@x>\nSubject: %d\nStatus: RO\n\ntext\n" % (
        number,
        number,
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """Three mboxes, of which one is read in many parts, and two hold what is told as a problem."""
    monkeypatch.setattr(mbox_look, "PART", 5000)
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "A").write_bytes(b"".join(CLASSIC + mail(n) + b"\n" for n in range(900)))
    (folder / "B").write_bytes(CLASSIC + mail(1) + b"\n" + CLASSIC + mail(2) + b"\n")
    (folder / "C").write_bytes(CLASSIC + mail(1) + b"\n" + CLASSIC + mail(2)[:-1])
    store = open_store(folder)
    (folder / "B").write_bytes(b"no mail\n" + (folder / "B").read_bytes())
    return store


def all_of(store: LocalStore, children: int) -> list[tuple[list[Message], list[Problem]]]:
    found = []
    folders = [(folder, NOTHING_KNOWN) for folder in store.folders()]
    with LocalScan(store, folders, children) as scan:
        scan.start()
        for _folder in folders:
            problems: list[Problem] = []
            changes = scan.changes(problems)
            assert changes is not None
            found.append((list(changes.messages), problems))
    return found


@pytest.mark.parametrize("children", [1, 2, 3])
def test_children_find_what_this_process_finds(store: LocalStore, children: int) -> None:
    here = all_of(store, 0)

    assert all_of(store, children) == here
    assert [len(messages) for messages, _problems in here] == [900, 2, 2]
    assert [len(problems) for _messages, problems in here] == [0, 1, 1]


def test_a_maildir_is_shared_by_its_names(tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / part).mkdir()
    for number in range(700):
        (tmp_path / ("cur" if number % 2 else "new") / f"{number:04}.x{':2,S' if number % 2 else ''}").write_bytes(
            mail(number)
        )
    store = open_store(tmp_path)

    assert all_of(store, 2) == all_of(store, 0)
    assert len(all_of(store, 2)[0][0]) == 700


@pytest.mark.parametrize("maildir", [False, True])
def test_a_profile_of_thunderbirds(tmp_path: Path, maildir: bool) -> None:
    mails = tuple(Mail(mail(number), summary=number % 2) for number in range(5))
    account = Account(
        "pop3", "pop.example.jp", "a", email="a@example.jp", maildir=maildir,
        folders=(MailFolder(("Inbox",), mails, "fresh"), MailFolder(("Sent",), mails, "stale")),
    )  # fmt: skip
    write_profile(tmp_path, [account])
    store = open_store(tmp_path, login="a@example.jp")

    assert all_of(store, 2) == all_of(store, 0)
    assert sum(len(messages) for messages, _problems in all_of(store, 2)) >= 10


def test_only_what_changed_is_read(store: LocalStore) -> None:
    followers = [followed(store, folder) for folder in store.folders()]
    with Path(store.folders()[1].native).open("ab") as file:
        file.write(CLASSIC + mail(3) + b"\n")
    folders = [(folder, follower.known) for folder, follower in zip(store.folders(), followers, strict=True)]

    with LocalScan(store, folders, 2) as scan:
        scan.start()
        found = []
        for _folder in folders:
            changes = scan.changes([])
            found.append((changes, list(changes.messages) if changes else []))

    assert [bool(changes) for changes, _messages in found] == [False, True, False]
    assert [message.fields[-1:] for message in found[1][1]] == [b"3"]


def test_a_file_written_to_meanwhile_is_told_and_can_be_read_again(store: LocalStore) -> None:
    folders = [(folder, NOTHING_KNOWN) for folder in store.folders()]
    path = Path(folders[0][0].native)
    content = path.read_bytes()

    class Late:
        """A store in which a folder is written to right after it was looked at."""

        def look(self, folder: object, known: Known) -> object:
            look = store.look(folder, known)  # type: ignore[arg-type]
            if path.stat().st_size == len(content):
                path.write_bytes(content + CLASSIC + mail(7) + b"\n")
            return look

    with LocalScan(Late(), folders, 2) as scan:  # type: ignore[arg-type]
        scan.start()
        with pytest.raises(LocalChanged):
            _take(scan.changes([]))
        assert len(_take(scan.again(0, []))) == 901
        assert len(_take(scan.changes([]))) == 2
        assert len(_take(scan.changes([]))) == 2


def test_a_child_that_dies_is_an_error_of_its_folder_and_the_rest_goes_on(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The children are made to die at the first unit of A, as a crash would make them."""
    monkeypatch.setattr("hikkoshi.local.scan.TASK", "support.dying_reader:read_encoded")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    folders = [(folder, NOTHING_KNOWN) for folder in store.folders()]

    with LocalScan(store, folders, 2) as scan:
        scan.start()
        with pytest.raises(HelperDied):
            _take(scan.changes([]))
        assert len(_take(scan.changes([]))) == 2
        assert len(_take(scan.changes([]))) == 2


def test_a_folder_that_went_away_is_an_error_of_its_own(store: LocalStore) -> None:
    folders = [(folder, NOTHING_KNOWN) for folder in store.folders()]
    Path(folders[1][0].native).unlink()

    with LocalScan(store, folders, 2) as scan:
        scan.start()
        assert len(_take(scan.changes([]))) == 900
        with pytest.raises(FileNotFoundError):
            scan.changes([])
        assert len(_take(scan.changes([]))) == 2


def test_waiting_for_children_hears_a_cancel_and_leaves_none_behind(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([False, False, True])

    def check() -> None:
        if next(asked, True):
            raise Cancelled("stopped")

    monkeypatch.setattr("hikkoshi.local.scan.TASK", "support.dying_reader:sleep")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    # The tests' servers may be children of this process, too.
    before = _own_children()
    with LocalScan(store, [(store.folders()[0], NOTHING_KNOWN)], 2, check) as scan:
        scan.start()
        pids = _own_children() - before
        with pytest.raises(Cancelled):
            scan.changes([])
    assert pids
    assert not pids & _own_children()


def test_a_small_store_is_read_here(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)

    assert len(all_of(store, AUTOMATIC)) == 3


def test_a_screen_has_even_a_small_store_read_by_a_child(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    here = all_of(store, 0)
    monkeypatch.setattr("hikkoshi.local.look.read_unit", None)

    assert all_of(store, AT_LEAST_ONE) == here


def _take(changes: Changes | None) -> list[Message]:
    assert changes is not None
    return list(changes.messages)


def _own_children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found
