"""Servers that end commands in another order than they came in, as RFC 3501 section 5.5 lets them."""

import threading
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.errors import ProtocolBroken
from hikkoshi.index.refresh_server import refresh_server
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import silent
from hikkoshi.server import folder_look
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.login import Login
from hikkoshi.server.news import Flags, Inquiry, KnownFolder, Mails, News, Settled
from hikkoshi.server.overview import Overview
from hikkoshi.server.records import FolderStatus
from support.dovecot import Dovecot
from support.faultproxy import FaultProxy
from support.peer import Peer

EXAMINED = (
    b"* FLAGS (a)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 5] ok\r\n* OK [HIGHESTMODSEQ 50] ok\r\n"
)
MAIL = (
    b'* %d FETCH (UID %d FLAGS () RFC822.SIZE 1 INTERNALDATE " 1-Jan-2024 00:00:00 +0000"'
    b" BODY[HEADER.FIELDS (DATE)] {2}\r\n\r\n)\r\n"
)
MAILS = b"".join(MAIL % (number, uid) for number, uid in enumerate((1, 2, 4), 1))


def opened(peer: Peer) -> Bulk:
    return Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2))


def never_seen(native: str) -> Inquiry:
    return Inquiry(native, None, FolderStatus(3, 7, 5, modseq=50), lambda: 3)


def changed(native: str, uids: Sequence[int] = (1, 2, 4)) -> Inquiry:
    known = KnownFolder(7, 5, 3, 40, True, lambda: uids, lambda: frozenset({"a"}))
    return Inquiry(native, known, FolderStatus(3, 7, 5, modseq=50), lambda: 3)


def settled(news: list[News]) -> list[str]:
    return [item.native for item in news if isinstance(item, Settled) and item.whole]


@pytest.mark.dovecot
def test_a_folder_never_seen_in_front_of_one_that_changed(dovecot: Dovecot, tmp_path: Path) -> None:
    """Dovecot answers ENABLE while a FETCH in front of it waits for the line between two of its answers."""
    user = dovecot.make_user()
    login = Login(dovecot.host, dovecot.imap_port, user, dovecot.password, "plain", timeout=10)
    index = Index(tmp_path / "index.sqlite")

    def look(bulk: Bulk) -> None:
        overview = bulk.overview()
        assert refresh_server(index, bulk, overview.folders, silent, Cancel(), states=overview.states) == []

    other = IMAPClient(dovecot.host, dovecot.imap_port, ssl=False)
    other.login(user, dovecot.password)
    for native in ("INBOX", "Last"):
        other.folder_exists(native) or other.create_folder(native)
        other.append(native, b"Subject: 1\r\n\r\n1\r\n")
    with Bulk.open(login) as bulk:
        look(bulk)
    other.create_folder("Huge")
    addresses = b" ".join(b"<%0900d@example.com>,\r\n" % number for number in range(2))
    for number in range(16):
        other.append("Huge", b"To: %s x@example.com\r\nSubject: %d\r\n\r\n%d\r\n" % (addresses, number, number))
    other.select_folder("Huge")
    for _doubled in range(8):  # 8 MB of answers are more than the buffers on the way to a client at work take
        other.copy("1:*", "Huge")
    other.unselect_folder()
    for native in ("INBOX", "Last"):
        other.append(native, b"Subject: 2\r\n\r\n2\r\n")
    other.shutdown()

    with FaultProxy(dovecot.host, dovecot.imap_port) as proxy:
        proxy.rate = 4_000_000
        with Bulk.open(Login(proxy.host, proxy.port, user, dovecot.password, "plain", timeout=10)) as bulk:
            look(bulk)
        verbs = [line.split()[1] for line in bytes(proxy.sent).split(b"\r\n") if line.startswith(b"h")]
    assert b"UID" in verbs[: verbs.index(b"ENABLE")]
    listed = {native: len(index.server_uids(index.server_folder(native) or 0)) for native in ("INBOX", "Huge", "Last")}
    index.close()
    assert listed == {"INBOX": 2, "Huge": 4096, "Last": 2}


