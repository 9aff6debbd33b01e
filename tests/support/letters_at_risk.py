"""The store of the crash matrix: mails that are easily mixed up, lost or changed, and what a server has to hold of them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from support.moving import mail, uploaded, write_mbox

DAY, NOON = 86_400, 1_704_110_400
"""Seconds; noon UTC of 1 January 2024 since 1970."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of the store: its folder, its bytes without bookkeeping headers, its flags, the day of January 2024."""

    folder: str
    content: bytes
    flags: frozenset[str]
    day: int
    status: str = "0000"
    keys: str = ""

    def stored(self) -> bytes:
        """It as Thunderbird keeps it."""
        return f"X-Mozilla-Status: {self.status}\nX-Mozilla-Keys: {self.keys}\n".encode() + self.content

    @property
    def when(self) -> int:
        """The INTERNALDATE that it has to have."""
        return NOON + (self.day - 1) * DAY


@dataclass(frozen=True, slots=True)
class There:
    """A mail on a server: the last level of its folder's name, content with CRLF, seconds since 1970 UTC, flags."""

    folder: str
    content: bytes
    when: int
    flags: frozenset[str]


def _letter(folder: str, content: bytes, day: int, status: str = "0000", *flags: str, keys: str = "") -> Letter:
    return Letter(folder, content, frozenset(flags), day, status, keys)


def _scan(body: bytes) -> bytes:
    """What a scanner sends: the same headers each time, none of which is a Message-ID."""
    date = b"9 Jan 2024 12:00:00 +0000"
    head = b"Received: from a by b; " + date + b"\nDate: " + date + b"\nFrom: scanner@example.com\nSubject: Scan\n\n"
    return head + body


TWIN = mail("twin", day=4)
LETTERS = (
    _letter("Inbox", mail("unread", day=2), 2),
    _letter("Inbox", mail("read", day=3), 3, "0001", "\\Seen"),
    _letter("Inbox", mail("marked", day=5), 5, "0005", "\\Seen", "\\Flagged"),
    _letter("Inbox", TWIN, 4),
    _letter("Inbox", TWIN, 4),
    _letter("Inbox", mail("answered", day=6), 6, "0003", "\\Seen", "\\Answered"),
    _letter("Inbox", _scan(b"page 1\n"), 9, "0001", "\\Seen"),
    _letter("Inbox", _scan(b"page 2\n"), 9, "0001", "\\Seen"),
    _letter("Inbox", _scan(b"page 3, which is longer\n"), 9, "0001", "\\Seen"),
    _letter("Inbox", mail("large", day=7, body=("y" * 70 + "\n") * 120), 7, "0001", "\\Seen"),
    _letter("Inbox", mail("eight-bit", day=8, body="見積書 café\n"), 8),
    _letter("Sent", mail("sent", day=10), 10, "0001", "\\Seen"),
    _letter("Sent", mail("sent-again", day=11, message_id=False), 11, "0001", "\\Seen", "$label1", keys="$label1"),
    _letter("Sent", mail("passed-on", day=12), 12, "1001", "\\Seen", "$Forwarded"),
    _letter("見積", mail("quote", day=13, body="\n"), 13, "0001", "\\Seen"),
    _letter("見積", mail("quote-2", day=14, message_id=False, body="A001 DELETE INBOX\n" * 3), 14),
)
FOLDERS = {"Inbox": "INBOX"}


def write_letters(store: Path) -> None:
    """The store, as a folder of mbox files."""
    for folder in {letter.folder: None for letter in LETTERS}:
        write_mbox(store / folder, [letter.stored() for letter in LETTERS if letter.folder == folder])


def expected() -> Counter[There]:
    """What a server has to hold: each mail as often as the store has it."""
    return Counter(map(there, LETTERS))


def there(letter: Letter) -> There:
    """A letter as a server has to hold it."""
    return There(FOLDERS.get(letter.folder, letter.folder), uploaded(letter.content), letter.when, letter.flags)


def difference(found: Counter[There]) -> str:
    """What is wrong with what a server holds, '' if nothing is.

    Of the twins one is enough: once it is there the other counts as a copy on this PC, which an upload leaves alone.
    """
    wanted = expected()
    lines = []
    for one in wanted | found:
        least = 1 if one.content == uploaded(TWIN) else wanted[one]
        if not least * bool(wanted[one]) <= found[one] <= wanted[one]:
            name = one.content.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode("utf-8", "replace")
            facts = f"{len(one.content)} bytes, {one.when}, {sorted(one.flags)}"
            lines.append(f"{one.folder}: {name}: {found[one]} of {wanted[one]} ({facts})")
    return "\n".join(sorted(lines))
