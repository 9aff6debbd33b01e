"""Servers that ask to be sent less: the move waits as it is told, and goes on; no mail fails for it, and none is doubled."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hikkoshi.accounts.address import parse_address
from hikkoshi.accounts.options import Options, files_in
from hikkoshi.accounts.session import AccountSession
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.ledger.records import State
from hikkoshi.move import link, patience, quiet
from hikkoshi.move.events import UploadEvent, Waiting
from hikkoshi.move.receipt import Receipt
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.faultproxy import FaultProxy, farewell, instead
from support.moving import Mover, held, mail, mails, mover_to, user_of

pytestmark = pytest.mark.dovecot

HIDDEN = ("AUTH=PLAIN", "COMPRESS=DEFLATE")  # the proxy follows no commands behind AUTHENTICATE and COMPRESS
WAYS = {"together": HIDDEN, "hurried": (*HIDDEN, "MULTIAPPEND"), "waiting": (*HIDDEN, "MULTIAPPEND", "LITERAL+")}
"""How mail is sent, and what the server must not offer for that."""
COUNT = 20
ALL = sorted(f"in-{number}" for number in range(COUNT))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of hundredths of a second, that grow as the long ones do."""
    monkeypatch.setattr(patience, "_FIRST", 0.02)
    monkeypatch.setattr(patience, "_LONGEST", 0.1)
    monkeypatch.setattr(link, "_WAITS", (0.0, 0.05, 0.1))
    monkeypatch.setattr(quiet, "QUIET", 0.2)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, proxy: FaultProxy) -> str:
    """Each way of sending in turn."""
    proxy.hidden = WAYS[request.param]
    return str(request.param)


@pytest.fixture
def mover(dovecot: Dovecot, proxy: FaultProxy, tmp_path: Path) -> Mover:
    """Twenty mails, and a line that can be harmed."""
    mover = mover_to(dovecot, tmp_path)
    mover.go_through(proxy)
    mover.write(Inbox=mails("in", COUNT))
    return mover


class Run:
    """One upload in this process: its receipt, what it told, and the waits that it told of."""

    def __init__(self, mover: Mover, cancel: Cancel | None = None, heard: Callable[[UploadEvent], None] | None = None):
        self.events: list[UploadEvent] = []
        options = Options(mover.store, parse_address(mover.url))
        session = AccountSession(
            options, AccountSession.open_store(options), mover.password, files_in(mover.folder / "own")
        )
        session.refresh(lambda _: None, Cancel())

        def tell(event: UploadEvent) -> None:
            self.events.append(event)
            if heard is not None:
                heard(event)

        self.receipt: Receipt = session.upload(session.plan(), tell, cancel or Cancel())

    @property
    def waits(self) -> list[str]:
        """What the server had said, for each wait."""
        return [event.answer for event in self.events if isinstance(event, Waiting)]


def on_server(dovecot: Dovecot, mover: Mover) -> list[str]:
    return [each.name for each in held(dovecot.mail_dir(user_of(mover)))]


NOS = [
    b"NO [THROTTLED] Slow down",
    b"NO [INUSE] Mailbox is in use",
    b"NO [UNAVAILABLE] Temporary System Problem (Failure)",
    b"NO [LIMIT] Rate limit hit",
    b"NO [OVERQUOTA] Account exceeded command or bandwidth limits.",
    b"NO Request is throttled. Suggested Backoff Time: 30 milliseconds",
    b"NO [UNAVAILABLE] Unexpected exception",
    b"NO [LIMIT] No",
    b"NO [SERVERBUG] Internal error occurred.",
]


class TestRefused:
    @pytest.mark.parametrize("answer", NOS)
    def test_one_refusal_fails_no_mail(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, answer: bytes
    ) -> None:
        proxy.refuse(b"APPEND", 2, answer)
        run = Run(mover)

        assert proxy.harmed
        assert (run.receipt.state, run.receipt.landed, run.receipt.read_back) == (State.DONE, COUNT, COUNT)
        assert on_server(dovecot, mover) == ALL

    @pytest.mark.parametrize("answer", NOS[:6])
    def test_it_waits_before_it_sends_more(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, answer: bytes
    ) -> None:
        for number in range(2, 7):
            proxy.refuse(b"APPEND", number, answer)
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert run.waits
        assert all(words in answer.decode() for words in run.waits)
        assert on_server(dovecot, mover) == ALL

    @pytest.mark.parametrize("answer", NOS)
    def test_a_no_to_a_mail_that_was_stored_all_the_same_doubles_nothing(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, answer: bytes
    ) -> None:
        proxy.at_answer(b"APPEND", 2, instead(answer))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert on_server(dovecot, mover) == ALL

    @pytest.mark.parametrize("answer", [NOS[0], NOS[4], NOS[5]])
    def test_without_progress_it_ends_and_can_be_gone_on_with(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, answer: bytes
    ) -> None:
        for number in range(2, 200):
            proxy.refuse(b"APPEND", number, answer)
        run = Run(mover)
        waits = len(run.waits)

        assert run.receipt.state is State.THROTTLED
        assert run.receipt.failed == run.receipt.doubtful == ()
        assert run.receipt.landed + run.receipt.not_sent == COUNT
        assert run.receipt.not_sent
        assert waits in (patience._TRIES, patience._TRIES + 1)  # one more where a mail arrived between two refusals
        assert answer.split(b"] ")[-1].decode().removeprefix("NO ") in run.receipt.problem
        proxy._refusals.clear()
        again = Run(mover)
        assert (again.receipt.state, again.receipt.landed) == (State.DONE, run.receipt.not_sent)
        assert on_server(dovecot, mover) == ALL

    def test_a_full_mailbox_is_no_throttling(self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str) -> None:
        proxy.refuse(b"APPEND", 2, b"NO [OVERQUOTA] Quota exceeded (mailbox for user is full)")
        run = Run(mover)

        assert (run.receipt.state, run.waits) == (State.NO_ROOM, [])

    def test_the_wait_can_be_cancelled(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "_FIRST", 600.0)
        monkeypatch.setattr(patience, "_LONGEST", 600.0)
        proxy.refuse(b"APPEND", 4 if way != "together" else 2, NOS[1])
        cancel = Cancel()
        run = Run(mover, cancel, lambda event: cancel.set("user") if isinstance(event, Waiting) else None)

        assert (run.receipt.state, run.waits) == (State.STOPPED, ["Mailbox is in use"])
        assert run.receipt.failed == ()
        proxy._refusals.clear()
        assert Run(mover).receipt.complete
        assert on_server(dovecot, mover) == ALL


