"""Maildir and Maildir++ on this PC (https://cr.yp.to/proto/maildir.html; courier's README.maildirquota).

Files in new/ are unread. Flags follow `:2,`, or `;2,` or `!2,` where a colon cannot be in a file's name; the letters
a to z are the keywords of Dovecot's dovecot-keywords (doc.dovecot.org, "Maildir mailbox format"). Thunderbird's own
NAME.eml have none: its headers tell.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.i18n import _, ngettext
from hikkoshi.local.chunks import HEAD, file_chunks, head
from hikkoshi.local.files import INFO
from hikkoshi.local.files_look import MAIL_FOLDERS, look_at_maildir
from hikkoshi.local.look import Known, Look
from hikkoshi.local.mboxes import looks_like_mbox
from hikkoshi.local.scan import scan_all
from hikkoshi.local.source import Source
from hikkoshi.mail.dates import Dated, internal_date
from hikkoshi.mail.folders import Folder, Role, role_by_name
from hikkoshi.mail.message import Message, Problem


def is_maildir(path: Path) -> bool:
    """Whether a directory is a Maildir: it has cur/ and new/, or Thunderbird's cur/ and tmp/. Raises `OSError`."""
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

    def look(self, folder: Folder, known: Known) -> Look | None:
        """See `LocalStore.look`."""
        return look_at_maildir(Source(folder.native, folder.name, folder.role is Role.SENT), known)

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """See `LocalStore.scan`."""
        return scan_all(self, folder, problems)

    def read(self, folder: Folder, place: str) -> bytes:
        """See `LocalStore.read`. A file whose flags changed meanwhile is found by its unique name."""
        return _locate(folder, place).read_bytes()

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        """See `LocalStore.chunks`."""
        return file_chunks(_locate(folder, place))

    def is_mbox(self, _folder: Folder) -> bool:
        """Never."""
        return False

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        """See `LocalStore.header_dates`."""
        path = _locate(folder, place)
        return file_dates(head(file_chunks(path, HEAD)), path, folder)

    def _find(self) -> Iterator[Folder]:
        if is_maildir(self.path):
            yield Folder("INBOX", ("INBOX",), Role.INBOX, str(self.path))
        seen = {self.path.resolve()}
        yield from self._below(self.path, (), seen)

    def _below(self, directory: Path, levels: tuple[str, ...], seen: set[Path]) -> Iterator[Folder]:
        try:
            entries = sorted(directory.iterdir())
        except OSError as error:
            self._note(directory, error)
            return
        for entry in entries:
            try:
                real = entry.resolve() if entry.is_dir() else None
                found = real is not None and is_maildir(entry)
                if real is None:
                    self._note_mbox(entry)
            except OSError as error:
                self._note(entry, error)
                continue
            if real is None or real in seen or entry.name in ("cur", "new", "tmp"):
                continue
            seen.add(real)
            path = (*levels, *_levels(entry.name))
            if found and path:
                yield Folder("/".join(path), path, role_by_name(path[0]) if len(path) == 1 else Role.NONE, str(entry))
            if not entry.name.startswith("."):
                # Maildir++ is flat; a plain folder may hold Maildirs of its own.
                yield from self._below(entry, path, seen)

    def _note_mbox(self, path: Path) -> None:
        if path.is_file() and path.stat().st_size and looks_like_mbox(path):
            self._problems.append(Problem(str(path), _("It is an mbox file; compare it as a store of its own.")))

    def _note(self, path: Path, error: OSError) -> None:
        self._problems.append(Problem(str(path), _("It cannot be read: {reason}").format(reason=error.strerror)))


def file_dates(header: bytes, path: Path, folder: Folder) -> Dated | None:
    """The INTERNALDATE of a mail in a file of its own."""
    return internal_date(header, sent=folder.role is Role.SENT, from_line=None, mtime=path.stat().st_mtime)


def _locate(folder: Folder, place: str) -> Path:
    """The file of a mail; where it was renamed since, because its flags changed, found by its unique name."""
    directory = Path(folder.native)
    if (directory / place).is_file():
        return directory / place
    unique = INFO.sub("", place.rpartition("/")[2])
    for sub in MAIL_FOLDERS:
        if (directory / sub).is_dir():
            for name in os.listdir(directory / sub):
                if INFO.sub("", name) == unique:
                    return directory / sub / name
    raise LocalChanged(_("its file is no longer there; refresh and try again"))


def _levels(name: str) -> tuple[str, ...]:
    """The levels of a directory's name: `.Sub.Folder` in Maildir++ (modified UTF-7), `NAME` or Thunderbird's `NAME.sbd`."""
    if not name.startswith("."):
        return (name.removesuffix(".sbd"),)
    return tuple(_decoded(level) for level in name[1:].split(".") if level)


def _decoded(level: str) -> str:
    if "&" not in level:
        return level
    # 15 to 50 ms to import: only where a name is not plain ASCII.
    from imapclient.imap_utf7 import decode as decode_utf7

    try:
        return str(decode_utf7(level.encode("ascii")))
    except (UnicodeError, ValueError):
        return level
