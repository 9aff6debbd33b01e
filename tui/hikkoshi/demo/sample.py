"""The sample: a Thunderbird profile and a server account with the same mail, but for differences of every kind.

Deterministic. Each difference is planted here by hand and counted as it is planted, so that a comparison can be
held against `Expected`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hikkoshi.demo.letters import Letter, compose
from hikkoshi.demo.mailboxes import KIB, Account, Draft
from hikkoshi.demo.office import Office
from hikkoshi.demo.profile_writer import LocalMail, SummaryFile, write_folder, write_popstate, write_profile
from hikkoshi.demo.texts import OWNER, PROJECTS, QUOTATIONS
from hikkoshi.mail.flags import ANSWERED, FLAGGED, FORWARDED, NO_FLAGS, SEEN

POP_HOST = "pop.example.co.jp"
PROFILE_NAME = "office.default"

INBOX, SENT, TRASH = "Inbox", "Sent", "Trash"
CUSTOMERS = "取引先"
"""A folder that is on the server only; some of the inbox's mail has been filed there."""

_SEED = 20190401
_AFTER_UPLOAD = 0.82  # of the quota is used once everything missing has been uploaded
_MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Expected:
    """What was planted: counts as in `check --json`, mails and bytes (CRLF form, without bookkeeping headers).

    `profile` is the store's folder. `upload_*`: what is only on the PC or missing in the server's Sent.
    """

    profile: Path
    local_messages: int
    server_messages: int
    only_local: int
    only_server: int
    read_state: int
    flags: int
    elsewhere: int
    sent_gap: int
    duplicates_local: int
    duplicates_server: int
    ambiguous: int
    left_out: int
    upload_messages: int
    upload_bytes: int


@dataclass(slots=True)
class _Mail:
    """One stored mail and where its copies are: folders, '' for none; `facts`: what a comparison shall find."""

    letter: Letter
    local: str = ""
    server: str = ""
    local_flags: frozenset[str] = frozenset({SEEN})
    server_flags: frozenset[str] = frozenset({SEEN})
    facts: tuple[str, ...] = ()
    expunged: bool = False
    partial: bool = False
    raw: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self.raw = compose(self.letter)

    @property
    def when(self) -> int:
        return int(self.letter.when.timestamp())

    @property
    def size(self) -> int:
        """Bytes in CRLF form."""
        return len(self.raw) + self.raw.count(b"\n")


