"""What is read of an mbox when it changed: what was appended, the summary alone, or all of it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikkoshi.local import mbox_look
from hikkoshi.local.mboxes import MboxStore
from support.following import Follower, followed, scanned

CLASSIC = b"From a@example.jp Tue Mar  5 10:00:00 2024\n"


def mail(number: int, *, more: bytes = b"", body: bytes = b"text\n") -> bytes:
    return CLASSIC + b"Message-ID: <%d@x>\nSubject: %d\n" % (number, number) + more + b"\n" + body + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box"


def test_an_mbox_as_it_was_costs_no_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(mail(1))
    store = MboxStore(path)
    follower = followed(store)
    monkeypatch.setattr(Path, "open", None)

    assert not follower.look(store)


def test_of_a_grown_mbox_only_what_was_appended_is_read(path: Path) -> None:
    path.write_bytes(b"".join(map(mail, range(50))))
    store = MboxStore(path)
    follower = followed(store)
    with path.open("ab") as file:
        file.write(mail(50) + mail(51))

    assert follower.look(store)
    assert [follower.messages[place].fields[-2:] for place in follower.read] == [b"50", b"51"]
    assert follower.messages == scanned(store)


def test_a_last_mail_that_went_on_takes_its_own_place(path: Path) -> None:
    path.write_bytes(mail(1) + mail(2))
    store = MboxStore(path)
    follower = followed(store)
    with path.open("ab") as file:
        file.write(b"it goes on\n\n" + mail(3))

    assert follower.look(store)
    assert len(follower.read) == 2
    assert follower.messages == scanned(store)


def test_what_only_a_classic_line_began_is_found_again(path: Path) -> None:
    path.write_bytes(mail(1) + CLASSIC + b"no header\n\n")
    store = MboxStore(path)
    follower = followed(store)
    with path.open("ab") as file:
        file.write(mail(3))

    assert follower.look(store)
    assert len(follower.messages) == 3
    assert follower.messages == scanned(store)


@pytest.mark.parametrize(
    "change",
    [
        lambda old: mail(9) + old,
        lambda old: old[: len(old) // 2],
        lambda old: old.replace(b"<0@x>", b"<7@x>") + mail(8),
        lambda old: old.replace(b"<2@x>", b"<7@x>") + mail(8),
        lambda old: b"",
    ],
    ids=["put in front", "cut", "changed in front", "changed behind", "emptied"],
)
def test_what_did_more_than_grow_is_read_afresh(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(b"".join(map(mail, range(3))))
    store = MboxStore(path)
    follower = followed(store)
    path.write_bytes(change(path.read_bytes()))

    assert follower.look(store)
    assert follower.messages == scanned(store)


def test_an_mboxcl_that_grew_is_read_afresh(path: Path) -> None:
    forwarded = b"see\n\n" + mail(7)
    length = b"Content-Length: %d\n" % len(forwarded)
    path.write_bytes(mail(1, more=length, body=forwarded))
    store = MboxStore(path)
    follower = followed(store)
    assert len(follower.messages) == 1
    with path.open("ab") as file:
        file.write(mail(2))  # no length: it is no mboxcl any more

    assert follower.look(store)
    assert len(follower.messages) == 3
    assert follower.messages == scanned(store)


PARTS = st.sampled_from(
    [mail(1), mail(2, body=b"\n\nFrom me\n"), CLASSIC + b"no header\n\n", b"text\n", b"\n", b"Status: RO\n", b"From ",
     mail(3, more=b"X-Status: D\n"), b"half a line"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(growth=st.lists(st.lists(PARTS, max_size=4), min_size=1, max_size=5))
def test_however_it_grows_a_follower_has_what_a_scan_finds(path: Path, growth: list[list[bytes]]) -> None:
    path.write_bytes(mail(0))
    store = MboxStore(path)
    follower = Follower()
    follower.look(store)
    for number, parts in enumerate(growth):
        with path.open("ab") as file:
            file.write(b"".join(parts))
        # Within one second: a mail whose only date is the file's keeps the one that it was first seen with.
        os.utime(path, ns=(0, 1_700_000_000 * 10**9 + number))
        follower.look(store)
        if follower.problems:  # as the index does: it is read again the next time
            follower.stamp = None

        assert follower.messages == scanned(store)


def test_a_large_mbox_is_cut_in_parts_whose_mail_is_all_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox_look, "PART", 1000)
    path.write_bytes(b"".join(map(mail, range(100))))
    store = MboxStore(path)
    look = store.look(store.folders()[0], Follower().known)

    assert look is not None
    assert len(look.units) > 5
    assert followed(store).messages == scanned(store)
    assert len(scanned(store)) == 100
