"""A Thunderbird profile: where it is, its mail accounts, and which of them belongs to the server's login.

Formats: profiles.ini (toolkit/profile/nsToolkitProfileService.cpp); the account prefs are those of
nsMsgAccountManager.cpp and nsMsgIncomingServer.cpp.
"""

from collections.abc import Iterable, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as IniError
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from hikkoshi.errors import AccountNotChosen, NotAStore
from hikkoshi.i18n import _
from hikkoshi.local.prefs import Value, parse_prefs
from hikkoshi.mail.folders import Role

POP, LOCAL_FOLDERS = "pop3", "none"

_ROLE_PREFS = {
    "fcc_folder": Role.SENT,
    "draft_folder": Role.DRAFTS,
    "stationery_folder": Role.TEMPLATES,
    "archive_folder": Role.ARCHIVE,
}
_PROFILE_DIRECTORY = "[ProfD]"


class Account(msgspec.Struct, frozen=True):
    """One account. `kind`: pop3, none (Local Folders), imap, nntp, rss, …; `emails` are its identities' addresses.

    `deferred_to`: the key of the account whose inbox its mail is delivered to, '' for its own. `maildir`: its
    folders hold a file for each mail.
    """

    key: str
    kind: str
    name: str
    host: str
    user: str
    emails: tuple[str, ...]
    directory: Path
    deferred_to: str
    maildir: bool

    @property
    def label(self) -> str:
        """What users know it by: its name, and its login where that does not say it already."""
        login = self.emails[0] if self.emails else f"{self.user}@{self.host}"
        return self.name if self.kind == LOCAL_FOLDERS or login == self.name else f"{self.name} ({login})"


class FolderUse(msgspec.Struct, frozen=True):
    """A folder that an identity keeps its mail of one role in: `user` and `host` of its account, `path` its levels."""

    role: Role
    user: str
    host: str
    path: tuple[str, ...]


def find_profile(path: Path) -> Path:
    """The profile directory at `path`: itself, or the one that its profiles.ini names. Raises `NotAStore`."""
    if (path / "prefs.js").is_file():
        return path
    candidates = list(_named_profiles(path))
    for candidate in candidates:
        if (candidate / "prefs.js").is_file():
            return candidate
    raise NotAStore(
        _(
            "The profiles.ini in {path} names no Thunderbird profile that is there. Give the profile's own folder, the "
            "one with prefs.js in it."
        ).format(path=path)
    )


def _named_profiles(root: Path) -> Iterable[Path]:
    """The profiles of profiles.ini, the one that Thunderbird would open first."""
    ini = ConfigParser(interpolation=None, strict=False)
    try:
        ini.read_string((root / "profiles.ini").read_text("utf-8-sig", "replace"))
    except IniError as error:
        raise NotAStore(
            _("{path} cannot be understood: {reason}").format(path=root / "profiles.ini", reason=error)
        ) from error
    for section in ini.sections():
        if section.startswith("Install") and (default := ini[section].get("Default")):
            yield root / default
    profiles = [ini[section] for section in ini.sections() if section.startswith("Profile") and "Path" in ini[section]]
    profiles.sort(key=lambda profile: profile.get("Default") != "1")
    if profiles and (len(profiles) == 1 or profiles[0].get("Default") == "1"):
        # An absolute path stands for itself; a relative one is the root's, as IsRelative=1 says.
        yield root / profiles[0]["Path"]


def read_prefs(profile: Path) -> dict[str, Value]:
    """The settings of a profile. Raises `OSError`."""
    return parse_prefs((profile / "prefs.js").read_text("utf-8", "replace"))


def read_accounts(profile: Path, prefs: Mapping[str, Value]) -> list[Account]:
    """The accounts of a profile, in the order that Thunderbird keeps them in."""
    keys = _words(prefs, "mail.accountmanager.accounts")
    return [
        _account(key, f"mail.server.{server}", profile, prefs)
        for key in dict.fromkeys(keys)
        if (server := _text(prefs, f"mail.account.{key}.server"))
    ]


def _account(key: str, server: str, profile: Path, prefs: Mapping[str, Value]) -> Account:
    host, user = _text(prefs, f"{server}.hostname"), _text(prefs, f"{server}.userName")
    # realhostname and realuserName are what older Thunderbirds wrote when the user changed them.
    real_host, real_user = _text(prefs, f"{server}.realhostname"), _text(prefs, f"{server}.realuserName")
    identities = _words(prefs, f"mail.account.{key}.identities")
    emails = (_text(prefs, f"mail.identity.{identity}.useremail") for identity in identities)
    return Account(
        key=key,
        kind=_text(prefs, f"{server}.type"),
        name=_text(prefs, f"{server}.name") or f"{user}@{host}",
        host=real_host or host,
        user=real_user or user,
        emails=tuple(email for email in emails if email),
        directory=_directory(server, profile, prefs),
        deferred_to=_text(prefs, f"{server}.deferred_to_account"),
        maildir="maildirstore" in _text(prefs, f"{server}.storeContractID"),
    )


