"""Writing a Thunderbird profile as version 153 does: profiles.ini, prefs.js, mboxes, maildirs and summaries.

root = write_profile(tmp_path / "thunderbird", (
    Account("pop3", "mail.example.jp", "tanaka", email="tanaka@example.jp", folders=(
        MailFolder(("Inbox",), (Mail(b"Subject: x\\n\\nbody\\n", status=1),)),
        MailFolder(("見積", "2024"), mails, msf="missing"),
    )),
))
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from support.mork import SummaryRow, summary

PROFILE = "Profiles/abcd1234.default-release"
"""Where below the root the profile directory lies."""

_FROM = re.compile(rb"^(?=>*From )", re.MULTILINE)
_MTIME = 1_710_000_000
_EXPUNGED = 0x8

Msf = Literal["fresh", "stale", "missing", "broken"]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came: `content` without bookkeeping headers, line ends as they shall be stored (LF on Linux).

    `status`, `keywords`: what its X-Mozilla headers say (32 bits; None: it has no such headers).
    `summary`, `summary_keywords`: what the .msf says; None: the same.
    `listed`: whether it is in the .msf; None: unless `status` says expunged.
    `from_line`: its separator, without its line end.
    """

    content: bytes
    status: int | None = 0
    keywords: str = ""
    summary: int | None = None
    summary_keywords: str | None = None
    listed: bool | None = None
    from_line: bytes = b"From - Sat Mar  9 16:00:00 2024"

    @property
    def stored(self) -> bytes:
        """With the headers that Thunderbird puts on top, unquoted."""
        if self.status is None:
            return self.content
        end = "\r\n" if b"\r\n" in self.content else "\n"
        head = (
            f"X-Account-Key: account1{end}X-UIDL: 0000000165f00000{end}X-Mozilla-Status: {self.status & 0xFFFF:04x}{end}"
            f"X-Mozilla-Status2: {self.status & 0xFFFF0000:08x}{end}X-Mozilla-Keys: {self.keywords:<80}{end}"
        )
        return head.encode() + self.content

    @property
    def in_summary(self) -> bool:
        """Whether the .msf lists it."""
        return not (self.status or 0) & _EXPUNGED if self.listed is None else self.listed

    def row(self, token: str) -> SummaryRow:
        """Its row in the .msf."""
        bits = (self.status or 0) if self.summary is None else self.summary
        keywords = self.keywords if self.summary_keywords is None else self.summary_keywords
        return SummaryRow(token, bits, keywords)


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder of an account; `path` are the names of its files, outermost first (`Inbox`, then `2024` in Inbox.sbd)."""

    path: tuple[str, ...]
    mails: Sequence[Mail] = ()
    msf: Msf = "fresh"
    mailbox_name: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `kind`: pop3, none (Local Folders), imap, nntp, rss; `folders` lie in Mail/<directory or host>.

    `identity`: more prefs of its identity, as fcc_folder; `deferred_to`: the place of another account in the
    list, counted from 1; `maildir`: one file for each mail.
    """

    kind: str
    host: str
    user: str = "nobody"
    email: str = ""
    name: str = ""
    folders: Sequence[MailFolder] = ()
    directory: str = ""
    identity: dict[str, str] = field(default_factory=dict)
    deferred_to: int | None = None
    maildir: bool = False


def local_folders(*folders: MailFolder, **more: bool) -> Account:
    """Thunderbird's Local Folders."""
    return Account("none", "Local Folders", name="Local Folders", folders=folders, **more)


def write_profile(root: Path, accounts: Sequence[Account]) -> Path:
    """Write profiles.ini and one profile below `root` (made if need be). Returns the profile directory."""
    profile = root / PROFILE
    profile.mkdir(parents=True)
    (root / "profiles.ini").write_text(
        "[Install4F96D1932A9F858E]\nDefault=" + PROFILE + "\nLocked=1\n\n"
        "[Profile1]\nName=default\nIsRelative=1\nPath=Profiles/other.default\nDefault=1\n\n"
        "[Profile0]\nName=default-release\nIsRelative=1\nPath="
        + PROFILE
        + "\n\n[General]\nStartWithLastProfile=1\nVersion=2\n"
    )
    (profile / "prefs.js").write_text(_prefs(profile, accounts), encoding="utf-8")
    for account in accounts:
        directory = profile / "Mail" / (account.directory or account.host)
        directory.mkdir(parents=True, exist_ok=True)
        for folder in account.folders:
            (write_maildir_folder if account.maildir else write_mbox_folder)(directory, folder)
        (directory / "msgFilterRules.dat").write_text('version="9"\nlogging="no"\n')
        if account.kind == "pop3":
            (directory / "popstate.dat").write_text("# POP3 State File\n\n*" + account.host + " " + account.user + "\n")
    return profile


