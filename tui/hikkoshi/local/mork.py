"""Reading Mork 1.4, the text database that Thunderbird keeps its message summaries in.

Grammar: comm/mailnews/db/mork (morkParser.cpp, morkBuilder.cpp) and its description by David McCusker. A file is
a row of additions: dictionaries `<(80=text)>` give aliases to texts, tables `{1:^80 … }` hold rows
`[1(^81^82)(^83=text)]`, and later ones change earlier ones. Groups `@$${1{@ … @$$}1}@` are changes that count
only once they are whole. Nothing here knows what a table is for.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

_MAGIC = re.compile(rb'\s*// <!-- <mdb:mork:z v="1\.[0-9]"/> -->')

# `$` is escaped in texts, so a group's marks are found without reading what is between them.
_MARK = re.compile(rb"@\$\$(?:\{([0-9A-Fa-f]+)\{@|\}([^}@]*)\}@)")

_TEXT = rb"[^\\)]*+(?:\\.[^\\)]*+)*+"
_PAREN = rb"\(" + _TEXT + rb"\)"
# Possessive: a damaged file must not make the search try every way to cut a run of blanks.
_GAP = rb"\s*+(?://[^\r\n]*+\s*+)*+"
_ID = rb"[0-9A-Fa-f]+(?::\^?[^\s\[\](){}<>!^:-]+)?"
# What most cells are like comes first: half the time, since neither escapes nor comments are looked for.
_ROW_CELLS = rb"(?P<cells>(?:\s*+\(\^[^\\)]*+\)|" + _GAP + rb"-?" + _PAREN + rb")*+)"
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
# The same as Thunderbird writes them.
_NUMBER = rb"[1-9A-F][0-9A-F]*+"
_LIKELY_TEXT = rb"(?:[^\\)]*+(?=\))|" + _TEXT + rb")"
_PLAIN_ALIAS = re.compile(rb"\s*+\((" + _NUMBER + rb")\s*+=(" + _LIKELY_TEXT + rb")\)", re.DOTALL)
_ALIASES = re.compile(rb"(?:\s*+\(" + _NUMBER + rb"\s*+=" + _LIKELY_TEXT + rb"\))*+", re.DOTALL)
_THREAD_BODY = (
    rb"(" + _NUMBER + rb"):\^(" + _NUMBER + rb")\s++\{\(k\^(" + _NUMBER + rb"):c\)\(s=\d++\)"
    rb"(?:" + _NUMBER + rb":m)?+\s*+\}((?:\s++" + _NUMBER + rb")*+)\s*+\}"
)
_THREAD = re.compile(rb"\s*+\{" + _THREAD_BODY)
_THREADS = re.compile(_THREAD_BODY + rb"(?:\s*+\{" + _THREAD_BODY + rb")*+")
_ESCAPE = re.compile(rb"\\(\r\n|\n\r|.)|\$([0-9A-Fa-f]{2})", re.DOTALL)

_COLUMNS, _VALUES = b"c", b"a"

RowKey = tuple[int, bytes]
"""A row's or a table's number and the name of its scope."""


class MorkError(ValueError):
    """The text is no Mork, or it is damaged."""


class Table(msgspec.Struct):
    """`kind`: what its meta row calls it; `rows`: the keys of its rows, in their order."""

    kind: bytes = b""
    rows: dict[RowKey, None] = msgspec.field(default_factory=dict)


class Mork(msgspec.Struct):
    """What a file holds once all its changes are made: rows as columns with their texts, and tables of rows."""

    rows: dict[RowKey, dict[bytes, bytes]] = msgspec.field(default_factory=dict)
    tables: dict[RowKey, Table] = msgspec.field(default_factory=dict)


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
    """Takes the parts of a file one after another; `mork` holds the outcome.

    What Thunderbird writes a thousand times over (runs of aliases, rows of twenty cells of which three are wanted,
    tables of one thread) is taken by one pattern each; whatever is written in another way goes token by token.
    """

    def __init__(self, columns: frozenset[bytes]) -> None:
        self.mork = Mork()
        self._wanted = columns
        # As they are written, by number in plain hexadecimal: few of them are ever asked for.
        self._aliases: dict[bytes, dict[bytes, bytes]] = {_COLUMNS: {}, _VALUES: {}}
        # Columns and the pattern for their cells, by the way they are written; every row has twenty of them.
        self._known: dict[bytes, bytes] = {}
        self._cells: _Cells | None = None
        self._part, self._at = b"", 0

    def read(self, part: bytes) -> None:
        """Take a part of the file, in which every table and dictionary is whole."""
        self._part, self._at = part, 0
        for token in self._tokens():
            if token.lastgroup == "row":
                self._row(token, b"")
            elif token["sign"] == b"<":
                self._dictionary()
            elif token["sign"] == b"{":
                self._table()
            else:
                raise MorkError(f"{token[0][:20]!r} stands where a row, a table or a dictionary must")

    def _tokens(self) -> Iterator[re.Match[bytes]]:
        """The tokens from where the reader is, blanks and comments left out."""
        part = self._part
        while self._at < len(part):
            token = _TOKEN.match(part, self._at)
            if token is None:
                raise MorkError(f"{part[self._at : self._at + 20]!r} is no Mork")
            self._at = token.end()
            if token.lastgroup is not None:
                yield token

    def _dictionary(self) -> None:
        """`<` was read: `<(a=c)> (80=text)…>`, the first part optional."""
        scope = _VALUES
        self._run_of_aliases(scope)
        for token in self._tokens():
            sign = token["sign"]
            if sign == b">":
                return
            if sign == b"<":
                scope = self._dictionary_scope(scope)
                self._run_of_aliases(scope)
            elif token["cell"] and (alias := _ALIAS.fullmatch(token["cell"])):
                self._aliases.setdefault(scope, {})[_plain_number(alias[1])] = alias[2]
            else:
                raise MorkError(f"{token[0][:20]!r} stands in a dictionary")
        raise MorkError("a dictionary does not end")

    def _run_of_aliases(self, scope: bytes) -> None:
        """Take the aliases from here on that are written in the common way."""
        if scope == _COLUMNS:
            self._known.clear()
            self._cells = None
        run = _ALIASES.match(self._part, self._at)
        assert run is not None, "it may be empty"
        if run.end() > self._at:
            self._aliases.setdefault(scope, {}).update(_PLAIN_ALIAS.findall(self._part, self._at, run.end()))
            self._at = run.end()

    def _dictionary_scope(self, scope: bytes) -> bytes:
        for token in self._tokens():
            if token["sign"] == b">":
                return scope
            cell = token["cell"] and _CELL.fullmatch(token["cell"])
            if cell and cell[3] == b"a" and cell[4]:
                scope = cell[5]
        raise MorkError("a dictionary does not end")

    def _table(self) -> None:
        """`{` was read: `{1:^80 {(k^96:c)…} [1(…)] 2 -3 }`."""
        if threads := _THREADS.match(self._part, self._at):
            self._threads(_THREAD.findall(self._part, self._at - 1, threads.end()))
            self._at = threads.end()
            return
        table: Table | None = None
        scope, minus = b"", False
        for token in self._tokens():
            kind, sign = token.lastgroup, token["sign"]
            if sign == b"}":
                return
            if sign == b"-":
                minus = True
                continue
            if table is None and kind == "ref":
                key = self._key(token["ref"], b"")
                scope = key[1]
                table = self.mork.tables.setdefault(key, Table())
                if minus:
                    table.rows.clear()
            elif table is not None and sign == b"{":
                self._meta(table)
            elif table is not None and kind in ("row", "ref"):
                key = self._row(token, scope) if kind == "row" else self._key(token["ref"], scope)
                if minus:
                    table.rows.pop(key, None)
                else:
                    table.rows[key] = None
            else:
                raise MorkError(f"{token[0][:20]!r} stands in a table")
            minus = False
        raise MorkError("a table does not end")

    def _threads(self, found: list[tuple[bytes, bytes, bytes, bytes]]) -> None:
        """Tables that hold nothing but references to rows: number, scope, kind and numbers of rows of each."""
        tables = self.mork.tables
        names: dict[bytes, bytes] = {}
        for number, scope, kind, numbers in found:
            for column in (scope, kind):
                if column not in names:
                    names[column] = self._alias(_COLUMNS, column)
            name = names[scope]
            key = int(number, 16), name
            table = tables.get(key)
            if table is None:
                table = tables[key] = Table(b"", {})
            table.kind = names[kind]
            for row in numbers.split():
                table.rows[int(row, 16), name] = None

    def _meta(self, table: Table) -> None:
        for token in self._tokens():
            if token["sign"] == b"}":
                return
            if token["cell"] and (cell := _CELL.fullmatch(token["cell"])) and self._column(cell) == b"k":
                table.kind = self._text(cell)
        raise MorkError("a table does not end")

    def _row(self, token: re.Match[bytes], scope: bytes) -> RowKey:
        key = self._key(token["id"], scope)
        row = self.mork.rows.setdefault(key, {})
        if token["cut"]:
            row.clear()
        cells = token["cells"]
        pattern = self._cells or self._cells_pattern()
        names = pattern.names
        for column, text, alias, other in pattern.findall(cells):
            if column:
                row[names[column]] = self._alias(_VALUES, alias) if alias else _plain(text)
            elif other:
                # Something is written in another way: all again, cell by cell.
                self._odd_cells(cells, row)
                break
        return key

    def _odd_cells(self, cells: bytes, row: dict[bytes, bytes]) -> None:
        for cell in _CELL.finditer(cells):
            name = self._known.get(cell[2] + cell[3]) or self._column(cell)
            if name in self._wanted:
                if cell[1]:
                    row.pop(name, None)
                else:
                    row[name] = self._text(cell)

    def _cells_pattern(self) -> "_Cells":
        columns = {number: _plain(text) for number, text in self._aliases[_COLUMNS].items()}
        self._cells = _Cells({number: name for number, name in columns.items() if name in self._wanted}, columns)
        return self._cells

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
            texts = self._aliases[scope]
            text = texts.get(alias)
            return _plain(texts[_plain_number(alias)] if text is None else text)
        except (KeyError, ValueError):
            raise MorkError(f"the alias {alias!r} stands for nothing") from None


class _Cells:
    """Finds the cells of some columns in a row whose cells are written in the common way, `(^88=text)` or `(^88^85)`.

    `names`: the columns by number as it is written. `known`: all that there are, for one that is not is damage.
    """

    def __init__(self, names: dict[bytes, bytes], known: Iterable[bytes]) -> None:
        self.names = names
        wanted, others = _one_of(names), _one_of(number for number in known if number not in names)
        value = rb"(?:=(?:[^\\)]*+\)|" + _TEXT + rb"\))|\^" + _NUMBER + rb"\))"
        passed_over = rb"(?:\s*+\(\^(?:" + others + rb")" + value + rb")*+\s*+"
        cell = rb"\(\^(" + wanted + rb")(?:=(" + _TEXT + rb")|\^(" + _NUMBER + rb"))\)"
        self.findall = re.compile(passed_over + rb"(?:" + cell + rb"|(\S)|\Z)", re.DOTALL).findall


def _one_of(numbers: Iterable[bytes]) -> bytes:
    """A pattern for any of some numbers, by their last digits: with one branch for each it would take ten times as long."""
    digits: dict[bytes, bytes] = {}
    for number in numbers:
        digits[number[:-1]] = digits.get(number[:-1], b"") + number[-1:]
    return b"|".join(front + b"[" + last + b"]" for front, last in digits.items()) or b"(?!)"


def _plain_number(text: bytes) -> bytes:
    """A hexadecimal number in capitals, without zeros in front. Raises `ValueError`."""
    return b"%X" % int(text, 16)


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
