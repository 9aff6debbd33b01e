"""What is written reads back, through the very readers that a user's own profile goes through."""

from pathlib import Path

import pytest

from hikkoshi.demo.profile_writer import LocalMail, SummaryFile, write_folder, write_profile
from hikkoshi.local.detect import open_store
from hikkoshi.local.store import LocalStore
from hikkoshi.mail.flags import ANSWERED, FLAGGED, FORWARDED, NO_FLAGS, SEEN
from hikkoshi.mail.folders import Folder
from hikkoshi.mail.message import Message

WHEN = 1_600_000_000


def mail(number: int, flags: frozenset[str] = NO_FLAGS, **more: bool) -> LocalMail:
    raw = b"Subject: a) $b \\ %d\nMessage-ID: <%d@example.jp>\n\nFrom me\n>From you\n" % (number, number)
    return LocalMail(raw, WHEN, flags, NO_FLAGS, uidl=f"u{number}", **more)


def scanned(store: LocalStore) -> tuple[Folder, list[Message]]:
    folder = next(folder for folder in store.folders() if folder.name == "見積")
    return folder, list(store.scan(folder, []))


def test_flags_keywords_and_liveness_are_told_by_a_fresh_summary(tmp_path: Path) -> None:
    flags = frozenset({SEEN, ANSWERED, FLAGGED, FORWARDED, "$label1", "work"})
    account = write_profile(tmp_path / "p", "a@example.jp", "pop.example.jp", "A")
    write_folder(account / "見積", [mail(1, flags), mail(2, expunged=True), mail(3)], SummaryFile.FRESH, WHEN)
    _, messages = scanned(open_store(tmp_path / "p", login="a@example.jp"))

    assert [message.flags for message in messages] == [flags, NO_FLAGS]


def test_a_stale_summary_is_not_believed(tmp_path: Path) -> None:
    account = write_profile(tmp_path / "p", "a@example.jp", "pop.example.jp", "A")
    write_folder(account / "見積", [mail(1, frozenset({SEEN})), mail(2)], SummaryFile.STALE, WHEN)
    _, messages = scanned(open_store(tmp_path / "p", login="a@example.jp"))

    assert [message.flags for message in messages] == [NO_FLAGS, NO_FLAGS]


@pytest.mark.parametrize("summary", list(SummaryFile))
def test_the_bytes_of_a_mail_come_back(tmp_path: Path, summary: SummaryFile) -> None:
    account = write_profile(tmp_path / "p", "a@example.jp", "pop.example.jp", "A")
    write_folder(account / "見積", [mail(1), mail(2, partial=True)], summary, WHEN)
    store = open_store(tmp_path / "p", login="a@example.jp")
    folder, messages = scanned(store)
    stored = store.read(folder, messages[0].place)

    assert stored.endswith(mail(1).raw)
    assert b"X-UIDL: u1\n" in stored
    assert [message.partial for message in messages] == [False, True]
