"""What each server makes of each finding, as the table says; and what a repair makes of it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from hikkoshi.mail.bookkeeping import upload_form
from hikkoshi.mail.findings import Finding
from hikkoshi.mail.remedies import REMEDIES
from hikkoshi.mail.repairs import Repair
from support.moving import mail, uploaded
from support.sides import Sides

HEAD = b"Date: 2 Jan 2024 12:00:00 +0000\nFrom: a@example.com\nSubject: %s\nMessage-ID: <%s@example.com>\n"


def head(name: bytes) -> bytes:
    return HEAD % (name, name)


ODD: dict[Finding, bytes] = {
    Finding.BARE_CR: head(b"bare-cr") + b"\na\rb\n",
    Finding.BARE_CR_IN_HEADER: head(b"cr-in-header") + b"X-Note: a\rb\n\nbody\n",
    Finding.MIXED_LINE_ENDS: head(b"mixed") + b"\none\r\ntwo\nthree\n",
    Finding.NUL: head(b"nul") + b"\na\0b\n",
    Finding.EIGHT_BIT_HEADER: head(b"eight-bit") + "X-Note: 見積\n\nbody\n".encode(),
    Finding.EIGHT_BIT_STRUCTURE: head(b"structure") + "Reply-To: 山@example.com\n\nbody\n".encode(),
    Finding.EMPTY_FIELD: head(b"empty-field") + b"X-Note:\n\nbody\n",
    Finding.BAD_FIELD: head(b"bad-field") + b"what is this\n\nbody\n",
    Finding.LONG_LINE: head(b"long-line") + b"\n" + b"x" * 5000 + b"\n",
    Finding.LONG_HEADER_LINE: head(b"long-header") + b"X-Note:" + b" word" * 300 + b"\n\nbody\n",
    Finding.VERY_LONG_LINE: head(b"very-long") + b"\n" + b"x" * 20_000 + b"\n",
    Finding.NO_FINAL_LINE_END: head(b"no-end") + b"\nbody",
    Finding.ASKS_FOR_RECEIPT: head(b"receipt") + b"Disposition-Notification-To: a@example.com\n\nbody\n",
    Finding.IMPOSSIBLE_DATE: head(b"no-date").replace(b"2 Jan", b"31 Feb") + b"\nbody\n",
    Finding.ODD_DATE: head(b"odd-date").replace(b"+0000", b"JST") + b"\nbody\n",
    Finding.NO_HEADERS: b"\nonly a body\n",
}


def put(sides: Sides, content: bytes) -> None:
    """A Maildir of one mail: in an mbox nothing can lack its last line end, or be without headers."""
    folder = sides.mover.folder / "Maildir"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "new" / "1.x").write_bytes(content)
    sides.mover.options = ("--local", str(folder))


@pytest.mark.parametrize("finding", ODD, ids=lambda finding: finding.code)
@pytest.mark.parametrize("kind", ["dovecot", "cyrus", "courier"])
def test_the_table_says_what_servers_do(kind: str, finding: Finding, sides_on: Callable[[str], Sides]) -> None:
    sides = sides_on(kind)
    put(sides, ODD[finding])

    done = json.loads(sides.upload("--json").stdout)

    assert finding.code in done["findings"]["counts"]
    name = kind.title()
    assert bool(done["not_moved"]) == (name in REMEDIES[finding].refused_by)
    assert bool(done["changed"]) == (name in REMEDIES[finding].changed_by)


MENDED: dict[Repair, tuple[bytes, bytes]] = {
    Repair.ENCODE_HEADERS: (
        ODD[Finding.EIGHT_BIT_HEADER],
        head(b"eight-bit") + b"X-Note: =?utf-8?B?6KaL56mN?=\n\nbody\n",
    ),
    Repair.DROP_EMPTY_FIELDS: (ODD[Finding.EMPTY_FIELD], head(b"empty-field") + b"\nbody\n"),
    Repair.BARE_RETURNS: (ODD[Finding.BARE_CR], head(b"bare-cr") + b"\na\nb\n"),
    Repair.FINAL_LINE_END: (ODD[Finding.NO_FINAL_LINE_END], head(b"no-end") + b"\nbody\n"),
    Repair.FOLD_HEADERS: (
        ODD[Finding.LONG_HEADER_LINE],
        head(b"long-header") + b"X-Note:" + b" word" * 198 + b"\n" + b" word" * 102 + b"\n\nbody\n",
    ),
    Repair.HOLD_RECEIPTS: (
        ODD[Finding.ASKS_FOR_RECEIPT],
        head(b"receipt") + b"X-Disposition-Notification-To: a@example.com\n\nbody\n",
    ),
}


@pytest.mark.parametrize("kind", ["dovecot", "bare", "cyrus", "courier"])
@pytest.mark.parametrize("repair", Repair)
def test_a_mended_mail_arrives_as_mended_and_is_known_again(
    kind: str, repair: Repair, sides_on: Callable[[str], Sides]
) -> None:
    sides = sides_on(kind)
    stored, expected = MENDED[repair]
    put(sides, stored)

    shown = json.loads(sides.mover.run("upload", "--dry-run", "--json", "--repair", repair).stdout)
    done = json.loads(sides.upload("--json", "--repair", repair).stdout)

    assert list(sides.other.contents("INBOX").values()) == [uploaded(expected)]
    assert [(mail["repairs"], mail["subject"]) for mail in shown["findings"]["mails"]] == [
        ([repair], done["findings"]["mails"][0]["subject"])
    ]
    assert shown["plan"]["bytes"] >= len(uploaded(expected))
    assert (done["changed"], done["not_moved"], done["moved"]["read_back"]) == ([], [], 1)
    assert done["moved"]["bytes"] == len(uploaded(expected))
    assert ledger_repairs(sides) == [repair]
    known_again(sides)


@pytest.mark.parametrize("kind", ["dovecot", "bare", "cyrus", "courier"])
def test_a_mail_known_by_nothing_but_its_headers_is_known_when_these_were_mended(
    kind: str, sides_on: Callable[[str], Sides]
) -> None:
    """Two of them with the same headers, so that only the body's digest tells them apart."""
    sides = sides_on(kind)
    header = "Date: 2 Jan 2024 12:00:00 +0000\nFrom: 山田 <a@example.com>\nSubject: 見積\n\n".encode()
    sides.mover.write(Inbox=[header + b"one\n", header + b"two\n", header + b"longer than these\n"])

    done = json.loads(sides.upload("--json", "--repair", "all-lossless").stdout)

    assert (done["moved"]["messages"], done["changed"], done["not_moved"]) == (3, [], [])
    assert all(content.isascii() for content in sides.other.contents("INBOX").values())
    known_again(sides)


