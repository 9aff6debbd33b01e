"""The folders of one Thunderbird account on the disk: NAME is a folder, NAME.sbd/ holds its subfolders.

Rules: nsMsgLocalStoreUtils.cpp (which files are no folders), nsMsgUtils.cpp (NS_MsgHashIfNecessary, EncodeFilename).
"""

import errno
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import msgspec

from hikkoshi.i18n import _
from hikkoshi.local.mboxes import looks_like_mbox
from hikkoshi.local.msf import summary_path
from hikkoshi.mail.message import Problem

_SUBFOLDERS = ".sbd"
_NO_FOLDER = re.compile(
    r"\..*|.*(?:\.msf|\.sbd|\.mozmsgs|\.snm|\.toc|~)|(?:popstate|msgFilterRules|rules|sort)\.dat"
    r"|(?:filterlog|junklog)\.html|mailfilt\.log|filters\.js|feeds.*\.(?:json|rdf)|feeditems.*",
    re.IGNORECASE | re.DOTALL,
)
# What EncodeFilename writes for characters that some file system forbids. Any other %XX is the user's own.
_ENCODED = re.compile(r"%(?:25|3[ACEFacef]|22|2[AFaf]|5[Cc]|7[Cc])")
_HASH_FACTOR, _HASH_TERM = 0x63C6_3CD9, 0x9C39_C33D


class Place(msgspec.Struct, frozen=True):
    """A folder: its mbox file or its maildir, and the names of its levels, outermost first."""

    path: Path
    levels: tuple[str, ...]


def walk_account(
    directory: Path, *, maildir: bool, true_names: Mapping[str, str], problems: list[Problem]
) -> Iterator[Place]:
    """The folders below an account's directory, parents first. What cannot be looked into becomes a problem."""
    yield from _walk(directory, (), maildir, true_names, problems, set())


def _walk(
    directory: Path,
    above: tuple[str, ...],
    maildir: bool,
    true_names: Mapping[str, str],
    problems: list[Problem],
    seen: set[Path],
) -> Iterator[Place]:
    try:
        real = directory.resolve(strict=True)
        if real in seen:  # a symbolic link that leads back
            return
        seen.add(real)
        entries = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError, RuntimeError):
        return  # a file called so, or a link to nowhere or to itself
    except OSError as error:
        if error.errno != errno.ELOOP:
            problems.append(_unreadable(directory, error))
        return
    for entry in entries:
        if is_folder_name(entry.name) and _is_folder(entry, maildir, problems):
            yield Place(entry, (*above, level_name(entry.name, true_names)))
        elif entry.name.endswith(_SUBFOLDERS):
            level = level_name(entry.name.removesuffix(_SUBFOLDERS), true_names)
            yield from _walk(entry, (*above, level), maildir, true_names, problems, seen)


def is_folder_name(name: str) -> bool:
    """Whether a file of this name can be a folder of mail (nsShouldIgnoreFile)."""
    return not _NO_FOLDER.fullmatch(name)


def _is_folder(entry: Path, maildir: bool, problems: list[Problem]) -> bool:
    try:
        if entry.is_dir():
            return maildir and (entry / "cur").is_dir()
        if maildir or not entry.is_file():
            return False
        # Thunderbird shows any file as a folder; one that is no mbox and that it has never opened is something else.
        return looks_like_mbox(entry) or summary_path(entry).exists()
    except OSError as error:
        problems.append(_unreadable(entry, error))
        return False


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(str(path), _("It cannot be read: {reason}").format(reason=error.strerror))


def level_name(file_name: str, true_names: Mapping[str, str]) -> str:
    """The name that the user gave to the folder in this file."""
    if name := true_names.get(file_name):
        return name
    return _ENCODED.sub(lambda code: unquote(code[0]), file_name)


def read_true_names(profile: Path) -> dict[str, str]:
    """File name -> true name of the folders whose names were too long or too odd for a file.

    Thunderbird cuts such a name and adds its hash; the name itself is only in its folderCache.json.
    """
    try:
        cache = json.loads((profile / "folderCache.json").read_text("utf-8", "replace"))
    except (OSError, ValueError):
        return {}
    names: dict[str, str] = {}
    for path, folder in cache.items() if isinstance(cache, dict) else ():
        name = folder.get("folderName") if isinstance(folder, dict) else None
        file_name = re.split(r"[/\\]", path)[-1].removesuffix(".msf")
        if isinstance(name, str) and file_name != name and _is_hashed(file_name, name):
            names[file_name] = name
    return names


def _is_hashed(file_name: str, name: str) -> bool:
    value = f"{name_hash(name):x}"
    return any(
        file_name.endswith(digits) and name.startswith(file_name.removesuffix(digits))
        for digits in (value, value.zfill(8))
    )


def name_hash(name: str) -> int:
    """NS_MsgHashIfNecessary's 32-bit hash of a folder's name."""
    value = 1
    for byte in name.encode("utf-16-le", "surrogatepass"):
        value = (_HASH_FACTOR * value + _HASH_TERM + byte) & 0xFFFF_FFFF
    return value
