"""The mbox and Maildir readers on a folder of real mail: `make test-corpora CORPORA=DIR`."""

import os
import re
from pathlib import Path

import pytest

from hikkoshi.local import mbox_reader
from hikkoshi.local.look import NOTHING_KNOWN
from hikkoshi.local.maildir import MaildirStore
from hikkoshi.local.mbox import scan_extents
from hikkoshi.local.mbox_reader import Starts
from hikkoshi.local.mboxes import MboxStore
from hikkoshi.local.scan import LocalScan
from hikkoshi.local.standing import header_standing
from hikkoshi.mail.bookkeeping import upload_form, upload_size
from hikkoshi.mail.dates import internal_date
from hikkoshi.mail.headers import decode, header_block, identity_fields, iter_fields
from hikkoshi.mail.message import Problem
from support import slow_dates, slow_headers, slow_mbox
from support.real_mail import mails

CORPORA = os.environ.get("CORPORA", "")

pytestmark = pytest.mark.skipif(not CORPORA, reason="CORPORA names no folder of real mail")


def test_a_maildir_gives_each_mail_back_as_it_is(tmp_path: Path) -> None:
    real = mails()
    assert real
    for part in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    for number, (_path, content) in enumerate(real):
        (tmp_path / "Maildir" / "cur" / f"{number:07}.x:2,S").write_bytes(content)

    store = MaildirStore(tmp_path / "Maildir")
    problems: list[Problem] = []
    scanned = list(store.scan(store.folders()[0], problems))

    assert problems == []
    assert len(real) == len(scanned)
    for (path, content), message in zip(real, scanned, strict=True):
        assert content == store.read(store.folders()[0], message.place), path
        assert len(upload_form(content, mbox=False)) == message.size, path


@pytest.mark.parametrize("quoted", [True, False], ids=["mboxrd", "unquoted"])
def test_an_mbox_gives_each_mail_back_as_it_is(tmp_path: Path, quoted: bool) -> None:
    real = [(path, content) for path, content in mails() if _survives_an_mbox(content, quoted)]
    with (tmp_path / "box").open("wb") as box:
        for _path, content in real:
            body = re.sub(rb"^(?=>*From )", b">", content, flags=re.MULTILINE) if quoted else content
            box.write(b"From - Mon Jan  1 10:00:00 2024\n" + body + b"\n")

    store = MboxStore(tmp_path / "box")
    problems: list[Problem] = []
    scanned = list(store.scan(store.folders()[0], problems))

    assert problems == []
    assert len(real) == len(scanned)
    for (path, content), message in zip(real, scanned, strict=True):
        assert content == store.read(store.folders()[0], message.place), path
        assert len(upload_form(content, mbox=True)) == message.size, path


def test_every_header_decodes_to_something_that_a_terminal_can_show() -> None:
    for path, content in mails():
        for _name, value in iter_fields(identity_fields(header_block(content))):
            text = decode(value)
            assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text), path


def test_fast_ways_through_a_header_agree_with_the_slow_ones() -> None:
    for path, content in mails():
        header = header_block(content)
        assert identity_fields(header) == slow_headers.identity_fields(header), path
        assert header_standing(header) == slow_headers.header_standing(header), path
        for mbox in (True, False):
            assert upload_size(content, mbox=mbox) == slow_headers.upload_size(content, mbox=mbox), path
        for sent in (True, False):
            when = internal_date(header, sent=sent, from_line=None, mtime=None)
            assert when == slow_dates.internal_date(header, sent=sent, from_line=None, mtime=None), path


@pytest.mark.parametrize("chunk", [1 << 12, 1 << 18])
@pytest.mark.parametrize("classic", [True, False])
def test_mboxes_read_as_the_slow_twin_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classic: bool, chunk: int
) -> None:
    """Real mboxes as they are, and all mail in one, unquoted."""
    monkeypatch.setattr(mbox_reader, "CHUNK", chunk)
    known = None if classic else frozenset[int]()
    together = tmp_path / "box"
    with together.open("wb") as box:
        for _path, content in mails():
            box.write(b"From - Mon Jan  1 10:00:00 2024\n" + content + b"\n")
    boxes = [together, *(path for path in _files() if _first_bytes(path) == b"From ")]
    assert len(boxes) > 1
    for path in boxes:
        slow = [
            (e.offset, e.length, e.from_line, e.header, e.size, e.cut)
            for e in slow_mbox.scan_extents(path, known=known)
        ]
        fast = [
            (e.offset, e.length, e.from_line, e.header, e.size, e.cut) for e in scan_extents(path, starts=Starts(known))
        ]
        if classic and slow != fast:
            # Only a Content-Length that proves true may keep a line from being a boundary.
            assert {e[0] for e in fast} < {e[0] for e in slow}, path
            assert b"\ncontent-length:" in path.read_bytes().lower(), path
        else:
            assert fast == slow, path


def test_children_find_what_this_process_finds(tmp_path: Path) -> None:
    with (tmp_path / "box").open("wb") as box:
        for _path, content in mails():
            box.write(b"From - Mon Jan  1 10:00:00 2024\n" + content + b"\n")
    store = MboxStore(tmp_path / "box")
    folder = store.folders()[0]
    with LocalScan(store, [(folder, NOTHING_KNOWN)], 2) as scan:
        scan.start()
        changes = scan.changes([])
        assert changes is not None
        assert list(changes.messages) == list(store.scan(folder, []))


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(5)


def _files() -> list[Path]:
    return [path for path in sorted(Path(CORPORA).rglob("*")) if path.is_file() and not path.is_symlink()]


def _survives_an_mbox(content: bytes, quoted: bool) -> bool:
    """Whether an mbox can hold the mail: it ends in a line end, it has a blank line behind its header (the separator's
    would be taken for it), and no line of an unquoted one looks like a From_ line."""
    if not content.endswith(b"\n") or header_block(content) == content:
        return False
    return quoted or not re.search(rb"^>*From ", content, re.MULTILINE)
