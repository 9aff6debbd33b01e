"""Maildir, Maildir++ and folders of Maildirs, as mutt, Dovecot, Windows programs and Thunderbird write them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikkoshi.errors import LocalChanged
from hikkoshi.local import files
from hikkoshi.local.detect import open_store
from hikkoshi.local.maildir import MaildirStore
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import crlf_size, upload_form
from hikkoshi.mail.folders import Role
from hikkoshi.mail.headers import header_block
from hikkoshi.mail.message import Message, Problem
from support.following import Follower, followed, look_of, scanned, taken

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
    path = maildir(tmp_path, a__ST=MAIL, b__S=MAIL)
    (path / "new" / "c:2,T").write_bytes(MAIL)  # in new/ there are no flags
    store, problems = open_store(tmp_path), list[Problem]()

    assert {one.place for one in store.scan(store.folders()[0], problems)} == {"cur/b:2,S", "new/c:2,T"}
    assert problems == [Problem("INBOX", "1 mail marked as deleted (T) was left out.", remark=True)]


def test_deleted_mail_is_told_at_each_look_and_read_at_none(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__ST=MAIL, b__S=MAIL, c__=MAIL)
    store, follower = open_store(tmp_path), Follower()

    def told() -> list[str]:
        os.utime(path / "cur", ns=(0, 0))  # long ago, so that the time is trusted
        follower.look(store)
        return [problem.what[:1] for problem in follower.problems]

    assert (told(), sorted(follower.read)) == (["1"], ["cur/b:2,S", "cur/c:2,"])
    assert (told(), follower.read) == (["1"], [])
    (path / "new" / "d").write_bytes(MAIL)
    assert (told(), follower.read) == (["1"], ["new/d"])
    (path / "cur" / "b:2,S").rename(path / "cur" / "b:2,ST")
    os.utime(path / "cur", ns=(1, 1))
    follower.look(store)
    assert ([problem.what[:1] for problem in follower.problems], follower.read) == (["2"], [])
    assert set(follower.messages) == {"cur/c:2,", "new/d"}


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
    look = look_of(store)
    (path / "cur" / "b:2,").rename(path / "cur" / "b:2,S")

    with pytest.raises(LocalChanged):
        taken(look)


def test_a_file_that_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = maildir(tmp_path, a__=MAIL, b__=MAIL, c__=MAIL)
    open_ = os.open

    def refuse(path: str, flags: int) -> int:
        if path.endswith("b:2,"):
            raise PermissionError(13, "Permission denied", path)
        return open_(path, flags)

    monkeypatch.setattr(os, "open", refuse)  # root may read everything, so the refusal is played
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


def old(path: Path) -> None:
    """Make the times of a Maildir's directories old enough to be trusted."""
    for part in ("cur", "new"):
        os.utime(path / part, (1_700_000_000, 1_700_000_000))


def test_a_maildir_that_did_not_change_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = maildir(tmp_path, a__=MAIL, b__S=MAIL)
    old(path)
    store = open_store(tmp_path)
    follower = followed(store)
    assert list(follower.messages) == ["cur/a:2,", "cur/b:2,S"]
    monkeypatch.setattr(os, "scandir", None)
    monkeypatch.setattr(os, "listdir", None)

    assert not follower.look(store)


def test_a_time_too_near_to_the_listing_is_not_trusted(tmp_path: Path) -> None:
    """On a disk with coarse times a directory may be written to again without its time changing."""
    path = maildir(tmp_path, a__=MAIL)
    store = open_store(tmp_path)
    follower = followed(store)
    time = (path / "cur").stat().st_mtime_ns
    (path / "cur" / "a:2,").rename(path / "cur" / "a:2,S")
    os.utime(path / "cur", ns=(time, time))

    assert follower.look(store)
    assert list(follower.messages) == ["cur/a:2,S"]


def test_a_renamed_file_is_the_same_mail_and_is_not_read(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__=MAIL, b__S=MAIL)
    (path / "new" / "c").write_bytes(MAIL)
    old(path)
    store = open_store(tmp_path)
    follower = followed(store)
    (path / "cur" / "a:2,").rename(path / "cur" / "a:2,FS")
    (path / "new" / "c").rename(path / "cur" / "c:2,")
    (path / "cur" / "b:2,S").rename(path / "cur" / "b:2,ST")
    (path / "new" / "d").write_bytes(MAIL)

    assert follower.look(store)
    assert follower.read == ["new/d"]
    assert follower.messages == scanned(store)
    assert set(follower.messages) == {"cur/a:2,FS", "cur/c:2,", "new/d"}


def test_other_keywords_make_all_be_read_again(tmp_path: Path) -> None:
    path = maildir(tmp_path, a__a=MAIL)
    old(path)
    store = open_store(tmp_path)
    follower = followed(store)
    (path / "dovecot-keywords").write_text("0 work\n")

    assert follower.look(store)
    assert set(follower.messages["cur/a:2,a"].flags) == {"work"}


LONG_AGO = 1_600_000_000
EDITS = st.sampled_from(["seen", "trash", "deliver", "take in", "remove", "look"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(EDITS, st.integers(0, 9)), max_size=20), rests=st.booleans())
def test_whatever_happens_a_follower_has_what_a_scan_finds(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, int]], rests: bool
) -> None:
    """`rests`: it all happened long ago, so that only directories whose times changed are listed."""
    path = maildir(tmp_path_factory.mktemp("maildir"), a__=MAIL, b__S=MAIL)
    store = MaildirStore(path)
    follower = Follower()
    for step, (edit, which) in enumerate(edits):
        files = sorted((path / "cur").iterdir()) + sorted((path / "new").iterdir())
        file = files[which % len(files)] if files else None
        if edit == "look":
            follower.look(store)
        elif edit == "deliver":
            (path / "new" / f"{step}.x").write_bytes(MAIL.replace(b"Subject: x", b"Subject: %d" % step))
        elif file and edit == "remove":
            file.unlink()
        elif file and edit == "take in":
            file.rename(path / "cur" / (file.name.partition(":")[0] + ":2,"))
        elif file:
            file.rename(path / "cur" / (file.name.partition(":")[0] + (":2,S" if edit == "seen" else ":2,T")))
        for part in ("cur", "new"):
            if rests and (path / part).stat().st_mtime > LONG_AGO + 1000:
                os.utime(path / part, (LONG_AGO + step, LONG_AGO + step))

    follower.look(store)

    assert follower.messages == scanned(store)


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.sampled_from([b"A: b\n", b"\n", b"\r\n", b"x\r", b"Status: RO\n", b"text\n", b"y"]), max_size=12),
    chunk=st.integers(1, 30),
)
def test_a_file_longer_than_a_chunk_is_measured_as_a_whole_is(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], chunk: int
) -> None:
    file = tmp_path_factory.mktemp("large") / "file"
    content = b"".join(parts)
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_CHUNK", chunk)
        assert files.header_and_size(str(file)) == (header_block(content), crlf_size(content))
