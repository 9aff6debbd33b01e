"""Maildir and Maildir++ on this PC (https://cr.yp.to/proto/maildir.html; courier's README.maildirquota).

Files in new/ are unread. Flags follow `:2,`, or `;2,` or `!2,` where a colon cannot be in a file's name.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.i18n import _, ngettext
from hikkoshi.mail.bookkeeping import upload_size
from hikkoshi.mail.dates import Dated, internal_date
from hikkoshi.mail.flags import DELETED, maildir_flags
from hikkoshi.mail.folders import Folder, Role, role_by_name
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.message import Message, Problem

_INFO = re.compile(r"[:;!]2,([A-Za-z]*)$")
_MAIL_FOLDERS = ("cur", "new")


def is_maildir(path: Path) -> bool:
    """Whether a directory is a Maildir: it has cur/ and new/, or a fresh one's cur/."""
    return (path / "cur").is_dir() and ((path / "new").is_dir() or (path / "tmp").is_dir())


class MaildirStore:
    """A Maildir, Maildir++ (.Sub.Folder), or a folder of Maildirs."""

    kind = "maildir"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: list[Problem] = []
        self._folders = list(self._find())
        if not self._folders:
            raise NotAStore(_("There is no Maildir in {path}.").format(path=path))

    def describe(self) -> str:
        """What it is, for the user."""
        count = len(self._folders)
        text = ngettext("A Maildir with {n} folder: {path}", "A Maildir with {n} folders: {path}", count)
        return text.format(n=count, path=self.path)

    def folders(self) -> list[Folder]:
        """The inbox and its subfolders."""
        return self._folders

    def problems(self) -> list[Problem]:
        """Directories that could not be looked into."""
        return self._problems

    def stamp(self, folder: Folder) -> str:
        """Names and times of cur/ and new/: a renamed file (a changed flag) changes the directory's time."""
        parts = []
        for name in _MAIL_FOLDERS:
            try:
                status = (Path(folder.native) / name).stat()
            except OSError:
                continue
            parts.append(f"{name}:{status.st_mtime_ns}:{status.st_ino}")
        return " ".join(parts)

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """See `LocalStore.scan`."""
        directory = Path(folder.native)
        for sub in _MAIL_FOLDERS:
            if not (directory / sub).is_dir():
                continue
            for name in sorted(os.listdir(directory / sub)):
                if name.startswith("."):
                    continue
                flags = _flags(sub, name)
                if DELETED in flags:
                    continue
                try:
                    yield _message(directory, f"{sub}/{name}", flags, folder)
                except FileNotFoundError:
                    # Renamed or removed since the listing; the directory's time has changed, so the next look sees it.
                    continue
                except OSError as error:
                    text = _("A mail's file cannot be read ({reason}): {name}").format(reason=error.strerror, name=name)
                    problems.append(Problem(folder.name, text))

    def read(self, folder: Folder, place: str) -> bytes:
        """See `LocalStore.read`. A file whose flags changed meanwhile is found by its unique name."""
        directory = Path(folder.native)
        try:
            return (directory / place).read_bytes()
        except FileNotFoundError:
            moved = _find_renamed(directory, place)
            if moved is None:
                raise LocalChanged(_("its file is no longer there; refresh and try again")) from None
            return moved.read_bytes()

    def is_mbox(self, _folder: Folder) -> bool:
        """Never."""
        return False

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        """See `LocalStore.header_dates`."""
        path = Path(folder.native) / place
        try:
            return file_dates(header_block(path.read_bytes()), path, folder)
        except FileNotFoundError:
            raise LocalChanged(_("its file is no longer there; refresh and try again")) from None

    def _find(self) -> Iterator[Folder]:
        if is_maildir(self.path):
            yield Folder("INBOX", ("INBOX",), Role.INBOX, str(self.path))
        seen = {self.path.resolve()}
        yield from self._below(self.path, (), seen)

    def _below(self, directory: Path, levels: tuple[str, ...], seen: set[Path]) -> Iterator[Folder]:
        try:
            entries = sorted(entry for entry in directory.iterdir() if entry.is_dir())
        except OSError as error:
            self._problems.append(
                Problem(str(directory), _("It cannot be read: {reason}").format(reason=error.strerror))
            )
            return
        for entry in entries:
            if entry.name in ("cur", "new", "tmp") or entry.resolve() in seen:
                continue
            seen.add(entry.resolve())
            path = (*levels, *_levels(entry.name))
            if is_maildir(entry) and path:
                yield Folder("/".join(path), path, role_by_name(path[0]) if len(path) == 1 else Role.NONE, str(entry))
            if not entry.name.startswith("."):
                # Maildir++ is flat; a plain folder may hold Maildirs of its own.
                yield from self._below(entry, path, seen)


def file_dates(header: bytes, path: Path, folder: Folder) -> Dated | None:
    """The INTERNALDATE of a mail in a file of its own."""
    return internal_date(header, sent=folder.role is Role.SENT, from_line=None, mtime=path.stat().st_mtime)


def file_message(stored: bytes, path: Path, folder: Folder) -> tuple[int, int | None, bytes]:
    """(size in CRLF form, INTERNALDATE, identity fields) of a mail in a file of its own."""
    header = header_block(stored)
    dated = file_dates(header, path, folder)
    return upload_size(stored, mbox=False), dated.when if dated else None, identity_fields(header)


def _message(directory: Path, place: str, flags: frozenset[str], folder: Folder) -> Message:
    path = directory / place
    size, date, fields = file_message(path.read_bytes(), path, folder)
    return Message(place=place, size=size, flags=flags, date=date, fields=fields)


def _flags(sub: str, name: str) -> frozenset[str]:
    info = _INFO.search(name)
    return maildir_flags(info[1]) if info and sub == "cur" else frozenset()


def _find_renamed(directory: Path, place: str) -> Path | None:
    unique = _INFO.sub("", place.rpartition("/")[2])
    for sub in _MAIL_FOLDERS:
        if (directory / sub).is_dir():
            for name in os.listdir(directory / sub):
                if _INFO.sub("", name) == unique:
                    return directory / sub / name
    return None


def _levels(name: str) -> tuple[str, ...]:
    """The levels of a directory's name: `.Sub.Folder` in Maildir++ (names in modified UTF-7), else the name itself."""
    if not name.startswith("."):
        return (name,)
    return tuple(_decoded(level) for level in name[1:].split(".") if level)


def _decoded(level: str) -> str:
    # 50 ms to import: only for a Maildir++ with subfolders.
    from imapclient.imap_utf7 import decode as decode_utf7

    try:
        return str(decode_utf7(level.encode("ascii")))
    except (UnicodeError, ValueError):
        return level
