"""What is said of a pair: a set of facts, empty where both sides have the same."""

from enum import IntFlag


class Relation(IntFlag):
    """The facts about one pair (a local message, a server message, or both)."""

    SAME = 0
    ONLY_LOCAL = 1
    """The mail is on this PC and in no folder of the server."""
    ONLY_SERVER = 2
    """The mail is on the server and in no folder of this PC."""
    READ = 4
    """\\Seen differs between the two copies."""
    FLAGS = 8
    """Other flags or keywords differ between the two copies."""
    ELSEWHERE = 16
    """Both sides have the mail, but in no two folders that are mapped to each other."""
    SENT_GAP = 32
    """In a local folder of role sent, and no server folder of role sent has a copy."""
    DUPLICATE_LOCAL = 64
    """A surplus copy within one folder of this PC."""
    DUPLICATE_SERVER = 1024
    """A surplus copy within one folder of the server."""
    AMBIGUOUS = 128
    """The evidence cannot settle whether the other side has this mail."""
    LEFT_OUT = 256
    """Listed but not compared: trash, junk, outbox, templates, partial mail."""
    COPY = 512
    """A further copy of a mail whose other copy is the one that is paired or counted."""
    PENDING = 2048
    """The server is still being listed: nothing is said yet of whether, or where, it has the mail."""


DUPLICATE = Relation.DUPLICATE_LOCAL | Relation.DUPLICATE_SERVER
"""A surplus copy within one folder of its side."""

UPLOAD = Relation.ONLY_LOCAL | Relation.SENT_GAP
"""What an upload sends by default."""

DIFFERENT = (
    Relation.ONLY_LOCAL
    | Relation.ONLY_SERVER
    | Relation.READ
    | Relation.FLAGS
    | Relation.ELSEWHERE
    | Relation.SENT_GAP
    | Relation.AMBIGUOUS
)
"""What the panes show as a difference."""
