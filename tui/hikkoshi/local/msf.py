"""Thunderbird's message summaries: NAME.msf beside the mbox NAME, the definitive list of its mails and their flags.

Thunderbird 153 keeps most read state in the summary alone; a deleted mail stays in the mbox until it is
compacted, but leaves the summary at once. A summary that does not belong to the file as it is now counts for
nothing (nsMsgBrkMBoxStore::IsSummaryFileValid).
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from hikkoshi.local.mork import Mork, MorkError, parse_mork
from hikkoshi.local.standing import Standing, mozilla_standing
from hikkoshi.mail.flags import MOZILLA_EXPUNGED

_MESSAGES = b"ns:msg:db:table:kind:msgs"
_FOLDER_INFO = b"ns:msg:db:table:kind:dbfolderinfo"
_LIVE_COLUMNS = frozenset((b"flags", b"keywords", b"storeToken", b"msgOffset"))
_INFO_COLUMNS = frozenset((b"folderSize", b"folderDate", b"forceReparse"))
# mail.db_timestamp_leeway: a clock changed by an hour, or a file system with coarse times, spoils no summary.
_LEEWAY = 4000
_START = b"From "
_NO_SIZE = b"-1"


class Summary(msgspec.Struct, frozen=True):
    """The live mails of a folder: flags, keywords by place (offset of the From_ line in decimal, or file name).

    `folder_size` (bytes) and `folder_date` (seconds since 1970) are the mbox's when the summary was written; -1 and
    0 where it does not say, as in a maildir's.
    """

    standings: dict[str, Standing]
    folder_size: int
    folder_date: int
    force_reparse: bool = False

    def is_fresh(self, size: int, mtime: float) -> bool:
        """Whether it belongs to an mbox of this size (bytes) and time (seconds since 1970)."""
        return not self.force_reparse and size == self.folder_size and abs(int(mtime) - self.folder_date) <= _LEEWAY


def summary_path(folder: Path) -> Path:
    """Where the summary of a folder's file or directory lies."""
    return folder.with_name(folder.name + ".msf")


def summary_stamp(folder: Path) -> str:
    """A text that changes whenever the summary of a folder does."""
    try:
        status = summary_path(folder).stat()
    except OSError:
        return "-"
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def read_summary(folder: Path) -> Summary | None:
    """The summary of a folder, fresh or not; None where there is none or it is damaged.

    Raises `OSError` where there is one that may not be read: without it read mail would be taken for unread.
    """
    try:
        return parse_summary(summary_path(folder).read_bytes())
    except (FileNotFoundError, IsADirectoryError, MorkError):
        return None


def fresh_summary(mbox: Path) -> Summary | None:
    """The summary of an mbox, if it can be believed. Raises `OSError` if one of the two cannot be read."""
    summary = read_summary(mbox)
    status = mbox.stat()
    if summary is None or not summary.is_fresh(status.st_size, status.st_mtime):
        return None
    return summary if _all_start_mails(mbox, summary.standings) else None


def parse_summary(data: bytes) -> Summary:
    """What a summary's bytes say. Raises `MorkError`."""
    mork = parse_mork(data, _LIVE_COLUMNS | _INFO_COLUMNS)
    standings: dict[str, Standing] = {}
    for key, cells in _rows(mork, _MESSAGES):
        bits = _hex(cells.get(b"flags", b"0"))
        keywords = cells.get(b"keywords", b"").decode("utf-8", "replace")
        # A row in the table is a live mail, whatever its expunged bit says.
        standings[_token(key, cells)] = mozilla_standing(bits & ~MOZILLA_EXPUNGED, keywords)
    info = next((cells for _key, cells in _rows(mork, _FOLDER_INFO)), {})
    return Summary(
        standings,
        _hex(info.get(b"folderSize", _NO_SIZE)),
        _hex(info.get(b"folderDate", b"0")),
        _hex(info.get(b"forceReparse", b"0")) != 0,
    )


def _rows(mork: Mork, kind: bytes) -> Iterable[tuple[int, dict[bytes, bytes]]]:
    for table in mork.tables.values():
        if table.kind == kind:
            for key in table.rows:
                yield key[0], mork.rows.get(key, {})


def _token(key: int, cells: dict[bytes, bytes]) -> str:
    """Where a mail is: storeToken; before Thunderbird 12 msgOffset (hexadecimal), or else the row's number."""
    if token := cells.get(b"storeToken"):
        return token.decode("utf-8", "replace")
    return str(_hex(cells[b"msgOffset"]) if b"msgOffset" in cells else key)


def _all_start_mails(mbox: Path, tokens: Iterable[str]) -> bool:
    """Whether a mail starts at every place of the summary: else it is another file's, and to believe it loses mail."""
    with mbox.open("rb", buffering=0) as file:
        for token in tokens:
            if not token.isdecimal():
                return False
            file.seek(int(token))
            if file.read(len(_START)) != _START:
                return False
    return True


def _hex(text: bytes) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise MorkError(f"{text!r} is no number") from None
