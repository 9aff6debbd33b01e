"""The limits are read again while mail goes up, however slow the line and however large the mail; others fill the box."""

import json
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest
from imapclient import IMAPClient

from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.moving import Mover, ended, held, mail, mover_to, uploaded, user_of

pytestmark = pytest.mark.dovecot

Start = Callable[[Settings], Dovecot]
BIG = "x" * 78 + "\n"
MIB = 1 << 20
LATEST = 5.0
"""Seconds within which the limits are read again."""


class Line(FaultProxy):
    """A line that notes when limits are asked for, and when the first and the last piece of a mail goes."""

    def __init__(self, dovecot: Dovecot, rate: int | None = None) -> None:
        super().__init__(dovecot.host, dovecot.imap_port)
        self.rate = rate
        self.asked: list[float] = []
        self.mail: list[float] = []
        self.mail_seen = threading.Event()
        self.change_up = self._stamp

    def _stamp(self, data: bytes) -> bytes:
        if b"GETQUOTAROOT" in data:
            self.asked.append(monotonic())
        if b"x" * 60 in data:
            self.mail.append(monotonic())
            self.mail_seen.set()
        return data

    def longest(self) -> float:
        """Seconds between two readings at most, from the first piece of a mail to the last one."""
        first, last = self.mail[0], self.mail[-1]
        times = [first, *(when for when in self.asked if first < when < last), last]
        return max(later - earlier for earlier, later in pairwise(times))


def other_client(dovecot: Dovecot, mover: Mover) -> IMAPClient:
    client = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    client.login(user_of(mover), dovecot.password)
    return client


def fill(client: IMAPClient, size: int) -> None:
    """Put one mail of about `size` bytes there."""
    client.append("Archive", uploaded(mail("theirs", body=BIG * (size // 80))))


def names(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


@pytest.mark.parametrize(
    "hidden", [(), ("MULTIAPPEND",), ("MULTIAPPEND", "LITERAL+")], ids=["MULTIAPPEND", "LITERAL+", "lanes"]
)
def test_over_a_slow_line_the_limits_are_read_again_within_five_seconds(
    dovecot: Dovecot, tmp_path: Path, hidden: tuple[str, ...]
) -> None:
    """Four batches of 4 MiB on their way, and no reading before they are answered: that would be all of this."""
    mover = mover_to(dovecot, tmp_path)
    count = 60 if hidden == ("MULTIAPPEND", "LITERAL+") else 40  # lanes have as much line each
    mover.write(Inbox=[mail(f"in-{n}", body=BIG * 1200) for n in range(count)])
    with Line(dovecot, rate=350_000) as line:
        line.hidden = hidden
        mover.go_through(line)
        done = mover.run("upload", "--yes", "--json")

    assert json.loads(done.stdout)["state"] == "done"
    assert line.mail[-1] - line.mail[0] > LATEST + 2, "the line was not slow"
    assert line.longest() < LATEST + 0.5


def test_while_one_large_mail_goes_the_limits_are_read_again(dovecot: Dovecot, tmp_path: Path) -> None:
    """By the clock, and on a fast line after 16 MiB: over a connection of their own, since this one is busy."""
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("in-0", body=BIG * (40 * MIB // 80))])
    with Line(dovecot) as line:
        mover.go_through(line)
        done = mover.run("upload", "--yes", "--json")
        sent = bytes(line.sent)

    assert json.loads(done.stdout)["state"] == "done"
    asked = [at for at in line.asked if line.mail[0] < at < line.mail[-1]]
    assert len(asked) >= 2
    assert sent.count(b"GETQUOTAROOT") >= 3


def test_on_a_server_that_lets_in_one_connection_the_limits_are_read_between_small_batches(
    dovecot_with: Start, tmp_path: Path
) -> None:
    dovecot = dovecot_with(Settings(max_connections=1))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail(f"in-{n}", body=BIG * 1200) for n in range(50)])
    with Line(dovecot, rate=350_000) as line:
        mover.go_through(line)
        done = mover.run("upload", "--yes", "--json")

    assert (json.loads(done.stdout)["state"], done.returncode) == ("done", 0)
    assert line.mail[-1] - line.mail[0] > 2 * LATEST
    times = [at for at in line.asked if line.mail[0] < at < line.mail[-1]]
    assert max(later - earlier for earlier, later in pairwise(times)) < LATEST + 0.5


def test_a_box_that_others_fill_while_a_large_mail_goes_stops_it_before_the_reserve(
    dovecot_with: Start, tmp_path: Path
) -> None:
    """Nothing of the large mail is stored; what had arrived is whole; once there is room again the rest goes, each once."""
    dovecot = dovecot_with(Settings(quota_storage="60M"))
    mover = mover_to(dovecot, tmp_path)
    mover.write(Inbox=[mail("first"), mail("large", body=BIG * (30 * MIB // 80)), mail("last")])
    with Line(dovecot, rate=3_000_000) as line, other_client(dovecot, mover) as other:
        mover.go_through(line)
        process = mover.start("upload", "--yes", "--json")
        assert line.mail_seen.wait(30)
        fill(other, 29 * MIB)
        status, out, _err = ended(process)
        found = json.loads(out)

        assert (status, found["state"], found["moved"]["messages"]) == (1, "no-room", 1)
        assert line.mail[-1] - line.mail[0] < 30 * MIB / 3_000_000, "it was sent to its end"
        assert sorted(each["subject"] for each in found["not_moved"]) == ["large", "last"]
        assert "the rest no longer fits" in found["problem"]
        assert sorted(names(dovecot, mover)) == ["first", "theirs"]

        other.select_folder("Archive")
        other.delete_messages(other.search())
        other.expunge()
        line.rate = None
        again = json.loads(mover.run("upload", "--yes", "--json").stdout)
    assert (again["state"], again["moved"]["messages"]) == ("done", 2)
    assert sorted(names(dovecot, mover)) == ["first", "large", "last"]


def test_a_box_that_others_fill_over_a_slow_line_is_noticed_before_it_is_full(
    dovecot_with: Start, tmp_path: Path
) -> None:
    dovecot = dovecot_with(Settings(quota_storage="30M"))
    mover = mover_to(dovecot, tmp_path, "--reserve", "10M")
    mover.write(Inbox=[mail(f"in-{n}", body=BIG * 2000) for n in range(100)])  # 16 MB
    with Line(dovecot, rate=700_000) as line, other_client(dovecot, mover) as other:
        mover.go_through(line)
        process = mover.start("upload", "--yes", "--json")
        assert line.mail_seen.wait(30)
        fill(other, 6 * MIB)
        status, out, _err = ended(process)
    found = json.loads(out)

    assert (status, found["state"]) == (1, "no-room")
    assert "the rest no longer fits" in found["problem"]
    storage = next(each for each in found["quota"] if each["resource"] == "STORAGE")
    assert storage["used"] < 20 * MIB, "it went into the reserve"
    assert found["moved"]["messages"] + len(found["not_moved"]) == 100
    assert len(names(dovecot, mover)) == found["moved"]["messages"] + 1