def test_nothing_is_enabled_while_another_command_is_under_way() -> None:
    under_way: list[bytes] = []
    amid: list[bytes] = []

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED + tag + b" OK\r\n"
        if b"FETCH" in command:
            under_way.append(tag)

            def end() -> None:
                under_way.remove(tag)
                peer._current.sendall(tag + b" OK\r\n")

            threading.Timer(0.2, end).start()
            return MAILS
        if command.startswith(b"ENABLE"):
            amid.extend(under_way)
            return b"* ENABLED QRESYNC\r\n* OK [HIGHESTMODSEQ 99] Highest\r\n" + tag + b" OK\r\n"
        return tag + b" OK\r\n"

    with Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR QRESYNC ENABLE") as peer, opened(peer) as bulk:
        found = list(bulk.catch_up([never_seen("Huge"), changed("INBOX"), changed("Last")]))
        bulk.noop()

    assert amid == []
    assert bytes(peer.received).count(b"ENABLE") == 1
    assert settled(found) == ["Huge", "INBOX", "Last"]
    assert [item.status.modseq for item in found if isinstance(item, Settled)] == [50, 50, 50]


class Holding:
    """Answers commands of the verbs that are held once all `count` of them are there, in the order `order`."""

    def __init__(self, held: Callable[[bytes], bool], order: Sequence[int], answer: Callable[[bytes, bytes], bytes]):
        self._held, self._order, self._answer = held, order, answer
        self._waiting: list[bytes] = []

    def __call__(self, tag: bytes, command: bytes) -> bytes:
        answer = self._answer(tag, command)
        if not self._held(command):
            return answer
        self._waiting.append(answer)
        if len(self._waiting) < len(self._order):
            return b""
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting[place] for place in self._order)


SETS = {b"ALL": b"1:2,4", b"SEEN": b"2", b"KEYWORD a": b"4"}


def searched(tag: bytes, command: bytes) -> bytes:
    if command.startswith(b"EXAMINE"):
        return EXAMINED + tag + b" OK\r\n"
    if b"SEARCH" in command:
        having = SETS.get(command.rpartition(b"(ALL) ")[2])
        return b'* ESEARCH (TAG "%s") UID%s\r\n%s OK\r\n' % (tag, b" ALL " + having if having else b"", tag)
    if b"BODY" in command:
        return MAIL % (3, 4) + tag + b" OK\r\n"
    return tag + b" OK\r\n"


@pytest.mark.parametrize("turn", range(8))
def test_searches_and_a_fetch_in_any_order(turn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One FETCH of what is new, and the searches for all, five system flags and a keyword."""
    monkeypatch.setattr(folder_look, "_SETS_FROM", 1)
    order = [(place + turn) % 8 for place in range(8)][:: 1 if turn % 2 else -1]
    reply = Holding(lambda command: b"UID " in command, order, searched)
    known = KnownFolder(7, 4, 2, None, True, lambda: [1, 2], lambda: frozenset({"a"}))
    with Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR ESEARCH") as peer, opened(peer) as bulk:
        found = list(bulk.catch_up([Inquiry("INBOX", known, FolderStatus(3, 7, 5), lambda: 3)]))
        bulk.noop()

    [flags] = [item for item in found if isinstance(item, Flags)]
    assert flags.flags == {1: frozenset(), 2: frozenset({"\\Seen"}), 4: frozenset({"a"})}
    assert flags.whole
    assert [uid for item in found if isinstance(item, Mails) for uid, _mail in item.mails] == [4]
    assert settled(found) == ["INBOX"]


def test_a_long_search_answer_amid_a_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other UID of a large folder is a line longer than others may be."""
    monkeypatch.setattr("hikkoshi.server.channel.MAX_LINE", 1000)
    uids = range(1, 1001, 2)

    def answer(tag: bytes, command: bytes) -> bytes:
        said = searched(tag, command).replace(b"* 3 EXISTS", b"* 500 EXISTS").replace(b"UID 4", b"UID 999")
        return said.replace(b"1:2,4", b",".join(b"%d" % uid for uid in uids))

    known = KnownFolder(7, 999, 499, None, True, lambda: uids[:-1], lambda: frozenset({"a"}))
    reply = Holding(lambda command: b"UID " in command, [1, 2, 3, 4, 5, 6, 7, 0], answer)
    monkeypatch.setattr(folder_look, "_SETS_FROM", 1)
    with Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR ESEARCH") as peer, opened(peer) as bulk:
        found = list(bulk.catch_up([Inquiry("INBOX", known, FolderStatus(500, 7, 1001), lambda: 500)]))

    assert [item.whole for item in found if isinstance(item, Flags)] == [True]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_of_a_first_look_in_any_order(order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_look, "CHUNK", 1)

    def answer(tag: bytes, command: bytes) -> bytes:
        if b"FETCH" not in command:
            return (EXAMINED if b"EXAMINE" in command else b"") + tag + b" OK\r\n"
        number = int(command.split()[1].split(b":")[0])
        return MAIL % (number, (1, 2, 4)[number - 1]) + tag + b" OK\r\n"

    reply = Holding(lambda command: b"FETCH" in command, order, answer)
    with Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR") as peer, opened(peer) as bulk:
        found = list(bulk.catch_up([never_seen("INBOX")]))
        bulk.noop()

    assert sorted(uid for item in found if isinstance(item, Mails) for uid, _mail in item.mails) == [1, 2, 4]
    assert settled(found) == ["INBOX"]


def test_no_folder_is_opened_amid_what_is_asked_of_another() -> None:
    """That would be ambiguous: the answers could be of either folder."""
    reply = Holding(
        lambda command: b"FETCH" in command or b"Last" in command,
        (1, 0, 2),
        lambda tag, command: (EXAMINED if b"EXAMINE" in command else MAILS) + tag + b" OK\r\n",
    )
    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR") as peer,
        opened(peer) as bulk,
        pytest.raises(ProtocolBroken, match=r"makes no sense here: h\d OK\. The"),
    ):
        list(bulk.catch_up([never_seen("Huge"), never_seen("Last")]))


