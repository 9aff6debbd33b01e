"""Maildir, Maildir++ and folders of Maildirs, as mutt, Dovecot, Windows programs and Thunderbird write them."""

import os
from pathlib import Path

import pytest

from hikkoshi.errors import LocalChanged
from hikkoshi.local.detect import open_store
from hikkoshi.local.maildir import MaildirStore
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.folders import Role
from hikkoshi.mail.message import Message, Problem

SEEN, FLAGGED = "\\Seen", "\\Flagged"
MAIL = b"Date: Tue, 5 Mar 2024 10:00:00 +0900\nFrom: a@example.jp\nSubject: x\n\nFrom me\n>From you\nlast"


def maildir(path: Path, **files: bytes) -> Path:
    """A Maildir with `files` in cur/; a name's `__` stands for the `:2,` that cannot be a keyword here."""
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    for name, content in files.items():
        (path / "cur" / name.replace("__", ":2,")).write_bytes(content)
    return path


def scan(store: LocalStore, number: int = 0) -> dict[str, Message]:
    """The mails of a folder by place; there must be no problems."""
    problems: list[Problem] = []
    found = {message.place: message for message in store.scan(store.folders()[number], problems)}
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("1.host:2,", set()),
        ("1.host:2,S", {SEEN}),
        ("1.host,S=90,W=95:2,FRS", {SEEN, FLAGGED, "\\Answered"}),
        ("1.host;2,DS", {SEEN, "\\Draft"}),
        ("1.host!2,PS", {SEEN, "$Forwarded"}),
        ("1.host", set()),
        ("1.host:1,S", set()),
    ],
)
def test_flags_by_name(tmp_path: Path, name: str, flags: set[str]) -> None:
    (maildir(tmp_path) / "cur" / name).write_bytes(MAIL)

    assert {f"cur/{name}": frozenset(flags)} == {
        place: message.flags for place, message in scan(open_store(tmp_path)).items()
    }


def test_new_mail_is_unread_and_temporary_files_are_no_mail(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__S=MAIL)
    (path / "new" / "b:2,S").write_bytes(MAIL)
    (path / "tmp" / "c:2,S").write_bytes(MAIL)
    (path / "cur" / ".hidden").write_bytes(MAIL)
    (path / "cur" / "directory").mkdir()

    assert {place: set(message.flags) for place, message in scan(open_store(tmp_path)).items()} == {
        "cur/a:2,S": {SEEN},
        "new/b:2,S": set(),
    }


def test_deleted_mail_is_on_no_list(tmp_path: Path) -> None:
    maildir(tmp_path, a__ST=MAIL, b__S=MAIL)

    assert set(scan(open_store(tmp_path))) == {"cur/b:2,S"}


def test_keywords_of_dovecot(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__Sac=MAIL)
    (path / "dovecot-keywords").write_text("0 $label1\n1 work\n2 見積\n99 none\nnonsense\n", "utf-8")

    (message,) = scan(open_store(tmp_path)).values()

    assert message.flags == {SEEN, "$label1", "見積"}


def test_the_flags_of_a_thunderbird_mail_are_in_its_headers(tmp_path: Path) -> None:
    files = {
        "1.eml": b"X-Mozilla-Status: 0005\nX-Mozilla-Keys: work\n" + MAIL,
        "2.eml": b"X-Mozilla-Status: 0009\n" + MAIL,
        "3.eml": b"X-Mozilla-Status: 0400\n" + MAIL,
    }
    maildir(tmp_path / "Mail" / "Inbox", **files)
    maildir(tmp_path / "Mail" / "Inbox.sbd" / "2024", **files)

    store = open_store(tmp_path / "Mail")
    found = scan(store)

    assert [(folder.name, folder.role) for folder in store.folders()] == [
        ("Inbox", Role.INBOX),
        ("Inbox/2024", Role.NONE),
    ]
    assert {place: set(message.flags) for place, message in found.items()} == {
        "cur/1.eml": {SEEN, FLAGGED, "work"},
        "cur/3.eml": set(),
    }
    assert [place for place, message in found.items() if message.partial] == ["cur/3.eml"]


def test_the_bytes_of_a_mail_are_those_in_its_file(tmp_path: Path) -> None:
    contents = (
        MAIL,
        MAIL.replace(b"\n", b"\r\n"),
        b"Status: RO\nContent-Length: 3\n" + MAIL,
        b"",
        b"\n\n",
        b"no header\n",
        b"a: \0\r\r\n\n\0",
    )
    path = maildir(tmp_path)
    for number, content in enumerate(contents):
        (path / "cur" / f"{number}:2,").write_bytes(content)
    store = open_store(tmp_path)

    for content, (place, message) in zip(contents, scan(store).items(), strict=True):
        stored = store.read(store.folders()[0], place)
        assert stored == content
        assert message.size == len(upload_form(stored, mbox=store.is_mbox(store.folders()[0])))
        dated = store.header_dates(store.folders()[0], place)
        assert dated is not None
        assert (dated.when, dated.source) == (message.date, "date" if b"Date:" in content else "file")


