"""Which profile, which accounts, and whose: nobody's mail goes into somebody else's box."""

from pathlib import Path

import pytest

from hikkoshi.errors import AccountNotChosen, NotAStore
from hikkoshi.local.profile import (
    Account,
    FolderUse,
    choose_account,
    find_profile,
    folder_uses,
    is_login,
    read_accounts,
    read_prefs,
)
from hikkoshi.mail.folders import Role
from support import profile as written

TANAKA = written.Account("pop3", "mail.example.jp", "tanaka", email="tanaka@example.jp", name="会社")
SUZUKI = written.Account("pop3", "pop.example.com", "s-suzuki", email="suzuki@example.com", name="Private")
LOCAL = written.local_folders()


def accounts(root: Path, *some: written.Account) -> list[Account]:
    profile = written.write_profile(root, some)
    return read_accounts(profile, read_prefs(profile))


def make_profile(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "prefs.js").write_text("")
    return path


def write_ini(root: Path, *sections: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "profiles.ini").write_text("\n\n".join(section.replace(" ", "\n") for section in sections))


def test_the_profile_itself(tmp_path: Path) -> None:
    profile = make_profile(tmp_path / "a")
    write_ini(tmp_path / "a", "[Profile0] Path=elsewhere Default=1")

    assert find_profile(profile) == profile


def test_the_installations_default_comes_first(tmp_path: Path) -> None:
    profiles = {name: make_profile(tmp_path / "Profiles" / name) for name in ("one", "two")}
    first = "[Profile0] Path=Profiles/one IsRelative=1 Default=1"
    second = "[Profile1] Path=Profiles/two IsRelative=1"

    write_ini(tmp_path, first, second, "[InstallFDC34C9F024745EB] Default=Profiles/two Locked=1")
    assert find_profile(tmp_path) == profiles["two"]
    write_ini(tmp_path, second, first)
    assert find_profile(tmp_path) == profiles["one"]
    write_ini(tmp_path, first, second, "[InstallFDC34C9F024745EB] Default=Profiles/gone")
    assert find_profile(tmp_path) == profiles["one"]


def test_the_only_profile_and_one_in_another_place(tmp_path: Path) -> None:
    profile = make_profile(tmp_path / "elsewhere" / "mail")
    root = tmp_path / "root"

    write_ini(root, f"[Profile0] Path={profile} IsRelative=0")

    assert find_profile(root) == profile


@pytest.mark.parametrize(
    "text", ["", "[Profile0]\nPath=gone\nDefault=1\n", "no section = 1\n", "[Profile0]\nPath=a\n[Profile1]\nPath=b\n"]
)
def test_no_profile_to_be_found(tmp_path: Path, text: str) -> None:
    make_profile(tmp_path / "a")
    make_profile(tmp_path / "b")
    (tmp_path / "profiles.ini").write_text(text)

    with pytest.raises(NotAStore, match=r"profiles\.ini"):
        find_profile(tmp_path)


def test_what_is_known_of_an_account(tmp_path: Path) -> None:
    pop, local = accounts(tmp_path, TANAKA, written.local_folders(maildir=True))

    directory = tmp_path / written.PROFILE / "Mail"
    assert pop == Account(
        "account1",
        "pop3",
        "会社",
        "mail.example.jp",
        "tanaka",
        ("tanaka@example.jp",),
        directory / "mail.example.jp",
        "",
        False,
    )
    assert pop.label == "会社 (tanaka@example.jp)"
    assert (local.kind, local.label, local.maildir) == ("none", "Local Folders", True)


def test_a_directory_is_taken_relative_to_the_profile_else_as_it_stands(tmp_path: Path) -> None:
    prefs = {
        "mail.accountmanager.accounts": "account1,account1, account2,account9",
        "mail.account.account1.server": "server1",
        "mail.account.account2.server": "server2",
        "mail.server.server1.directory-rel": "[ProfD]../Mail/x",
        "mail.server.server1.directory": "/gone",
        "mail.server.server2.directory": "/srv/mail",
        "mail.server.server2.directory-rel": "[Home]Mail",
    }

    found = [account.directory for account in read_accounts(tmp_path, prefs)]

    assert found == [tmp_path / "../Mail/x", Path("/srv/mail")]


