"""A folder of this PC as those who read it must know it."""

from pathlib import Path

import msgspec


class Source(msgspec.Struct, frozen=True, array_like=True):
    """A folder as its reader must know it.

    `native`: the path of its file or directory; `name`: for problems; `sent`: its role is sent, which decides on
    dates. `summaries`: an .msf beside it counts. `thunderbird`: only Thunderbird wrote it, so only its own rule
    says where mails start. `foreign`: keys of accounts whose mail in it is not ours.
    """

    native: str
    name: str
    sent: bool
    summaries: bool = False
    thunderbird: bool = False
    foreign: frozenset[str] = frozenset()

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.native)
