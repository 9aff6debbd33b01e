"""A profile and a server account of which every difference is known, because it was planted.

2,000 live mails in 12 folders, three levels deep, Japanese names, summaries fresh, stale and missing. The seed is
fixed. Nothing here is made with the program's own code.
"""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from imapclient import IMAPClient

from support.profile import Account, Mail, MailFolder, local_folders, write_profile

SEEN, FLAGGED, ANSWERED, FORWARDED, LABEL = "\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "$label1"
_BITS = {SEEN: 0x1, ANSWERED: 0x2, FLAGGED: 0x4, FORWARDED: 0x1000}
_FLAG_SETS = ((SEEN,), (SEEN,), (), (SEEN, ANSWERED), (SEEN, FLAGGED), (SEEN, FORWARDED), (SEEN, LABEL))

POP_FOLDERS = (("Inbox",), ("Inbox", "請求書"), ("Sent",), ("Drafts",), ("Templates",), ("Trash",), ("Archives",))
LOCAL_FOLDERS = (("見積",), ("見積", "2024年"), ("見積", "2024年", "東京"), ("Projects",), ("Unsent Messages",))
MSF = {
    ("Inbox",): "fresh", ("Inbox", "請求書"): "stale", ("Sent",): "fresh", ("Drafts",): "missing", ("Templates",): "fresh",
    ("Trash",): "stale", ("Archives",): "missing", ("見積",): "fresh", ("見積", "2024年"): "stale",
    ("見積", "2024年", "東京"): "fresh", ("Projects",): "missing", ("Unsent Messages",): "missing",
}  # fmt: skip
ON_SERVER = {
    ("Inbox",): "INBOX", ("Inbox", "請求書"): "INBOX/請求書", ("Sent",): "Sent", ("Drafts",): "Drafts",
    ("Archives",): "Archive", ("見積",): "見積", ("見積", "2024年"): "見積/2024年",
    ("見積", "2024年", "東京"): "見積/2024年/東京", ("Projects",): "Projects",
}  # fmt: skip
MADE_BY_UPLOAD = ("見積/2024年/東京", "Projects")
"""Server folders that are not there before."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A mail that an upload has to bring: its bytes as they must be on the server, folder, date and flags."""

    token: bytes
    content: bytes
    folder: str
    when: datetime
    flags: frozenset[str]


@dataclass
class Planted:
    """What was planted."""

    profile: Path
    counts: Counter[str] = field(default_factory=Counter)
    uploads: list[Upload] = field(default_factory=list)
    tokens_on_server: Counter[bytes] = field(default_factory=Counter)
    live: int = 0
    server_messages: int = 0


@dataclass(frozen=True, slots=True)
class _Letter:
    token: bytes
    content: bytes
    received: datetime
    date: datetime


