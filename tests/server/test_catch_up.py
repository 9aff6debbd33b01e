"""Catching up with folders: by each way that servers offer, in few round trips, and in others' words."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from imapclient import IMAPClient

from hikkoshi.errors import Cancelled, ConnectionLost, ProtocolBroken
from hikkoshi.index.refresh_server import refresh_server
from hikkoshi.index.store import Index, ServerState
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.jobs.progress import silent
from hikkoshi.mail.message import Problem
from hikkoshi.server import folder_look
from hikkoshi.server.bulk import Bulk
from hikkoshi.server.channel import Channel
from hikkoshi.server.login import Login
from hikkoshi.server.news import Inquiry, KnownFolder, Mails, News, Refused, Settled
from hikkoshi.server.records import FolderStatus
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy
from support.peer import Peer

ALL = None
WAYS = {
    "QRESYNC": ALL,
    "CONDSTORE": "IMAP4rev1 LIST-STATUS CONDSTORE ESEARCH",
    "CONDSTORE, no ESEARCH": "IMAP4rev1 LIST-STATUS CONDSTORE",
    "CONDSTORE, no LIST-STATUS": "IMAP4rev1 CONDSTORE",
    "ESEARCH": "IMAP4rev1 LIST-STATUS ESEARCH",
    "nothing": "IMAP4rev1",
}


def mail(number: int) -> bytes:
    return (
        b"Message-ID: <%d@example.com>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: a@example.com\r\n"
        b"Subject: %d\r\n\r\nbody %d\r\n" % (number, number, number)
    )


@dataclass
class Account:
    """An account, another client on it, and an index that follows; `asked`: the commands of the last look."""

    server: Dovecot
    index: Index
    proxy: FaultProxy
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.user = self.server.make_user()
        self.other = IMAPClient(self.server.host, self.server.imap_port, ssl=False)
        self.other.login(self.user, self.server.password)
        self.login = Login(self.proxy.host, self.proxy.port, self.user, self.server.password, "plain", timeout=10)

    def put(self, *numbers: int, native: str = "INBOX", flags: tuple[bytes, ...] = ()) -> None:
        for number in numbers:
            self.other.append(native, mail(number), flags)

    def change(self, uids: list[int], flags: list[bytes], *, add: bool = True, native: str = "INBOX") -> None:
        self.other.select_folder(native)
        (self.other.add_flags if add else self.other.remove_flags)(uids, flags)

    def expunge(self, *uids: int, native: str = "INBOX") -> None:
        self.other.select_folder(native)
        self.other.delete_messages(list(uids))
        self.other.expunge()

    def look(self, cancel: Cancel | None = None, on_rows: Callable[[int, int], None] | None = None) -> list[Problem]:
        with Bulk.open(self.login) as bulk:
            overview = bulk.overview()
            del self.proxy.sent[:]
            try:
                return refresh_server(
                    self.index, bulk, overview.folders, silent, cancel or Cancel(), states=overview.states,
                    on_rows=on_rows,
                )  # fmt: skip
            finally:
                lines = bytes(self.proxy.sent).split(b"\r\n")
                self.asked = [line.split(b" ", 1)[1].decode() for line in lines if line and b"LOGOUT" not in line]

    def listed(self, native: str = "INBOX") -> dict[int, str]:
        """UID -> flags as the index has them."""
        found = self.index.server_uids(self.index.server_folder(native) or 0)
        return {uid: flags for uid, (_id, flags) in found.items()}

    def state(self, native: str = "INBOX") -> ServerState:
        found = self.index.server_state(self.index.server_folder(native) or 0)
        assert found is not None
        return found

    def there(self, native: str = "INBOX") -> dict[int, str]:
        """UID -> flags as the other client sees them."""
        self.other.select_folder(native, readonly=True)
        uids = self.other.search("ALL")
        found = self.other.get_flags(uids) if uids else {}
        return {
            uid: " ".join(sorted(flag.decode() for flag in flags if flag != b"\\Recent"))
            for uid, flags in found.items()
        }


@pytest.fixture
def account_with(
    dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path
) -> Iterator[Callable[[str | None], Account]]:
    made: list[Account] = []

    def make(capability: str | None) -> Account:
        server = dovecot_with(Settings(capability=capability, folders=(("Sent", "\\Sent"),)))
        proxy = FaultProxy(server.host, server.imap_port)
        made.append(Account(server, Index(tmp_path / f"{len(made)}.sqlite"), proxy))
        return made[-1]

    yield make
    for account in made:
        account.other.shutdown()
        account.proxy.close()
        account.index.close()


@pytest.fixture
def account(account_with: Callable[[str | None], Account]) -> Account:
    return account_with(ALL)


@pytest.fixture(params=[1, 1000], ids=["sets", "all flags"])
def sets_from(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From how many mails on flags are asked for by searches."""
    monkeypatch.setattr(folder_look, "_SETS_FROM", request.param)
    return int(request.param)


