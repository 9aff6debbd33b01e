"""A Thunderbird profile as a local store: one POP account and Local Folders.

Read state, flags and which mails are live come from a folder's summary where it can be believed, else from the
X-Mozilla headers in the mails. The mail of other accounts is never listed.
"""

from collections.abc import Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.i18n import _
from hikkoshi.local.chunks import extent_chunks, file_chunks, head
from hikkoshi.local.files_look import look_at_thunderbird_maildir
from hikkoshi.local.look import Known, Look
from hikkoshi.local.maildir import file_dates
from hikkoshi.local.mbox import read_extent
from hikkoshi.local.mbox_look import look_at_mbox
from hikkoshi.local.mboxes import mbox_dates
from hikkoshi.local.profile import (
    LOCAL_FOLDERS,
    POP,
    Account,
    FolderUse,
    choose_account,
    find_profile,
    folder_uses,
    is_login,
    read_accounts,
    read_prefs,
)
from hikkoshi.local.sbd import Place, read_true_names, walk_account
from hikkoshi.local.scan import scan_all
from hikkoshi.local.source import Source
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.folders import Folder, Role, role_by_name
from hikkoshi.mail.message import Message, Problem


class ThunderbirdStore:
    """One profile. `login` is the server's; `account` the name, user or host of the local account to take."""

    kind = "thunderbird"

    def __init__(self, path: Path, *, login: str = "", account: str | None = None) -> None:
        self.path = find_profile(path)
        prefs = read_prefs(self.path)
        self._accounts = read_accounts(self.path, prefs)
        self._login, self._wanted = login, account
        self._chosen = choose_account(self._accounts, login, account)
        self._compared = self._compared_accounts()
        if not self._compared:
            raise NotAStore(
                _("The Thunderbird profile {path} has no POP account and no Local Folders.").format(path=self.path)
            )
        self._foreign = self._foreign_keys()
        self._problems: list[Problem] = []
        self._account_of: dict[str, Account] = {}
        self._folders = self._find(folder_uses(prefs))

    def describe(self) -> str:
        """What it is, which accounts are compared, and which are left alone."""
        names = ", ".join(account.label for account in self._compared)
        text = [_("Thunderbird profile {path}. Compared: {accounts}.").format(path=self.path, accounts=names)]
        if self._chosen and self._chosen.kind == POP:
            if self._chosen not in self._compared:
                note = _("{account} delivers its mail into {target}.")
                text.append(note.format(account=self._chosen.label, target=self._compared[0].label))
            if self._login and not self._wanted and not is_login(self._chosen, self._login):
                note = _("{account} is its only POP account, though its names do not show that it belongs to {login}.")
                text.append(note.format(account=self._chosen.label, login=self._login))
        elif not self._chosen:
            text.append(_("It has no POP account."))
        left = [account.label for account in self._accounts if account not in (*self._compared, self._chosen)]
        if left:
            text.append(_("Left alone: {accounts}.").format(accounts=", ".join(left)))
        return " ".join(text)

    def folders(self) -> list[Folder]:
        """The folders of the compared accounts, the POP account's first."""
        return self._folders

    def problems(self) -> list[Problem]:
        """Directories and files that could not be looked into."""
        return self._problems

    def look(self, folder: Folder, known: Known) -> Look | None:
        """See `LocalStore.look`."""
        source = Source(
            folder.native,
            folder.name,
            folder.role is Role.SENT,
            summaries=True,
            thunderbird=True,
            foreign=self._foreign_in(folder),
        )
        return look_at_thunderbird_maildir(source, known) if self._is_maildir(folder) else look_at_mbox(source, known)

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """See `LocalStore.scan`."""
        return scan_all(self, folder, problems)

    def read(self, folder: Folder, place: str) -> bytes:
        """See `LocalStore.read`."""
        if not self._is_maildir(folder):
            return read_extent(Path(folder.native), place)
        try:
            return (Path(folder.native) / place).read_bytes()
        except FileNotFoundError:
            raise LocalChanged(_("its file is no longer there; refresh and try again")) from None

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        """See `LocalStore.chunks`."""
        if not self._is_maildir(folder):
            yield from extent_chunks(Path(folder.native), place)
            return
        try:
            yield from file_chunks(Path(folder.native) / place)
        except FileNotFoundError:
            raise LocalChanged(_("its file is no longer there; refresh and try again")) from None

    def is_mbox(self, folder: Folder) -> bool:
        """Unless the account keeps a file for each mail."""
        return not self._is_maildir(folder)

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        """See `LocalStore.header_dates`."""
        if not self._is_maildir(folder):
            return mbox_dates(folder, place)
        return file_dates(head(self.chunks(folder, place)), Path(folder.native) / place, folder)

    def _compared_accounts(self) -> list[Account]:
        """The chosen account, or the one that it delivers into, and every Local Folders."""
        chosen = self._chosen
        if chosen and chosen.deferred_to:
            target = next((account for account in self._accounts if account.key == chosen.deferred_to), None)
            chosen = target or chosen
        if chosen and self._chosen and self._chosen.kind == LOCAL_FOLDERS:
            return [chosen]
        others = [account for account in self._accounts if account.kind == LOCAL_FOLDERS and account != chosen]
        return [chosen, *others] if chosen else others

    def _foreign_keys(self) -> dict[str, frozenset[str]]:
        """Of each compared account, the keys of other POP accounts that deliver into it: their mail is not ours."""
        if self._chosen and self._chosen.kind == LOCAL_FOLDERS:  # asked for by name, with all that is in them
            return {self._chosen.key: frozenset()}
        others = [
            other
            for other in self._accounts
            if other.kind == POP and other != self._chosen and not is_login(other, self._login)
        ]
        return {
            account.key: frozenset(other.key for other in others if account.key in (other.deferred_to, other.key))
            for account in self._compared
        }

    def _foreign_in(self, folder: Folder) -> frozenset[str]:
        return self._foreign[self._account_of[folder.native].key]

    def _is_maildir(self, folder: Folder) -> bool:
        return self._account_of[folder.native].maildir

    def _find(self, uses: list[FolderUse]) -> list[Folder]:
        folders: list[Folder] = []
        true_names = read_true_names(self.path)
        names: set[str] = set()
        for account in self._compared:
            roles = {use.path: use.role for use in uses if (use.user, use.host) == (account.user, account.host)}
            if not account.directory.is_dir():
                self._problems.append(
                    Problem(account.label, _("Its folder {path} is not there.").format(path=account.directory))
                )
                continue
            walk = walk_account(
                account.directory, maildir=account.maildir, true_names=true_names, problems=self._problems
            )
            for place in walk:
                folder = _folder(account, place, roles, names)
                names.add(folder.name)
                self._account_of[folder.native] = account
                folders.append(folder)
        return folders


def _folder(account: Account, place: Place, roles: dict[tuple[str, ...], Role], names: set[str]) -> Folder:
    levels = place.levels if account.kind == POP else (account.name, *place.levels)
    name = "/".join(levels)
    if name in names:  # a level that contains "/" can look like two
        name = f"{name} [{place.path.name}]"
    return Folder(name, place.levels, _role(place.levels, roles), str(place.path), account.name)


def _role(levels: tuple[str, ...], roles: dict[tuple[str, ...], Role]) -> Role:
    """What an identity uses it for, else what its name says at the top; a folder thrown away lies in the trash."""
    if role := roles.get(levels):
        return role
    top = role_by_name(levels[0])
    return top if len(levels) == 1 or top is Role.TRASH else Role.NONE
