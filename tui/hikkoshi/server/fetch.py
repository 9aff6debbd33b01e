"""FETCH responses as records, whatever order a server gives their items in (RFC 3501 section 7.4.2). Pure."""

import msgspec

from hikkoshi.mail.dates import parse_imap_date
from hikkoshi.mail.flags import NO_FLAGS, RECENT
from hikkoshi.mail.headers import identity_fields
from hikkoshi.mail.message import Message
from hikkoshi.server.lexer import Parts, Token, malformed, number, tokens
from hikkoshi.server.records import Facts

LIST_ITEMS = b"(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID)])"
FACT_ITEMS = b"(UID FLAGS RFC822.SIZE INTERNALDATE)"
FLAG_ITEMS = b"(UID FLAGS)"
FLAG_AND_MODSEQ_ITEMS = b"(UID FLAGS MODSEQ)"
WHOLE_ITEMS = b"(UID BODY.PEEK[])"

_MANY_SETS = 4096


class Fetched(msgspec.Struct):
    """What one or several FETCH responses have said of one mail; None: nothing yet.

    `header` and `whole` are raw bytes; `size` in bytes; `date` in seconds since 1970 UTC.
    """

    uid: int | None = None
    flags: frozenset[str] | None = None
    size: int | None = None
    date: int | None = None
    header: bytes | None = None
    whole: bytes | None = None
    modseq: int | None = None

    @property
    def listed(self) -> bool:
        """Whether all of LIST_ITEMS are there."""
        return None not in (self.flags, self.size, self.date, self.header)

    @property
    def begun(self) -> bool:
        """Whether any of LIST_ITEMS but the flags is there: servers tell of changed flags unasked."""
        return self.size is not None or self.date is not None or self.header is not None

    def merge(self, other: "Fetched") -> None:
        """Take over what `other`, a later response for the same mail, knows."""
        self.flags = self.flags if other.flags is None else other.flags
        self.size = self.size if other.size is None else other.size
        self.date = self.date if other.date is None else other.date
        self.header = self.header if other.header is None else other.header
        self.whole = self.whole if other.whole is None else other.whole
        self.modseq = self.modseq if other.modseq is None else other.modseq

    def message(self) -> Message:
        """The mail for the index; what the server left out is empty (size 0)."""
        return Message(
            place=str(self.uid),
            size=self.size or 0,
            flags=self.flags or NO_FLAGS,
            date=self.date,
            fields=identity_fields(self.header or b""),
        )

    def facts(self) -> Facts:
        """The mail's facts for reading back."""
        return Facts(self.size or 0, self.flags or NO_FLAGS, self.date)


class FetchReader:
    """Reads FETCH responses; keeps the sets of flags it has seen, of which a mailbox has few."""

    def __init__(self) -> None:
        self._sets: dict[tuple[Token, ...], frozenset[str]] = {}

    def read(self, parts: Parts) -> Fetched | None:
        """The FETCH response in `parts`, None if it is another response. ProtocolBroken if it is no IMAP."""
        head = parts[0][:40].split(b" ", 3)
        if len(head) < 3 or not head[1].isdigit() or head[2].upper() != b"FETCH":
            return None
        response = tokens(parts)
        items = response[3] if len(response) == 4 else None
        if not isinstance(items, list) or len(items) % 2:
            raise malformed(parts[0])
        fetched = Fetched()
        for index in range(0, len(items), 2):
            name, value = items[index], items[index + 1]
            if not isinstance(name, bytes):
                raise malformed(parts[0])
            self._take(fetched, name.upper(), value)
        return fetched

    def flag_set(self, text: bytes) -> frozenset[str]:
        """The flags in the text between the parentheses of FLAGS."""
        return self._flag_set(tokens([text]))

    def _take(self, fetched: Fetched, name: bytes, value: Token) -> None:
        if name == b"UID":
            fetched.uid = number(value)
        elif name == b"FLAGS":
            fetched.flags = self._flag_set(value)
        elif name == b"RFC822.SIZE":
            fetched.size = number(value)
        elif name == b"INTERNALDATE":
            fetched.date = parse_imap_date(value.decode("ascii", "replace")) if isinstance(value, bytes) else None
        elif name == b"MODSEQ":
            fetched.modseq = number(value[0]) if isinstance(value, list) and value else None
        elif name.startswith(b"BODY[HEADER.FIELDS"):
            fetched.header = value if isinstance(value, bytes) else b""
        elif name == b"BODY[]" or name.startswith(b"BODY[]<"):
            fetched.whole = value if isinstance(value, bytes) else b""

    def _flag_set(self, value: Token) -> frozenset[str]:
        words = value if isinstance(value, list) else []
        key = tuple(word for word in words if isinstance(word, bytes))
        flags = self._sets.get(key)
        if flags is None:
            named = (word.decode("utf-8", "replace") for word in key if isinstance(word, bytes))
            # \Recent is about sessions, not about the mail.
            flags = frozenset(name for name in named if name.casefold() != RECENT.casefold())
            if len(self._sets) < _MANY_SETS:
                self._sets[key] = flags
        return flags
