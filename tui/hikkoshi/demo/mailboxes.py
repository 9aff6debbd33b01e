"""An IMAP account in memory: folders, messages, quota. It knows nothing of connections or syntax."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hikkoshi.demo.replies import No

INBOX = "INBOX"
DELIMITER = "/"
KIB = 1024

_BARE_LF = re.compile(rb"(?<!\r)\n")


@dataclass(slots=True)
class StoredMail:
    """One message: `content` in CRLF form, `flags` as spelt by the client, `when` in seconds since 1970 UTC.

    `modseq`: when it came or its flags last changed, by the count of its folder (RFC 7162 section 3.1).
    """

    uid: int
    content: bytes
    flags: frozenset[str]
    when: int
    modseq: int

    def has(self, flag: str) -> bool:
        """Whether it carries `flag`; flags and keywords fold case."""
        return flag.casefold() in {each.casefold() for each in self.flags}


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way in: `when` None means now."""

    content: bytes
    flags: frozenset[str] = frozenset()
    when: int | None = None


@dataclass(slots=True)
class Mailbox:
    """One folder. `attribute`: its special use such as '\\Sent', or ''.

    `highest`: HIGHESTMODSEQ, raised by whatever changes mail; `gone`: UID -> mod-sequence of its removal.
    """

    name: str
    uidvalidity: int
    attribute: str = ""
    uidnext: int = 1
    messages: dict[int, StoredMail] = field(default_factory=dict)
    highest: int = 1
    gone: dict[int, int] = field(default_factory=dict)

    def add(self, draft: "Draft", now: int) -> StoredMail:
        """Store a message whose content is in CRLF form already."""
        self.highest += 1
        when = now if draft.when is None else draft.when
        mail = StoredMail(self.uidnext, draft.content, draft.flags, when, self.highest)
        self.messages[mail.uid] = mail
        self.uidnext += 1
        return mail

    def set_flags(self, changes: Iterable[tuple[StoredMail, frozenset[str]]]) -> None:
        """Give messages their flags, all at one mod-sequence; flags that are as they were change nothing."""
        changed = [(mail, flags) for mail, flags in changes if mail.flags != flags]
        self.highest += bool(changed)
        for mail, flags in changed:
            mail.flags, mail.modseq = flags, self.highest

    def remove(self, uids: Sequence[int]) -> None:
        """Remove messages for ever, and remember which."""
        self.highest += bool(uids)
        for uid in uids:
            del self.messages[uid]
            self.gone[uid] = self.highest

    @property
    def size(self) -> int:
        """Bytes of all messages."""
        return sum(len(mail.content) for mail in self.messages.values())

    def unseen(self) -> int:
        """How many messages have not been read."""
        return sum(1 for mail in self.messages.values() if not mail.has("\\Seen"))


