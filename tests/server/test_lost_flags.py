"""Flags that APPEND loses, as Microsoft 365 does with \\Flagged, are stored again; what is still missing then is told."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from hikkoshi.demo.mailboxes import Account
from hikkoshi.demo.server import DemoServer
from hikkoshi.mail.flags import ANSWERED, FLAGGED, SEEN
from hikkoshi.move.reading import EVERY
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy, Last
from support.moving import Mover, held, mail, mover_to, user_of

MARKED, READ, BOTH = "0005", "0001", "0007"
FLAGS = {MARKED: {SEEN, FLAGGED}, READ: {SEEN}, BOTH: {SEEN, ANSWERED, FLAGGED}}


def mails(*status: str) -> list[bytes]:
    return [mail(f"m-{number}", fields=f"X-Mozilla-Status: {each}\n") for number, each in enumerate(status)]


def uploaded(mover: Mover) -> dict[str, Any]:
    done = mover.run("upload", "--yes", "--json", "--map", "Inbox=INBOX")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def verified(mover: Mover) -> list[str]:
    with closing(sqlite3.connect(mover.ledger)) as ledger:
        return [row[0] for row in ledger.execute("SELECT verified FROM item ORDER BY id")]


class TestOnDovecot:
    pytestmark = pytest.mark.dovecot

    @pytest.fixture
    def mover(self, dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
        """Behind a line on which every APPEND loses \\Flagged."""
        mover = mover_to(dovecot, tmp_path)
        mover.go_through(proxy)
        proxy.change_up = lambda data: data if b" STORE " in data else data.replace(b"\\Flagged ", b"")
        return mover

    def flags(self, dovecot: Dovecot, mover: Mover) -> list[set[str]]:
        return [set(each.flags) for each in held(dovecot.mail_dir(user_of(mover)))]

    def test_they_are_stored_again_and_the_receipt_says_so(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        status = [MARKED, READ, BOTH]
        mover.write(Inbox=mails(*status))

        receipt = uploaded(mover)

        assert self.flags(dovecot, mover) == [FLAGS[each] for each in status]
        assert receipt["moved"]["read_back"] == 3
        assert (receipt["flags_set_again"], receipt["changed"]) == (2, [])
        assert verified(mover) == ["facts+flags", "facts", "facts+flags"]
        stores = [line for line in bytes(proxy.sent).split(b"\r\n") if b" STORE " in line]
        assert [line.split(b" ", 1)[1] for line in stores] == [b"UID STORE 1,3 +FLAGS.SILENT (\\Flagged)"]

    def test_where_nothing_is_lost_no_folder_is_opened_for_writing(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        proxy.change_up = None
        mover.write(Inbox=mails(MARKED, READ))

        assert uploaded(mover)["flags_set_again"] == 0

        assert b"SELECT" not in proxy.sent
        assert b"STORE" not in proxy.sent

    def test_what_a_large_move_finds_on_the_side_is_stored_too(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        status = [MARKED if number % 50 == 0 else READ for number in range(2 * EVERY + 100)]
        mover.write(Inbox=mails(*status))

        receipt = uploaded(mover)

        assert receipt["moved"]["read_back"] == len(status)
        assert receipt["flags_set_again"] == len(status) // 50
        found = {each.name: set(each.flags) for each in held(dovecot.mail_dir(user_of(mover)))}
        assert found == {f"m-{number}": FLAGS[each] for number, each in enumerate(status)}

    def test_a_large_move_asks_for_no_mail_more_than_twice_and_once_more_behind_the_store(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        """What is not found as it was sent on the side is not asked for there again and again."""
        count = 5 * EVERY
        mover.write(Inbox=mails(*[MARKED] * count))
        facts: list[bytes] = []

        def note(line: bytes) -> bytes:
            if b" FETCH (UID " in line and b"RFC822.SIZE" in line:
                facts.append(line)
            return line

        proxy.change = note
        assert uploaded(mover)["flags_set_again"] == count
        assert count * 2 <= len(facts) <= count * 3

    @pytest.mark.parametrize("answer", [b"NO [CANNOT] not here", b"BAD no such thing"])
    def test_what_is_refused_is_told_as_a_difference(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, answer: bytes
    ) -> None:
        mover.write(Inbox=mails(MARKED, READ))
        proxy.refuse(b"UID STORE", 1, answer)

        receipt = uploaded(mover)

        assert self.flags(dovecot, mover) == [{SEEN}, {SEEN}]
        assert receipt["flags_set_again"] == 0
        assert [(each["subject"], each["reason"]) for each in receipt["changed"]] == [("m-0", "its flags are “\\Seen”")]
        assert verified(mover)[1] == "facts"

    def test_a_line_that_is_cut_meanwhile_does_it_once_more(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        mover.write(Inbox=mails(MARKED, READ))
        proxy.at_answer(b"UID STORE", 1, lambda _line: Last())

        receipt = uploaded(mover)

        assert proxy.harmed == ["answer 1 to UID STORE"]
        assert self.flags(dovecot, mover) == [FLAGS[MARKED], FLAGS[READ]]
        assert receipt["moved"]["read_back"] == 2

    def test_mail_of_an_earlier_move_is_left_as_the_user_has_made_it(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        """Read back when the program is started again, days later perhaps: what is missing may have been taken off."""
        proxy.change_up = None
        mover.write(Inbox=mails(MARKED))
        uploaded(mover)
        with closing(sqlite3.connect(mover.ledger)) as ledger, ledger:
            ledger.execute("UPDATE item SET state = 'landed', verified = ''")
        with IMAPClient(dovecot.host, dovecot.imap_port, ssl=False) as phone:
            phone.login(user_of(mover), dovecot.password)
            phone.select_folder("INBOX")
            phone.remove_flags([1], [FLAGGED])

        mover.write(Inbox=mails(MARKED, READ))
        uploaded(mover)

        assert self.flags(dovecot, mover) == [{SEEN}, {SEEN}]
        assert verified(mover) == ["its flags are “\\Seen”", "facts"]


class TestOnTheDemosServer:
    @pytest.fixture
    def demo(self) -> Iterator[DemoServer]:
        with DemoServer(Account("user", "secret", storage_limit=1024 * 1024)) as running:
            running.faults.lost_flags = frozenset({b"\\Flagged"})
            yield running

    def test_they_are_stored_again(self, demo: DemoServer, tmp_path: Path) -> None:
        mover = Mover(tmp_path, f"imap://user@{demo.host}:{demo.port}", "secret")
        status = [MARKED, READ, BOTH]
        mover.write(Inbox=mails(*status))

        receipt = uploaded(mover)

        there = [set(each.flags) for each in demo.account.get("INBOX").messages.values()]
        assert there == [FLAGS[each] for each in status]
        assert (receipt["moved"]["read_back"], receipt["flags_set_again"]) == (3, 2)
        assert uploaded(mover)["plan"]["messages"] == 0