def write_sample(folder: Path, account: Account) -> Expected:
    """Write the profile into `folder` (which need not exist) and fill `account`; set its storage limit to match."""
    office = Office(_SEED)
    inbox = office.received(178)
    mails = [
        *_inbox(inbox),
        *_sent(office.sent(96, inbox)),
        *_own_folder(office.received(52, QUOTATIONS), QUOTATIONS, missing=14),
        *_own_folder(office.received(46, PROJECTS), PROJECTS, missing=10),
        *_trash(office.received(12)),
        *_only_on_server(office),
    ]
    profile = _write_local(folder, mails)
    _fill(account, mails)
    upload = [mail for mail in mails if {"only_local", "sent_gap"} & set(mail.facts)]
    size = sum(mail.size for mail in upload)
    limit = int((account.used_bytes + size) / _AFTER_UPLOAD)
    account.storage_limit = -(-limit // _MIB) * KIB
    return _expected(profile, mails, upload, size)


def _both(letters: Iterable[Letter], folder: str, server: str) -> list[_Mail]:
    return [_Mail(letter, folder, server) for letter in letters]


def _inbox(letters: Sequence[Letter]) -> list[_Mail]:
    """The PC has everything; the server lacks what POP took away in the first years and last month, and filed some.

    A few of each kind are among the newest, where a screen opens.
    """
    mails = _both(letters, INBOX, "INBOX")
    for mail in mails[:34] + mails[-16:-10]:
        _keep_local(mail)
    for at in (17, 41, 42):  # no Message-ID: one only on the PC, two on both sides
        mails[at] = _without_id(mails[at])
    for mail in mails[60:62] + mails[-24:-21]:
        mail.server, mail.facts = CUSTOMERS, ("elsewhere",)
    for mail in mails[70:74] + mails[-9:-6]:  # read here, unread there
        mail.server_flags, mail.facts = NO_FLAGS, ("read_state",)
    for mail in (mails[80], mails[-10]):  # read on the phone, unread here
        mail.local_flags, mail.facts = NO_FLAGS, ("read_state",)
    for mail, flag in zip((mails[90], *mails[-20:-18]), (FLAGGED, ANSWERED, "$label1"), strict=True):
        mail.local_flags, mail.facts = frozenset({SEEN, flag}), ("flags",)
    mails[94].server_flags, mails[94].facts = frozenset({SEEN, FLAGGED}), ("flags",)
    for mail, flag in zip(mails[100:112:2], (FLAGGED, ANSWERED, FORWARDED) * 2, strict=True):
        mail.local_flags = mail.server_flags = frozenset({SEEN, flag})
    for mail in mails[-6:]:  # new, on both sides
        mail.local_flags = mail.server_flags = NO_FLAGS
    copies = [
        _Mail(mails[120].letter, local=INBOX, facts=("duplicates_local",)),
        _Mail(mails[121].letter, local=INBOX, facts=("duplicates_local",)),
        _Mail(mails[122].letter, server="INBOX", facts=("duplicates_server",)),
    ]
    for mail in mails[130:134]:  # deleted on the PC, not compacted; on the server they have been deleted, too
        mail.expunged, mail.server = True, ""
    mails[140].partial, mails[140].facts = True, ("left_out",)
    return mails + copies


def _sent(letters: Sequence[Letter]) -> list[_Mail]:
    """Much of what was sent is on the PC alone; a copy of two went into the server's inbox instead."""
    mails = _both(letters, SENT, "Sent")
    for mail in mails[:22]:
        _keep_local(mail, "sent_gap")
    for mail in mails[-3:]:
        _keep_local(mail, "sent_gap")
    for mail in mails[50:52]:
        mail.server, mail.facts = "INBOX", ("elsewhere", "sent_gap")
    mails[60] = _without_id(mails[60])
    return mails


def _own_folder(letters: Sequence[Letter], folder: str, missing: int) -> list[_Mail]:
    mails = _both(letters, folder, folder)
    for mail in mails[:missing]:
        _keep_local(mail)
    return mails


def _trash(letters: Sequence[Letter]) -> list[_Mail]:
    mails = _both(letters, TRASH, "Trash")
    for number, mail in enumerate(mails):
        mail.facts = ("left_out",)
        if number % 3:
            mail.server = ""
    return mails


def _only_on_server(office: Office) -> list[_Mail]:
    """What came since the PC last looked, and what was sent from the phone."""
    new = [_Mail(letter, server="INBOX", server_flags=NO_FLAGS) for letter in office.received(7)]
    phone = [_Mail(letter, server="Sent") for letter in office.sent(2, [mail.letter for mail in new])]
    for mail in new + phone:
        mail.facts = ("only_server",)
    return new + phone


def _keep_local(mail: _Mail, *facts: str) -> None:
    mail.server, mail.facts = "", ("only_local", *facts)


def _without_id(mail: _Mail) -> _Mail:
    return replace(mail, letter=replace(mail.letter, message_id=""))


def _write_local(folder: Path, mails: Sequence[_Mail]) -> Path:
    profile = folder / "Profiles" / PROFILE_NAME
    mail_folder = write_profile(profile, OWNER.address, POP_HOST, OWNER.name)
    (folder / "profiles.ini").write_text(
        f"[Profile0]\nName=office\nIsRelative=1\nPath=Profiles/{PROFILE_NAME}\nDefault=1\n\n[General]\nVersion=2\n",
        encoding="utf-8",
    )
    uidls: list[str] = []
    for name, summary in (
        (INBOX, SummaryFile.FRESH),
        (SENT, SummaryFile.NONE),
        (QUOTATIONS, SummaryFile.FRESH),
        (PROJECTS, SummaryFile.STALE),
        (TRASH, SummaryFile.NONE),
    ):
        stored = []
        for mail in (mail for mail in mails if mail.local == name):
            uidl = "" if name == SENT else f"{len(uidls) + 1:08x}5ca1ab1e"
            uidls += [uidl] if uidl else []
            stored.append(_local_mail(mail, uidl, summary))
        write_folder(mail_folder / name, stored, summary, modified=max(mail.when for mail in stored))
    (mail_folder / "Unsent Messages").touch()
    newest = max(mail.when for mail in mails)
    write_popstate(mail_folder, POP_HOST, OWNER.address, uidls, newest)
    return profile


def _local_mail(mail: _Mail, uidl: str, summary: SummaryFile) -> LocalMail:
    """Thunderbird marks mail as read in a fresh summary alone; the mbox goes on saying that it is new."""
    raw = mail.raw
    if mail.partial:
        raw = raw[: raw.index(b"\n\n") + 2]
    fresh = summary is SummaryFile.FRESH
    written = mail.local_flags - {SEEN} if fresh else mail.local_flags
    return LocalMail(raw, mail.when, mail.local_flags, written, uidl, mail.expunged, mail.partial)


def _fill(account: Account, mails: Sequence[_Mail]) -> None:
    for name in (CUSTOMERS, QUOTATIONS, PROJECTS):
        account.create(name)
        account.subscribed.add(name)
    for mail in sorted((mail for mail in mails if mail.server), key=lambda mail: mail.when):
        account.append(mail.server, [Draft(mail.raw, mail.server_flags, mail.when)])


def _expected(profile: Path, mails: Sequence[_Mail], upload: Sequence[_Mail], upload_bytes: int) -> Expected:
    found = Counter(fact for mail in mails for fact in mail.facts)
    counted = ("only_local", "only_server", "read_state", "flags", "elsewhere", "sent_gap", "duplicates_local")
    return Expected(
        profile=profile,
        local_messages=sum(1 for mail in mails if mail.local and not mail.expunged),
        server_messages=sum(1 for mail in mails if mail.server),
        **{fact: found[fact] for fact in counted},
        duplicates_server=found["duplicates_server"],
        ambiguous=0,
        left_out=found["left_out"],
        upload_messages=len(upload),
        upload_bytes=upload_bytes,
    )
