"""What a test can make the demo server do wrong, on purpose and exactly once unless it says otherwise."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Faults to come; set them before the command that they are meant for.

    `append_answers`: tagged answers (such as 'NO [OVERQUOTA] Quota exceeded' or 'BAD Parse error'), one for each
    APPEND to come; None lets one pass. The messages are read, not stored.
    `refuse`: asked about every message of an APPEND, each time; the answer that it returns is given instead.
    `cut_append_after`: the connection is cut when so many bytes of an APPEND's literals have been read.
    `lose_append_ok`: so many APPENDs are carried out and then not answered: the connection is cut.
    `silent_append`: so many APPENDs are stored and never answered, with the connection open.
    `cut_output_after`: the connection is cut when so many more bytes have been sent, whatever they are.
    `alter`: every message is stored as what this returns, as on servers that change mail.
    `lost_flags`: flags that every APPEND loses, as Microsoft 365 does with \\Flagged.
    """

    append_answers: deque[str | None] = field(default_factory=deque)
    refuse: Callable[[bytes], str | None] | None = None
    cut_append_after: int | None = None
    lose_append_ok: int = 0
    silent_append: int = 0
    cut_output_after: int | None = None
    alter: Callable[[bytes], bytes] | None = None
    lost_flags: frozenset[bytes] = frozenset()


class Cut(Exception):
    """The connection is to be closed without a word."""
