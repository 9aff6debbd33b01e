"""Mail of a large move is read back on the side, over a connection that may fail or see things late."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hikkoshi.move.reading import EVERY
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.moving import Mover, held, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot

COUNT = 2 * EVERY + 300
GREETING = b"* OK [CAPABILITY"


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """More mails than are read back together, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    mover.write(Inbox=mails("in", COUNT))
    return mover


def moved(mover: Mover, dovecot: Dovecot) -> dict[str, Any]:
    """Upload all of it, and see that each mail is there once and was read back."""
    done = mover.run("upload", "--yes", "--json", "--map", "Inbox=INBOX")
    assert done.returncode == 0, done.stderr
    receipt: dict[str, Any] = json.loads(done.stdout)
    assert (receipt["moved"]["messages"], receipt["moved"]["read_back"]) == (COUNT, COUNT)
    assert len(held(dovecot.mail_dir(user_of(mover)))) == COUNT
    return receipt


def greeted(proxy: FaultProxy, second: Callable[[bytes], bytes]) -> list[bytes]:
    """What is made of the greeting of each connection behind the first; all greetings, as they come."""
    greetings: list[bytes] = []

    def change(line: bytes) -> bytes:
        if line.startswith(GREETING):
            greetings.append(line)
            if len(greetings) > 1:
                return second(line)
        return line

    proxy.change = change
    return greetings


def test_a_second_connection_reads_while_more_is_sent(dovecot: Dovecot, proxy: FaultProxy, mover: Mover) -> None:
    greetings = greeted(proxy, lambda line: line)
    moved(mover, dovecot)
    assert len(greetings) == 2
    # Once at least on the side, once in the end.
    assert proxy.sent.count(b"(UID FLAGS RFC822.SIZE INTERNALDATE)") >= 2


def test_where_a_second_connection_is_refused_the_first_one_reads(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    greetings = greeted(proxy, lambda _line: b"* BYE too many connections\r\n")
    moved(mover, dovecot)
    assert len(greetings) == 2


def test_where_the_second_connection_is_cut_the_first_one_reads(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    fetched: list[bytes] = []

    def change(line: bytes) -> bytes:
        if b" FETCH (UID " in line:
            fetched.append(line)
            if len(fetched) == 100:
                return b"* 1 FETCH nonsense\r\n"
        return line

    proxy.change = change
    moved(mover, dovecot)
    assert len(fetched) > COUNT


def test_what_others_do_not_see_yet_is_asked_for_where_it_was_sent(
    dovecot: Dovecot, proxy: FaultProxy, mover: Mover
) -> None:
    hidden: list[bytes] = []

    def change(line: bytes) -> bytes | None:
        if b" FETCH (UID " in line and b"RFC822.SIZE" in line and len(hidden) < 40:
            hidden.append(line)
            return None
        return line

    proxy.change = change
    receipt = moved(mover, dovecot)
    assert len(hidden) == 40
    assert receipt["not_moved"] == receipt["changed"] == []
