"""What servers make of each finding, and which repair there is: the one place that says so."""

from collections.abc import Iterable

import msgspec

from hikkoshi.mail.findings import LINE, Examined, Finding
from hikkoshi.mail.repairs import Repair


class Remedy(msgspec.Struct, frozen=True):
    """What is known of a finding: servers that refuse such mail, that change it, and the repair, if there is one."""

    refused_by: tuple[str, ...] = ()
    changed_by: tuple[str, ...] = ()
    repair: Repair | None = None


REMEDIES: dict[Finding, Remedy] = {
    Finding.BARE_CR: Remedy((), ("Courier",), Repair.BARE_RETURNS),
    Finding.BARE_CR_IN_HEADER: Remedy((), ("Courier",)),
    Finding.MIXED_LINE_ENDS: Remedy(),
    Finding.NUL: Remedy(("Cyrus",), ("Dovecot",)),
    Finding.EIGHT_BIT_HEADER: Remedy(("iCloud",), ("Cyrus",), Repair.ENCODE_HEADERS),
    Finding.EIGHT_BIT_STRUCTURE: Remedy(("iCloud",), ("Cyrus",)),
    Finding.EMPTY_FIELD: Remedy(("iCloud",), (), Repair.DROP_EMPTY_FIELDS),
    Finding.BAD_FIELD: Remedy(("Cyrus",)),
    Finding.LONG_LINE: Remedy(),
    Finding.LONG_HEADER_LINE: Remedy((), (), Repair.FOLD_HEADERS),
    Finding.VERY_LONG_LINE: Remedy(("Microsoft 365",)),
    Finding.NO_FINAL_LINE_END: Remedy(("Yahoo",), ("Courier",), Repair.FINAL_LINE_END),
    Finding.NO_HEADERS: Remedy(),
    Finding.ASKS_FOR_RECEIPT: Remedy((), (), Repair.HOLD_RECEIPTS),
    Finding.IMPOSSIBLE_DATE: Remedy(),
    Finding.ODD_DATE: Remedy(),
    Finding.FLAGS_DROPPED: Remedy(),
    Finding.PARTIAL: Remedy(),
    Finding.ZERO_BYTES: Remedy(("Dovecot", "Cyrus", "Courier")),
}
"""Each finding, in the order in which people are told. Measured on Dovecot 2.3, Cyrus 3.6 and Courier 5.0; what is said of
iCloud, Microsoft 365 and Yahoo is what imapsync's and isync's users reported. Mixed line ends, dates and dropped flags are
settled without a choice: line ends become CRLF, a date comes from the next best source, a flag is left away."""


def repairs_for(findings: int, *, unread: bool) -> frozenset[Repair]:
    """The repairs that there are for a mail with these findings."""
    found = {remedy.repair for finding, remedy in REMEDIES.items() if findings & finding and remedy.repair}
    return frozenset(found if unread else found - {Repair.HOLD_RECEIPTS})


def growth(examined: Examined, repairs: Iterable[Repair]) -> int:
    """Bytes that a mail may grow by with these repairs, at most."""
    most = {
        Repair.ENCODE_HEADERS: examined.encoding,
        Repair.DROP_EMPTY_FIELDS: 0,
        Repair.BARE_RETURNS: examined.bare_returns,
        Repair.FINAL_LINE_END: 2,
        # Folds stand at least half a line apart, or a word is longer than a line.
        Repair.FOLD_HEADERS: 4 * (examined.header_size // LINE + 1),
        Repair.HOLD_RECEIPTS: 2 * examined.receipt_fields,
    }
    return sum(max(0, most[repair]) for repair in repairs)