@pytest.mark.dovecot
@pytest.mark.parametrize("way", WAYS)
def test_each_way_sees_each_kind_of_change(
    account_with: Callable[[str | None], Account], way: str, sets_from: int
) -> None:
    account = account_with(WAYS[way])
    account.put(*range(1, 9), flags=(b"\\Seen", b"work"))
    assert account.look() == []
    rows = account.index.server_uids(account.index.server_folder("INBOX") or 0)
    changes: list[Callable[[], None]] = [
        lambda: account.change([2], [b"\\Seen"], add=False),
        lambda: account.change([3], [b"other", b"\\Flagged"]),
        lambda: account.change([1, 2, 3], [b"work", b"other"], add=False),
        lambda: account.expunge(1, 8),
        lambda: account.put(9, 10, flags=(b"\\Answered",)),
        lambda: (account.expunge(9), account.put(11), account.change([4], [b"\\Draft"])),  # type: ignore[func-returns-value]
        lambda: account.put(1, native="Sent"),
    ]
    for change in changes:
        change()
        assert account.look() == []
        assert account.listed() == account.there()
        assert account.listed("Sent") == account.there("Sent")
        assert account.state().complete
    still = account.index.server_uids(account.index.server_folder("INBOX") or 0)
    assert {uid: still[uid][0] for uid in range(2, 8)} == {uid: rows[uid][0] for uid in range(2, 8)}
    account.expunge(*account.there())
    assert account.look() == []
    assert account.listed() == {}


@pytest.mark.dovecot
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_asked_where_the_state_tells_that_nothing_changed(
    account_with: Callable[[str | None], Account], way: str
) -> None:
    account = account_with(WAYS[way])
    account.put(1, 2, 3)
    account.look()
    account.look()

    verbs = [line.split()[0] + " " + line.split()[1] for line in account.asked]
    if "CONDSTORE" in way or way == "QRESYNC":
        assert account.asked == []
    else:
        assert not [line for line in account.asked if "BODY" in line and ":*" not in line]
        assert set(verbs) <= {'EXAMINE "INBOX"', 'EXAMINE "Sent"', "UID FETCH"}


@pytest.mark.dovecot
def test_what_changed_is_asked_in_one_go(account: Account) -> None:
    account.put(1, 2, 3)
    account.look()
    account.change([1], [b"\\Seen"])
    account.put(4)
    account.look()

    known = account.asked[1].split("(QRESYNC ")[1]
    assert account.asked[0] == "ENABLE QRESYNC"
    assert account.asked[1] == f'EXAMINE "INBOX" (QRESYNC {known}'
    assert [line[:13] for line in account.asked[2:]] == ["UID FETCH 4:*"]


