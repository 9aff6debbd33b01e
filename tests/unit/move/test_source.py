"""The bytes of a mail, read anew just before they go."""

import tracemalloc
from pathlib import Path

import pytest
from msgspec.structs import replace

from hikkoshi.errors import LocalChanged
from hikkoshi.ledger.records import Mended
from hikkoshi.local.detect import open_store
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.identity import canonical_digest, identify
from hikkoshi.mail.message import Message
from hikkoshi.mail.repairs import Repair
from hikkoshi.move import source
from hikkoshi.move.source import Parcel, pack_parcel
from support.moving import mail, uploaded, write_mbox

FIELDS = "X-Mozilla-Status: 0001\nContent-Length: 5\n"


def packed(path: Path, change: object = None) -> Parcel:
    """The first mail of an mbox, scanned, then the file changed by `change`, then packed."""
    store = open_store(path)
    [folder] = store.folders()
    [message, *_] = list(store.scan(folder, []))
    if callable(change):
        message = change(message) or message
    return pack_parcel(store, folder, message)


def test_what_goes_up_is_what_was_stored(tmp_path: Path) -> None:
    write_mbox(tmp_path / "Inbox", [mail("one", fields=FIELDS, body=">From x\n\r bare\n")])

    parcel = packed(tmp_path / "Inbox")

    assert parcel.kept == uploaded(mail("one", body="From x\n\r bare\n"))
    assert b"".join(parcel.chunks()) == parcel.kept
    assert parcel.digest == canonical_digest(parcel.kept)
    assert (parcel.dated.when, parcel.dated.source) == (1_704_196_800, "received")


@pytest.mark.parametrize(
    "other",
    [
        mail("two"),  # another mail at the same place
        mail("one", body="hello, longer\n"),
        mail("one", body="hell\n"),
        b"",
    ],
)
def test_a_mail_that_is_no_longer_the_one_that_was_listed_is_not_sent(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one")])

    with pytest.raises(LocalChanged):
        packed(path, lambda _message: write_mbox(path, [other] if other else []))


def test_a_size_or_fields_that_do_not_fit_are_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one")])

    def larger(message: Message) -> Message:
        return replace(message, size=message.size + 1)

    def renamed(message: Message) -> Message:
        return replace(message, fields=message.fields.replace(b"one", b"eno"))

    for change in (larger, renamed):
        with pytest.raises(LocalChanged, match="it changed on this PC"):
            packed(path, change)


def test_a_file_that_is_gone_is_an_oserror(tmp_path: Path) -> None:
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one")])

    with pytest.raises(OSError):  # noqa: PT011 - the system's own
        packed(path, lambda _message: path.unlink())


def test_a_large_mail_is_read_again_and_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = ">From x\n" + "0123456789" * 7 + "\n"
    write_mbox(tmp_path / "Inbox", [mail("large", fields=FIELDS, body=body * 500_000)])
    store = open_store(tmp_path / "Inbox")
    [folder] = store.folders()
    [message] = list(store.scan(folder, []))

    tracemalloc.start()
    parcel = pack_parcel(store, folder, message)
    size = sum(map(len, parcel.chunks()))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert parcel.kept is None
    assert size == parcel.size == message.size > 40_000_000
    assert peak < 8 << 20
    assert parcel.digest == canonical_digest(b"".join(parcel.chunks()))
    assert b"".join(parcel.chunks()) == upload_form(store.read(folder, message.place), mbox=True)


@pytest.mark.parametrize("change", [(b"hello", b"HELLO"), (b"hello", b"hell"), (b"hello", b"hello!")])
def test_a_large_mail_that_changes_before_it_is_sent_is_not_given_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[bytes, bytes]
) -> None:
    monkeypatch.setattr(source, "KEPT", 10)
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one")])
    parcel = packed(path)
    path.write_bytes(path.read_bytes().replace(*change))

    pieces: list[bytes] = []
    with pytest.raises(LocalChanged):
        pieces.extend(parcel.chunks())
    assert sum(map(len, pieces)) < parcel.size


