"""`hikkoshi upload` on every server: each mail once, byte for byte where the server keeps bytes, and never again."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from imapclient.exceptions import IMAPClientError

from hikkoshi.move.reading import EVERY
from support.courier import Courier
from support.cyrus import Cyrus
from support.faultproxy import FaultProxy
from support.moving import mail, mails, uploaded
from support.sides import NOON, Sides

STATES = {
    "unread": ("0000", set()),
    "read": ("0001", {"\\Seen"}),
    "marked": ("0005", {"\\Seen", "\\Flagged"}),
    "answered": ("0003", {"\\Seen", "\\Answered"}),
}


def arrived(sides: Sides, native: str) -> list[bytes]:
    return sorted(sides.other.contents(native).values())


@pytest.fixture
def line(sides: Sides) -> Iterator[FaultProxy]:
    """The line between the command and the server; it shows what is sent."""
    with FaultProxy(sides.host.host, sides.host.imap_port) as proxy:
        sides.mover.go_through(proxy)
        yield proxy


def _subject(content: bytes) -> str:
    found = re.search(rb"^Subject: (.*)\r$", content, re.MULTILINE)
    return found[1].decode() if found else ""


def appends(line: FaultProxy) -> int:
    """How many mails went up the line."""
    return bytes(line.sent).upper().count(b" APPEND ")


def test_each_mail_arrives_once_with_flags_and_date_and_a_second_upload_sends_nothing(
    sides: Sides, line: FaultProxy
) -> None:
    names = sorted(STATES)
    stored = [
        f"X-Mozilla-Status: {STATES[name][0]}\n".encode() + mail(name, day=day) for day, name in enumerate(names, 2)
    ]
    sides.mover.write(Inbox=stored, Sent=mails("sent", 3), 見積__2024=mails("quote", 2), Trash=mails("trash", 1))

    first = sides.upload("--json")
    receipt = json.loads(first.stdout)

    assert (first.returncode, first.stderr) == (0, "")
    assert arrived(sides, "INBOX") == sorted(uploaded(mail(name, day=day)) for day, name in enumerate(names, 2))
    assert arrived(sides, sides.native("Sent")) == sorted(map(uploaded, mails("sent", 3)))
    assert (receipt["moved"]["messages"], receipt["not_moved"], receipt["changed"]) == (9, [], [])
    found = {seen.fields[3]: seen for seen in sides.other.mails().values()}
    for day, name in enumerate(names, 2):
        assert found[name].flags == STATES[name][1]
        assert found[name].when == NOON.timestamp() + (day - 2) * 86400
    before, sent = sides.other.mails(), appends(line)
    assert sides.upload().returncode == 0
    assert sides.mover.run("check").returncode == 0
    assert appends(line) == sent > 0
    assert sides.other.mails() == before


def test_many_mails_of_all_sizes_arrive_whole(sides: Sides) -> None:
    """More than one batch, and a mail larger than a batch."""
    bodies = ["", "\n", "x\n" * 3, "From here\n>From there\n.\n", "y" * 900 + "\n", ("z" * 70 + "\n") * 80_000]
    contents = [mail(f"in-{number}", body=bodies[number % 5]) for number in range(60)] + [mail("big", body=bodies[5])]
    stored = [re.sub(rb"^(?=>*From )", b">", content, flags=re.MULTILINE) for content in contents]
    sides.mover.write(Inbox=stored)

    done = sides.upload()

    assert (done.returncode, done.stderr) == (0, "")
    assert arrived(sides, "INBOX") == sorted(map(uploaded, contents))
    assert sides.mover.run("check").returncode == 0


def test_a_large_move_is_read_back_over_a_second_connection_while_more_is_sent(sides: Sides, line: FaultProxy) -> None:
    count = 2 * EVERY + 100
    sides.mover.write(Inbox=mails("in", count))

    receipt = json.loads(sides.upload("--json").stdout)

    assert (receipt["moved"]["messages"], receipt["moved"]["read_back"]) == (count, count)
    assert (receipt["not_moved"], receipt["changed"]) == ([], [])
    # Once on the side, once in the end.
    assert line.sent.count(b"(UID FLAGS RFC822.SIZE INTERNALDATE)") >= 2


def test_new_folders_get_the_servers_own_names(sides: Sides) -> None:
    sides.mover.write(**{"見積__2024": mails("quote", 1), "R&D": mails("and", 1)})
    made = {sides.native("見積", "2024"), sides.native("R&D")}
    if sides.host.kind != "Dovecot":  # whose Maildir++ takes no dot
        sides.mover.write(**{"a.b": mails("dot", 1)})
        made.add(sides.native("a_b" if sides.host.delimiter == "." else "a.b"))

    done = sides.upload()

    assert (done.returncode, done.stderr) == (0, "")
    assert made <= sides.other.folders()
    assert made <= sides.other.subscribed(), "mail clients show only folders that are subscribed to"
    assert sides.mover.run("check").returncode == 0


def test_a_folder_that_is_deleted_meanwhile_is_made_again(sides: Sides, line: FaultProxy) -> None:
    native = sides.native("Reports")
    sides.mover.write(Reports=mails("in", 450))  # nine batches: some go after it
    answers = 0

    def change(answer: bytes) -> bytes:
        nonlocal answers
        if re.match(rb"h\d+ OK .*APPEND", answer, re.IGNORECASE):
            answers += 1
            if answers == 2:
                with suppress(IMAPClientError):  # Dovecot does not while it is being filled
                    sides.other.delete(native)
        return answer

    line.change = change
    receipt = json.loads(sides.upload("--json").stdout)

    there = {_subject(content) for content in sides.other.contents(native).values()}
    named = {each["subject"] for each in receipt["not_moved"]}
    assert there | named == {f"in-{n}" for n in range(450)}
    assert not there & named
    assert native in sides.other.subscribed()


def test_eight_bit_headers_are_no_reason_to_send_a_mail_twice(sides: Sides, line: FaultProxy) -> None:
    """Cyrus makes every such byte an X: that is told, and the mail is known again, without the ledger, too."""
    content = mail("eight", fields="X-Note: resume\n").replace(b"resume", b"r\xe9sum\xe9")
    sides.mover.write(Inbox=[content, mail("plain")])

    done = sides.upload("--json")

    (found,) = [each for each in arrived(sides, "INBOX") if b"X-Note" in each]
    masked = sides.host.kind == "Cyrus"
    assert found == uploaded(content).replace(b"\xe9", b"X" if masked else b"\xe9")
    assert [each["subject"] for each in json.loads(done.stdout)["changed"]] == (["eight"] if masked else [])
    sent = appends(line)
    assert sides.upload().returncode == 0
    sides.mover.ledger.unlink()
    assert sides.mover.run("check").returncode == 0
    assert appends(line) == sent


def test_subjects_that_the_server_changed_are_known_again(sides: Sides) -> None:
    """The bytes that Cyrus masks stand in the very fields that a mail without Message-ID is known by."""
    content = mail("x", message_id=False).replace(b"Subject: x", b"Subject: \xe8\xa6\x8b\xe7\xa9\x8d")
    sides.mover.write(Inbox=[content])
    sides.other.append("INBOX", uploaded(content), [], NOON)

    found = json.loads(sides.mover.run("check", "--json").stdout)["differences"]

    assert {name for name, count in found.items() if count} == set()


def test_what_cyrus_refuses_is_named_and_the_rest_arrives(sides_on: Callable[[str], Sides]) -> None:
    sides = sides_on("cyrus")
    sides.mover.write(Inbox=[mail("in-0"), mail("zero", body="a\0b\n"), mail("in-1")])

    done = sides.upload()

    assert done.returncode == 1
    assert "zero" in done.stdout + done.stderr
    assert "NUL" in done.stdout + done.stderr
    assert sorted(seen.fields[3] for seen in sides.other.mails().values()) == ["in-0", "in-1"]
    again = sides.upload()
    assert again.returncode == 1
    assert len(sides.other.mails()) == 2


@pytest.mark.parametrize("kind", ["cyrus", "courier"])
def test_what_does_not_fit_is_not_begun(kind: str, tmp_path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)  # it skips where there is none
    server = Cyrus(storage=100) if kind == "cyrus" else Courier(storage=100 * 1024, messages=1000)
    try:
        sides = Sides(tmp_path, server, server.make_user(), server.password)
        sides.mover.write(Inbox=[mail("small"), mail("big", body="x\n" * 60_000)])
        done = sides.upload()
        left = sides.other.mails()
        sides.close()
    finally:
        server.close()

    assert done.returncode == 3, done.stderr
    assert left == {}
