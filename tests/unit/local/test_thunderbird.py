"""A Thunderbird profile as a store: what is listed, with which flags, and what is left alone."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from hikkoshi.errors import AccountNotChosen, LocalChanged, NotAStore
from hikkoshi.local.detect import open_store
from hikkoshi.local.sbd import name_hash
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.folders import Folder, Role
from hikkoshi.mail.message import Message, Problem
from support.following import followed, look_of, scanned, taken
from support.profile import PROFILE, Account, Mail, MailFolder, Msf, local_folders, write_profile

SEEN, FLAGGED = "\\Seen", "\\Flagged"
LOGIN = "tanaka@example.jp"


def mail(subject: str, body: str = "body\n", **more: object) -> Mail:
    head = (
        f"Date: Tue, 5 Mar 2024 10:00:00 +0900\nFrom: a@example.jp\nSubject: {subject}\nMessage-ID: <{subject}@x>\n\n"
    )
    return Mail((head + body).encode(), **more)  # type: ignore[arg-type]


def pop(*folders: MailFolder, **more: object) -> Account:
    return Account("pop3", "mail.example.jp", "tanaka", email=LOGIN, name="会社", folders=folders, **more)  # type: ignore[arg-type]


def store_of(root: Path, *accounts: Account, login: str = LOGIN, account: str | None = None) -> LocalStore:
    write_profile(root, accounts)
    store = open_store(root, login=login, account=account)
    assert store.kind == "thunderbird"
    return store


def folder_of(store: LocalStore, name: str) -> Folder:
    return next(folder for folder in store.folders() if folder.name == name)


def scan(store: LocalStore, name: str = "Inbox") -> dict[str, Message]:
    """The mails of a folder by subject; there must be no problems."""
    problems: list[Problem] = []
    found = {subject(message): message for message in store.scan(folder_of(store, name), problems)}
    assert problems == []
    return found


def subject(message: Message) -> str:
    return message.fields.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


def test_folders_of_the_account_and_local_folders(tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        pop(MailFolder(("Inbox",)), MailFolder(("Projects", "2024", "見積"))),
        local_folders(MailFolder(("見積", "2024")), MailFolder(("Unsent Messages",))),
    )

    names = [(folder.name, folder.path, folder.account) for folder in store.folders()]

    assert names == [
        ("Inbox", ("Inbox",), "会社"),
        ("Projects", ("Projects",), "会社"),
        ("Projects/2024", ("Projects", "2024"), "会社"),
        ("Projects/2024/見積", ("Projects", "2024", "見積"), "会社"),
        ("Local Folders/Unsent Messages", ("Unsent Messages",), "Local Folders"),
        ("Local Folders/見積", ("見積",), "Local Folders"),
        ("Local Folders/見積/2024", ("見積", "2024"), "Local Folders"),
    ]
    assert store.problems() == []


def test_roles_by_identity_and_by_name(tmp_path: Path) -> None:
    identity = {"fcc_folder": "mailbox://nobody@Local%20Folders/%E6%8E%A7%E3%81%88/mine"}
    names = ("Inbox", "Sent", "Drafts", "Templates", "Junk", "Archives", "送信済みトレイ")
    store = store_of(
        tmp_path,
        pop(
            *(MailFolder((name,)) for name in names),
            MailFolder(("Inbox", "Sent")),
            MailFolder(("Trash", "old")),
            identity=identity,
        ),
        local_folders(MailFolder(("控え", "mine")), MailFolder(("Unsent Messages",))),
    )

    roles = {folder.name: folder.role for folder in store.folders() if folder.role is not Role.NONE}

    assert roles == {
        "Inbox": Role.INBOX,
        "Sent": Role.SENT,
        "送信済みトレイ": Role.SENT,
        "Drafts": Role.DRAFTS,
        "Templates": Role.TEMPLATES,
        "Junk": Role.JUNK,
        "Archives": Role.ARCHIVE,
        "Trash": Role.TRASH,
        "Trash/old": Role.TRASH,
        "Local Folders/控え/mine": Role.SENT,
        "Local Folders/Unsent Messages": Role.OUTBOX,
    }


def test_a_fresh_summary_decides(tmp_path: Path) -> None:
    mails = (
        mail("read", status=0, summary=0x1),
        mail("unread", status=0x1, summary=0),
        mail("flagged", status=0, summary=0x5, summary_keywords="$label1"),
        mail("live", status=0x9, summary=0x1, listed=True),
        mail("deleted", status=0x1, listed=False),
        mail("partial", status=0, summary=0x400),
    )

    found = scan(store_of(tmp_path, pop(MailFolder(("Inbox",), mails))))

    assert {name: set(message.flags) for name, message in found.items()} == {
        "read": {SEEN}, "unread": set(), "flagged": {SEEN, FLAGGED, "$label1"}, "live": {SEEN}, "partial": set(),
    }  # fmt: skip
    assert [name for name, message in found.items() if message.partial] == ["partial"]


@pytest.mark.parametrize("msf", ["stale", "missing", "broken"])
def test_without_one_the_headers_do(tmp_path: Path, msf: Msf) -> None:
    mails = (
        mail("read", status=0x1, summary=0),
        mail("unread", status=0, summary=0x1),
        mail("marked", status=0x0800_0004, keywords="work", summary=0),
        mail("deleted", status=0x9, listed=True),
        mail("unlisted", status=0, listed=False),
        mail("partial", status=0x401),
    )

    found = scan(store_of(tmp_path, pop(MailFolder(("Inbox",), mails, msf))))

    assert {name: set(message.flags) for name, message in found.items()} == {
        "read": {SEEN}, "unread": set(), "marked": {FLAGGED, "$label4", "work"}, "unlisted": set(), "partial": {SEEN},
    }  # fmt: skip
    assert found["partial"].partial


CLASSIC = b"\nFrom a@example.jp Tue Mar  5 10:00:00 2024\nno header\n"


def store_with_classic_body(root: Path, msf: Msf, *more: Mail) -> LocalStore:
    """A store whose first mail has an unquoted From_ line in its body, as other programs write them."""
    store = store_of(root, pop(MailFolder(("Inbox",), (mail("first", "x" * len(CLASSIC)), *more), msf)))
    inbox = Path(folder_of(store, "Inbox").native)
    time = inbox.stat().st_mtime
    inbox.write_bytes(inbox.read_bytes().replace(b"x" * len(CLASSIC), CLASSIC))
    os.utime(inbox, (time, time))
    return store


def test_a_summary_knows_where_mails_start(tmp_path: Path) -> None:
    lone = Mail(b"Subject: lone\n\nno second header\n", status=None, from_line=b"From somewhere")
    store = store_with_classic_body(tmp_path, "fresh", lone)

    found = scan(store)

    assert set(found) == {"first", "lone"}
    assert b"no header" in store.read(folder_of(store, "Inbox"), found["first"].place)


def test_without_one_mails_start_where_thunderbird_says(tmp_path: Path) -> None:
    store = store_with_classic_body(tmp_path, "missing", mail("second"))

    found = scan(store)

    assert set(found) == {"first", "second"}
    assert b"no header" in store.read(folder_of(store, "Inbox"), found["first"].place)


def test_the_bytes_of_a_mail_are_those_that_came(tmp_path: Path) -> None:
    mails = (
        mail("quoted", "From me\n>From you\n From flowed\nFrom - Mon Jan  1 00:00:00 2024\nX-A: b\nX-C: d\n"),
        mail("blank", "two\n\n\n", summary=1),
        mail("japanese", "日本語\n", status=None),
        mail("empty", ""),
    )
    store = store_of(tmp_path, pop(MailFolder(("Inbox",), mails)))
    inbox = folder_of(store, "Inbox")

    assert store.is_mbox(inbox)
    for written, message in zip(mails, scan(store).values(), strict=True):
        sent = upload_form(store.read(inbox, message.place), mbox=True)
        assert sent == written.content.replace(b"\n", b"\r\n")
        assert message.size == len(sent)
        dated = store.header_dates(inbox, message.place)
        assert dated is not None
        assert (dated.when, dated.source) == (message.date, "date")


def test_a_maildir_store(tmp_path: Path) -> None:
    mails = (mail("read", status=0, summary=0x1), mail("header", status=0x4, listed=False), mail("gone", status=0x8))
    store = store_of(
        tmp_path, pop(MailFolder(("Inbox",), mails), MailFolder(("Inbox", "2024"), mails[:1]), maildir=True)
    )
    inbox = folder_of(store, "Inbox")

    found = scan(store)

    assert {name: set(message.flags) for name, message in found.items()} == {"read": {SEEN}, "header": {FLAGGED}}
    assert set(scan(store, "Inbox/2024")) == {"read"}
    assert not store.is_mbox(inbox)
    place = found["read"].place
    assert upload_form(store.read(inbox, place), mbox=False) == mails[0].content.replace(b"\n", b"\r\n")
    assert store.header_dates(inbox, place) is not None
    before = followed(store, inbox)
    assert not before.look(store, inbox)
    (Path(inbox.native) / place).unlink()
    assert before.look(store, inbox)
    assert before.messages == scanned(store, inbox)
    with pytest.raises(LocalChanged):
        store.read(inbox, place)


def test_other_accounts_are_named_and_never_listed(tmp_path: Path) -> None:
    other = Account(
        "pop3", "pop.example.com", "suzuki", email="suzuki@example.com", folders=(MailFolder(("Inbox",), (mail("x"),)),)
    )
    imap = Account("imap", "imap.example.jp", "sato", email="sato@example.jp")
    store = store_of(tmp_path, other, pop(MailFolder(("Inbox",))), imap, local_folders(MailFolder(("Kept",))))

    assert [folder.name for folder in store.folders()] == ["Inbox", "Local Folders/Kept"]
    said = store.describe()
    assert "Compared: 会社 (tanaka@example.jp), Local Folders." in said
    assert "Left alone: suzuki@example.com, sato@example.jp." in said
    assert store.problems() == []


def test_an_only_account_that_does_not_fit_the_login_is_said(tmp_path: Path) -> None:
    write_profile(tmp_path, (pop(MailFolder(("Inbox",))),))

    assert "only POP account" in open_store(tmp_path, login="sato@example.com").describe()
    assert "only POP account" not in open_store(tmp_path, login=LOGIN).describe()
    assert "only POP account" not in open_store(tmp_path, login="sato@example.com", account="会社").describe()


def test_no_account_fits(tmp_path: Path) -> None:
    write_profile(tmp_path, (pop(), Account("pop3", "pop.example.com", "suzuki", email="suzuki@example.com")))

    with pytest.raises(AccountNotChosen, match="会社"):
        open_store(tmp_path, login="sato@example.com")


def test_a_profile_without_mail_accounts_on_this_pc(tmp_path: Path) -> None:
    write_profile(tmp_path, (Account("imap", "imap.example.jp", "sato"),))

    with pytest.raises(NotAStore, match="no POP account"):
        open_store(tmp_path, login=LOGIN)


def test_mail_that_is_delivered_into_local_folders(tmp_path: Path) -> None:
    inbox = MailFolder(
        ("Inbox",),
        (mail("mine"), Mail(mail("theirs").stored.replace(b"account1", b"account2"), status=None)),
        "missing",
    )
    suzuki = Account("pop3", "pop.example.com", "suzuki", email="suzuki@example.com", deferred_to=3)
    store = store_of(tmp_path, pop(MailFolder(("Inbox",)), deferred_to=3), suzuki, local_folders(inbox))

    assert [folder.name for folder in store.folders()] == ["Local Folders/Inbox"]
    assert set(scan(store, "Local Folders/Inbox")) == {"mine"}
    assert "会社 (tanaka@example.jp) delivers its mail into Local Folders." in store.describe()
    assert "Left alone: suzuki@example.com." in store.describe()


def test_local_folders_alone_when_asked_for(tmp_path: Path) -> None:
    write_profile(tmp_path, (pop(MailFolder(("Inbox",))), local_folders(MailFolder(("Kept",)))))

    store = open_store(tmp_path, login=LOGIN, account="Local Folders")

    assert [folder.name for folder in store.folders()] == ["Local Folders/Kept"]


def test_files_that_are_no_folders(tmp_path: Path) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox",))))
    directory = Path(folder_of(store, "Inbox").native).parent
    for name in (
        "rules.dat",
        "Inbox~",
        "junklog.html",
        ".hidden",
        "feeds-1.json",
        "FeedItems.json",
        "x.toc",
        "sort.DAT",
    ):
        (directory / name).write_bytes(b"From x\n")
    (directory / "notes.txt").write_bytes(b"no mail at all\n")
    (directory / "%E3%81%82").touch()
    (directory / "50%25 off%3F").touch()

    again = open_store(tmp_path, login=LOGIN)

    assert [folder.name for folder in again.folders()] == ["%E3%81%82", "50% off?", "Inbox"]


def test_names_too_odd_for_a_file(tmp_path: Path) -> None:
    """Thunderbird 153 made these file names of these folder names."""
    assert f"{name_hash('A/B'):x}" == "99601899"
    files = {"A99601899": "A/B", "66bd5766": ".dot", "semi33f077b2": "semi;colon#hash"}
    write_profile(
        tmp_path,
        (pop(*(MailFolder((name,)) for name in files), MailFolder(("A99601899", "A", "B")), MailFolder(("A", "B"))),),
    )
    cache = {f"/old/place/{file}.msf": {"folderName": name} for file, name in files.items()}
    cache["/old/place/A.msf"] = {"folderName": "Another"}
    (tmp_path / PROFILE / "folderCache.json").write_text(json.dumps(cache))

    folders = open_store(tmp_path, login=LOGIN).folders()

    assert [folder.path for folder in folders] == [
        (".dot",), ("A",), ("A", "B"), ("A/B",), ("A/B", "A"), ("A/B", "A", "B"), ("semi;colon#hash",),
    ]  # fmt: skip
    assert len({folder.name for folder in folders}) == len(folders)


def test_links_that_lead_back_end(tmp_path: Path) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox", "2024"))))
    directory = Path(folder_of(store, "Inbox").native).parent
    (directory / "Inbox.sbd" / "2024.sbd").symlink_to(directory)
    (directory / "Loop.sbd").symlink_to("Loop.sbd")
    (directory / "Lost").symlink_to("nowhere")
    (directory / "Lost.sbd").symlink_to("nowhere")
    (directory / "file.sbd").touch()

    again = open_store(tmp_path, login=LOGIN)

    assert [folder.name for folder in again.folders()] == ["Inbox", "Inbox/2024"]
    assert again.problems() == []


@pytest.mark.parametrize("name", ["Inbox", "Inbox.sbd"])
def test_what_cannot_be_looked_into_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox", "2024")), MailFolder(("Kept",))))
    locked = Path(folder_of(store, "Inbox").native).with_name(name)

    def refusing(method: str) -> None:
        """Root may read everything, so the refusal is played."""
        original = getattr(Path, method)

        def play(self: Path, *args: object, **more: object) -> object:
            if self == locked:
                raise PermissionError(13, "Permission denied", str(self))
            return original(self, *args, **more)

        monkeypatch.setattr(Path, method, play)

    refusing("open")
    refusing("iterdir")
    again = open_store(tmp_path, login=LOGIN)

    assert "Kept" in [folder.name for folder in again.folders()]
    assert [problem.where for problem in again.problems()] == [str(locked)]


def test_an_account_whose_folder_is_gone_is_a_problem(tmp_path: Path) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox",))), local_folders())
    (tmp_path / PROFILE / "Mail" / "Local Folders" / "msgFilterRules.dat").unlink()
    (tmp_path / PROFILE / "Mail" / "Local Folders").rmdir()

    assert store.problems() == []
    problems = open_store(tmp_path, login=LOGIN).problems()

    assert [problem.where for problem in problems] == ["Local Folders"]


def test_mail_that_comes_after_the_summary_was_read_is_not_taken_for_deleted(tmp_path: Path) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox",), (mail("a"),))))
    inbox = folder_of(store, "Inbox")
    look = look_of(store, inbox)
    with Path(inbox.native).open("ab") as file:
        file.write(b"From - Sat Mar  9 16:00:00 2024\n" + mail("b").stored)

    with pytest.raises(LocalChanged):
        taken(look)


def test_looks_follow_mail_and_summary(tmp_path: Path) -> None:
    store = store_of(tmp_path, pop(MailFolder(("Inbox",), (mail("a"), mail("b")))))
    inbox = folder_of(store, "Inbox")
    follower = followed(store, inbox)
    assert not follower.look(store, inbox)
    summary = Path(inbox.native + ".msf")
    with summary.open("ab") as file:
        file.write(b"\n")
    assert follower.look(store, inbox)
    assert (follower.read, follower.messages) == ([], scanned(store, inbox))
    summary.unlink()
    assert follower.look(store, inbox)
    assert follower.messages == scanned(store, inbox)
    with Path(inbox.native).open("ab") as file:
        file.write(b"From - Sat Mar  9 16:00:00 2024\n" + mail("c").stored)
    assert follower.look(store, inbox)
    assert follower.messages == scanned(store, inbox)
    # Without a summary that can be believed old mail may have been marked in place.
    assert len(follower.read) == 3
    assert not follower.look(store, inbox)
    Path(inbox.native).unlink()
    with pytest.raises(OSError, match="Inbox"):
        follower.look(store, inbox)
    with pytest.raises(OSError, match="Inbox"):
        list(store.scan(inbox, []))


def test_looking_changes_nothing(tmp_path: Path) -> None:
    def state() -> dict[str, tuple[int, int, str]]:
        return {
            str(path): (
                path.stat().st_mtime_ns,
                path.stat().st_mode,
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            )
            for path in sorted(tmp_path.rglob("*"))
        }

    store = store_of(tmp_path, pop(MailFolder(("Inbox",), (mail("a"),)), MailFolder(("b",), (mail("b"),), "stale")))
    before = state()
    for folder in store.folders():
        followed(store, folder).look(store, folder)
        for message in store.scan(folder, []):
            store.read(folder, message.place)

    assert state() == before
