"""What is read of Thunderbird's mboxes when they or their summaries changed."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikkoshi.local.mboxes import MboxStore
from support.following import Follower, scanned
from support.profile import Mail, MailFolder, write_mbox_folder

SEEN, FLAGGED = "\\Seen", "\\Flagged"


class Box:
    """An mbox with a summary beside it, written again and again; only its times tell that it was."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = MailFolder(("Inbox",), (mail(0), mail(1), mail(2)))
        self.writes = self.changes = 0
        self.content = b""
        self.write()
        self.store = MboxStore(root)
        self.follower = Follower()
        self.follower.look(self.store)

    def write(self) -> None:
        self.writes += 1
        box = write_mbox_folder(self.root, self.folder)
        summary = box.with_name("Inbox.msf")
        if (content := box.read_bytes()) != self.content:
            # What is in it changed, and so did its time, though the second may be the same.
            self.content, self.changes = content, self.changes + 1
        os.utime(box, ns=(0, int(box.stat().st_mtime) * 10**9 + self.changes))
        if self.folder.msf == "missing":
            summary.unlink(missing_ok=True)
        else:
            os.utime(summary, ns=(self.writes, self.writes))

    def change(self, number: int, **more: object) -> None:
        mails = list(self.folder.mails)
        mails[number] = replace(mails[number], **more)  # type: ignore[arg-type]
        self.folder = replace(self.folder, mails=tuple(mails))

    def add(self, added: Mail) -> None:
        self.folder = replace(self.folder, mails=(*self.folder.mails, added))

    def look(self) -> list[str]:
        """The places that are read anew; what is known afterwards is what a scan finds."""
        self.write()
        self.follower.look(self.store)
        assert self.follower.messages == scanned(self.store)
        return self.follower.read

    def flags(self) -> list[set[str]]:
        messages = sorted(self.follower.messages.values(), key=lambda message: int(message.place.partition(":")[0]))
        return [set(message.flags) for message in messages]


def mail(number: int, **more: object) -> Mail:
    return Mail(b"Message-ID: <%d@x>\nSubject: %d\n\ntext\n" % (number, number), **more)  # type: ignore[arg-type]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_flags_that_only_the_summary_has_are_told_without_reading_the_mbox(box: Box) -> None:
    box.change(1, summary=0x1)
    box.change(2, summary=0x4, summary_keywords="work")

    assert box.look() == []
    assert box.flags() == [set(), {SEEN}, {FLAGGED, "work"}]


def test_a_mail_that_left_the_summary_is_gone(box: Box) -> None:
    box.change(1, listed=False)

    assert box.look() == []
    assert len(box.flags()) == 2


def test_a_mail_that_came_back_into_the_summary_is_read(box: Box) -> None:
    box.change(1, listed=False)
    box.look()
    box.change(1, listed=True)

    assert len(box.look()) == 3


def test_of_a_grown_mbox_with_a_summary_flags_are_told_and_the_new_is_read(box: Box) -> None:
    box.change(0, summary=0x1)
    box.change(2, summary=0x4)
    box.add(mail(3, summary=0x1))

    assert len(box.look()) == 2  # the last one that was known has other flags
    assert box.flags()[0] == {SEEN}


def test_the_last_known_mail_deleted_while_others_came(box: Box) -> None:
    box.change(2, listed=False)
    box.add(mail(3))

    assert len(box.look()) == 1
    assert len(box.flags()) == 3


@pytest.mark.parametrize("msf", ["stale", "missing", "broken"])
def test_without_the_summary_the_headers_are_read_and_then_the_summary_again(box: Box, msf: str) -> None:
    box.change(1, summary=0x1)
    box.look()
    box.folder = replace(box.folder, msf=msf)  # type: ignore[arg-type]
    assert len(box.look()) == 3
    assert box.flags() == [set(), set(), set()]
    box.folder = replace(box.folder, msf="fresh")
    assert len(box.look()) == 3
    assert box.flags() == [set(), {SEEN}, set()]


STEPS = st.one_of(
    st.tuples(st.just("flags"), st.integers(0, 9), st.sampled_from([0, 1, 4, 5, 0x400])),
    st.tuples(st.just("listed"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("msf"), st.sampled_from(["fresh", "fresh", "stale", "missing"]), st.none()),
    st.tuples(st.just("add"), st.sampled_from([0, 1, 8]), st.booleans()),
    st.tuples(st.just("compact"), st.none(), st.none()),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=st.lists(st.lists(STEPS, max_size=4), max_size=5))
def test_whatever_thunderbird_does_a_follower_has_what_a_scan_finds(
    tmp_path_factory: pytest.TempPathFactory, looks: list[list[tuple[str, object, object]]]
) -> None:
    box = Box(tmp_path_factory.mktemp("box"))
    for steps in looks:
        for step, which, value in steps:
            many = len(box.folder.mails)
            if step == "add":
                box.add(mail(many, status=which, listed=value))
            elif step == "msf":
                box.folder = replace(box.folder, msf=which)  # type: ignore[arg-type]
            elif step == "compact":
                kept = [kept for kept in box.folder.mails if kept.in_summary]
                box.folder = replace(box.folder, mails=tuple(kept) or (mail(0),))
            elif step == "flags":
                box.change(which % many, summary=value)  # type: ignore[operator]
            else:
                box.change(which % many, listed=value)  # type: ignore[operator]
        box.look()


def test_without_a_summary_a_mail_deleted_in_place_is_seen_although_the_file_has_grown(tmp_path: Path) -> None:
    big = b"Message-ID: <big@x>\nSubject: big\n\n" + b"text\n" * 40_000
    store_mails = [mail(0), Mail(big), *map(mail, range(1, 4)), Mail(big.replace(b"big", b"end"))]
    box = Box(tmp_path)
    box.folder = replace(box.folder, mails=tuple(store_mails), msf="missing")
    box.look()
    path = tmp_path / "Inbox"
    content = path.read_bytes()
    at = content.index(b"X-Mozilla-Status: 0000", content.index(b"<big@x>"))
    path.write_bytes(
        content[:at] + b"X-Mozilla-Status: 0008" + content[at + 22 :] + content[: content.index(b"From ", 5)]
    )

    box.follower.look(box.store)

    assert box.follower.messages == scanned(box.store)
    assert len(box.follower.messages) == len(store_mails)
