"""`hikkoshi undo` and `hikkoshi resume` on every server: what each can do is done, and what it cannot is refused in words."""

import json
import signal
from collections.abc import Callable

import pytest

from support.faultproxy import FaultProxy
from support.moving import Hold, ended, mail, mails, uploaded
from support.sides import NOON, Sides

WITHOUT_A_WAY = ("bare", "refusing")
"""Servers that do not offer UIDPLUS."""


def names(sides: Sides) -> list[str]:
    return sorted(seen.fields[3] for seen in sides.other.mails().values())


def test_a_move_is_undone_and_nothing_else_goes(sides: Sides, request: pytest.FixtureRequest) -> None:
    sides.other.append("INBOX", uploaded(mail("theirs")), [], NOON)
    sides.mover.write(Inbox=mails("in", 5), 見積=mails("quote", 3))
    assert sides.upload().returncode == 0
    [flagged] = [uid for (native, uid), seen in sides.other.mails().items() if seen.fields[3] == "in-2"]
    sides.other.change_flags("INBOX", flagged, add=["\\Flagged"])
    # Last: the other client leaves its folders by CLOSE, which removes such mail.
    sides.other.append("INBOX", uploaded(mail("marked")), ["\\Deleted"], NOON)

    done = sides.mover.run("undo", "1", "--yes", "--json")

    found = json.loads(done.stdout)
    if any(name in request.node.name for name in WITHOUT_A_WAY):
        assert done.returncode == 2
        assert "UIDPLUS" in found["problem"]
        assert len(names(sides)) == 10
        return
    assert done.returncode == 1, done.stderr
    assert [(each["subject"], each["folder"]) for each in found["kept"]] == [("in-2", "Inbox")]
    assert "flags" in found["kept"][0]["reason"]
    assert found["removed"]["messages"] == 7
    assert names(sides) == ["in-2", "marked", "theirs"]
    assert sides.mover.run("undo", "1", "--yes").returncode == 1
    differences = json.loads(sides.mover.run("check", "--json").stdout)["differences"]
    assert (differences["only_local"], differences["only_server"]) == (7, 2)


@pytest.mark.parametrize("kind", ["cyrus", "dovecot"])
def test_eight_bit_headers_that_the_server_changed_keep_a_mail_there(
    sides_on: Callable[[str], Sides], kind: str
) -> None:
    """Cyrus makes X of such bytes: what it has is not what was sent, so it is not removed."""
    sides = sides_on(kind)
    content = mail("eight", fields="X-Note: resume\n").replace(b"resume", b"r\xe9sum\xe9")
    sides.mover.write(Inbox=[content, mail("plain")])
    sides.upload()

    done = sides.mover.run("undo", "1", "--yes", "--json")

    found = json.loads(done.stdout)
    masked = kind == "cyrus"
    assert [each["subject"] for each in found["kept"]] == (["eight"] if masked else [])
    assert names(sides) == (["eight"] if masked else [])


def test_a_move_that_was_cut_off_is_gone_on_with(sides: Sides) -> None:
    count = 120
    sides.mover.write(Inbox=mails("in", count))
    with FaultProxy(sides.host.host, sides.host.imap_port) as proxy:
        sides.mover.go_through(proxy)
        # By then the looking is over on every server, and the sending under way.
        hold = Hold(b" OK ", 1)
        begun = []

        def change(line: bytes) -> bytes:
            if b"APPEND" in bytes(proxy.sent[-100_000:]).upper() and not begun:
                begun.append(line)
            return hold(line) if begun else line

        proxy.change = change
        quota = () if sides.quota else ("--no-quota-check",)
        process = sides.mover.start("upload", "--yes", *quota)
        hold.wait()
        process.send_signal(signal.SIGTERM)
        hold.let_go()
        status, _, _ = ended(process)
        proxy.change = None
        done = sides.mover.run("resume", "--yes", "--json", *quota)

    assert (status, done.returncode) == (1, 0), done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["move"], receipt["moved"]["messages"], receipt["moved"]["read_back"]) == (1, count, count)
    assert names(sides) == sorted(f"in-{number}" for number in range(count))
