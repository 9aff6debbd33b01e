"""Folders of either side: their names, their roles, and what is left out of a comparison."""

import unicodedata
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a folder is for. The values are the ones of `check --json`."""

    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    ARCHIVE = "archive"
    ALL = "all"
    JUNK = "junk"
    TRASH = "trash"
    OUTBOX = "outbox"
    TEMPLATES = "templates"
    NONE = "none"


LEFT_OUT = frozenset({Role.TRASH, Role.JUNK, Role.OUTBOX, Role.TEMPLATES})
"""Roles whose mail is listed but not compared."""

# RFC 6154 section 2, and XLIST's \Inbox and \Spam. Compared case-folded: Cyrus answers `\sent`.
SPECIAL_USE = {
    "\\inbox": Role.INBOX,
    "\\sent": Role.SENT,
    "\\drafts": Role.DRAFTS,
    "\\archive": Role.ARCHIVE,
    "\\all": Role.ALL,
    "\\junk": Role.JUNK,
    "\\spam": Role.JUNK,
    "\\trash": Role.TRASH,
}

# What clients and providers call them: Thunderbird (names and its Japanese titles, comm/mail/locales ja
# messenger.properties), Outlook, Outlook Express, Windows Live Mail, Becky!, Apple Mail, Gmail, Yahoo! JAPAN.
_NAMES: dict[Role, tuple[str, ...]] = {
    Role.INBOX: ("inbox", "受信トレイ", "受信箱", "受信ボックス", "受信"),
    Role.SENT: (
        "sent", "sent items", "sent messages", "sent mail", "sent-mail", "sentmail", "sent objects",
        "送信済み", "送信済みトレイ", "送信済みメール", "送信済みアイテム", "送信済みメッセージ", "送信済",
        "送信済みボックス", "送信控え", "送信箱",
    ),
    Role.DRAFTS: ("drafts", "draft", "下書き", "草稿", "下書きトレイ"),
    Role.ARCHIVE: ("archive", "archives", "アーカイブ"),
    Role.ALL: ("all mail", "すべてのメール"),
    Role.JUNK: (
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail",
        "迷惑メール", "迷惑メールトレイ", "スパム",
    ),
    Role.TRASH: (
        "trash", "deleted items", "deleted messages", "deleted",
        "ごみ箱", "ゴミ箱", "削除済みアイテム", "削除済みメッセージ",
    ),
    Role.OUTBOX: ("outbox", "unsent messages", "unsent", "送信トレイ", "送信待ち"),
    Role.TEMPLATES: ("templates", "template", "テンプレート", "ひな形", "雛形"),
}  # fmt: skip


def fold(name: str) -> str:
    """`name` for comparing: NFKC (half-width kana, full-width Latin, macOS's decomposed names), case-folded."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


_ROLE_OF = {fold(name): role for role, names in _NAMES.items() for name in names}


def role_by_name(name: str) -> Role:
    """The role that a folder called `name` (one level, no delimiters) has by custom, else `Role.NONE`."""
    return _ROLE_OF.get(fold(name), Role.NONE)


def role_by_attributes(attributes: frozenset[str]) -> Role:
    """The role that LIST attributes such as `\\Sent` give (RFC 6154), else `Role.NONE`."""
    for attribute in sorted(attributes):
        if role := SPECIAL_USE.get(attribute.casefold()):
            return role
    return Role.NONE


class Folder(msgspec.Struct, frozen=True):
    """One mailbox of one side.

    `name` is what users see and type and is unique within its side; `path` is its levels, outermost first,
    decoded, without account name or namespace prefix (a level may contain the side's delimiter on the other
    side); `native` is how the side itself finds it: a file path on this PC, the decoded mailbox name on the
    server. `account` is the local account that it belongs to ('' on the server).
    """

    name: str
    path: tuple[str, ...]
    role: Role
    native: str
    account: str = ""
    selectable: bool = True

    @property
    def left_out(self) -> bool:
        """Whether its mail is listed but not compared."""
        return self.role in LEFT_OUT


def is_text(name: str) -> bool:
    """Whether a name from the disk is text in UTF-8, and not what an old system wrote in another encoding."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