FIRST = {
    b'LIST "" "*"': b'* LIST () "/" INBOX\r\n* LIST (\\Sent) "/" Out\r\n* LIST () "/" New\r\n',
    b'LIST "" ""': b'* LIST (\\Noselect) "/" ""\r\n',
    b"NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\n',
    b'GETQUOTAROOT "INBOX"': b"* QUOTAROOT INBOX a b\r\n* QUOTA a (STORAGE 1 10)\r\n* QUOTA b (MESSAGE 3 30)\r\n",
    b'GETQUOTAROOT "Out"': b"* QUOTAROOT Out b\r\n* QUOTA b (MESSAGE 3 30)\r\n",
    b'STATUS "INBOX"': b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4)\r\n",
    b'STATUS "Out"': b"* STATUS Out (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7 HIGHESTMODSEQ 8)\r\n",
}


def overview(order: Sequence[int], capabilities: bytes, held: bytes) -> tuple[Overview, list[bytes]]:
    """What is seen, and what was asked, when what has, or has not, `held` in it is answered in that order."""

    def answer(tag: bytes, command: bytes) -> bytes:
        for start, answers in FIRST.items():
            if command.startswith(start):
                return answers + tag + b" OK done\r\n"
        return tag + b" NO not here\r\n"

    reply = Holding(lambda command: (b"STATUS" in command) == (held == b"STATUS"), order, answer)
    with Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR QUOTA " + capabilities) as peer, opened(peer) as bulk:
        found = bulk.overview(["Out", "None"])
        bulk.close()
    return found, [line for line in bytes(peer.received).split(b"\r\n") if line.startswith(b"h")]


@pytest.mark.parametrize("capabilities", [b"NAMESPACE", b""])
def test_what_a_look_begins_with_in_any_order(capabilities: bytes) -> None:
    """Dovecot answers NAMESPACE and GETQUOTAROOT while a long LIST waits for the line: no quota must be missed."""
    expected, asked = overview(range(5), capabilities, b"")
    assert [(root.root, sorted(root.folders)) for root in expected.quota] == [("a", ["INBOX"]), ("b", ["INBOX", "Out"])]
    assert expected.spaces.delimiter == "/"
    assert [folder.native for folder in expected.folders] == ["INBOX", "Out", "New"]
    for order in permutations(range(5)):
        assert overview(order, capabilities, b"") == (expected, asked), order


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_states_in_any_order(order: tuple[int, ...]) -> None:
    """That of a folder that the server refuses is among them."""
    found, _asked = overview(order, b"CONDSTORE", b"STATUS")

    assert found.states == {"INBOX": FolderStatus(1, 3, 2, modseq=4), "Out": FolderStatus(5, 7, 6, modseq=8)}
