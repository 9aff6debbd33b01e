"""What a server says when a folder is opened by EXAMINE or SELECT (RFC 3501 section 6.3.2, RFC 7162 section 3.1.2). Pure."""

import re

from hikkoshi.errors import CommandRefused
from hikkoshi.i18n import _
from hikkoshi.server import failures
from hikkoshi.server.lexer import Parts, Status, number, status, tokens
from hikkoshi.server.records import FolderStatus

_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
_FLAGS = re.compile(rb"\* FLAGS ", re.IGNORECASE)
_CODES = frozenset({"UIDVALIDITY", "UIDNEXT", "PERMANENTFLAGS", "HIGHESTMODSEQ"})


class Opening:
    """Hears the answers to an EXAMINE, or with `writable` to a SELECT.

    `exists`: the mails in the folder, kept up to date afterwards too.
    """

    def __init__(self, native: str, *, writable: bool = False) -> None:
        self.native = native
        self._writable = writable
        self.exists = 0
        self._codes: dict[str, bytes] = {}
        self._keywords: frozenset[str] = frozenset()

    def hear(self, parts: Parts) -> None:
        """Take one untagged response."""
        line = parts[0]
        if match := _EXISTS.match(line):
            self.exists = int(match[1])
        elif _FLAGS.match(line):
            words = tokens(parts)[2:3]
            flags = words[0] if words and isinstance(words[0], list) else []
            named = (flag.decode("utf-8", "replace") for flag in flags if isinstance(flag, bytes))
            self._keywords = frozenset(name for name in named if not name.startswith("\\"))
        elif (said := status(line)) and said.code in _CODES:
            self._codes[said.code] = said.argument

    def status(self, end: Status | None = None) -> FolderStatus | None:
        """The folder's state; `uidnext` is 0 where the server left it out. None: it gives no lasting numbers.

        `end`: the OK of a SELECT, which says whether the folder may only be read.
        """
        validity, following, modseq = (self._number(name) for name in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ"))
        if validity is None:
            return None
        said = self._codes.get("PERMANENTFLAGS")
        flags = (said or b"").decode("utf-8", "replace").strip("()").split()
        return FolderStatus(
            messages=self.exists,
            uidvalidity=validity,
            uidnext=following or 0,
            permanent_flags=frozenset(flags) if flags or (self._writable and said is not None) else None,
            modseq=modseq or None,
            keywords=self._keywords,
            read_only=end is not None and end.code == "READ-ONLY",
        )

    def _number(self, code: str) -> int | None:
        return number(self._codes.get(code, b"").strip())


def no_lasting_numbers(native: str) -> CommandRefused:
    """The error for a folder without UIDVALIDITY."""
    return CommandRefused(
        _("The server gives the mails of the folder {folder} no lasting numbers, so it cannot be compared.").format(
            folder=failures.readable(native)
        )
    )