def write_mbox_folder(directory: Path, folder: MailFolder) -> Path:
    """Write one folder's mbox and, by `folder.msf`, its summary. Returns the mbox's path."""
    path = _place(directory, folder)
    content, rows = b"", []
    for mail in folder.mails:
        if mail.in_summary:
            rows.append(mail.row(str(len(content))))
        end = b"\r\n" if b"\r\n" in mail.stored else b"\n"
        last = b"" if mail.stored.endswith(b"\n") else end
        content += mail.from_line + end + _FROM.sub(b">", mail.stored) + last + end
    path.write_bytes(content)
    os.utime(path, (_MTIME, _MTIME))
    _write_summary(path, folder, rows, len(content))
    return path


def write_maildir_folder(directory: Path, folder: MailFolder) -> Path:
    """Write one folder of a maildir store (NAME/cur/*.eml) and its summary. Returns the folder's path."""
    path = _place(directory, folder)
    for part in ("cur", "tmp"):
        (path / part).mkdir(parents=True)
    rows = []
    for number, mail in enumerate(folder.mails, 1):
        name = f"{_MTIME}{number:04d}.eml"
        (path / "cur" / name).write_bytes(mail.stored)
        os.utime(path / "cur" / name, (_MTIME, _MTIME))
        if mail.in_summary:
            rows.append(mail.row(name))
    _write_summary(path, folder, rows, None)
    return path


def _place(directory: Path, folder: MailFolder) -> Path:
    """Where the folder goes; parents that nobody wrote become mboxes without mail."""
    *above, name = folder.path
    for level in above:
        directory.mkdir(parents=True, exist_ok=True)
        if not (directory / level).exists():
            (directory / level).touch()
        directory /= level + ".sbd"
    directory.mkdir(parents=True, exist_ok=True)
    return directory / name


def _write_summary(path: Path, folder: MailFolder, rows: list[SummaryRow], size: int | None) -> None:
    if folder.msf == "missing":
        return
    if size is not None and folder.msf == "stale":
        size += 17
    text = summary(rows, folder_size=size, folder_date=_MTIME, mailbox_name=folder.mailbox_name, removed=2)
    path.with_name(path.name + ".msf").write_bytes(text[: len(text) // 2] if folder.msf == "broken" else text)


def _prefs(profile: Path, accounts: Sequence[Account]) -> str:
    prefs: dict[str, str | int | bool] = {
        "app.update.enabled": False,
        "mail.accountmanager.accounts": ",".join(f"account{n}" for n in range(1, len(accounts) + 1)),
        "mail.spam.version": 1,
    }
    for number, account in enumerate(accounts, 1):
        server, directory = f"mail.server.server{number}", account.directory or account.host
        prefs[f"mail.account.account{number}.server"] = f"server{number}"
        prefs |= {
            f"{server}.type": account.kind, f"{server}.hostname": account.host, f"{server}.userName": account.user,
            f"{server}.name": account.name or account.email or account.user,
            f"{server}.directory": f"/somewhere/else/{directory}", f"{server}.directory-rel": f"[ProfD]Mail/{directory}",
            f"{server}.storeContractID": f"@mozilla.org/msgstore/{'maildir' if account.maildir else 'berkeley'}store;1",
        }  # fmt: skip
        if account.deferred_to is not None:
            prefs[f"{server}.deferred_to_account"] = f"account{account.deferred_to}"
        if account.email:
            prefs[f"mail.account.account{number}.identities"] = f"id{number}"
            prefs[f"mail.identity.id{number}.useremail"] = account.email
        for name, value in account.identity.items():
            prefs[f"mail.identity.id{number}.{name}"] = value
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value, ensure_ascii=False)});\n" for name, value in prefs.items()
    )
    return "// Mozilla User Preferences\n\n// DO NOT EDIT THIS FILE.\n\n" + "".join(lines)
