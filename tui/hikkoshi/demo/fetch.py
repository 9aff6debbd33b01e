"""FETCH's data items (RFC 3501 section 6.4.5), those that comparing and moving mail ask for.

ENVELOPE and BODYSTRUCTURE are refused: the demo server never parses a mail.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hikkoshi.demo.mailboxes import StoredMail
from hikkoshi.demo.parser import Atom, Value
from hikkoshi.demo.replies import Bad
from hikkoshi.mail.dates import imap_date
from hikkoshi.mail.headers import header_end

_MACROS = {
    b"FAST": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"],
    b"RFC822": [b"RFC822"],
}
_PLAIN = {b"FLAGS", b"UID", b"INTERNALDATE", b"RFC822.SIZE", b"MODSEQ"}
_ALIASES = {b"RFC822": (b"", False), b"RFC822.HEADER": (b"HEADER", True), b"RFC822.TEXT": (b"TEXT", False)}
_BODY = re.compile(rb"BODY(\.PEEK)?\[([^\]]*)\](?:<(\d{1,10})\.(\d{1,10})>)?")
_FIELDS = re.compile(rb"HEADER\.FIELDS(\.NOT)? \(([^()]+)\)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")


FLAGS, UID, MODSEQ = b"FLAGS", b"UID", b"MODSEQ"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing asked for: `label` as it stands in the answer; `section` None for what is not BODY."""

    label: bytes
    section: bytes | None = None
    peek: bool = True
    start: int = 0
    length: int | None = None


def items_of(value: Value, *, by_uid: bool) -> list[Item]:
    """The items of a FETCH command; UID is one of them for UID FETCH. Raises Bad for what is not known."""
    names = value if isinstance(value, list) else [value]
    found: list[Item] = []
    for name in names:
        if not isinstance(name, Atom):
            raise Bad("Invalid FETCH item")
        upper = name.upper()
        found += [_item(each) for each in _MACROS.get(upper, [upper])]
    if not found:
        raise Bad("FETCH list is empty")
    if by_uid and Item(b"UID") not in found:
        found.insert(0, Item(b"UID"))
    return found


def _item(name: bytes) -> Item:
    if name in _PLAIN:
        return Item(name)
    if name in _ALIASES:
        alias, peeking = _ALIASES[name]
        return Item(name, alias, peeking)
    match = _BODY.fullmatch(name)
    if not match:
        raise Bad(f"Unknown FETCH item {name.decode('ascii')}")
    peek, section, start, length = match.groups()
    if section not in (b"", b"HEADER", b"TEXT") and not _FIELDS.fullmatch(section):
        raise Bad("Unknown section")
    label = b"BODY[" + section + b"]" + (b"<%d>" % int(start) if start else b"")
    return Item(label, section, bool(peek), int(start or 0), int(length) if length else None)


def marks_seen(items: Sequence[Item]) -> bool:
    """Whether fetching these sets \\Seen."""
    return any(not item.peek for item in items)


def answer(mail: StoredMail, items: Sequence[Item]) -> bytes:
    """The parenthesised data of one FETCH response."""
    return b"(" + b" ".join(item.label + b" " + _data(mail, item) for item in items) + b")"


def flag_list(flags: frozenset[str]) -> bytes:
    """Flags in parentheses, in a fixed order."""
    return f"({' '.join(sorted(flags))})".encode()


def _data(mail: StoredMail, item: Item) -> bytes:
    if item.section is not None:
        text = _section(mail.content, item.section)
        if item.length is not None:
            text = text[item.start : item.start + item.length]
        return b"{%d}\r\n%s" % (len(text), text)
    if item.label == b"FLAGS":
        return flag_list(mail.flags)
    if item.label == b"INTERNALDATE":
        return f'"{imap_date(mail.when)}"'.encode()
    if item.label == b"MODSEQ":
        return b"(%d)" % mail.modseq
    return b"%d" % (mail.uid if item.label == b"UID" else len(mail.content))


def _section(content: bytes, section: bytes) -> bytes:
    if not section:
        return content
    end = header_end(content)
    body = min(end + 2, len(content))  # the blank line belongs to the header
    if section == b"HEADER":
        return content[:body]
    if section == b"TEXT":
        return content[body:]
    match = _FIELDS.fullmatch(section)
    assert match
    names = set(match[2].replace(b'"', b"").split())
    kept = [found[0] for found in _FIELD.finditer(content, 0, end) if (found[1].upper() in names) is not bool(match[1])]
    return b"".join(kept) + b"\r\n"
