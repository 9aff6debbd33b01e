"""`hikkoshi check` and the quota, on every server: the counts are exact, whoever answers."""

import json
from collections.abc import Callable

import pytest

from hikkoshi.move.room import KIB, Source
from support.faultproxy import FaultProxy
from support.moving import mail, mails, uploaded
from support.sides import NOON, Sides

READ, MARKED = "X-Mozilla-Status: 0001\n", "X-Mozilla-Status: 0005\n"


def plant(sides: Sides) -> None:
    """Something of everything that `check` counts."""
    old = sides.native("old")
    sides.other.create(old)
    both, unread, unmarked, filed, twice = mails("in", 5)
    sides.mover.write(
        Inbox=[
            READ.encode() + both, mail("only-here"), READ.encode() + unread, MARKED.encode() + unmarked,
            READ.encode() + filed, READ.encode() + twice, READ.encode() + twice,
        ],
        Sent=[READ.encode() + each for each in mails("sent", 2)],
        見積=[mail("quote")],
        Trash=[mail("trash")],
    )  # fmt: skip
    seen = ["\\Seen"]
    for content, flags in ((both, seen), (unread, []), (unmarked, seen), (twice, seen), (mail("theirs"), [])):
        sides.other.append("INBOX", uploaded(content), flags, NOON)
    for _ in range(2):
        sides.other.append("INBOX", uploaded(mail("theirs-twice")), [], NOON)
    sides.other.append(old, uploaded(filed), seen, NOON)
    sides.other.append(sides.native("Sent"), uploaded(mails("sent", 1)[0]), seen, NOON)


EXPECTED = {
    "only_local": 3, "only_server": 2, "read_state": 1, "flags": 1, "elsewhere": 1, "sent_gap": 1,
    "duplicates_local": 1, "duplicates_server": 1, "ambiguous": 0, "left_out": 1,
}  # fmt: skip


def comparable(found: dict) -> dict:
    """What two checks of the same mail agree on; Dovecot lists folders in another order once it has made them."""
    folders = sorted(found["folders"], key=lambda row: (row["local"] or "", row["server"] or ""))
    return {**found, "checked_at": None, "folders": folders}


def test_the_counts_are_exact_and_stay_so(sides: Sides) -> None:
    plant(sides)
    first = sides.mover.run("check", "--json")
    second = sides.mover.run("check", "--json")
    found = json.loads(first.stdout)

    assert (first.returncode, first.stderr) == (1, "")
    assert found["differences"] == EXPECTED
    there = sides.other.mails()
    assert found["server"]["messages"] == len(there) == 9
    assert found["server"]["bytes"] == sum(each.size for each in there.values())
    assert found["problems"] == []
    rows = {row["local"]: row for row in found["folders"]}
    assert (rows["Inbox"]["server"], rows["Sent"]["server"]) == ("INBOX", "Sent")
    assert rows["見積"]["server"] == sides.native("見積"), "a folder that is still to be made"
    assert comparable(json.loads(second.stdout)) == comparable(found)


def test_what_changed_between_two_checks_changes_the_counts(sides: Sides) -> None:
    plant(sides)
    sides.mover.run("check")
    sides.other.append("INBOX", uploaded(mail("only-here")), [], NOON)
    sides.other.change_flags("INBOX", 2, add=["\\Seen"])
    sides.other.expunge("INBOX", 5)

    found = json.loads(sides.mover.run("check", "--json").stdout)

    assert found["differences"] == {**EXPECTED, "only_local": 2, "only_server": 1, "read_state": 0}


def test_the_quota_is_the_servers_and_grows_with_the_mail(sides: Sides) -> None:
    content = uploaded(mail("big", body="x" * 70 + "\n" * 30_000))
    before = {room.resource: room for room in sides.look().rooms}
    for _ in range(3):
        sides.other.append("INBOX", content)
    after = {room.resource: room for room in sides.look().rooms}

    room = after["STORAGE"]
    if not sides.quota:
        assert (room.source, room.limit, room.used) == (Source.UNKNOWN, None, 3 * len(content))
        return
    assert (room.source, room.limit) == (Source.SERVER, 1 << 30)
    # Dovecot rounds up, Cyrus down; Courier counts mails as they lie in its files, each line end one byte.
    stored = content.replace(b"\r\n", b"\n") if sides.host.kind == "Courier" else content
    assert abs(room.used - before["STORAGE"].used - 3 * len(stored)) < KIB
    if "MESSAGE" in after:
        assert after["MESSAGE"].used - before["MESSAGE"].used == 3


@pytest.mark.parametrize("kind", ["bare", "refusing"])
def test_a_server_without_extensions_is_asked_for_none(sides_on: Callable[[str], Sides], kind: str) -> None:
    """Dovecot would do what it does not offer; so what was sent is looked at."""
    sides = sides_on(kind)
    plant(sides)
    with FaultProxy(sides.host.host, sides.host.imap_port) as proxy:
        sides.mover.go_through(proxy)
        sides.mover.run("check")
        sides.other.change_flags("INBOX", 2, add=["\\Seen"])
        assert sides.mover.run("check").returncode == 1
        assert sides.upload().returncode == 0
        sent = bytes(proxy.sent).upper()

    assert b"APPEND" in sent
    for word in (
        b"ENABLE", b"CONDSTORE", b"QRESYNC", b"MODSEQ", b"CHANGEDSINCE", b"VANISHED", b" RETURN ", b"NAMESPACE", b"QUOTA",
        b"+}", b"SPECIAL-USE", b" SIZE)", b"COMPRESS", b"UNSELECT", b" ID (",
    ):  # fmt: skip
        assert word not in sent, word
