"""Folder records from the answers to LIST and NAMESPACE (RFC 3501, RFC 2342, RFC 6154). Pure."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from hikkoshi.mail.folders import Folder, Role, role_by_attributes, role_by_name
from hikkoshi.mail.headers import sanitise
from hikkoshi.server.lexer import Parts, Token, tokens
from hikkoshi.server.writer import mailbox, native_name, shown_name

_NOT_SELECTABLE = frozenset({"\\noselect", "\\nonexistent"})


class Namespace(msgspec.Struct, frozen=True):
    """The user's own namespace: the prefix of its folders' native names, and the delimiter ('' where it is flat).

    `foreign`: the prefixes of other users' and of shared folders.
    """

    prefix: str = ""
    delimiter: str = ""
    foreign: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True):
    """One LIST response: attributes in lower case, delimiter ('' for NIL), the mailbox name as the server spells it."""

    attributes: frozenset[str]
    delimiter: str
    raw: bytes


def namespace(parts: Parts | None) -> Namespace:
    """The namespaces in a NAMESPACE response (without its `* NAMESPACE`); None: the server has no such command."""
    kinds = tokens(parts) if parts else []
    own, *foreign = [_namespaces(kind) for kind in kinds] or [[]]
    prefixes = tuple(prefix for kind in foreign for prefix, _ in kind if prefix)
    if not own:
        return Namespace(foreign=prefixes)
    # With several the default one has the empty prefix; else RFC 2342's order is the server's preference.
    prefix, delimiter = min(own, key=lambda pair: bool(pair[0]))
    return Namespace(prefix, delimiter, prefixes)


def _namespaces(kind: Token) -> list[tuple[str, str]]:
    return [
        (native_name(entry[0]) if entry[0] else "", _delimiter(entry[1]))
        for entry in (kind if isinstance(kind, list) else [])
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[0], bytes)
    ]


def listed(parts: Parts) -> Listed | None:
    """The LIST response in `parts` (without its `* LIST`), None if it is none."""
    answer = tokens(parts)
    if len(answer) < 3:
        return None
    attributes, delimiter, name = answer[:3]
    if not isinstance(attributes, list):
        return None
    # An unquoted NIL is a fine name for a mailbox, though an unlucky one.
    raw = name if isinstance(name, bytes) else b"NIL"
    words = frozenset(word.decode("utf-8", "replace").lower() for word in attributes if isinstance(word, bytes))
    return Listed(words, _delimiter(delimiter), raw)


def _delimiter(token: Token) -> str:
    return token.decode("ascii", "replace") if isinstance(token, bytes) else ""


def merged(plain: Iterable[Listed], special: Iterable[Listed]) -> list[Listed]:
    """`plain`, each with the attributes that `special` gives for the same mailbox."""
    more = {entry.raw: entry.attributes for entry in special}
    found: dict[bytes, Listed] = {}
    for entry in plain:
        known = found.get(entry.raw, entry)
        attributes = known.attributes | entry.attributes | more.get(entry.raw, frozenset())
        found[entry.raw] = replace(entry, attributes=attributes)
    return list(found.values())


def has_special_use(entries: Iterable[Listed]) -> bool:
    """Whether any of `entries` says what a folder is for."""
    return any(role_by_attributes(entry.attributes) != Role.NONE for entry in entries)


def folder_records(entries: Iterable[Listed], spaces: Namespace) -> list[Folder]:
    """One Folder for each mailbox, in the server's order.

    A role comes from the attributes, however many folders have it. For a role that no attribute gives, the
    first of the user's own folders that is called so has it, those of the fewest levels first.
    """
    folders: list[Folder] = []
    names: set[str] = set()
    for entry in entries:
        folder = _folder(entry, spaces)
        if folder.name in names:
            # "a/b" at the delimiter "." and "a" within "b": rare, but the name must be one folder's alone.
            folder = replace(folder, name=sanitise(shown_name(folder.native)))
        names.add(folder.name)
        folders.append(folder)
    return _with_roles_by_name(folders, spaces)


def _folder(entry: Listed, spaces: Namespace) -> Folder:
    native = native_name(entry.raw)
    path = tuple(sanitise(level) for level in _levels(native, entry.delimiter, spaces))
    selectable = not entry.attributes & _NOT_SELECTABLE and _can_be_sent(native)
    role = Role.NONE
    if native.upper() == "INBOX":
        role, path = Role.INBOX, ("INBOX",)
    elif selectable and (flagged := role_by_attributes(entry.attributes)) != Role.INBOX:
        role = flagged
    return Folder(name="/".join(path), path=path, role=role, native=native, selectable=selectable)


def _levels(native: str, delimiter: str, spaces: Namespace) -> list[str]:
    name = native
    if spaces.prefix and native.startswith(spaces.prefix) and native != spaces.prefix:
        name = native[len(spaces.prefix) :]
        if name.upper() == "INBOX":
            # INBOX.INBOX: a second inbox must not take the first one's name.
            name = native
    name = shown_name(name)
    levels = name.split(delimiter) if delimiter else [name]
    return [level for level in levels if level] or [name]


def _can_be_sent(native: str) -> bool:
    """Whether a command can name the folder: a hostile server may put line ends into a literal."""
    try:
        mailbox(native)
    except ValueError:
        return False
    return True


def _with_roles_by_name(folders: list[Folder], spaces: Namespace) -> list[Folder]:
    taken = {folder.role for folder in folders}
    by_depth = sorted(range(len(folders)), key=lambda index: len(folders[index].path))
    for index in by_depth:
        folder = folders[index]
        if folder.role != Role.NONE or not folder.selectable or folder.native.startswith(spaces.foreign):
            continue
        role = role_by_name(folder.path[-1])
        if role not in taken and role not in (Role.NONE, Role.INBOX):
            taken.add(role)
            folders[index] = replace(folder, role=role)
    return folders


def native_path(path: tuple[str, ...], spaces: Namespace) -> str:
    """The native name that a new folder of these levels gets; a delimiter inside a level becomes "_"."""
    if not spaces.delimiter:
        return spaces.prefix + "_".join(path)
    levels = [level.replace(spaces.delimiter, "_") for level in path]
    return spaces.prefix + spaces.delimiter.join(levels)


def ancestors(native: str, spaces: Namespace) -> list[str]:
    """`native` and the folders it lies in below the namespace's prefix, outermost first."""
    if not spaces.delimiter:
        return [native]
    prefix = spaces.prefix if native.startswith(spaces.prefix) else ""
    levels = native[len(prefix) :].split(spaces.delimiter)
    return [prefix + spaces.delimiter.join(levels[:depth]) for depth in range(1, len(levels) + 1)]