@pytest.mark.dovecot
@pytest.mark.parametrize("way", ["QRESYNC", "nothing"])
def test_a_hundred_folders_are_no_hundred_round_trips(
    account_with: Callable[[str | None], Account], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_with(WAYS[way])
    names = [f"f{number}" for number in range(100)]
    for number, name in enumerate(names):
        account.other.create_folder(name)
        account.put(number, native=name)
    sends: list[int] = []
    send = Channel.send

    def counted(channel: Channel, data: bytes) -> None:
        sends.append(data.count(b"\r\n"))
        send(channel, data)

    monkeypatch.setattr(Channel, "send", counted)
    for step in range(3):
        sends.clear()
        assert account.look() == []
        assert sum(1 for name in names if account.listed(name) == {1: ""}) == (0 if step == 2 else 100)
        for name in names if step == 1 else ():
            account.change([1], [b"\\Seen"], native=name)
        # As many commands go out at once as the window has room for; then one for each that was answered.
        assert max(sends) >= 40 or (way == "QRESYNC" and step == 1)
    assert all(account.listed(name) == {1: "\\Seen"} for name in names)


# A first listing


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_look, "CHUNK", 3)


@pytest.mark.dovecot
@pytest.mark.parametrize("way", ["QRESYNC", "nothing"])
def test_a_large_folder_is_listed_newest_first_and_without_gaps(
    account_with: Callable[[str | None], Account], small_chunks: None, way: str
) -> None:
    account = account_with(WAYS[way])
    account.put(*range(1, 12))
    account.expunge(2, 6)
    account.put(12)
    assert account.look() == []

    assert [line.split()[1] for line in account.asked if line.startswith("FETCH")] == ["10:10", "7:9", "4:6", "1:3"]
    assert account.listed() == account.there()
    assert account.state().complete


@pytest.mark.dovecot
@pytest.mark.parametrize("way", ["QRESYNC", "ESEARCH", "nothing"])
def test_a_listing_that_was_cut_goes_on_with_what_is_missing(
    account_with: Callable[[str | None], Account], small_chunks: None, way: str
) -> None:
    account = account_with(WAYS[way])
    account.put(*range(1, 12))
    with Bulk.open(account.login) as bulk:
        overview = bulk.overview()
        # Behind EXAMINE's answers and some six mails.
        account.proxy.cut_after(down=3000)
        with pytest.raises(ConnectionLost):
            refresh_server(account.index, bulk, overview.folders, silent, Cancel(), states=overview.states)
    account.proxy.cut_after()
    kept = account.listed()
    assert kept
    assert max(kept) == 11
    assert len(kept) < 11
    assert not account.state().complete

    account.put(12)
    assert account.look() == []
    fetched = [line for line in account.asked if "BODY" in line]
    assert account.listed() == account.there()
    assert account.state().complete
    assert not [line for line in fetched if line.startswith(("FETCH", "UID FETCH 1:* "))], (
        "what is known is not asked for"
    )


@pytest.mark.dovecot
def test_cut_anywhere_the_next_look_makes_it_whole(account: Account, small_chunks: None) -> None:
    account.put(*range(1, 8))
    with Bulk.open(account.login) as bulk:
        before = account.proxy.answered
        overview = bulk.overview()
        with closing(bulk.catch_up([Inquiry("INBOX", None, overview.states["INBOX"], lambda: 7)])) as news:
            assert sum(len(item.mails) for item in news if isinstance(item, Mails)) == 7
        length = account.proxy.answered - before
    for down in range(0, length, 97):
        account.proxy.cut_after()
        with Bulk.open(account.login) as bulk:
            overview = bulk.overview()
            account.proxy.cut_after(down=down)
            with suppress(ConnectionLost):
                refresh_server(account.index, bulk, overview.folders, silent, Cancel(), states=overview.states)
    account.proxy.cut_after()
    assert account.look() == []
    assert account.listed() == account.there()


