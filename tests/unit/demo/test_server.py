"""What the demo server does that no real one does on demand: faults, pace, missing capabilities."""

import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from hikkoshi.demo.connection import Pace
from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from support.imap_wire import Wire

MAIL = b"Subject: x\r\n\r\n" + b"x" * 2000 + b"\r\n"


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(Account("user", "secret", storage_limit=1024)) as running:
        yield running


def connect(server: DemoServer) -> Wire:
    wire = Wire(server.host, server.port)
    wire.ok("LOGIN user secret")
    return wire


def append(wire: Wire, mail: bytes = MAIL) -> str:
    reply = wire.command(f"APPEND INBOX {{{len(mail)}}}", mail)
    return reply.code or reply.status


def stored(server: DemoServer) -> list[bytes]:
    return [mail.content for mail in server.account.get("INBOX").messages.values()]


def test_only_loopback_listens(server: DemoServer) -> None:
    assert server.host == "127.0.0.1"
    assert server.port > 0


def test_planned_answers_come_one_by_one_and_nothing_is_stored(server: DemoServer) -> None:
    server.faults.append_answers.extend(["NO [OVERQUOTA] Full", None, "BAD Parse error"])
    with connect(server) as wire:
        assert [append(wire) for _ in range(4)] == ["OVERQUOTA", "APPENDUID", "BAD", "APPENDUID"]

    assert len(stored(server)) == 2


def test_single_mails_can_be_refused_for_ever(server: DemoServer) -> None:
    server.faults.refuse = lambda mail: "NO [UNAVAILABLE] Not this one" if b"evil" in mail else None
    with connect(server) as wire:
        assert [append(wire, mail) for mail in (b"a: evil\r\n\r\n", MAIL, b"a: evil\r\n\r\n")] == [
            "UNAVAILABLE", "APPENDUID", "UNAVAILABLE",
        ]  # fmt: skip


def test_the_line_can_be_cut_inside_a_mail(server: DemoServer) -> None:
    server.faults.cut_append_after = len(MAIL) + 100
    with connect(server) as wire:
        assert append(wire) == "APPENDUID"
        with pytest.raises((ConnectionError, AssertionError)):
            assert append(wire) != "EOF"
    with connect(server) as wire:
        assert append(wire) == "APPENDUID"

    assert len(stored(server)) == 2


def test_an_answer_can_be_lost_behind_a_mail_that_was_stored(server: DemoServer) -> None:
    server.faults.lose_append_ok = 1
    with connect(server) as wire:
        assert append(wire) == "EOF"

    assert len(stored(server)) == 1


def test_an_answer_can_be_withheld(server: DemoServer) -> None:
    server.faults.silent_append = 1
    with connect(server) as wire:
        wire.send(b"x APPEND INBOX {%d+}\r\n%s\r\ny NOOP\r\n" % (len(MAIL), MAIL))
        assert wire.response().startswith(b"y OK")

    assert len(stored(server)) == 1


def test_the_line_can_be_cut_inside_an_answer(server: DemoServer) -> None:
    with connect(server) as wire:
        append(wire)
        wire.ok("EXAMINE INBOX")
        server.faults.cut_output_after = 1000
        assert wire.command("FETCH 1 BODY.PEEK[]").tagged == b"EOF"
    with connect(server) as wire:
        assert wire.command("EXAMINE INBOX").status == "OK"


def test_mail_can_be_changed_on_the_way_in(server: DemoServer) -> None:
    server.faults.alter = lambda mail: mail.replace(b"x", b"y")
    with connect(server) as wire:
        append(wire)

    assert stored(server) == [MAIL.replace(b"x", b"y")]


def test_capabilities_can_be_missing() -> None:
    with DemoServer(Account("user", "secret"), without=("UIDPLUS", "QUOTA")) as server, connect(server) as wire:
        assert not {b"UIDPLUS", b"QUOTA"} & set(wire.ok("CAPABILITY")[0].split())
        assert append(wire) == "OK"
        assert wire.command("GETQUOTAROOT INBOX").status == "BAD"


@pytest.mark.parametrize(
    ("capability", "line"),
    [
        ("CONDSTORE", "FETCH 1 MODSEQ"), ("CONDSTORE", "STATUS INBOX (HIGHESTMODSEQ)"), ("CONDSTORE", "SEARCH MODSEQ 1"),
        ("CONDSTORE", "FETCH 1 FLAGS (CHANGEDSINCE 1)"), ("CONDSTORE", "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)"),
        ("CONDSTORE", "SELECT INBOX (CONDSTORE)"), ("QRESYNC", "SELECT INBOX (QRESYNC (1 1))"),
        ("ESEARCH", "SEARCH RETURN (ALL) ALL"), ("LIST-EXTENDED", 'LIST "" "*" RETURN (CHILDREN)'),
        ("LIST-STATUS", 'LIST "" "*" RETURN (STATUS (MESSAGES))'), ("COMPRESS=DEFLATE", "COMPRESS DEFLATE"),
        ("ENABLE", "ENABLE CONDSTORE"),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_bad(server: DemoServer, capability: str, line: str) -> None:
    with connect(server) as wire:
        append(wire)
        wire.ok("SELECT INBOX")
        assert wire.command(line).status == ("BAD" if "QRESYNC" in line else "OK")
    with DemoServer(Account("user", "secret"), without=(capability,)) as other, connect(other) as wire:
        append(wire)
        opened = b"".join(wire.ok("SELECT INBOX"))
        assert wire.command(line).status == "BAD"
        offered = wire.ok("CAPABILITY")[0].split()
        assert capability.encode() not in offered
        assert (b"HIGHESTMODSEQ" in opened) == (b"CONDSTORE" in offered)
        assert b"QRESYNC" not in offered or b"CONDSTORE" in offered


def test_what_is_no_deflate_ends_the_conversation(server: DemoServer) -> None:
    with connect(server) as wire:
        wire.ok("COMPRESS DEFLATE")
        wire.send(b"\xff" * 100)
        assert wire.response() == b""
    with connect(server) as wire:
        wire.ok("NOOP")


def test_a_compressed_answer_can_be_cut(server: DemoServer) -> None:
    with connect(server) as wire:
        append(wire, b"Subject: x\r\n\r\n" + random.Random(1).randbytes(3000).hex().encode())
        wire.compress()
        wire.ok("EXAMINE INBOX")
        server.faults.cut_output_after = 1000
        assert wire.command("FETCH 1 BODY.PEEK[]").tagged == b"EOF"


def test_a_slow_line_takes_its_time() -> None:
    with DemoServer(Account("user", "secret"), pace=Pace(rate=10_000)) as server, connect(server) as wire:
        start = time.monotonic()
        assert append(wire) == "APPENDUID"

        assert time.monotonic() - start > 0.19


def test_stopping_cuts_the_connections_and_ends_the_thread(server: DemoServer) -> None:
    wire = connect(server)
    server.stop()
    assert wire.response() == b""
    wire.__exit__()
    assert not [thread for thread in threading.enumerate() if thread.name == "demo server"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), 1)


def test_too_many_bad_commands_end_the_session(server: DemoServer) -> None:
    with connect(server) as wire:
        replies = [wire.command("NONSENSE") for _ in range(20)]

        assert replies[-1].untagged == [b"* BYE Too many invalid IMAP commands."]
        assert wire.response() == b""


def test_fetch_of_what_the_demo_does_not_parse_is_bad(server: DemoServer) -> None:
    with connect(server) as wire:
        append(wire)
        wire.ok("EXAMINE INBOX")
        assert wire.command("FETCH 1 ENVELOPE").status == "BAD"