def test_without_a_choice_nothing_is_mended(sides_on: Callable[[str], Sides]) -> None:
    sides = sides_on("dovecot")
    contents = [content for finding, content in ODD.items() if finding not in (Finding.NUL, Finding.NO_FINAL_LINE_END)]
    sides.mover.write(Inbox=contents[:-1])

    done = json.loads(sides.upload("--json").stdout)

    assert sorted(sides.other.contents("INBOX").values()) == sorted(
        upload_form(each, mbox=True) for each in contents[:-1]
    )
    assert ledger_repairs(sides) == [""] * len(contents[:-1])
    assert done["changed"] == []


def test_a_large_mail_is_mended_on_its_way(sides_on: Callable[[str], Sides]) -> None:
    """It is never held as a whole, and read anew when it is sent."""
    sides = sides_on("cyrus")
    stored = "X-Note: 見積\n".encode() + mail("large", body=("x" * 70 + "\r" + "y" * 70 + "\n") * 40_000)
    sides.mover.write(Inbox=[stored])

    done = json.loads(sides.upload("--json", "--repair", "all-lossless").stdout)

    [content] = sides.other.contents("INBOX").values()
    expected = stored.replace("見積".encode(), b"=?utf-8?B?6KaL56mN?=").replace(b"\r", b"\n")
    assert content == uploaded(expected)
    assert (done["changed"], done["not_moved"]) == ([], [])
    known_again(sides)


def known_again(sides: Sides) -> None:
    """Neither the next run nor one that has lost the index sends it again."""
    before = sides.other.mails()
    assert sides.mover.run("check").returncode == 0
    for index in (sides.mover.home / ".cache/hikkoshi").iterdir():
        index.unlink()
    after = sides.mover.run("check", "--strict")
    assert after.returncode == 0, after.stdout
    assert json.loads(sides.upload("--json", "--repair", "all-lossless").stdout)["plan"]["messages"] == 0
    assert sides.other.mails() == before


def ledger_repairs(sides: Sides) -> list[str]:
    with closing(sqlite3.connect(sides.mover.ledger)) as ledger:
        return [repairs for (repairs,) in ledger.execute("SELECT repairs FROM item ORDER BY id")]
