"""Reading back: what is the same, what differs, and which mails are read whole."""

from collections.abc import Iterable, Mapping

import pytest
from msgspec.structs import replace

from hikkoshi.errors import CommandRefused
from hikkoshi.mail.identity import canonical_digest
from hikkoshi.move.verify import BYTES, FACTS, GONE, Sent, read_back
from hikkoshi.server.readback import Found
from hikkoshi.server.records import Facts

CONTENT = b"Subject: x\r\n\r\nbody\r\n"
SENT = Sent(1, 7, 10, len(CONTENT), frozenset({"\\Seen", "$Work"}), 5, canonical_digest(CONTENT), risky=False)
SAME = Facts(len(CONTENT), frozenset({"\\Seen", "$work", "\\Recent"}), 5)


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
