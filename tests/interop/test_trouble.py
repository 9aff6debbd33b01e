"""Lines that are cut, mail that a server does not want, other clients at the same folder: each mail arrives once."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from support.faultproxy import FaultProxy
from support.moving import mail, mails, uploaded
from support.sides import Sides

SERVERS = ("dovecot", "bare", "cyrus", "courier", "demo", "refusing")
_RUNS = 4  # a cut in the look, one in the upload, one that settles, one that finds nothing to do


def letters() -> list[bytes]:
    """Mails of many sizes, so that a cut falls into commands, mails and answers alike."""
    chance = random.Random(7)
    sizes = [10, 400, 3_000, 9_000, 50, 70_000, 200, 20_000, 5, 1_000, 250_000, 30]
    return [
        mail(f"in-{number}", body="".join(f"{chance.random()}\n" for _ in range(max(1, size // 20))))
        for number, size in enumerate(sizes)
    ]


def through(sides: Sides, proxy: FaultProxy) -> None:
    sides.mover.go_through(proxy)


def cut_once(proxy: FaultProxy, *, up: int | None, down: int | None) -> None:
    """Cut the line once so many bytes have gone; connections that are made behind that are whole."""
    sent, answered = len(proxy.sent) + (up or 0), proxy.answered + (down or 0)
    proxy.cut_after(up=up, down=down)

    def change(line: bytes) -> bytes:
        done = len(proxy.sent) >= sent if up is not None else proxy.answered >= answered
        if done and line.startswith(b"* OK [CAPABILITY"):
            proxy.cut_after()
        return line

    proxy.change = change


@pytest.mark.parametrize("kind", SERVERS)
def test_wherever_the_line_is_cut_each_mail_is_there_once(sides_on: Callable[[str], Sides], kind: str) -> None:
    whole = sides_on(kind)
    whole.mover.write(Inbox=letters(), Sent=mails("sent", 3))
    with FaultProxy(whole.host.host, whole.host.imap_port) as proxy:
        through(whole, proxy)
        assert whole.upload().returncode == 0
        up, down = len(proxy.sent), proxy.answered
    expected = sorted(map(uploaded, letters())), sorted(map(uploaded, mails("sent", 3)))

    for cut_up, cut_down in ((int(up * 0.4), None), (int(up * 0.95), None), (None, int(down * 0.9))):
        sides = sides_on(kind)
        sides.mover.write(Inbox=letters(), Sent=mails("sent", 3))
        with FaultProxy(sides.host.host, sides.host.imap_port) as proxy:
            through(sides, proxy)
            cut_once(proxy, up=cut_up, down=cut_down)
            ends = []
            while (not ends or ends[-1] != 0) and len(ends) < _RUNS:
                ends.append(sides.upload().returncode)
            assert sides.mover.run("check").returncode == 0
        found = tuple(sorted(sides.other.contents(native).values()) for native in ("INBOX", sides.native("Sent")))
        assert ends[-1] == 0, (cut_up, cut_down, ends)
        assert found == expected, (cut_up, cut_down, ends)


def test_another_client_that_adds_mail_meanwhile_is_no_reason_for_doubt(sides: Sides) -> None:
    """UIDs between ours belong to others: another client adds a mail behind each of ours that is answered."""
    sides.mover.write(Inbox=mails("in", 8))
    theirs = iter(mails("theirs", 100))
    one_at_a_time = threading.Lock()  # hikkoshi has several connections, the other client has one

    def change(line: bytes) -> bytes:
        if b" OK" in line and b"APPEND" in line.upper() and not line.startswith(b"*"):
            with one_at_a_time:
                sides.other.append("INBOX", uploaded(next(theirs)))
        return line

    with FaultProxy(sides.host.host, sides.host.imap_port) as proxy:
        through(sides, proxy)
        proxy.change = change
        done = sides.upload("--json")
        proxy.change = None
        again = sides.upload("--json")

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert json.loads(again.stdout)["moved"]["messages"] == 0
    subjects = Counter(seen.fields[3] for seen in sides.other.mails().values())
    assert {name: count for name, count in subjects.items() if name.startswith("in-")} == {
        f"in-{number}": 1 for number in range(8)
    }
    assert any(name.startswith("theirs") for name in subjects)


BAD = {
    "zero": mail("zero", body="a\0b\n"),
    "no-colon": mail("no-colon", fields="this is no header field\n"),
    "blank-name": mail("blank-name", fields=": a field without a name\n"),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_mail_that_a_server_may_refuse_takes_no_other_mail_with_it(sides_on: Callable[[str], Sides], kind: str) -> None:
    """Within a batch, too, of which a MULTIAPPEND stores all or nothing."""
    sides = sides_on(kind)
    good = mails("in", 40)
    sides.mover.write(Inbox=[*good[:20], *BAD.values(), *good[20:]])

    done = sides.upload("--json")

    receipt = json.loads(done.stdout)
    refused = {each["subject"]: each["reason"] for each in receipt["not_moved"]}
    subjects = Counter(seen.fields[3] or "?" for seen in sides.other.mails().values())
    assert {name: subjects[name] for name in subjects if name.startswith("in-")} == {f"in-{n}": 1 for n in range(40)}
    assert len(refused) + sum(subjects.values()) == 43
    # Dovecot and the demo's server make NUL 0x80; Courier keeps it.
    changed = [each["subject"] for each in receipt["changed"]]
    assert changed == (["zero"] if kind not in ("cyrus", "courier") else [])
    if kind == "cyrus":
        assert done.returncode == 1
        assert {name for name, reason in refused.items() if "NUL" in reason} == {"zero"}
        assert "invalid header" in " ".join(refused.values())
    assert len(sides.other.mails()) == sum(subjects.values())
    before = sides.other.mails()
    sides.upload()
    assert sides.other.mails() == before, "nothing a second time"