class Planter:
    """Writes mail to both sides and keeps the account of it."""

    def __init__(self, client: IMAPClient, root: Path) -> None:
        self._client = client
        self._root = root
        self._random = random.Random(20261123)
        self._local: defaultdict[tuple[str, ...], list[Mail]] = defaultdict(list)
        self._server: defaultdict[str, list[tuple[bytes, tuple[str, ...], datetime]]] = defaultdict(list)
        self._number = 0
        self.planted = Planted(root)

    def plant(self) -> Planted:
        """All of it."""
        for folder in (*POP_FOLDERS, *LOCAL_FOLDERS):
            if folder in ON_SERVER:
                self._compared(folder)
            else:
                self._left_out(folder)
        self._odd_ones()
        while self.planted.live < 2000:
            self._same(("Inbox",))
        self._write()
        return self.planted

    def _compared(self, folder: tuple[str, ...]) -> None:
        there = ON_SERVER[folder] not in MADE_BY_UPLOAD
        for _ in range(90 if there else 0):
            self._same(folder)
        for _ in range(12):
            self._only_local(folder)
        for _ in range(4 if there else 0):
            self._pair(folder, (SEEN,), ())
            self._pair(folder, (), (SEEN,))
            self.planted.counts["read_state"] += 2
        for _ in range(3 if there else 0):
            self._pair(folder, (SEEN,), (SEEN, FLAGGED))
            self._pair(folder, (SEEN, LABEL), (SEEN,))
            self.planted.counts["flags"] += 2
        for _ in range(3):
            self._add_local(folder, self._letter(), (SEEN,), expunged=True)

    def _left_out(self, folder: tuple[str, ...]) -> None:
        for _ in range(20):
            self._add_local(folder, self._letter(), (SEEN,))
            self.planted.counts["left_out"] += 1

    def _odd_ones(self) -> None:
        count = self.planted.counts
        for _ in range(9):
            letter = self._letter()
            self._add_server("INBOX", letter, (SEEN,))
            count["only_server"] += 1
        for _ in range(7):
            letter = self._letter()
            self._add_local(("Inbox",), letter, (SEEN,))
            self._add_server("Archive", letter, (SEEN,))
            count["elsewhere"] += 1
        for _ in range(5):
            # Sent to oneself: the server has it in the inbox alone.
            letter = self._letter()
            self._add_local(("Sent",), letter, (SEEN,))
            self._add_server("INBOX", letter, (SEEN,))
            self._expect(("Sent",), letter, (SEEN,))
            count["elsewhere"] += 1
            count["sent_gap"] += 1
        for _ in range(4):
            letter = self._letter()
            for _copy in range(3):
                self._add_local(("Inbox",), letter, (SEEN,))
            self._add_server("INBOX", letter, (SEEN,))
            count["duplicates_local"] += 2
        for _ in range(3):
            letter = self._letter()
            self._add_local(("Inbox",), letter, (SEEN,))
            self._add_server("INBOX", letter, (SEEN,))
            self._add_server("INBOX", letter, (SEEN,))
            count["duplicates_server"] += 1
        for number in range(6):
            ours = self._letter(message_id=f"used-again-{number}")
            theirs = self._letter(message_id=f"used-again-{number}")
            self._add_local(("Inbox",), ours, (SEEN,))
            self._add_server("INBOX", theirs, (SEEN,))
            count["ambiguous"] += 1
        for _ in range(5):
            self._add_local(("Inbox",), self._letter(), (), partial=True)
            count["left_out"] += 1
        for _ in range(4):
            letter = self._letter(message_id="")
            self._add_local(("Sent",), letter, (SEEN,))
            self._add_server("Sent", letter, (SEEN,))

    def _same(self, folder: tuple[str, ...]) -> None:
        flags = self._random.choice(_FLAG_SETS)
        self._pair(folder, flags, flags)

    def _pair(self, folder: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
        letter = self._letter()
        self._add_local(folder, letter, ours)
        self._add_server(ON_SERVER[folder], letter, theirs)

    def _only_local(self, folder: tuple[str, ...]) -> None:
        letter = self._letter(message_id=None if self._random.random() < 0.8 else "")
        flags = self._random.choice(_FLAG_SETS)
        self._add_local(folder, letter, flags)
        self._expect(folder, letter, flags)
        self.planted.counts["only_local"] += 1
        self.planted.counts["sent_gap"] += folder == ("Sent",)

    def _expect(self, folder: tuple[str, ...], letter: _Letter, flags: tuple[str, ...]) -> None:
        when = letter.date if folder == ("Sent",) else letter.received
        content = letter.content.replace(b"\n", b"\r\n")
        self.planted.uploads.append(Upload(letter.token, content, ON_SERVER[folder], when, frozenset(flags)))

    def _letter(self, message_id: str | None = None) -> _Letter:
        self._number += 1
        number, pick = self._number, self._random
        zone_hour = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=pick.randrange(10 * 365 * 24 * 60))
        received = zone_hour + timedelta(seconds=90)
        token = b"token-%06d-planted" % number
        subject = (
            pick.choice(("Quotation", "=?ISO-2022-JP?B?GyRCOCtAUT1xGyhC?=", "=?UTF-8?B?5Lya6K2w?=")) + f" {number}"
        )
        lines = [
            f"Received: from mx.example.com by mail.example.jp; {format_datetime(received)}",
            f"Received: from pc by mx.example.com; {format_datetime(zone_hour)}",
            f"Date: {format_datetime(zone_hour)}",
            "From: =?UTF-8?B?55Sw5Lit?= <tanaka@example.jp>",
            f"To: suzuki{number % 7}@example.com",
            f"Subject: {subject}",
        ]
        if message_id != "":
            lines.append(f"Message-ID: <{message_id or f'{number}.planted'}@example.jp>")
        lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
        body = [token.decode(), "From here on the plan holds.", ">From there it did not.", "お世話になっております。"]
        body += ["x" * pick.randrange(1, 70) for _ in range(pick.randrange(1, 12))]
        content = "\n".join((*lines, "", *body, "")).encode()
        return _Letter(token, content, received, zone_hour)

    def _add_local(
        self,
        folder: tuple[str, ...],
        letter: _Letter,
        flags: tuple[str, ...],
        *,
        expunged: bool = False,
        partial: bool = False,
    ) -> None:
        bits = sum(_BITS.get(flag, 0) for flag in flags) | (0x400 if partial else 0)
        keywords = LABEL if LABEL in flags else ""
        summary = None
        if MSF[folder] == "fresh" and not expunged and not partial:
            # Thunderbird keeps most read state in the summary alone: the header says nothing of it.
            summary, bits = bits, 0
        elif MSF[folder] == "stale":
            summary = 0x1 if not bits & 1 else 0x0
        mail = Mail(
            letter.content,
            bits | (0x8 if expunged else 0),
            keywords="" if summary is not None and MSF[folder] == "fresh" else keywords,
            summary=summary,
            summary_keywords=keywords,
        )
        self._local[folder].append(mail)
        self.planted.live += not expunged

    def _add_server(self, folder: str, letter: _Letter, flags: tuple[str, ...]) -> None:
        self._server[folder].append((letter.content.replace(b"\n", b"\r\n"), flags, letter.received))
        self.planted.tokens_on_server[letter.token] += 1
        self.planted.server_messages += 1

    def _write(self) -> None:
        def mail_folders(paths: tuple[tuple[str, ...], ...]) -> tuple[MailFolder, ...]:
            return tuple(MailFolder(path, self._local[path], msf=MSF[path]) for path in paths)  # type: ignore[arg-type]

        other = Account("pop3", "mail.example.net", "sato", email="sato@example.net", folders=(
            MailFolder(("Inbox",), [Mail(self._letter().content)]),
        ))  # fmt: skip
        own = Account("pop3", "mail.example.jp", "tanaka", email="tanaka@example.jp", folders=mail_folders(POP_FOLDERS))
        self.planted.profile = write_profile(self._root, (other, own, local_folders(*mail_folders(LOCAL_FOLDERS))))
        for name in ("Sent", "Drafts", "Archive", "INBOX/請求書", "見積", "見積/2024年"):
            if not self._client.folder_exists(name):
                self._client.create_folder(name)
        for name, mails in self._server.items():
            items = [{"msg": content, "flags": list(flags), "date": when} for content, flags, when in mails]
            for start in range(0, len(items), 100):
                self._client.multiappend(name, items[start : start + 100])
