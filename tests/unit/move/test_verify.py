"""Reading back: what is the same, what differs, and which mails are read whole."""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from msgspec.structs import replace

from hikkoshi.errors import CommandRefused
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.move.verify import BYTES, FACTS, GONE, Sent, read_back
from hikkoshi.server.readback import Found
from hikkoshi.server.records import Facts, FolderStatus
from hikkoshi.server.storing import Stored

CONTENT = b"Subject: x\r\n\r\nbody\r\n"
SENT = Sent(1, 7, 10, len(CONTENT), frozenset({"\\Seen", "$Work"}), 5, canonical_digest(CONTENT), risky=False)
SAME = Facts(len(CONTENT), frozenset({"\\Seen", "$work", "\\Recent"}), 5)


STATUS = FolderStatus(messages=3, uidvalidity=7, uidnext=20)


class Server:
    """A bulk connection that has one folder."""

    def __init__(self, facts: dict[int, Facts], whole: bytes | CommandRefused | None = CONTENT) -> None:
        self.facts, self.whole = facts, whole
        self.read: list[int] = []

    def read_back(self, native: str, uids: Iterable[int], whole: Mapping[int, int]) -> Found:
        self.read += whole
        there = self.whole if not isinstance(self.whole, bytes) else canonical_digest(self.whole)
        digests = {} if there is None else dict.fromkeys(whole, there)
        return Found({uid: self.facts[uid] for uid in uids if uid in self.facts}, digests)


def how(server: Server, *sent: Sent) -> list[str]:
    return [found.how for found in read_back(server, "INBOX", list(sent))]  # type: ignore[arg-type]


def test_a_mail_with_the_same_facts_is_as_it_was_sent() -> None:
    server = Server({10: SAME})

    assert how(server, SENT) == [FACTS]
    assert server.read == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(SAME, size=99), "its size is 99 bytes instead of 20"),
        (replace(SAME, flags=frozenset({"$Work"})), "its flags are"),
        (replace(SAME, flags=frozenset({"\\Seen"})), "its flags are"),
        (replace(SAME, date=6), "its date is another one"),
    ],
)
def test_what_differs_is_said(facts: Facts, words: str) -> None:
    assert words in how(Server({10: facts}), SENT)[0]


def test_those_at_risk_and_one_in_fifty_are_read_whole() -> None:
    facts = dict.fromkeys(range(1, 201), SAME)
    server = Server(facts)
    found = how(server, *[replace(SENT, item=uid, uid=uid, risky=uid == 7) for uid in range(1, 201)])

    assert server.read == [7, 50, 100, 150, 200]
    assert found.count(BYTES) == 5
    assert found.count(FACTS) == 195


def test_a_mail_whose_bytes_changed_is_named() -> None:
    risky = replace(SENT, risky=True)

    assert how(Server({10: SAME}, CONTENT.replace(b"body", b"b\x80dy")), risky) == ["the server changed its bytes"]
    assert how(Server({10: SAME}, CONTENT.replace(b"\r\n", b"\n") + b"\n"), risky) == [BYTES]


def test_a_mail_that_is_gone_stops_no_other() -> None:
    risky = replace(SENT, item=2, uid=11, risky=True)

    assert how(Server({10: SAME}), risky, SENT) == [GONE, FACTS]
    assert how(Server({10: SAME, 11: SAME}, None), risky, SENT) == [GONE, FACTS]
    assert how(Server({10: SAME, 11: SAME}, CommandRefused("not now")), risky, SENT) == [
        "it could not be read back: not now",
        FACTS,
    ]


class Losing(Server):
    """A server that has lost flags, and takes those that are stored; `said` is what was done, in order."""

    def __init__(self, facts: dict[int, Facts], status: FolderStatus = STATUS) -> None:
        super().__init__(facts)
        self.status = status
        self.said: list[str] = []

    def select(self, native: str) -> FolderStatus:
        self.said.append("select")
        return self.status

    def examine(self, native: str) -> FolderStatus:
        self.said.append("examine")
        return self.status

    def store(self, uids: Iterable[int], flags: Sequence[str]) -> Stored:
        listed = sorted(uids)
        self.said.append(f"store {listed} {' '.join(flags)}")
        for uid in listed:
            self.facts[uid] = replace(self.facts[uid], flags=self.facts[uid].flags.union(flags))
        return Stored(frozenset(listed))

    def fetch_facts(self, native: str, uids: Iterable[int]) -> dict[int, Facts]:
        self.said.append(f"fetch {sorted(uids)}")
        return {uid: self.facts[uid] for uid in uids if uid in self.facts}

    def how(self, *sent: Sent) -> list[str]:
        return [found.how for found in read_back(self, "INBOX", list(sent), store_lost=True)]  # type: ignore[arg-type]


LOST = replace(SAME, flags=frozenset({"$Work", "home"}))


def test_flags_that_were_lost_are_stored_and_looked_at_again() -> None:
    server = Losing({10: LOST, 11: SAME, 12: replace(LOST, flags=frozenset())})
    sent = [replace(SENT, item=uid, uid=uid, risky=uid == 12) for uid in (10, 11, 12)]

    # What is there and was not sent is still told.
    assert server.how(*sent) == ["its flags are “$Work \\Seen home”", FACTS, "bytes+flags"]
    assert server.said == ["select", "store [10] \\Seen", "store [12] $Work \\Seen", "examine", "fetch [10, 12]"]
    assert server.read == [12], "it is not read whole once more"


def test_where_nothing_was_lost_nothing_more_is_asked() -> None:
    more = replace(SAME, flags=frozenset({"\\Seen", "$work", "home"}))
    server = Losing({10: more})

    assert "its flags are" in server.how(SENT)[0]
    assert server.said == []


@pytest.mark.parametrize("status", [replace(STATUS, uidvalidity=8), replace(STATUS, read_only=True)])
def test_nothing_is_stored_in_another_folder_or_one_that_may_only_be_read(status: FolderStatus) -> None:
    server = Losing({10: LOST}, status)

    assert "its flags are" in server.how(SENT)[0]
    assert server.said == ["select", "examine"]
