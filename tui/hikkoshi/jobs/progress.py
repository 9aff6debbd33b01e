"""Plain messages that work posts about itself; screens and command lines show them."""

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """What the work is doing."""

    SCAN = "scan"
    CONNECT = "connect"
    LIST = "list"
    COMPARE = "compare"
    LOOK = "look"
    UPLOAD = "upload"
    VERIFY = "verify"
    FLAGS = "flags"
    UNDO = "undo"


class Progress(msgspec.Struct, frozen=True):
    """`done` of `total` steps (folders or messages; total 0: not known yet) at `what`; bytes in CRLF form.

    `mails`: how many have come in by now, where the steps are folders.
    """

    stage: Stage
    what: str = ""
    done: int = 0
    total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    mails: int = 0


Report = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """A `Report` for work that nobody watches."""
