"""An mbox file as a folder of mail, and the store that is one file or a folder of them."""

import re
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from hikkoshi.errors import LocalChanged, NotAStore
from hikkoshi.i18n import _, ngettext
from hikkoshi.local.chunks import extent_chunks, head
from hikkoshi.local.mbox import from_line, read_extent, scan_extents, starts_of
from hikkoshi.local.mbox_mail import Extent
from hikkoshi.local.msf import fresh_summary, summary_stamp
from hikkoshi.local.standing import GONE, Standing, standing_of_fields
from hikkoshi.mail.dates import Dated, internal_date
from hikkoshi.mail.folders import Folder, Role, role_by_name
from hikkoshi.mail.headers import decode, field, identity_fields
from hikkoshi.mail.message import Message, Problem

StandingOf = Callable[[Extent], Standing]

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


def scan_mbox(
    folder: Folder,
    problems: list[Problem],
    standing_of: StandingOf | None = None,
    known: Container[int] | None = None,
    size: int | None = None,
) -> Iterator[Message]:
    """The live mail of the mbox at `folder.native`. `standing_of` gives flags and liveness, else the headers do.

    `known`: where mails start for certain (see `scan_extents`). `size`: bytes that the file had when a summary was
    found to belong to it; `LocalChanged` if it has others now.
    """
    path = Path(folder.native)
    status = path.stat()
    if size not in (None, status.st_size):
        raise LocalChanged(_("The file changed while it was read. Nothing of it was taken; refresh to read it again."))
    mtime = status.st_mtime
    garbage = nuls = 0
    sent = folder.role is Role.SENT

    def note_garbage(size: int) -> None:
        nonlocal garbage
        garbage += size

    for extent in scan_extents(path, note_garbage, starts_of(path, known)):
        standing = standing_of(extent) if standing_of else standing_of_fields(extent.bookkeeping)
        if not standing.live or _is_internal(extent):
            continue
        if extent.cut:
            text = _(
                "The file ends in the middle of a mail ({subject}); that mail is left out, it may not be all there."
            )
            problems.append(Problem(folder.name, text.format(subject=decode(field(extent.header, b"subject") or b""))))
        nuls += extent.nuls
        dated = internal_date(extent.header, sent=sent, from_line=extent.from_line, mtime=mtime)
        yield Message(
            place=extent.place,
            size=extent.size,
            flags=standing.flags,
            date=dated.when if dated else None,
            fields=identity_fields(extent.header),
            partial=standing.partial or extent.cut,
        )
    if nuls:
        text = ngettext(
            "{n:,} mail holds NUL bytes, as a crash leaves them. It is compared, but servers change or refuse such mail.",
            "{n:,} mails hold NUL bytes, as a crash leaves them. They are compared, but servers change or refuse such mail.",
            nuls,
        )
        problems.append(Problem(folder.name, text.format(n=nuls)))
    if garbage:
        text = _("The first {n:,} bytes of the file belong to no mail and were passed over.")
        problems.append(Problem(folder.name, text.format(n=garbage)))


def mbox_dates(folder: Folder, place: str) -> Dated | None:
    """The INTERNALDATE that `scan_mbox` found for a mail. Raises what reading it raises."""
    path = Path(folder.native)
    header = head(extent_chunks(path, place))
    sent = folder.role is Role.SENT
    return internal_date(header, sent=sent, from_line=from_line(path, place), mtime=path.stat().st_mtime)


def mbox_stamp(path: Path) -> str:
    """A text that changes whenever the file does."""
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _is_internal(extent: Extent) -> bool:
    """The message that c-client and Dovecot keep their UIDs in (c-client's mbox driver, docs/formats.txt)."""
    if b"DON'T DELETE" not in extent.header:
        return False
    return field(extent.header, b"x-imap") is not None and b"DON'T DELETE" in (field(extent.header, b"subject") or b"")


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

    def stamp(self, folder: Folder) -> str:
        """The states of the file and its summary; empty where it cannot be looked at, so that scanning tells why."""
        path = Path(folder.native)
        try:
            return f"{mbox_stamp(path)} {summary_stamp(path)}" if self._has_summaries else mbox_stamp(path)
        except OSError:
            return ""

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """See `LocalStore.scan`. Of a Thunderbird account's folder, copied alone, the summaries count as in a profile."""
        summary = fresh_summary(Path(folder.native)) if self._has_summaries else None
        if summary is None:
            return scan_mbox(folder, problems)
        standings = summary.standings
        known = frozenset(map(int, standings))

        def standing_of(extent: Extent) -> Standing:
            return standings.get(str(extent.offset), GONE)

        return scan_mbox(folder, problems, standing_of, known, summary.folder_size)

    def read(self, folder: Folder, place: str) -> bytes:
        """See `LocalStore.read`."""
        return read_extent(Path(folder.native), place)

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        """See `LocalStore.chunks`."""
        return extent_chunks(Path(folder.native), place)

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