def test_maildir_plus_plus(tmp_path: Path) -> None:
    maildir(tmp_path, a__S=MAIL)
    for name in (".Sent", ".Projects.2024", ".&kAFP4W4IMH8wyDDsMKQ-", ".日本語", ".R&D"):
        maildir(tmp_path / name)

    folders = {folder.path: folder.role for folder in open_store(tmp_path).folders()}

    assert folders == {
        ("INBOX",): Role.INBOX,
        ("Sent",): Role.SENT,
        ("Projects", "2024"): Role.NONE,
        ("送信済みトレイ",): Role.SENT,
        ("日本語",): Role.NONE,
        ("R&D",): Role.NONE,
    }


def test_a_folder_of_maildirs(tmp_path: Path) -> None:
    maildir(tmp_path / "inbox")
    maildir(tmp_path / "lists" / "python" / "2024")
    (tmp_path / "notes").mkdir()

    store = open_store(tmp_path)

    assert [folder.name for folder in store.folders()] == ["inbox", "lists/python/2024"]
    assert "2 folders" in store.describe()


def test_links_that_lead_back_end(tmp_path: Path) -> None:
    maildir(tmp_path, a__S=MAIL)
    maildir(tmp_path / ".Sent")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / ".again").symlink_to(tmp_path / ".Sent")

    store = open_store(tmp_path)

    assert [folder.name for folder in store.folders()] == ["INBOX", "Sent"]
    assert store.problems() == []


def test_an_mbox_among_maildirs_is_named(tmp_path: Path) -> None:
    maildir(tmp_path / "inbox")
    (tmp_path / "old.mbox").write_bytes(b"From a\n" + MAIL)
    (tmp_path / "subscriptions").write_bytes(b"inbox\n")

    assert [problem.where for problem in open_store(tmp_path).problems()] == [str(tmp_path / "old.mbox")]


def test_a_mail_whose_flags_changed_since_is_found(tmp_path: Path) -> None:
    path = maildir(tmp_path)
    (path / "new" / "1.host").write_bytes(MAIL)
    store = open_store(tmp_path)
    inbox = store.folders()[0]
    (place,) = scan(store)
    (path / "new" / "1.host").rename(path / "cur" / "1.host:2,S")

    assert store.read(inbox, place) == MAIL
    assert store.header_dates(inbox, place) is not None
    (path / "cur" / "1.host:2,S").unlink()
    for look in (store.read, store.header_dates):
        with pytest.raises(LocalChanged):
            look(inbox, place)


def test_a_rename_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__=MAIL, b__=MAIL)
    store = open_store(tmp_path)
    scanning = store.scan(store.folders()[0], [])
    next(scanning)
    (path / "cur" / "b:2,").rename(path / "cur" / "b:2,S")

    with pytest.raises(LocalChanged):
        next(scanning)


def test_a_file_that_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = maildir(tmp_path, a__=MAIL, b__=MAIL, c__=MAIL)
    read_bytes = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "b:2,":
            raise PermissionError(13, "Permission denied", str(self))
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything, so the refusal is played
    store = MaildirStore(path)
    problems: list[Problem] = []
    places = [message.place for message in store.scan(store.folders()[0], problems)]

    assert places == ["cur/a:2,", "cur/c:2,"]
    assert [problem.where for problem in problems] == ["INBOX"]
    assert "b:2," in problems[0].what


def test_a_link_to_nowhere_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = maildir(tmp_path, b__=MAIL)
    (path / "cur" / "a:2,").symlink_to("nowhere")
    store = open_store(tmp_path)
    problems: list[Problem] = []

    assert [message.place for message in store.scan(store.folders()[0], problems)] == ["cur/b:2,"]
    assert len(problems) == 1


def test_the_stamp_follows_names_and_keywords(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__=MAIL)
    store = open_store(tmp_path)
    inbox = store.folders()[0]
    stamps = [store.stamp(inbox), store.stamp(inbox)]
    time = (path / "cur").stat().st_mtime_ns
    (path / "cur" / "a:2,").rename(path / "cur" / "a:2,S")
    os.utime(path / "cur", ns=(time, time))  # as on a disk with coarse times
    stamps.append(store.stamp(inbox))
    (path / "new" / "b").write_bytes(MAIL)
    stamps.append(store.stamp(inbox))
    (path / "dovecot-keywords").write_text("0 work\n")
    stamps.append(store.stamp(inbox))

    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 4
