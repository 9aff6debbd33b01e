"""What lies at a path: which kind of store."""

from pathlib import Path

from hikkoshi.errors import NotAStore
from hikkoshi.i18n import _
from hikkoshi.local.maildir import MaildirStore, is_maildir
from hikkoshi.local.mboxes import MboxStore, looks_like_mbox
from hikkoshi.local.store import LocalStore


def open_store(path: Path, *, login: str = "", account: str | None = None) -> LocalStore:
    """The store at `path`, opened read-only.

    `login` is who logs in to the server: of a profile's several POP accounts the one that is theirs is taken,
    or the one that `account` names. Raises `NotAStore` and `AccountNotChosen`.
    """
    try:
        if path.is_dir():
            return _open_directory(path, login, account)
        if path.is_file():
            if looks_like_mbox(path):
                return MboxStore(path)
            raise NotAStore(
                _("{path} is a file, and no mbox: it does not begin with a “From ” line.").format(path=path)
            )
    except OSError as error:
        raise NotAStore(_("{path} cannot be read: {reason}.").format(path=path, reason=error.strerror)) from error
    raise NotAStore(_("There is nothing at {path}.").format(path=path))


def _open_directory(path: Path, login: str, account: str | None) -> LocalStore:
    if (path / "prefs.js").is_file() or (path / "profiles.ini").is_file():
        from hikkoshi.local.thunderbird import ThunderbirdStore

        return ThunderbirdStore(path, login=login, account=account)
    if is_maildir(path) or any(_holds_maildir(entry) for entry in path.iterdir()):
        return MaildirStore(path)
    try:
        return MboxStore(path)
    except NotAStore:
        raise NotAStore(
            _(
                "{path} holds no mail that hikkoshi reads. It reads a Thunderbird profile (the folder with prefs.js, or "
                "the one with profiles.ini), an mbox file or a folder of them, and a Maildir."
            ).format(path=path)
        ) from None


def _holds_maildir(entry: Path) -> bool:
    try:
        return is_maildir(entry)
    except OSError:  # the store that is opened tells it
        return False
