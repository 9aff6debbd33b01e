"""IMAP's command syntax (RFC 3501 section 9): one command line with its literals into a tag, a name and arguments.

Pure: who reads the bytes from where is `hikkoshi.demo.connection`'s business.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hikkoshi.demo.replies import Bad


class Atom(bytes):
    """A bare word, a number, a flag, a set, or a FETCH item with its whole section `BODY[…]<…>`."""

    __slots__ = ()


class Quoted(bytes):
    """A quoted string, its escapes resolved."""

    __slots__ = ()


class Literal(bytes):
    """What was sent as `{n}` or `{n+}` and n bytes."""

    __slots__ = ()


Value = Atom | Quoted | Literal | list["Value"]


@dataclass(frozen=True, slots=True)
class Command:
    """`name` in upper case, 'UID FETCH' for the UID forms."""

    tag: str
    name: str
    arguments: list[Value]


LITERAL_END = re.compile(rb"\{(\d{1,12})(\+?)\}\Z")
"""The end of a line that a literal follows: its size, and '+' where the client does not wait (RFC 7888)."""

# RFC 3501's tag; a line without one is answered with '*'.
_TAG = re.compile(rb"([!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+)(?: |\Z)")
_NAME = re.compile(rb"([A-Za-z]+)(?= |\Z)")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPE = re.compile(rb"\\(.)")
# A section such as [HEADER.FIELDS (DATE FROM)] belongs to its atom, blanks and parentheses included.
_ATOM = re.compile(rb'(?:[^\x00-\x20\x7f-\xff()\[\]{"]|\[[^\]\x00]*\])+')
_DEEPEST = 20


def tag_of(line: bytes) -> str:
    """The tag at the start of `line`, '*' where there is none."""
    match = _TAG.match(line)
    return match[1].decode() if match else "*"


def parse(texts: Sequence[bytes], literals: Sequence[Literal]) -> Command:
    """The command that the pieces of text and the literals between them make (one text more than literals).

    The texts come without line ends and without the `{n}` at their ends. Raises Bad for what is no command.
    """
    line = b"\x00".join(texts)
    if line.count(b"\x00") != len(literals):
        raise Bad("NUL in a command")
    match = _TAG.match(line)
    if not match:
        raise Bad("No tag")
    at = match.end()
    name = _NAME.match(line, at)
    if not name:
        raise Bad("No command")
    words, at = name[1].upper(), name.end()
    if words == b"UID":
        second = _NAME.match(line, at + 1)
        if not second:
            raise Bad("UID of what?")
        words, at = b"UID " + second[1].upper(), second.end()
    return Command(match[1].decode(), words.decode(), _arguments(line, at, literals))


def _arguments(line: bytes, at: int, literals: Sequence[Literal]) -> list[Value]:
    waiting = iter(literals)
    values: list[Value] = []
    while at < len(line):
        if line[at : at + 1] != b" ":
            raise Bad("A blank is missing")
        if at + 1 == len(line):
            raise Bad("Blank at the end of the line")
        value, at = _value(line, at + 1, waiting, 0)
        values.append(value)
    return values


def _value(line: bytes, at: int, literals: Iterator[Literal], depth: int) -> tuple[Value, int]:
    first = line[at : at + 1]
    if first == b"(":
        return _list(line, at + 1, literals, depth + 1)
    if first == b"\x00":
        return next(literals), at + 1
    if match := _QUOTED.match(line, at):
        return Quoted(_ESCAPE.sub(rb"\1", match[1])), match.end()
    if match := _ATOM.match(line, at):
        return Atom(match[0]), match.end()
    raise Bad("Not an argument")


def _list(line: bytes, at: int, literals: Iterator[Literal], depth: int) -> tuple[list[Value], int]:
    if depth > _DEEPEST:
        raise Bad("Too many parentheses")
    values: list[Value] = []
    while line[at : at + 1] != b")":
        if values:
            if line[at : at + 1] != b" ":
                raise Bad("A list does not end")
            at += 1
        value, at = _value(line, at, literals, depth)
        values.append(value)
    return values, at + 1


def quote(text: bytes) -> bytes:
    """`text` as a quoted string, or as a literal where it cannot be one."""
    if re.search(rb"[\x00\r\n\x80-\xff]", text):
        return b"{%d}\r\n%s" % (len(text), text)
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
