"""Flags as IMAP spells them, from the spellings of the stores on this PC.

A set of flags is a frozenset of strings: system flags with their backslash, keywords without. Case is kept
as it was found; comparing goes through `comparable`, since keywords fold case (RFC 9051 section 2.3.2).
"""

from collections.abc import Iterable

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DRAFT = "\\Draft"
DELETED = "\\Deleted"
RECENT = "\\Recent"
FORWARDED = "$Forwarded"
MDN_SENT = "$MDNSent"

NO_FLAGS: frozenset[str] = frozenset()

# nsMsgMessageFlags.idl; X-Mozilla-Status holds the low 16 bits, X-Mozilla-Status2 the high ones.
MOZILLA_EXPUNGED = 0x0000_0008
MOZILLA_PARTIAL = 0x0000_0400
_MOZILLA_BITS = {
    0x0000_0001: SEEN,
    0x0000_0002: ANSWERED,
    0x0000_0004: FLAGGED,
    0x0000_1000: FORWARDED,
    0x0080_0000: MDN_SENT,
}
# Labels of old Thunderbirds: a number in three bits, the same as the keywords $label1 to $label5 of today.
_MOZILLA_LABELS = 0x0E00_0000
_MOZILLA_LABEL_SHIFT = 25
_MOZILLA_LAST_LABEL = 5

_STATUS_LETTERS, _X_STATUS_LETTERS = frozenset("RONU"), frozenset("ADFT")
_MBOX_LETTERS = {"R": SEEN, "A": ANSWERED, "F": FLAGGED, "T": DRAFT, "D": DELETED}
# Maildir's info letters, https://cr.yp.to/proto/maildir.html; P(assed) is forwarded, T(rashed) deleted.
_MAILDIR_LETTERS = {"S": SEEN, "R": ANSWERED, "F": FLAGGED, "D": DRAFT, "T": DELETED, "P": FORWARDED}

# Set by servers for themselves or of no meaning to a user who compares two copies of a mail.
_SERVERS_OWN = frozenset({RECENT.casefold(), "$hasattachment", "$hasnoattachment"})
_NOT_COMPARED = _SERVERS_OWN | {SEEN.casefold()}

_CARRIED = frozenset(flag.casefold() for flag in (SEEN, ANSWERED, FLAGGED))
"""The system flags that are carried over: \\Deleted would remove mail, and \\Draft is said by the folder on the PC."""
_NEVER_TAKEN = frozenset(
    {
        MDN_SENT.casefold(),
        "$junk",
        "$notjunk",
        "junk",
        "nonjunk",
        "notjunk",
        "$phishing",
        "$submitted",
        "$submitpending",
    }
)
"""Keywords that are not taken away for the PC's lack of them (IANA's registry of IMAP keywords; Thunderbird's NonJunk).

Without $MDNSent a client would send a read receipt once more; the others are said by filters and servers, and the stores
of POP clients keep what they think of junk elsewhere.
"""


def mozilla_flags(bits: int, keywords: str = "") -> frozenset[str]:
    """The flags of Thunderbird's 32 status bits and its blank-separated keywords."""
    flags = {flag for bit, flag in _MOZILLA_BITS.items() if bits & bit}
    label = (bits & _MOZILLA_LABELS) >> _MOZILLA_LABEL_SHIFT
    if 0 < label <= _MOZILLA_LAST_LABEL:
        flags.add(f"$label{label}")
    known = {flag.casefold() for flag in flags}
    flags.update(word for word in keywords.split() if word.casefold() not in known)
    return frozenset(flags)


def mbox_status_flags(status: str, x_status: str, x_keywords: str = "") -> frozenset[str]:
    """The flags of the headers Status, X-Status and X-Keywords, as mutt, Dovecot and c-client write them.

    What a sender wrote into a field of that name (`Status: Delivered`) is no flag; above all it deletes nothing.
    """
    letters = "".join(
        value for value, legal in ((status, _STATUS_LETTERS), (x_status, _X_STATUS_LETTERS)) if legal.issuperset(value)
    )
    flags = {_MBOX_LETTERS[letter] for letter in letters if letter in _MBOX_LETTERS}
    return frozenset(flags.union(x_keywords.replace(",", " ").split()))


def maildir_flags(letters: str) -> frozenset[str]:
    """The flags of a Maildir file name's info part, without its `2,`; unknown letters are passed over."""
    return frozenset(_MAILDIR_LETTERS[letter] for letter in letters if letter in _MAILDIR_LETTERS)


def pack(flags: Iterable[str]) -> str:
    """A set of flags as one line of text, for storing: sorted, blank-separated."""
    return " ".join(sorted(flags))


def unpack(text: str) -> frozenset[str]:
    """The set of flags that `pack` made into `text`."""
    return frozenset(text.split()) if text else NO_FLAGS


def folded(flags: Iterable[str]) -> frozenset[str]:
    """All that clients may set of `flags`, case-folded: equal where nobody has changed anything."""
    return frozenset(flag.casefold() for flag in flags) - _SERVERS_OWN


def carried_over(flags: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What `flags` have and `other` lack, of \\Seen, \\Answered, \\Flagged and the keywords, $Forwarded among them."""
    there = folded(other)
    return frozenset(
        flag
        for flag in flags
        if (name := flag.casefold()) not in there
        and (name in _CARRIED if flag.startswith("\\") else name not in _SERVERS_OWN)
    )


def is_taken_away(flag: str, *, forwarded: bool, keywords: bool) -> bool:
    """Whether a flag of the server goes where the PC lacks it.

    `forwarded`, `keywords`: whether the PC's folder can have $Forwarded, and keywords at all.
    """
    name = flag.casefold()
    if name in _CARRIED:
        return True
    if flag.startswith("\\") or name in _NEVER_TAKEN or name in _SERVERS_OWN:
        return False
    return forwarded if name == FORWARDED.casefold() else keywords


def comparable(flags: frozenset[str], *, drafts: bool = False) -> frozenset[str]:
    """What is compared besides \\Seen, case-folded.

    With `drafts` (one of the two copies lies in a folder of role drafts) \\Draft is left aside: the PC's
    stores say it by the folder, servers by the flag.
    """
    folded = {flag.casefold() for flag in flags} - _NOT_COMPARED
    if drafts:
        folded.discard(DRAFT.casefold())
    return frozenset(folded)
