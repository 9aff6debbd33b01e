"""Which local folder belongs to which server folder: by the user's word, by role, then by name."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from hikkoshi.errors import UsageError
from hikkoshi.i18n import _
from hikkoshi.mail.folders import Folder, Role, fold, role_by_name

# Roles that a folder has once: the server's folder of that role is the place, whatever it is called.
_BY_ROLE = (Role.INBOX, Role.SENT, Role.DRAFTS, Role.ARCHIVE, Role.JUNK, Role.TRASH, Role.TEMPLATES)
# What a new folder of a role is called: the names of RFC 6154's examples, which every client knows.
_NEW_NAMES = {Role.SENT: "Sent", Role.DRAFTS: "Drafts", Role.ARCHIVE: "Archive", Role.JUNK: "Junk", Role.TRASH: "Trash"}


class Target(msgspec.Struct, frozen=True):
    """The server folder that a local folder is mapped to: its native name, and whether it is there already."""

    native: str
    exists: bool


def map_folders(
    local: Iterable[Folder],
    server: Iterable[Folder],
    overrides: Mapping[str, str],
    new_native: Callable[[tuple[str, ...]], str],
) -> dict[str, Target]:
    """The target of each local folder, by the local folder's native name.

    `overrides`: local folder name -> server folder name, as users write them; `new_native` gives the native
    name that a folder of these levels would have on the server. Raises `UsageError` for an override whose
    local folder does not exist, or whose server folder has no name.
    """
    local, there = list(local), [folder for folder in server if folder.selectable]
    by_role = {folder.role: folder.native for folder in reversed(there) if folder.role in _BY_ROLE}
    by_path = {_key(folder.path): folder.native for folder in reversed(there)}
    chosen = _resolve(local, there, overrides, new_native)
    targets: dict[str, Target] = {}
    for folder in local:
        if folder.native in chosen:
            native = chosen[folder.native]
        elif folder.role in by_role:
            native = by_role[folder.role]
        else:
            path = (_NEW_NAMES[folder.role],) if folder.role in _NEW_NAMES else _new_path(folder.path)
            native = by_path.get(_key(folder.path)) or by_path.get(_key(path)) or new_native(path)
        targets[folder.native] = Target(native, any(other.native == native for other in there))
    return targets


def find_local(folders: Iterable[Folder], name: str) -> list[Folder]:
    """The local folders that a user means by `name`: the full name, else the path without the account."""
    folders = list(folders)
    wanted = fold(name)
    exact = [folder for folder in folders if wanted in (fold(folder.name), fold(folder.native))]
    return exact or [folder for folder in folders if wanted == fold("/".join(folder.path))]


def _resolve(
    local: list[Folder],
    server: list[Folder],
    overrides: Mapping[str, str],
    new_native: Callable[[tuple[str, ...]], str],
) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name, target in overrides.items():
        found = find_local(local, name)
        if not found:
            names = ", ".join(folder.name for folder in local)
            raise UsageError(
                _("There is no local folder “{name}” to map. The local folders are: {names}.").format(
                    name=name, names=names
                )
            )
        same = [f for f in server if fold(target) in (fold(f.name), fold(f.native))]
        levels = tuple(level for level in target.split("/") if level.strip())
        if not levels:
            raise UsageError(_("“{name}” is no name for a folder on the server.").format(name=target))
        native = same[0].native if same else new_native(levels)
        for folder in found:
            chosen[folder.native] = native
    return chosen


def _key(path: tuple[str, ...]) -> tuple[str, ...]:
    """Levels for comparing: case and width folded, every name of the inbox the same at the top."""
    return tuple(fold(level) for level in _new_path(path))


def _new_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The levels of a new folder: what lies in an inbox goes into INBOX, whose name is the same on every server."""
    return ("INBOX", *path[1:]) if path and role_by_name(path[0]) is Role.INBOX else path
