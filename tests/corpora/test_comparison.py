"""Comparing real mail by keys and SQL says what a comparison of every message says: `make test-corpora CORPORA=DIR`."""

import os
from pathlib import Path

import pytest

from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.mail.bookkeeping import upload_size
from hikkoshi.mail.headers import header_block, identity_fields
from hikkoshi.mail.identity import identify, keys
from hikkoshi.mail.message import Message
from support.pairing_twin import indexed_rows, indexed_tally, twin_rows
from support.planted import planted
from support.real_mail import mails

pytestmark = pytest.mark.skipif(not os.environ.get("CORPORA"), reason="CORPORA names no folder of real mail")

_FLAGS = (frozenset[str](), frozenset({"\\Seen"}), frozenset({"\\Seen", "\\Flagged"}))


def _messages() -> list[Message]:
    return [
        Message(
            "", upload_size(content, mbox=False), _FLAGS[number % 3], number, identity_fields(header_block(content))
        )
        for number, (_path, content) in enumerate(mails())
    ]


def test_real_mail_is_paired_as_if_every_message_were_looked_at(tmp_path: Path) -> None:
    messages = _messages()
    assert messages
    with planted(tmp_path) as sides:
        sides.put(LOCAL, "Inbox", *messages[::2], *messages[1::4])
        sides.put(LOCAL, "Sent", *messages[1::2])
        sides.put(SERVER, "INBOX", *[_masked(message) for message in messages[::3]])
        sides.put(SERVER, "Sent", *messages[1::5])
        sides.compare()
        assert indexed_rows(sides.index) == twin_rows(sides.index, sides.targets(), {})
        sides.put(SERVER, "INBOX", *messages[2::9])
        sides.compare()
        assert indexed_rows(sides.index) == twin_rows(sides.index, sides.targets(), {})
        assert indexed_tally(sides.index)


def _masked(message: Message) -> Message:
    """As Cyrus gives it back."""
    masked = bytes(byte if 0 < byte < 0x80 else ord("X") for byte in message.fields)
    return Message("", message.size, message.flags, message.date, masked)


def test_equal_evidence_of_real_mail_is_equal_identity() -> None:
    seen: dict[int, object] = {}
    for message in _messages():
        known = identify(message.fields)
        assert seen.setdefault(keys(message.fields)[1], known) == known