@pytest.mark.dovecot
def test_rows_are_told_as_they_come(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hikkoshi.index.refresh_server._ROWS", 1)
    account.put(1, 2)
    account.put(3, native="Sent")
    told: list[tuple[int, int]] = []
    account.look(on_rows=lambda row, count: told.append((row, count)))

    assert sorted(told) == sorted([(account.index.server_folder("INBOX"), 2), (account.index.server_folder("Sent"), 1)])


@pytest.mark.dovecot
def test_a_cancel_is_heard_between_two_batches(account: Account) -> None:
    account.put(1, native="Sent")
    account.put(2)
    cancel = Cancel()
    with pytest.raises(Cancelled):
        account.look(cancel, lambda _row, _count: cancel.set("user"))
    account.look()
    assert account.listed() == account.there()


# What other servers say

KNOWN = KnownFolder(7, 5, 3, 40, True, lambda: [1, 2, 4], frozenset)


def news(
    reply: Callable[[bytes, bytes], bytes | None], capabilities: bytes, inquiry: Inquiry
) -> tuple[list[News], list[bytes]]:
    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN SASL-IR " + capabilities) as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        found = list(bulk.catch_up([inquiry]))
        bulk.noop()
    lines = bytes(peer.received).split(b"\r\n")
    return found, [line.split(b" ", 1)[1] for line in lines if line.startswith(b"h")]


EXAMINED = b"* FLAGS (a)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 5] ok\r\n"


def flags(*uids: int) -> bytes:
    return b"".join(b"* %d FETCH (UID %d FLAGS (\\Seen))\r\n" % (n, uid) for n, uid in enumerate(uids, 1))


def mails(*uids: int) -> bytes:
    return b"".join(
        b'* %d FETCH (UID %d FLAGS () RFC822.SIZE 1 INTERNALDATE " 1-Jan-2024 00:00:00 +0000"'
        b" BODY[HEADER.FIELDS (DATE)] {2}\r\n\r\n)\r\n" % (n, uid)
        for n, uid in enumerate(uids, 1)
    )


def test_a_folder_that_cannot_be_opened_is_told_and_the_line_stays_in_step() -> None:
    """The commands that went out behind the EXAMINE are BAD then, and that is no reason to hang up."""

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return tag + b" NO [NOPERM] not for you\r\n"
        return tag + (b" BAD no mailbox\r\n" if b"FETCH" in command else b" OK\r\n")

    found, asked = news(reply, b"", Inquiry("INBOX", KNOWN, FolderStatus(3, 7, 6), lambda: 3))

    [refused] = found
    assert isinstance(refused, Refused)
    assert "not for you" in str(refused.error)
    assert [line.split()[0] for line in asked] == [b"EXAMINE", b"UID", b"UID", b"NOOP"]


def test_a_bad_that_nothing_explains_ends_the_conversation() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED + tag + b" OK\r\n"
        return tag + b" BAD what\r\n"

    with pytest.raises(ProtocolBroken):
        news(reply, b"", Inquiry("INBOX", KNOWN, FolderStatus(3, 7, 6), lambda: 3))


def test_an_answer_that_leaves_mails_out_makes_none_vanish() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED + tag + b" OK\r\n"
        return (flags(1) if b"(UID FLAGS)" in command else b"") + tag + b" OK\r\n"

    found, _asked = news(reply, b"", Inquiry("INBOX", KNOWN, None, lambda: 3))

    assert [item.whole for item in found if hasattr(item, "whole")] == [False, True]
    assert isinstance(found[-1], Settled)


def test_answers_may_come_before_their_command_is_the_one_that_is_waited_for() -> None:
    """Dovecot works at both FETCH commands at once."""
    held: list[bytes] = []

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED.replace(b"3 EXISTS", b"4 EXISTS") + tag + b" OK\r\n"
        if b"BODY" in command:
            held.append(tag)
            return b""
        if b"(UID FLAGS)" in command:
            return flags(1, 2, 4, 5) + mails(5) + held[0] + b" OK\r\n" + tag + b" OK\r\n"
        return tag + b" OK\r\n"

    found, _asked = news(reply, b"", Inquiry("INBOX", KNOWN, FolderStatus(4, 7, 6), lambda: 4))

    assert [item.mails[0][0] for item in found if isinstance(item, Mails)] == [5]
    assert [set(item.flags) for item in found if hasattr(item, "flags")] == [{1, 2, 4, 5}]


@pytest.mark.parametrize(
    ("capabilities", "told"),
    [
        (b"CONDSTORE", FolderStatus(3, 7, 5)),  # no modseq, after all
        (b"CONDSTORE", FolderStatus(3, 7, 5, modseq=39)),  # it went back
        (b"", FolderStatus(3, 7, 5, modseq=41)),
    ],
)
def test_a_modseq_that_is_not_to_be_trusted_is_not_asked_with(capabilities: bytes, told: FolderStatus) -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED + b"* OK [NOMODSEQ] none\r\n" + tag + b" OK\r\n"
        return (flags(1, 2, 4) if b"(UID FLAGS)" in command else b"") + tag + b" OK\r\n"

    found, asked = news(reply, capabilities, Inquiry("INBOX", KNOWN, told, lambda: 3))

    assert asked[:2] == [b'EXAMINE "INBOX"', b"UID FETCH 1:* (UID FLAGS)"]
    assert found[-1] == Settled("INBOX", FolderStatus(3, 7, 5, keywords=frozenset("a")), whole=True)


def test_counts_that_do_not_add_up_are_looked_into() -> None:
    """A server whose QRESYNC forgot what vanished: all flags are asked for then."""
    known = [1, 2, 3, 4]

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED + b"* OK [HIGHESTMODSEQ 50] ok\r\n" + tag + b" OK\r\n"
        return (flags(1, 2, 4) if b"(UID FLAGS)" in command else b"") + tag + b" OK\r\n"

    def count() -> int:
        return 4 if len(asked_for) < 1 else 3

    asked_for: list[News] = []
    told = FolderStatus(3, 7, 5, modseq=50)
    with (
        Peer(reply, capabilities=b"IMAP4rev1 AUTH=PLAIN QRESYNC CONDSTORE ENABLE") as peer,
        Bulk.open(Login(peer.host, peer.port, "mei", "x", "plain", timeout=2)) as bulk,
    ):
        inquiry = Inquiry("INBOX", KnownFolder(7, 5, 4, 40, True, lambda: known, frozenset), told, count)
        asked_for.extend(item for item in bulk.catch_up([inquiry]) if hasattr(item, "flags"))

    [whole] = asked_for
    assert set(whole.flags) == {1, 2, 4}  # type: ignore[union-attr]
    assert whole.whole  # type: ignore[union-attr]


def test_what_belongs_to_the_folder_before_is_not_taken_for_this_one() -> None:
    early = b"* VANISHED 1:4\r\n* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (x))\r\n* OK [CLOSED] closed\r\n"

    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return early + EXAMINED + b"* OK [HIGHESTMODSEQ 50] ok\r\n" + tag + b" OK\r\n"
        return tag + b" OK\r\n"

    told = FolderStatus(3, 7, 5, modseq=50)
    found, _asked = news(reply, b"QRESYNC ENABLE", Inquiry("INBOX", KNOWN, told, lambda: 3))

    assert [type(item).__name__ for item in found] == ["Opened", "Settled"]


def test_a_folder_made_anew_while_it_is_looked_at_is_listed_anew() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED.replace(b"UIDVALIDITY 7", b"UIDVALIDITY 8") + tag + b" OK\r\n"
        return (mails(1, 2, 3) if b"BODY" in command else flags(1, 2, 3)) + tag + b" OK\r\n"

    found, _asked = news(reply, b"", Inquiry("INBOX", KNOWN, FolderStatus(3, 7, 5), lambda: 3))

    assert [type(item).__name__ for item in found] == ["Opened", "Mails", "Settled"]
    assert found[0].afresh  # type: ignore[union-attr]
    assert found[-1].status.uidvalidity == 8  # type: ignore[union-attr]


def test_a_server_without_uidnext() -> None:
    def reply(tag: bytes, command: bytes) -> bytes:
        if command.startswith(b"EXAMINE"):
            return EXAMINED.replace(b"UIDNEXT", b"UNSEEN") + tag + b" OK\r\n"
        return (flags(1, 2, 4) if b"(UID FLAGS)" in command else b"") + tag + b" OK\r\n"

    found, _asked = news(reply, b"", Inquiry("INBOX", KNOWN, None, lambda: 3))

    assert found[-1] == Settled("INBOX", FolderStatus(3, 7, 5, keywords=frozenset("a")), whole=True)
