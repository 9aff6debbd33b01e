"""The signs of the panes. Relations differ by sign as well as by colour.

All are of width 1 also where East-Asian ambiguous characters take two cells (UAX #11), and in common fonts.
"""

import locale
import os
from dataclasses import dataclass

from hikkoshi.i18n import N_
from hikkoshi.index.relation import DUPLICATE, Relation


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row: its name in styles (`row-…`), its sign, the sign in ASCII, its meaning at length and in short."""

    name: str
    fact: Relation
    sign: str
    ascii: str
    meaning: str
    short: str = ""


PENDING = Kind(
    "pending",
    Relation.PENDING,
    "⋯",
    ".",
    N_("not known yet: the server was not listed to its end"),
    N_("not known yet"),
)

KINDS = (
    PENDING,
    Kind(
        "sent-gap",
        Relation.SENT_GAP,
        "⇢",
        "s",
        N_("sent mail that the server's sent folder lacks"),
        N_("sent, not there"),
    ),
    Kind("only-local", Relation.ONLY_LOCAL, "»", ">", N_("only on this PC"), N_("only on this PC")),
    Kind("doubt", Relation.AMBIGUOUS, "?", "?", N_("in doubt: the evidence does not settle it"), N_("in doubt")),
    Kind("only-server", Relation.ONLY_SERVER, "«", "<", N_("only on the server"), N_("only on the server")),
    Kind("elsewhere", Relation.ELSEWHERE, "↷", "@", N_("on both sides, in other folders"), N_("in other folders")),
    Kind("read", Relation.READ, "≢", "!", N_("read on one side only"), N_("read state")),
    Kind("flags", Relation.FLAGS, "⚑", "f", N_("other flags differ"), N_("flags")),
    Kind("duplicate", DUPLICATE, "2", "2", N_("one of several copies in one folder"), N_("duplicates")),
    Kind("left-out", Relation.LEFT_OUT, "∅", "-", N_("left out: listed, not compared"), N_("left out")),
    Kind("copy", Relation.COPY, "+", "+", N_("a further copy of a mail that is paired elsewhere")),
)
"""In the order of their weight: a row is painted as the first that is true of it."""

SAME = Kind("same", Relation.SAME, "=", "=", N_("the same on both sides"))


@dataclass(frozen=True, slots=True)
class Signs:
    """Every other sign, one cell each."""

    ascii: bool
    selected: str
    unread: str
    flagged: str
    answered: str
    forwarded: str
    more: str
    used: str
    after: str
    free: str
    reserve: str

    def of(self, kind: Kind) -> str:
        """The sign of a kind of row."""
        return kind.ascii if self.ascii else kind.sign


UNICODE = Signs(False, "✓", "◉", "⚑", "↩", "↪", "›", "▰", "▱", "⋅", "▫")
ASCII = Signs(True, "x", "*", "f", "r", "w", "~", "#", "+", ".", "-")


def detect_signs() -> Signs:
    """ASCII where the terminal's encoding or font cannot be trusted with more."""
    plain = os.environ.get("TERM", "") in ("linux", "vt100", "vt220", "dumb")
    utf8 = locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "") == "utf8"
    return ASCII if plain or not utf8 else UNICODE


def kinds_of(relation: Relation) -> list[Kind]:
    """The kinds that are true of a row, the weightiest first; `[SAME]` where nothing differs."""
    return [kind for kind in KINDS if relation & kind.fact] or [SAME]
