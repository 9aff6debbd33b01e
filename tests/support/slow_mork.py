"""Mork as it was read before speed counted: the slow twin that hikkoshi.local.mork must agree with."""

import re
from collections.abc import Iterator

from hikkoshi.local.mork import Mork, MorkError, RowKey, Table

_MAGIC = re.compile(rb'\s*// <!-- <mdb:mork:z v="1\.[0-9]"/> -->')

# `$` is escaped in texts, so a group's marks are found without reading what is between them.
_MARK = re.compile(rb"@\$\$(?:\{([0-9A-Fa-f]+)\{@|\}([^}@]*)\}@)")

_TEXT = rb"[^\\)]*+(?:\\.[^\\)]*+)*+"
_PAREN = rb"\(" + _TEXT + rb"\)"
# Possessive: a damaged file must not make the search try every way to cut a run of blanks.
_GAP = rb"\s*+(?://[^\r\n]*+\s*+)*+"
_ID = rb"[0-9A-Fa-f]+(?::\^?[^\s\[\](){}<>!^:-]+)?"
_ROW_CELLS = rb"(?P<cells>(?:" + _GAP + rb"-?" + _PAREN + rb")*+)"
_TOKEN = re.compile(
    _GAP + rb"(?:(?P<row>\[" + _GAP + rb"(?P<cut>-?)(?P<id>" + _ID + rb")" + _ROW_CELLS + _GAP + rb"\])"
    rb"|(?P<ref>" + _ID + rb")"
    rb"|(?P<cell>" + _PAREN + rb")"
    rb"|(?P<sign>[<>{}\[\]-])"
    rb"|![0-9A-Fa-f]+|\Z)",
    re.DOTALL,
)
_CELL = re.compile(
    rb"(-?)\(\s*(\^?)([^\\)^=\s]+)\s*(?:(=)(" + _TEXT + rb")|\^([0-9A-Fa-f]+)(?::(\^?\w+))?\s*)?\)", re.DOTALL
)
_ALIAS = re.compile(rb"\(\s*([0-9A-Fa-f]+)\s*=(" + _TEXT + rb")\)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(\r\n|\n\r|.)|\$([0-9A-Fa-f]{2})", re.DOTALL)

_COLUMNS, _VALUES = b"c", b"a"


def parse_mork(data: bytes, columns: frozenset[bytes]) -> Mork:
    """Read a whole file; of its rows only the cells of `columns` are kept. Raises `MorkError`."""
    if not _MAGIC.match(data):
        raise MorkError("it does not begin as Mork 1.4 does")
    reader = _Reader(columns)
    for part in _whole_groups(data):
        reader.read(part)
    return reader.mork


def _whole_groups(data: bytes) -> Iterator[bytes]:
    """The parts of a file that count: all but groups that were aborted or never ended."""
    at, opened = 0, None
    for mark in _MARK.finditer(data):
        start, end = mark.groups()
        if start is not None:
            if opened is None:
                yield data[at : mark.start()]
            opened, at = int(start, 16), mark.end()
        elif opened is not None:
            if _hex(end) == opened:
                yield data[at : mark.start()]
            opened, at = None, mark.end()
    if opened is None:
        yield data[at:]