class Account:
    """A user's mail. `storage_limit` in KiB and `message_limit` in messages; None: no such limit.

    `max_mail`: bytes of the largest message taken. Sizes are counted in CRLF form and the sum is rounded up to
    whole KiB, as Dovecot does. Refusals are `No`, in Dovecot's words.
    """

    quota_root = "User quota"

    def __init__(
        self,
        user: str,
        password: str,
        storage_limit: int | None = None,
        message_limit: int | None = None,
        max_mail: int | None = None,
    ) -> None:
        self.user = user
        self.password = password
        self.storage_limit = storage_limit
        self.message_limit = message_limit
        self.max_mail = max_mail
        self.mailboxes: dict[str, Mailbox] = {}
        self.subscribed: set[str] = set()
        # Nothing outlives the process, so no UID of an earlier run may seem to mean a message of this one.
        self._next_uidvalidity = int(time.time())
        for name, attribute in ((INBOX, ""), ("Drafts", "\\Drafts"), ("Sent", "\\Sent"), ("Trash", "\\Trash")):
            self.create(name, attribute)
            self.subscribed.add(name)

    def create(self, name: str, attribute: str = "") -> Mailbox:
        """Make the folder `name` (decoded, levels divided by '/'); parents need not exist."""
        name = canonical(name)
        if not name or any(level == "" for level in name.split(DELIMITER)) or "*" in name or "%" in name:
            raise No(f"Invalid mailbox name: {name}", "CANNOT")
        if name in self.mailboxes:
            raise No("Mailbox already exists", "ALREADYEXISTS")
        self._next_uidvalidity += 1
        made = self.mailboxes[name] = Mailbox(name, self._next_uidvalidity, attribute)
        return made

    def delete(self, name: str) -> None:
        """Remove a folder and its mail; its children stay."""
        if canonical(name) == INBOX:
            raise No("INBOX can't be deleted.", "CANNOT")
        del self.mailboxes[self.get(name).name]

    def rename(self, old: str, new: str) -> None:
        """Give a folder and its children another name; the mail keeps its UIDs."""
        old, new = canonical(old), canonical(new)
        if old == INBOX:
            raise No("Renaming INBOX isn't supported.", "CANNOT")
        moved = {name: new + name[len(old) :] for name in self.mailboxes if _is_or_is_below(name, old)}
        if not moved:
            raise No(f"Mailbox doesn't exist: {old}", "NONEXISTENT")
        if any(name in self.mailboxes and name not in moved for name in moved.values()):
            raise No("Target mailbox already exists", "ALREADYEXISTS")
        if _is_or_is_below(new, old) or not new.strip(DELIMITER):
            raise No("Can't rename mailbox under itself.", "CANNOT")
        taken = {name: self.mailboxes.pop(name) for name in moved}
        for name, mailbox in taken.items():
            mailbox.name = moved[name]
            self.mailboxes[mailbox.name] = mailbox

    def get(self, name: str, code: str = "NONEXISTENT") -> Mailbox:
        """The folder `name`; a No with response code `code` where there is none."""
        found = self.mailboxes.get(canonical(name))
        if found is None:
            raise No(f"Mailbox doesn't exist: {name}", code)
        return found

    def names(self) -> Iterator[tuple[str, Mailbox | None]]:
        """Every folder in order, and with None the levels that only stand above others."""
        listed: dict[str, Mailbox | None] = {}
        for name in sorted(self.mailboxes):
            levels = name.split(DELIMITER)
            for depth in range(1, len(levels)):
                parent = DELIMITER.join(levels[:depth])
                listed.setdefault(parent, self.mailboxes.get(parent))
            listed[name] = self.mailboxes[name]
        yield from listed.items()

    def has_children(self, name: str) -> bool:
        """Whether any folder is below `name`."""
        return any(each.startswith(name + DELIMITER) for each in self.mailboxes)

    @property
    def used_bytes(self) -> int:
        """Bytes of all mail, Trash included."""
        return sum(mailbox.size for mailbox in self.mailboxes.values())

    @property
    def used_storage(self) -> int:
        """KiB of all mail, rounded up once."""
        return -(-self.used_bytes // KIB)

    @property
    def used_messages(self) -> int:
        """Messages in all folders."""
        return sum(len(mailbox.messages) for mailbox in self.mailboxes.values())

    def check_room(self, sizes: Sequence[int]) -> None:
        """Raise No where messages of these sizes (bytes) would not be taken."""
        if 0 in sizes:
            raise No("Can't save a zero byte message")
        if self.max_mail is not None and any(size > self.max_mail for size in sizes):
            raise No("Mail size is larger than the maximum size allowed by server configuration", "LIMIT")
        storage = -(-(self.used_bytes + sum(sizes)) // KIB)
        messages = self.used_messages + len(sizes)
        if (self.storage_limit is not None and storage > self.storage_limit) or (
            self.message_limit is not None and messages > self.message_limit
        ):
            raise No("Quota exceeded (mailbox for user is full)", "OVERQUOTA")

    def append(self, name: str, drafts: Iterable[Draft]) -> tuple[Mailbox, list[StoredMail]]:
        """Store all of `drafts` or, with a No, none. Bare LF becomes CRLF and NUL 0x80, as on Dovecot."""
        mailbox = self.get(name, "TRYCREATE")
        ready = [replace(draft, content=_stored_form(draft.content)) for draft in drafts]
        self.check_room([len(draft.content) for draft in ready])
        now = int(time.time())
        return mailbox, [mailbox.add(draft, now) for draft in ready]


def canonical(name: str) -> str:
    """A folder's name with INBOX in capitals and without a delimiter at its end (RFC 3501 sections 5.1, 6.3.3)."""
    first, *rest = name.removesuffix(DELIMITER).split(DELIMITER)
    return DELIMITER.join([INBOX if first.upper() == INBOX else first, *rest])


def _is_or_is_below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + DELIMITER)


def _stored_form(content: bytes) -> bytes:
    return _BARE_LF.sub(b"\r\n", content).replace(b"\x00", b"\x80")