def test_folders_that_identities_use(tmp_path: Path) -> None:
    identity = {
        "fcc_folder": "mailbox://nobody@Local%20Folders/%E6%8E%A7%E3%81%88/2024",
        "draft_folder": "imap://a@b/Drafts",
        "archive_folder": "mailbox://tanaka%40example.jp@mail.example.jp/Old",
        "stationery_folder": "mailbox://[broken",
        "fcc_folder_picker_mode": "1",
    }
    profile = written.write_profile(tmp_path, [written.Account("pop3", "h", email="a@b", identity=identity)])

    assert folder_uses(read_prefs(profile)) == [
        FolderUse(Role.SENT, "nobody", "Local Folders", ("控え", "2024")),
        FolderUse(Role.ARCHIVE, "tanaka@example.jp", "mail.example.jp", ("Old",)),
    ]


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("tanaka@example.jp", "会社"),
        ("TANAKA@Example.JP", "会社"),
        ("tanaka", "会社"),
        ("s-suzuki@example.com", "Private"),  # its host lies in that domain
        ("s-suzuki", "Private"),
        ("suzuki", "Private"),
        ("s-suzuki@pop.example.com", "Private"),
    ],
)
def test_the_account_of_the_servers_login(tmp_path: Path, login: str, name: str) -> None:
    chosen = choose_account(accounts(tmp_path, SUZUKI, TANAKA, LOCAL), login, None)

    assert chosen is not None
    assert chosen.name == name


@pytest.mark.parametrize(
    "login", ["sato@example.jp", "", "example.jp", "tanaka@elsewhere.example", "tanaka@ample.jp", "tanaka@"]
)
def test_several_accounts_and_none_fits(tmp_path: Path, login: str) -> None:
    with pytest.raises(AccountNotChosen) as refused:
        choose_account(accounts(tmp_path, SUZUKI, TANAKA, LOCAL), login, None)

    for said in ("--local-account", "会社 (tanaka@example.jp)", "Private (suzuki@example.com)"):
        assert said in str(refused.value)
    assert "Local Folders" not in str(refused.value)


def test_a_user_name_that_two_accounts_share_decides_nothing(tmp_path: Path) -> None:
    info = [
        written.Account("pop3", f"mail.{domain}", "info", email=f"info@{domain}", name=domain)
        for domain in ("a.jp", "b.jp")
    ]
    found = accounts(tmp_path, *info)

    with pytest.raises(AccountNotChosen):
        choose_account(found, "info", None)
    assert choose_account(found, "info@b.jp", None) == found[1]


def test_an_only_account_is_taken_whatever_the_login(tmp_path: Path) -> None:
    found = accounts(
        tmp_path, LOCAL, TANAKA, written.Account("imap", "imap.example.jp", "sato", email="sato@example.jp")
    )

    assert choose_account(found, "sato@example.jp", None) == found[1]
    assert not is_login(found[1], "sato@example.jp")


def test_no_pop_account(tmp_path: Path) -> None:
    assert choose_account(accounts(tmp_path, LOCAL), "tanaka", None) is None


@pytest.mark.parametrize(
    "wanted", ["Private", "private", "suzuki@example.com", "s-suzuki", "pop.example.com", "account1"]
)
def test_an_account_asked_for(tmp_path: Path, wanted: str) -> None:
    found = accounts(tmp_path, SUZUKI, TANAKA, LOCAL)

    assert choose_account(found, "tanaka@example.jp", wanted) == found[0]


def test_an_account_asked_for_that_is_not_there_or_not_on_this_pc(tmp_path: Path) -> None:
    found = accounts(tmp_path, SUZUKI, written.Account("imap", "imap.example.jp", "sato", name="IMAP"))

    for wanted in ("nobody", "IMAP"):
        with pytest.raises(AccountNotChosen, match=f"{wanted}.*Private"):
            choose_account(found, "", wanted)


def test_a_name_that_two_accounts_share(tmp_path: Path) -> None:
    with pytest.raises(AccountNotChosen, match="Several"):
        choose_account(accounts(tmp_path, SUZUKI, SUZUKI), "", "Private")