@pytest.fixture
def refusing(
    dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path
) -> Iterator[Callable[[str, bytes, tuple[str, ...]], tuple[Dovecot, Mover]]]:
    """A function that starts a server that refuses the mails of these names with this answer, always."""
    proxies: list[FaultProxy] = []

    def start(way: str, answer: bytes, names: tuple[str, ...]) -> tuple[Dovecot, Mover]:
        # It refuses them by their size, and its words are exchanged on the way.
        server = dovecot_with(Settings(max_mail="10k"))
        proxies.append(proxy := FaultProxy(server.host, server.imap_port))
        proxy.hidden = WAYS[way]
        proxy.change = lambda line: (
            line.split()[0] + b" " + answer + b"\r\n" if b" NO [LIMIT] Mail size" in line else line
        )
        mover = mover_to(server, tmp_path)
        mover.go_through(proxy)
        bodies = {name: "x" * 70 + "\n" if name not in names else "too large\n" * 1500 for name in [*ALL, "alone-0"]}
        mover.write(Inbox=[mail(f"in-{n}", body=bodies[f"in-{n}"]) for n in range(COUNT)])
        if "alone-0" in names:
            mover.write(Archive=[mail("alone-0", body=bodies["alone-0"])])
        return server, mover

    yield start
    for each in proxies:
        each.close()


@pytest.mark.parametrize("way", WAYS)
class TestOneMail:
    """Answers that may be about the mail or about the time."""

    @pytest.mark.parametrize("answer", [b"NO [UNAVAILABLE] Unexpected exception", b"NO [LIMIT] No"])
    @pytest.mark.parametrize("name", ["in-7", "in-0", "in-19"])
    def test_a_mail_that_is_refused_alone_while_others_pass_fails(
        self, refusing, way: str, answer: bytes, name: str
    ) -> None:
        server, mover = refusing(way, answer, (name,))
        run = Run(mover)

        named = run.receipt.failed + run.receipt.waiting
        assert [each.subject for each in named] == [name]
        assert answer.split(b"] ")[1].decode() in named[0].reason
        assert run.receipt.state is (State.DONE if run.receipt.failed else State.THROTTLED)
        assert run.receipt.failed or name == "in-19"  # none came behind it that could have shown what is wrong
        assert on_server(server, mover) == [each for each in ALL if each != name]

    def test_many_of_them_stop_no_other(self, refusing, way: str) -> None:
        bad = ("in-0", "in-1", "in-2", "in-8", "in-9", "in-14")
        server, mover = refusing(way, b"NO [UNAVAILABLE] Unexpected exception", bad)
        run = Run(mover)

        assert sorted(each.subject for each in run.receipt.failed) == sorted(bad)
        assert run.receipt.state is State.DONE
        assert len(run.waits) < 2 * len(bad)
        assert on_server(server, mover) == [each for each in ALL if each not in bad]

    def test_alone_in_its_folder_it_is_put_off_and_the_next_folder_goes_on(self, refusing, way: str) -> None:
        server, mover = refusing(way, b"NO [UNAVAILABLE] Unexpected exception", ("alone-0",))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.landed) == (State.THROTTLED, COUNT)
        assert [each.subject for each in run.receipt.waiting] == ["alone-0"]
        assert "Unexpected exception" in run.receipt.waiting[0].reason
        assert on_server(server, mover) == ALL

    def test_too_large_a_mail_is_known_by_the_words_and_waits_for_nothing(self, refusing, way: str) -> None:
        server, mover = refusing(way, b"NO [LIMIT] Mail size is larger than the maximum", ("in-7",))
        run = Run(mover)

        assert [each.subject for each in run.receipt.failed] == ["in-7"]
        assert (run.receipt.state, run.waits) == (State.DONE, [])
        assert on_server(server, mover) == [each for each in ALL if each != "in-7"]


