"""An mbox file, or a folder of them, as a store."""

import os
from pathlib import Path

import pytest

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.local.detect import open_store
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Message, Problem
from support.following import followed
from support.profile import Mail, MailFolder, Msf, write_mbox_folder

SEEN = "\\Seen"


def content(subject: str, head: bytes = b"", date: str = "Tue, 5 Mar 2024 10:00:00 +0900") -> bytes:
    dated = f"Date: {date}\n" if date else ""
    return head + f"From: a@example.jp\nSubject: {subject}\n{dated}\n本文\n\n".encode()


def mbox(path: Path, *mails: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(b"From a@example.jp Tue Mar  5 01:00:00 2024\n" + mail for mail in mails))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def subject(message: Message) -> str:
    return message.fields.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


def scan(store: LocalStore, number: int = 0) -> dict[str, Message]:
    """The mails of a folder by subject; there must be no problems."""
    problems: list[Problem] = []
    found = {subject(message): message for message in store.scan(store.folders()[number], problems)}
    assert problems == []
    return found


def test_one_file(tmp_path: Path) -> None:
    path = mbox(tmp_path / "受信箱.mbox", content("a"), content("b"))
    mbox(tmp_path / "other", content("c"))

    store = open_store(path)

    assert store.kind == "mbox"
    assert [(folder.name, folder.role, folder.native) for folder in store.folders()] == [
        ("受信箱", Role.INBOX, str(path))
    ]
    assert str(path) in store.describe()
    assert list(scan(store)) == ["a", "b"]


def test_a_folder_of_files_and_subfolders(tmp_path: Path) -> None:
    for name in ("Inbox", "sent-mail", "lists/python", "Inbox.sbd/2024", "Inbox.sbd/2024.sbd/見積", "old.mbox"):
        mbox(tmp_path / name, content("x"))
    (tmp_path / "empty").touch()
    for name, text in (("popstate.dat", b""), ("notes.txt", b""), (".hidden", b"From x\n"), ("Inbox.msf", b"// <!--")):
        (tmp_path / name).write_bytes(text)

    store = open_store(tmp_path)

    assert store.kind == "mbox-folder"
    assert {folder.name: folder.role for folder in store.folders()} == {
        "Inbox": Role.INBOX, "sent-mail": Role.SENT, "lists/python": Role.NONE, "Inbox/2024": Role.NONE,
        "Inbox/2024/見積": Role.NONE, "old": Role.NONE, "empty": Role.NONE,
    }  # fmt: skip
    assert "7 mbox files" in store.describe()
    assert store.problems() == []


def test_flags_by_the_headers(tmp_path: Path) -> None:
    store = open_store(
        mbox(
            tmp_path / "mbox",
            content("mutt", b"Status: RO\nX-Status: AF\n"),
            content("dovecot", b"Status: O\nX-Keywords: $label1 work\nX-UID: 7\n"),
            content("thunderbird", b"X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"),
            content("unread"),
            content("deleted", b"Status: RO\nX-Status: D\n"),
            content("expunged", b"X-Mozilla-Status: 0009\n"),
            content("partial", b"X-Mozilla-Status: 0401\n"),
        )
    )

    found = scan(store)

    assert {name: set(message.flags) for name, message in found.items()} == {
        "mutt": {SEEN, "\\Answered", "\\Flagged"}, "dovecot": {"$label1", "work"}, "thunderbird": {SEEN},
        "unread": set(), "partial": {SEEN},
    }  # fmt: skip
    assert [name for name, message in found.items() if message.partial] == ["partial"]


def test_the_message_that_servers_keep_their_uids_in_is_no_mail(tmp_path: Path) -> None:
    internal = (
        b"From: MAILER-DAEMON\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
        b"X-IMAP: 0123 0004\nStatus: RO\n\nThis text is part of the internal format.\n\n"
    )
    store = open_store(mbox(tmp_path / "mbox", internal, content("DON'T DELETE"), content("b", b"X-IMAP: 1 2\n")))

    assert list(scan(store)) == ["DON'T DELETE", "b"]


@pytest.mark.parametrize(
    ("msf", "expected"),
    [("fresh", {"read": {SEEN}, "unread": set()}), ("stale", {"unread": {SEEN}, "gone": set(), "read": set()})],
)
def test_summaries_count_in_a_folder_of_thunderbirds(tmp_path: Path, msf: Msf, expected: dict[str, set[str]]) -> None:
    mails = (
        Mail(content("read"), status=0, summary=0x1),
        Mail(content("unread"), status=0x1, summary=0),
        Mail(content("gone"), status=0, listed=False),
    )
    path = write_mbox_folder(tmp_path, MailFolder(("Inbox",), mails, msf))

    folder = open_store(tmp_path)
    before = followed(folder)

    assert {name: set(message.flags) for name, message in scan(folder).items()} == expected
    # The user named that file alone, so nothing beside it is read.
    assert set(scan(open_store(path))["unread"].flags) == {SEEN}
    path.with_name("Inbox.msf").unlink()
    assert before.look(folder)


def test_the_bytes_the_size_and_the_date_of_a_mail(tmp_path: Path) -> None:
    mails = (content("sent"), content("no date", date=""), content("none", date="no date at all"))
    store = open_store(mbox(tmp_path / "Sent", *mails))
    folder = store.folders()[0]

    for stored, source, message in zip(mails, ("date", "from-line", "from-line"), scan(store).values(), strict=True):
        assert store.read(folder, message.place) == stored.removesuffix(b"\n")
        assert message.size == len(upload_form(stored.removesuffix(b"\n"), mbox=store.is_mbox(folder)))
        dated = store.header_dates(folder, message.place)
        assert dated is not None
        assert (dated.when, dated.source) == (1_709_600_400, source)  # 2024-03-05 01:00 UTC
        assert message.date == dated.when