class _Reader:
    """Takes the parts of a file one after another; `mork` holds the outcome."""

    def __init__(self, columns: frozenset[bytes]) -> None:
        self.mork = Mork()
        self._wanted = columns
        self._aliases: dict[bytes, dict[int, bytes]] = {_COLUMNS: {}, _VALUES: {}}
        # Columns by the way they are written; every row has twenty of them.
        self._known: dict[bytes, bytes] = {}
        self._tokens: Iterator[re.Match[bytes]] = iter(())

    def read(self, part: bytes) -> None:
        """Take a part of the file, in which every table and dictionary is whole."""
        self._tokens = _tokens(part)
        for token in self._tokens:
            if token["row"]:
                self._row(token, None)
            elif token["sign"] == b"<":
                self._dictionary()
            elif token["sign"] == b"{":
                self._table()
            else:
                raise MorkError(f"{token[0][:20]!r} stands where a row, a table or a dictionary must")

    def _dictionary(self) -> None:
        """`<` was read: `<(a=c)> (80=text)…>`, the first part optional."""
        scope = _VALUES
        for token in self._tokens:
            sign = token["sign"]
            if sign == b">":
                return
            if sign == b"<":
                scope = self._dictionary_scope(scope)
                self._known.clear()
            elif token["cell"] and (alias := _ALIAS.fullmatch(token["cell"])):
                self._aliases.setdefault(scope, {})[int(alias[1], 16)] = _plain(alias[2])
            else:
                raise MorkError(f"{token[0][:20]!r} stands in a dictionary")
        raise MorkError("a dictionary does not end")

    def _dictionary_scope(self, scope: bytes) -> bytes:
        for token in self._tokens:
            if token["sign"] == b">":
                return scope
            cell = token["cell"] and _CELL.fullmatch(token["cell"])
            if cell and cell[3] == b"a" and cell[4]:
                scope = cell[5]
        raise MorkError("a dictionary does not end")

    def _table(self) -> None:
        """`{` was read: `{1:^80 {(k^96:c)…} [1(…)] 2 -3 }`."""
        table: Table | None = None
        scope, minus = b"", False
        for token in self._tokens:
            sign = token["sign"]
            if sign == b"}":
                return
            if sign == b"-":
                minus = True
                continue
            if table is None and token["ref"]:
                key = self._key(token["ref"], b"")
                scope = key[1]
                table = self.mork.tables.setdefault(key, Table())
                if minus:
                    table.rows.clear()
            elif table is not None and sign == b"{":
                self._meta(table)
            elif table is not None and (token["row"] or token["ref"]):
                key = self._row(token, scope) if token["row"] else self._key(token["ref"], scope)
                if minus:
                    table.rows.pop(key, None)
                else:
                    table.rows[key] = None
            else:
                raise MorkError(f"{token[0][:20]!r} stands in a table")
            minus = False
        raise MorkError("a table does not end")

    def _meta(self, table: Table) -> None:
        for token in self._tokens:
            if token["sign"] == b"}":
                return
            if token["cell"] and (cell := _CELL.fullmatch(token["cell"])) and self._column(cell) == b"k":
                table.kind = self._text(cell)
        raise MorkError("a table does not end")

    def _row(self, token: re.Match[bytes], scope: bytes | None) -> RowKey:
        key = self._key(token["id"], scope or b"")
        row = self.mork.rows.setdefault(key, {})
        if token["cut"]:
            row.clear()
        for cell in _CELL.finditer(token["cells"]):
            name = self._known.get(cell[2] + cell[3]) or self._column(cell)
            if name in self._wanted:
                if cell[1]:
                    row.pop(name, None)
                else:
                    row[name] = self._text(cell)
        return key

    def _key(self, text: bytes, scope: bytes) -> RowKey:
        number, _colon, named = text.partition(b":")
        if named.startswith(b"^"):
            scope = self._alias(_COLUMNS, named[1:])
        elif named:
            scope = named
        return int(number, 16), scope

    def _column(self, cell: re.Match[bytes]) -> bytes:
        name = self._alias(_COLUMNS, cell[3]) if cell[2] else cell[3]
        self._known[cell[2] + cell[3]] = name
        return name

    def _text(self, cell: re.Match[bytes]) -> bytes:
        if cell[4]:
            return _plain(cell[5])
        if cell[6] is None:
            return b""
        scope = (cell[7] or _VALUES).removeprefix(b"^")
        return self._alias(scope, cell[6])

    def _alias(self, scope: bytes, alias: bytes) -> bytes:
        try:
            return self._aliases[scope][int(alias, 16)]
        except (KeyError, ValueError):
            raise MorkError(f"the alias {alias!r} stands for nothing") from None


def _tokens(part: bytes) -> Iterator[re.Match[bytes]]:
    """The tokens of a part, blanks and comments left out."""
    at = 0
    while at < len(part):
        token = _TOKEN.match(part, at)
        if token is None:
            raise MorkError(f"{part[at : at + 20]!r} is no Mork")
        at = token.end()
        if token.lastgroup is not None:
            yield token


def _plain(text: bytes) -> bytes:
    """A text with its escapes undone: `\\x`, `$XX`, and lines that go on behind a backslash."""
    return _ESCAPE.sub(_unescape, text) if b"\\" in text or b"$" in text else text


def _unescape(match: re.Match[bytes]) -> bytes:
    char: bytes | None = match[1]
    if char is None:
        return bytes((int(match[2], 16),))
    return b"" if char[:1] in b"\r\n" else char


def _hex(text: bytes) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
