"""What the demo server knows of one connection: who is logged in, what is selected, what is to be said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from imapclient import imap_utf7

from hikkoshi.demo.mailboxes import Account, Mailbox, StoredMail
from hikkoshi.demo.parser import Atom, Value
from hikkoshi.demo.replies import Bad, No

CAPABILITIES = (
    "IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE", "UIDPLUS", "MULTIAPPEND", "UNSELECT", "CHILDREN",
    "NAMESPACE", "QUOTA", "SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "ESEARCH", "CONDSTORE", "QRESYNC",
    "COMPRESS=DEFLATE",
)  # fmt: skip

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
_SYSTEM_FLAG = {flag.casefold(): flag for flag in SYSTEM_FLAGS}
_KEYWORD = re.compile(rb"[!#$&'+\-./0-9:;<=>?@A-Z^_`a-z|}~\[]+")
_RANGE = re.compile(rb"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")


@dataclass(slots=True)
class State:
    """One connection. `view`: the UIDs of the selected folder in the order the client has been told of.

    `tag`: of the command that is carried out. `enabled`: which of CONDSTORE and QRESYNC the client has asked for.
    `compressed`: both directions are deflated behind the answer to COMPRESS.
    """

    account: Account
    capabilities: tuple[str, ...] = CAPABILITIES
    logged_in: bool = False
    leaving: bool = False
    selected: Mailbox | None = None
    read_only: bool = False
    view: list[int] = field(default_factory=list)
    out: list[bytes] = field(default_factory=list)
    tag: str = ""
    enabled: set[str] = field(default_factory=set)
    compressed: bool = False

    def say(self, line: bytes) -> None:
        """An untagged response, without `* ` and line end."""
        self.out.append(b"* " + line + b"\r\n")

    def offers(self, capability: str) -> bool:
        """Whether this connection was told of `capability`."""
        return capability in self.capabilities

    def leave_folder(self) -> None:
        """Nothing is selected any more."""
        self.selected, self.view, self.read_only = None, [], False

    def tell_news(self, *, expunges: bool) -> None:
        """Tell of what is gone (only where `expunges`, RFC 3501 section 7.4.1) and of what is new."""
        if self.selected is None:
            return
        if expunges:
            self._tell_expunges(self.selected)
        last = self.view[-1] if self.view else 0
        new = [uid for uid in self.selected.messages if uid > last]
        if new:
            self.view += new
            self.say(b"%d EXISTS" % len(self.view))

    def _tell_expunges(self, mailbox: Mailbox) -> None:
        """EXPUNGE responses, the highest number first; after ENABLE QRESYNC one VANISHED (RFC 7162 section 3.2.10)."""
        gone = [uid for uid in self.view if uid not in mailbox.messages]
        if gone and "QRESYNC" in self.enabled:
            self.view = [uid for uid in self.view if uid in mailbox.messages]
            self.say(b"VANISHED " + number_set(gone))
            return
        for number in range(len(self.view), 0, -1):
            if self.view[number - 1] not in mailbox.messages:
                del self.view[number - 1]
                self.say(b"%d EXPUNGE" % number)

    def chosen(self, value: Value, *, by_uid: bool) -> list[tuple[int, StoredMail]]:
        """(sequence number, message) of a set such as `1:5,9:*`, in order; UIDs that are not there are passed over."""
        assert self.selected is not None
        numbers = numbers_in(value, self.view if by_uid else range(1, len(self.view) + 1), strict=not by_uid)
        pairs = enumerate(self.view, 1)
        wanted = [(number, uid) for number, uid in pairs if (uid if by_uid else number) in numbers]
        return [(number, self.selected.messages[uid]) for number, uid in wanted if uid in self.selected.messages]


def numbers_in(value: Value, existing: list[int] | range, *, strict: bool) -> set[int]:
    """Those of `existing` (ascending) that a set names; `strict`: Bad for a number beyond the last."""
    if not isinstance(value, Atom):
        raise Bad("Invalid messageset")
    last = existing[-1] if existing else 0
    found: set[int] = set()
    for part in value.split(b","):
        match = _RANGE.fullmatch(part)
        if not match:
            raise Bad("Invalid messageset")
        ends = [last if end == b"*" else int(end) for end in match.groups(default=match[1])]
        low, high = min(ends), max(ends)
        if strict and (low < 1 or high > last):
            raise Bad("Invalid messageset")
        found.update(number for number in existing if low <= number <= high)
    return found


def number_set(numbers: Sequence[int]) -> bytes:
    """Ascending UIDs or sequence numbers in IMAP's short form: 3,5:9."""
    parts: list[bytes] = []
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            first, last = numbers[start], numbers[at - 1]
            parts.append(b"%d:%d" % (first, last) if last > first else b"%d" % first)
            start = at
    return b",".join(parts)


def number_of(value: Value) -> int:
    """A number that an atom says; Bad for what is none. Mod-sequences have 63 bits (RFC 7162 section 7)."""
    if not isinstance(value, Atom) or not value.isdigit() or int(value) >= 1 << 63:
        raise Bad("Not a number")
    return int(value)


def text_of(value: Value) -> bytes:
    """An atom's or a string's bytes; Bad for a list."""
    if isinstance(value, list):
        raise Bad("A list where a word belongs")
    return bytes(value)


def folder_of(value: Value) -> str:
    """The folder name that an argument means, from modified UTF-7 (RFC 3501 section 5.1.3)."""
    raw = text_of(value)
    try:
        name = str(imap_utf7.decode(raw))
        if imap_utf7.encode(name) == raw:
            return name
    except (UnicodeError, ValueError):
        pass
    raise No("Mailbox name is not valid mUTF-7", "CANNOT")


def folder_name(name: str) -> bytes:
    """A folder name as it stands in a response: modified UTF-7, quoted."""
    encoded = bytes(imap_utf7.encode(name))
    return b'"' + encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def flags_of(value: Value) -> frozenset[str]:
    """The flags of a parenthesised list; Bad for `\\Recent`, unknown system flags and what is no keyword."""
    if not isinstance(value, list):
        raise Bad("Flags list is missing")
    flags = set()
    for each in value:
        if not isinstance(each, Atom):
            raise Bad("Invalid flag")
        if each.startswith(b"\\"):
            known = _SYSTEM_FLAG.get(each.decode("ascii").casefold())
            if known is None:
                raise Bad(f"Invalid system flag {each.decode('ascii')}")
            flags.add(known)
        elif _KEYWORD.fullmatch(each):
            flags.add(each.decode("ascii"))
        else:
            raise Bad("Invalid keyword")
    return frozenset(flags)


def need(arguments: list[Value], count: int, most: int | None = None) -> None:
    """Bad unless there are exactly `count` arguments, or `count` to `most`."""
    if not count <= len(arguments) <= (most or count):
        raise Bad("Missing arguments" if len(arguments) < count else "Too many arguments")