def test_a_cut_file_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = mbox(tmp_path / "mbox", content("a"), content("b"))
    path.write_bytes(b"garbage\n" + path.read_bytes()[:-4])
    path = path.rename(tmp_path / "Inbox")
    mbox(tmp_path / "kept", content("c"))
    path.write_bytes(path.read_bytes().removeprefix(b"garbage\n"))
    store = open_store(tmp_path)
    problems: list[Problem] = []

    found = {subject(message): message.partial for message in store.scan(store.folders()[0], problems)}

    assert found == {"a": False, "b": True}
    assert [problem.where for problem in problems] == ["Inbox"]
    assert list(scan(store, 1)) == ["c"]


def test_bytes_that_belong_to_no_mail_are_told(tmp_path: Path) -> None:
    path = mbox(tmp_path / "mbox", content("a"))
    store = open_store(path)
    path.write_bytes(b"garbage\n" + path.read_bytes())
    problems: list[Problem] = []

    assert [subject(message) for message in store.scan(store.folders()[0], problems)] == ["a"]
    assert "8 bytes" in problems[0].what


@pytest.mark.parametrize("name", ["locked", "lists"])
def test_what_cannot_be_looked_into_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for file in ("a", "locked", "lists/x"):
        mbox(tmp_path / file, content("x"))

    def refusing(method: str) -> None:
        """Root may read everything, so the refusal is played."""
        original = getattr(Path, method)

        def play(self: Path, *args: object, **more: object) -> object:
            if self == tmp_path / name:
                raise PermissionError(13, "Permission denied", str(self))
            return original(self, *args, **more)

        monkeypatch.setattr(Path, method, play)

    refusing("open")
    refusing("iterdir")
    store = open_store(tmp_path)

    assert "a" in [folder.name for folder in store.folders()]
    assert [problem.where for problem in store.problems()] == [str(tmp_path / name)]


def test_links_that_lead_back_and_maildirs(tmp_path: Path) -> None:
    mbox(tmp_path / "a", content("x"))
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "up").symlink_to(tmp_path)
    (tmp_path / "lists" / "maildir" / "cur").mkdir(parents=True)

    store = open_store(tmp_path)

    assert [folder.name for folder in store.folders()] == ["a"]
    assert [problem.where for problem in store.problems()] == [str(tmp_path / "lists" / "maildir")]


def test_a_file_that_went_away(tmp_path: Path) -> None:
    path = mbox(tmp_path / "a", content("x"))
    store = open_store(tmp_path)
    folder = store.folders()[0]
    before = followed(store)
    path.unlink()

    with pytest.raises(FileNotFoundError):
        before.look(store)
    with pytest.raises(OSError, match="a"):
        list(store.scan(folder, []))


def test_a_mail_right_behind_nul_bytes_is_found(tmp_path: Path) -> None:
    first = content("one").replace(b"\n\n", b"\n\n" + b"\0" * 500, 1).rstrip(b"\n") + b"\0" * 300
    path = tmp_path / "box"
    path.write_bytes(
        b"From a@x Tue Mar  5 10:00:00 2024\n" + first + b"From b@x Tue Mar  5 11:00:00 2024\n" + content("two")
    )
    store = open_store(path)
    problems: list[Problem] = []

    found = list(store.scan(store.folders()[0], problems))

    assert [subject(message) for message in found] == ["one", "two"]
    assert first == store.read(store.folders()[0], found[0].place)
    assert problems == []


def test_a_folder_of_nothing_but_empty_files_is_no_store(tmp_path: Path) -> None:
    for name in ("environment", "subuid", "notes.txt"):
        (tmp_path / name).touch()

    with pytest.raises(NotAStore):
        open_store(tmp_path)


def test_a_client_that_has_no_mail_yet_is_a_store(tmp_path: Path) -> None:
    for name in ("Inbox", "Sent", "Letters"):
        (tmp_path / name).touch()

    assert [folder.name for folder in open_store(tmp_path).folders()] == ["Inbox", "Letters", "Sent"]


def test_an_empty_text_file_is_no_mbox(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()

    with pytest.raises(NotAStore):
        open_store(tmp_path / "empty.txt")


@pytest.mark.parametrize(
    ("live", "deleted"),
    [(b"X-Mozilla-Status: 0001\n", b"X-Mozilla-Status: 0009\n"), (b"X-Status: F\n", b"X-Status: D\n")],
)
def test_a_mail_of_a_single_file_that_was_deleted_in_place_is_not_handed_out(
    tmp_path: Path, live: bytes, deleted: bytes
) -> None:
    path = mbox(tmp_path / "Inbox", content("first"), content("middle", live), content("last"))
    store = open_store(path)
    folder, messages = store.folders()[0], scan(store)
    path.write_bytes(path.read_bytes().replace(live, deleted))

    for message in (messages["first"], messages["last"]):
        assert b"".join(store.chunks(folder, message.place)) == store.read(folder, message.place)
    with pytest.raises(LocalChanged, match="deleted on this PC"):
        store.read(folder, messages["middle"].place)
    with pytest.raises(LocalChanged, match="deleted on this PC"):
        next(store.chunks(folder, messages["middle"].place))
