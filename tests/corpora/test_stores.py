"""The mbox and Maildir readers on a folder of real mail: `make test-corpora CORPORA=DIR`."""

import os
import re
from pathlib import Path

import pytest

from hikkoshi.local.maildir import MaildirStore
from hikkoshi.local.mboxes import MboxStore
from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.headers import decode, header_block, identity_fields, iter_fields
from hikkoshi.mail.message import Problem
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

    # What a crash leaves is told, and some real mail has it; nothing else is wrong.
    nuls = sum(b"\0" in content for _path, content in real)
    assert [problem.what.split()[0] for problem in problems] == ([str(nuls)] if nuls else [])
    assert len(real) == len(scanned)
    for (path, content), message in zip(real, scanned, strict=True):
        assert content == store.read(store.folders()[0], message.place), path
        assert len(upload_form(content, mbox=True)) == message.size, path


def test_every_header_decodes_to_something_that_a_terminal_can_show() -> None:
    for path, content in mails():
        for _name, value in iter_fields(identity_fields(header_block(content))):
            text = decode(value)
            assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text), path


def _survives_an_mbox(content: bytes, quoted: bool) -> bool:
    """Whether an mbox can hold the mail: it ends in a line end, it has a blank line behind its header (the separator's
    would be taken for it), and no line of an unquoted one looks like a From_ line."""
    if not content.endswith(b"\n") or header_block(content) == content:
        return False
    return quoted or not re.search(rb"^>*From ", content, re.MULTILINE)