EIGHT_BIT = "X-Note: 見積\nX-Mozilla-Status: 0000\nX-Keys:\nReturn-Receipt-To: a@example.com\n"
MENDED = b"X-Note: =?utf-8?B?6KaL56mN?=\nX-Return-Receipt-To: a@example.com\n"


def mended(path: Path, *repairs: Repair) -> Parcel:
    store = open_store(path)
    [folder] = store.folders()
    [message, *_] = list(store.scan(folder, []))
    return pack_parcel(store, folder, message, frozenset(repairs))


@pytest.mark.parametrize("kept", [1 << 20, 10])
def test_what_was_chosen_is_mended_and_the_original_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(source, "KEPT", kept)
    write_mbox(tmp_path / "Inbox", [mail("one", fields=EIGHT_BIT, body="a\rb\n")])
    plain = packed(tmp_path / "Inbox")

    parcel = mended(tmp_path / "Inbox", *Repair)

    expected = uploaded(mail("one", body="a\nb\n")).replace(b"Received:", uploaded(MENDED) + b"Received:", 1)
    assert b"".join(parcel.chunks()) == expected
    assert b"".join(parcel.chunks()) == expected, "a large mail is read each time"
    assert (parcel.size, parcel.digest) == (len(expected), canonical_digest(expected))
    assert (parcel.kept is None) == (kept == 10)
    assert parcel.repairs == {
        Repair.ENCODE_HEADERS,
        Repair.DROP_EMPTY_FIELDS,
        Repair.BARE_RETURNS,
        Repair.HOLD_RECEIPTS,
    }
    assert parcel.mended == Mended(len(expected), parcel.fields, plain.size, plain.digest)
    assert parcel.risky
    assert (plain.repairs, plain.mended) == (frozenset(), None)
    assert plain.found == parcel.found


def test_a_mail_that_needs_nothing_is_not_touched_whatever_was_chosen(tmp_path: Path) -> None:
    write_mbox(tmp_path / "Inbox", [mail("one")])

    parcel = mended(tmp_path / "Inbox", *Repair)

    assert parcel.kept == uploaded(mail("one"))
    assert (parcel.repairs, parcel.mended, parcel.risky) == (frozenset(), None, False)


def test_read_mail_may_ask_for_its_receipt(tmp_path: Path) -> None:
    fields = "X-Mozilla-Status: 0001\nReturn-Receipt-To: a@example.com\n"
    write_mbox(tmp_path / "Inbox", [mail("one", fields=fields)])

    assert b"".join(mended(tmp_path / "Inbox", *Repair).chunks()).startswith(b"Return-Receipt-To")


def test_the_fields_that_are_sent_are_those_of_the_mended_mail(tmp_path: Path) -> None:
    write_mbox(tmp_path / "Inbox", [mail("one").replace(b"Subject: one", "Subject: 見積".encode())])

    parcel = mended(tmp_path / "Inbox", Repair.ENCODE_HEADERS)

    assert b"Subject: =?utf-8?B?6KaL56mN?=" in parcel.fields
    assert parcel.mended is not None
    assert parcel.mended.fields == parcel.fields
    assert identify(parcel.fields).digest != identify(packed(tmp_path / "Inbox").fields).digest


def test_a_large_mail_that_changes_before_it_is_mended_is_not_given_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "KEPT", 10)
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one", fields=EIGHT_BIT)])
    parcel = mended(path, *Repair)
    path.write_bytes(path.read_bytes().replace(b"hello", b"HELLO"))

    pieces: list[bytes] = []
    with pytest.raises(LocalChanged):
        pieces.extend(parcel.chunks())
    assert sum(map(len, pieces)) < parcel.size


def test_a_large_mail_that_changes_between_the_two_looks_is_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "KEPT", 10)
    path = tmp_path / "Inbox"
    write_mbox(path, [mail("one", fields=EIGHT_BIT)])
    in_time = source._mended

    def too_late(*given) -> Parcel:
        path.write_bytes(path.read_bytes().replace(b"hello", b"HELLO"))
        return in_time(*given)

    monkeypatch.setattr(source, "_mended", too_late)

    with pytest.raises(LocalChanged, match="it changed on this PC"):
        mended(path, *Repair)
