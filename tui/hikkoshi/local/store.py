"""What every store on this PC can do, and nothing more: list its folders, scan one, tell what changed, read one mail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from hikkoshi.local.look import Known, Look
from hikkoshi.mail.dates import Dated
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message, Problem


class LocalStore(Protocol):
    """A store on this PC, opened read-only. `kind`: thunderbird, mbox, mbox-folder or maildir."""

    kind: str
    path: Path

    def describe(self) -> str:
        """A sentence for the user: what it is, what of it is compared, and what is left alone."""
        ...

    def folders(self) -> list[Folder]:
        """Its folders, those left out included; `native` is the path of the file or folder."""
        ...

    def problems(self) -> list[Problem]:
        """What could not be read while its folders were listed."""
        ...

    def look(self, folder: Folder, known: Known) -> Look | None:
        """What is to be read of a folder to learn what changed; None if nothing has, which costs a stat or two.

        Raises `OSError` where it cannot be looked at.
        """
        ...

    def scan(self, folder: Folder, problems: list[Problem]) -> Iterator[Message]:
        """The live mail of a folder, all of it read. A mail that cannot be read becomes a problem, and the rest goes on.

        Raises `LocalError` or `OSError` where the folder as a whole cannot be read.
        """
        ...

    def read(self, folder: Folder, place: str) -> bytes:
        """The stored bytes of one mail, From_ line and its quoting taken off, read anew from the disk.

        Raises `LocalChanged` if what lies at `place` can no longer be that mail, `OSError` if it cannot be read.
        """
        ...

    def chunks(self, folder: Folder, place: str) -> Iterator[bytes]:
        """What `read` gives, in pieces, for mail of any size. Raises what `read` raises, at the latest at its end."""
        ...

    def is_mbox(self, folder: Folder) -> bool:
        """Whether a Content-Length in its mails is the mbox's own (see hikkoshi.mail.bookkeeping)."""
        ...

    def header_dates(self, folder: Folder, place: str) -> Dated | None:
        """The INTERNALDATE that `scan` found for a mail, with its source. Raises what `read` raises."""
        ...