def _directory(server: str, profile: Path, prefs: Mapping[str, Value]) -> Path:
    """directory-rel first: it stays true when a profile is copied to another place."""
    relative = _text(prefs, f"{server}.directory-rel")
    if relative.startswith(_PROFILE_DIRECTORY):
        return profile / relative.removeprefix(_PROFILE_DIRECTORY)
    if absolute := _text(prefs, f"{server}.directory"):
        return profile / absolute
    return profile / "Mail" / _text(prefs, f"{server}.hostname")


def folder_uses(prefs: Mapping[str, Value]) -> list[FolderUse]:
    """What the identities of a profile keep where, as far as it is on this PC."""
    uses = []
    for name, value in prefs.items():
        role = _ROLE_PREFS.get(name.rpartition(".")[2]) if name.startswith("mail.identity.") else None
        if role and isinstance(value, str) and value.startswith("mailbox:"):
            try:
                uri = urlsplit(value)
            except ValueError:
                continue
            user, _at, host = uri.netloc.rpartition("@")
            path = tuple(unquote(level) for level in uri.path.split("/") if level)
            uses.append(FolderUse(role, unquote(user), unquote(host), path))
    return uses


def choose_account(accounts: Sequence[Account], login: str, wanted: str | None) -> Account | None:
    """The POP account to compare with the server's `login`, or the one that the user `wanted` by name, user or host.

    None: there is no POP account, so Local Folders are all there is. Raises `AccountNotChosen`.
    """
    if wanted is not None:
        return _one_named(accounts, wanted)
    pop = [account for account in accounts if account.kind == POP]
    if len(pop) <= 1:
        return pop[0] if pop else None
    for matches in (_is_login, _is_login_in_part):
        found = [account for account in pop if matches(account, login)]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise AccountNotChosen(
        _(
            "This profile has several POP accounts, and which of them belongs to the login {login} cannot be told. "
            "Choose one with --local-account: {accounts}."
        ).format(login=login, accounts=", ".join(account.label for account in pop))
    )


def _one_named(accounts: Sequence[Account], wanted: str) -> Account:
    eligible = [account for account in accounts if account.kind in (POP, LOCAL_FOLDERS)]
    name = wanted.casefold()
    found: list[Account] = []
    for number in range(3):  # its own names speak before its user name, and that before its host
        found = [account for account in eligible if name in _names(account)[number]]
        if found:
            break
    if len(found) == 1:
        return found[0]
    text = (
        _("Several local accounts are called “{name}”. The accounts of this profile are: {accounts}.")
        if found
        else _("There is no local account called “{name}”. The accounts of this profile are: {accounts}.")
    )
    raise AccountNotChosen(text.format(name=wanted, accounts=", ".join(account.label for account in eligible)))


def _names(account: Account) -> tuple[tuple[str, ...], tuple[str], tuple[str]]:
    own = tuple(name.casefold() for name in (account.name, account.label, account.key, *account.emails))
    return own, (account.user.casefold(),), (account.host.casefold(),)


def is_login(account: Account, login: str) -> bool:
    """Whether an account is the one that logs in as `login`, as far as names tell."""
    return _is_login(account, login) or _is_login_in_part(account, login)


def _is_login(account: Account, login: str) -> bool:
    names = (account.user, *account.emails, f"{account.user}@{account.host}")
    return login.casefold() in (name.casefold() for name in names)


def _is_login_in_part(account: Account, login: str) -> bool:
    """The part before the @ of one against the other as a whole: many servers take either.

    info@a.jp is not the info of mail.b.jp: where the login has a domain, the account's host must lie in it.
    """
    short, at, domain = login.casefold().partition("@")
    if at:
        return short == account.user.casefold() and f".{account.host}".casefold().endswith(f".{domain}")
    return short in (name.casefold().partition("@")[0] for name in (account.user, *account.emails))


def _text(prefs: Mapping[str, Value], name: str) -> str:
    value = prefs.get(name, "")
    return value if isinstance(value, str) else ""


def _words(prefs: Mapping[str, Value], name: str) -> list[str]:
    return [word.strip() for word in _text(prefs, name).split(",") if word.strip()]
