"""The names of the repairs: lossless, and only where they were chosen. Loads nothing, for the command line's help."""

from enum import StrEnum


class Repair(StrEnum):
    """The repairs, by the names that the command line, the ledger and receipts know them by."""

    ENCODE_HEADERS = "encode-headers"
    """8-bit header text as encoded words of RFC 2047, which decode to the same bytes."""
    DROP_EMPTY_FIELDS = "drop-empty-fields"
    """Fields without a value left away; their names are noted."""
    BARE_RETURNS = "bare-returns"
    """Each CR without LF in the body becomes CRLF."""
    FINAL_LINE_END = "final-line-end"
    """A CRLF at the end."""
    FOLD_HEADERS = "fold-headers"
    """Header lines over 998 bytes folded at white space: unfolded they are the same."""
    HOLD_RECEIPTS = "hold-receipts"
    """The fields by which unread mail asks for a read receipt renamed to X-…, so that none is sent for old mail."""


ALL = "all-lossless"
"""All of them, as a name beside theirs."""


def as_repairs(names: str) -> frozenset[Repair]:
    """Blank-separated names, as the ledger has them; those of a later version are passed over."""
    known = {repair.value: repair for repair in Repair}
    return frozenset(known[name] for name in names.split() if name in known)
