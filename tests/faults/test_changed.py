"""Mail that the server changes without a word: the read-back finds it, the receipt names it, and no later run sends it
again, also where the move was killed on the way."""

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.points import sampled
from support.crash import Case, DyingMover, Hosts
from support.dying_mover import ANSWER, COMMIT, COMMITTED, SENDING, Fault
from support.moving import mail, uploaded, write_mbox
from support.tools import NotHad

pytestmark = pytest.mark.dovecot

EIGHT_BIT = [
    mail("note", fields="X-Note: café\n"),
    mail("subject").replace(b"Subject: subject", "Subject: 見積".encode()),
    mail("anonymous", message_id=False).replace(b"Subject: anonymous", b"Subject: r\xe9sum\xe9"),
    mail("sender").replace(b"From: a@", "From: 田中 <a@".encode()).replace(b"example.com\nTo", b"example.com>\nTo", 1),
]
PLAIN = [mail(f"plain-{number}") for number in range(3)]
CHANGED = {"note", "見積", "sender"}
"""Their subjects; the fourth's is no UTF-8."""

MakeCase = Callable[[str, str], Case]


@pytest.fixture
def case(hosts: Hosts, mover: DyingMover, tmp_path: Path) -> Iterator[MakeCase]:
    store = tmp_path / "store"
    write_mbox(store / "Inbox", [*EIGHT_BIT, *PLAIN])
    made: list[Case] = []

    def make(host: str, way: str) -> Case:
        try:
            made.append(Case(hosts, mover, host, way, tmp_path, store))
        except NotHad as reason:
            pytest.skip(f"tests against a real server are left out: {reason}")
        return made[-1]

    yield make
    for each in made:
        each.close()


def masked(content: bytes) -> bytes:
    """What Cyrus makes of a mail: each byte over 0x7F in its headers is an X."""
    header, blank, body = uploaded(content).partition(b"\r\n\r\n")
    return bytes(ord("X") if byte > 0x7F else byte for byte in header) + blank + body


def there(case: Case) -> Counter[bytes]:
    return Counter(each.content for each in case.holdings().elements())


@pytest.mark.parametrize("way", ["together", "hurried", "small", "waiting"])
def test_the_receipt_names_it_and_it_is_not_sent_again(case: MakeCase, way: str) -> None:
    move = case("cyrus", way)
    assert move.run("upload", "--yes", "--json").status == 0, move.said
    receipt = json.loads(move.said)

    assert there(move) == Counter(map(masked, [*EIGHT_BIT, *PLAIN]))
    assert receipt["moved"]["messages"] == 7
    assert receipt["moved"]["read_back"] == 3
    assert len(receipt["changed"]) == 4
    assert {each["subject"] for each in receipt["changed"]} >= CHANGED
    assert {each["reason"] for each in receipt["changed"]} == {"the server changed its bytes"}
    assert receipt["not_moved"] == []

    before = move.appends
    assert move.run("upload", "--yes", "--json").status == 0
    again = json.loads(move.said)
    assert (again["plan"]["messages"], again["moved"]["messages"], move.appends) == (0, 0, before)


KILLS = [
    Fault(kind, at)
    for kind, points in ((COMMIT, (4, 5, 6, 7)), (COMMITTED, (4, 5, 6)), (ANSWER, (2, 4, 6, 8, 10)), (SENDING, (3, 7)))
    for at in points
]


@pytest.mark.parametrize("fault", sampled(KILLS, KILLS[5], KILLS[9]))
@pytest.mark.parametrize("way", ["together", "waiting"])
def test_killed_on_the_way(case: MakeCase, way: str, fault: Fault) -> None:
    """What has arrived is known by fields in which the server has changed bytes."""
    move = case("cyrus", way)

    assert move.upload(fault).status == -signal.SIGKILL, move.said
    move.goes_on()
    assert there(move) == Counter(map(masked, [*EIGHT_BIT, *PLAIN]))