class TestAccepted:
    """An OK that asks to slow down, which is how Gmail says it."""

    @pytest.mark.parametrize("words", [b"OK Success [THROTTLED]", b"OK [THROTTLED] Success", b"with UIDs"])
    def test_it_is_heard_before_more_is_sent(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, words: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "_FIRST", 0.5)
        more = lambda line: line.replace(b"completed", b"completed [THROTTLED]")  # noqa: E731
        proxy.at_answer(b"APPEND", 1, more if words == b"with UIDs" else instead(words))
        mover.write(Sent=mails("sent", 3))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert len(run.waits) == 1
        assert on_server(dovecot, mover) == [*ALL, "sent-0", "sent-1", "sent-2"]


class TestCut:
    @pytest.mark.parametrize(
        "words",
        [
            b"BAD Request is throttled. Suggested Backoff Time: 40 milliseconds",
            b"BAD User is authenticated but not connected.",
        ],
    )
    def test_a_bad_that_asks_to_wait_blames_no_mail(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, words: bytes
    ) -> None:
        for number in (1, 3, 5, 6, 8):
            proxy.refuse(b"APPEND", number, words)
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert run.waits
        assert on_server(dovecot, mover) == ALL

    @pytest.mark.parametrize(
        "words",
        [
            b"[OVERQUOTA] Account exceeded command or bandwidth limits.",
            b"Connection closed. Suggested Backoff Time: 40 milliseconds",
        ],
    )
    def test_a_bye_that_asks_to_wait_counts_as_no_cut(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str, words: bytes
    ) -> None:
        for number in range(1, 7):
            proxy.at_answer(b"APPEND", number, farewell(words))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert run.waits
        assert on_server(dovecot, mover) == ALL

    def test_one_bye_after_another_without_progress_is_waited_for(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
    ) -> None:
        """Plain cuts would end the move at the third."""
        words = b"[OVERQUOTA] Account exceeded command or bandwidth limits."
        left = 5

        def change(line: bytes) -> bytes:
            nonlocal left
            if b"Examine completed" in line and proxy.counts.get(b"APPEND") and left:
                left -= 1
                return farewell(words)(line) or b""
            return line

        proxy.at_answer(b"APPEND", 2 if way == "together" else COUNT, farewell(words))
        proxy.change = change
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete, left) == (State.DONE, True, 0)
        assert on_server(dovecot, mover) == ALL

    def test_a_login_that_is_refused_for_too_many_connections_is_tried_again(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
    ) -> None:
        crowded = b"NO [ALERT] Too many simultaneous connections. (Failure)"
        proxy.at_answer(b"APPEND", 1, farewell(b"Too many simultaneous connections."))
        for number in range(3, 8):  # the first two are those of looking and of sending
            proxy.at_answer(b"LOGIN", number, instead(crowded))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True)
        assert len(run.waits) > 2
        assert on_server(dovecot, mover) == ALL

    def test_more_than_it_is_waited_for_ends_the_move_at_once(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover, way: str
    ) -> None:
        # To the last answer, when nothing more is sent: who sends while the line is cut may not hear why.
        words = b"Suggested Backoff Time: 7200000 milliseconds"
        proxy.at_answer(b"APPEND", 2 if way == "together" else COUNT, farewell(words))
        run = Run(mover)

        assert (run.receipt.state, run.waits) == (State.THROTTLED, [])
        assert " at " in run.receipt.problem
        assert Run(mover).receipt.state is State.DONE
        assert on_server(dovecot, mover) == ALL


class TestFewerConnections:
    @pytest.mark.parametrize("allowed", [1, 2, 3])
    def test_a_server_that_lets_few_in_gets_all_mail_over_those(
        self, dovecot_with: Callable[[Settings], Dovecot], tmp_path: Path, allowed: int
    ) -> None:
        server = dovecot_with(Settings(max_connections=allowed, capability="IMAP4rev1 UIDPLUS QUOTA"))
        mover = mover_to(server, tmp_path)
        mover.write(Inbox=mails("in", COUNT), 見積=mails("quote", 3))
        run = Run(mover)

        assert (run.receipt.state, run.receipt.complete) == (State.DONE, True), run.receipt.problem
        assert on_server(server, mover) == sorted([*ALL, "quote-0", "quote-1", "quote-2"])

    def test_a_lane_that_is_thrown_out_is_not_opened_again(
        self, dovecot: Dovecot, proxy: FaultProxy, mover: Mover
    ) -> None:
        proxy.hidden = WAYS["waiting"]
        mover.write(Inbox=mails("in", 400))
        proxy.at_answer(b"APPEND", 10, farewell(b"Too many simultaneous connections."))
        run = Run(mover)

        logins = proxy.counts[b"LOGIN"]
        assert (run.receipt.complete, len(on_server(dovecot, mover))) == (True, 400)
        assert logins == 1 + 1 + 3 + 1 + 2  # looking, sending, three lanes; then one anew, and two lanes
