"""The store that is one mbox file or a folder of them."""

import re
from collections.abc import Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.i18n import _, ngettext
from hikkoshi.local.chunks import HEAD, extent_chunks, head
from hikkoshi.local.look import Known, Look
from hikkoshi.local.mbox import from_line, read_extent
from hikkoshi.local.mbox_look import look_at_mbox
from hikkoshi.local.scan import scan_all
from hikkoshi.local.source import Source
from hikkoshi.local.standing import header_standing
from hikkoshi.mail.dates import Dated, internal_date
from hikkoshi.mail.folders import Folder, Role, role_by_name
from hikkoshi.mail.headers import header_block
from hikkoshi.mail.message import Message, Problem

_SUFFIXES = (".mbox", ".mbx")
_SUBFOLDERS = ".sbd"
_FIRST_BYTES = 4096
_LEADING_BLANKS = re.compile(rb"\s*")


def looks_like_mbox(path: Path) -> bool:
    """Whether a file begins as an mbox does; an empty one may be an empty mbox by its name. Raises `OSError`."""
    with path.open("rb") as file:
        first = file.read(_FIRST_BYTES)
    if not first:
        return not path.suffix or path.suffix in _SUFFIXES
    return first[_LEADING_BLANKS.match(first).end() :].startswith(b"From ")  # type: ignore[union-attr]


def mbox_dates(folder: Folder, place: str) -> Dated | None:
    """The INTERNALDATE that a scan found for a mail. Raises what reading it raises."""
    path = Path(folder.native)
    header = head(extent_chunks(path, place, HEAD))
    sent = folder.role is Role.SENT
    return internal_date(header, sent=sent, from_line=from_line(path, place), mtime=path.stat().st_mtime)


class MboxStore:
    """One mbox file, or a folder with mbox files and subfolders (Thunderbird's .sbd among them)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kind = "mbox" if path.is_file() else "mbox-folder"
        # Beside a single file nothing else is read: the user named that file alone.
        self._has_summaries = self.kind == "mbox-folder"
        self._problems: list[Problem] = []
        self._folders = [_folder(path, (path.name,))] if self.kind == "mbox" else list(self._walk(path, (), set()))
        if self.kind == "mbox-folder" and not self._problems and not any(map(_is_mail, self._folders)):
            raise NotAStore(_("There is no mbox file in {path}.").format(path=path))

    def describe(self) -> str:
        """What it is, for the user."""
        if self.kind == "mbox":
            return _("An mbox file: {path}").format(path=self.path)
        count = len(self._folders)
        text = ngettext("A folder with {n} mbox file: {path}", "A folder with {n} mbox files: {path}", count)
        return text.format(n=count, path=self.path)

    def folders(self) -> list[Folder]:
        """One for each mbox file."""
        return self._folders

    def problems(self) -> list[Problem]:
        """Files and folders that could not be looked into."""
        return self._problems

    def look(self, folder: Folder, known: Known) -> Look | None:
        """See `LocalStore.look`. Of a Thunderbird account's folder, copied alone, the summaries count as in a profile."""
        sent = folder.role is Role.SENT
        return look_at_mbox(Source(folder.native, folder.name, sent, summaries=self._has_summaries), known)

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """See `LocalStore.scan`."""
        return scan_all(self, folder, problems)

    def read(self, folder: Folder, place: str) -> bytes:
        """See `LocalStore.read`."""
        stored = read_extent(Path(folder.native), place)
        self._see_that_it_is_live(stored)
        return stored

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        """See `LocalStore.chunks`."""
        pieces = extent_chunks(Path(folder.native), place)
        first = next(pieces, b"")
        self._see_that_it_is_live(first)
        yield first
        yield from pieces

    def _see_that_it_is_live(self, beginning: bytes) -> None:
        """Raise where a mail's headers say that it was deleted: a look at a file that has grown may not have seen it.

        Beside a summary they say nothing of weight (see `hikkoshi.local.msf`).
        """
        if not self._has_summaries and not header_standing(header_block(beginning)).live:
            raise LocalChanged(_("it was deleted on this PC since it was listed; refresh and upload again"))

    def is_mbox(self, _folder: Folder) -> bool:
        """Always."""
        return True

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        """See `LocalStore.header_dates`."""
        return mbox_dates(folder, place)

    def _walk(self, directory: Path, levels: tuple[str, ...], seen: set[Path]) -> Iterator[Folder]:
        real = directory.resolve()
        if real in seen:
            return
        seen.add(real)
        try:
            entries = sorted(directory.iterdir())
        except OSError as error:
            self._problems.append(
                Problem(str(directory), _("It cannot be read: {reason}").format(reason=error.strerror))
            )
            return
        if levels and directory / "cur" in entries:
            self._problems.append(Problem(str(directory), _("It is a Maildir; compare it as a store of its own.")))
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                is_directory, is_mbox = entry.is_dir(), _is_mbox_file(entry)
            except OSError as error:
                self._problems.append(
                    Problem(str(entry), _("It cannot be read: {reason}").format(reason=error.strerror))
                )
                continue
            if is_directory:
                yield from self._walk(entry, (*levels, entry.name.removesuffix(_SUBFOLDERS)), seen)
            elif is_mbox:
                yield _folder(entry, (*levels, entry.name))


def _is_mail(folder: Folder) -> bool:
    """Whether a folder holds something, or is empty and called as a mail client would call it."""
    return folder.role is not Role.NONE or Path(folder.native).stat().st_size > 0


def _is_mbox_file(path: Path) -> bool:
    return path.is_file() and looks_like_mbox(path)


def _folder(path: Path, levels: tuple[str, ...]) -> Folder:
    last = levels[-1]
    for suffix in _SUFFIXES:
        last = last.removesuffix(suffix)
    levels = (*levels[:-1], last)
    # Only at the top: a project's own "Sent" three levels down is no sent folder.
    role = role_by_name(last) if len(levels) == 1 else Role.NONE
    return Folder("/".join(levels), levels, role, str(path))
