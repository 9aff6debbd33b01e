"""The rest of the crash matrix: what lines and servers do to a move that lives on. The same upload, the next one and one
more leave each mail on the server exactly once; a mail that was refused is named with the server's words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from faults.points import spread
from support.crash import SETTINGS, Case
from support.faultproxy import Change, FaultProxy, Last, farewell, instead, swallow

pytestmark = pytest.mark.dovecot

APPEND = b"APPEND"
ALL_MOVED, SOME = 0, 1


@dataclass(frozen=True)
class Harm:
    """What is done to the line. `statuses`: how the upload that meets it may end; `words`: what it has to name then."""

    name: str
    arm: Callable[[FaultProxy], None]
    statuses: tuple[int, ...] = (ALL_MOVED,)
    words: str = ""
    timeout: float = 30.0


def _half(line: bytes) -> bytes:
    return Last(line[: len(line) // 2])


def _garbage(line: bytes) -> bytes:
    return b"h0 what was the question?\r\n"


def _answer(name: str, number: int, do: Change, *statuses: int, words: str = "", timeout: float = 30.0) -> Harm:
    """Harm to the answer to the `number`-th APPEND, which the server has carried out."""
    return Harm(
        f"{name}-{number}", lambda line: line.at_answer(APPEND, number, do), statuses or (ALL_MOVED,), words, timeout
    )


def _refusal(name: str, number: int, words: str, *statuses: int) -> Harm:
    """A refusal of the `number`-th APPEND, of which the server does not hear."""
    return Harm(
        f"{name}-{number}",
        lambda line: line.refuse(APPEND, number, words.encode()),
        statuses or (SOME, ALL_MOVED),
        words.rpartition("] ")[2].removeprefix("BAD "),
    )


def _bytes(direction: str, count: int) -> Harm:
    """A cut so many bytes behind the first mail."""

    def arm(line: FaultProxy) -> None:
        def cut(answer: bytes) -> bytes:
            line.cut_after(**{direction: count + (len(answer) if direction == "down" else 0)}, once=True)
            return answer

        line.at_answer(APPEND, 1, cut)

    return Harm(f"{direction}-{count}", arm)


def _harms() -> Iterator[Harm]:
    for number in (1, 2, 4, 6, 9, 11, 13, 15):
        yield Harm(f"literal-{number}", lambda line, number=number: line.cut_in_literal(number))
    for number in (3, 8):
        yield Harm(f"literal-start-{number}", lambda line, number=number: line.cut_in_literal(number, 0.0))
        yield Harm(f"literal-end-{number}", lambda line, number=number: line.cut_in_literal(number, 1.0))
    for count in (1, 90, 700, 3000):
        yield _bytes("up", count)
    for count in (1, 40, 300):
        yield _bytes("down", count)
    for number in (1, 4, 7):
        yield _answer("swallowed", number, swallow, timeout=1.0)
        yield _answer("half-answer", number, _half)
        yield _answer("bye", number, farewell(b"Going down"))
    for number in (2, 5):
        yield _answer("garbage", number, _garbage)
        yield _answer("bye-behind", number, farewell(b"Autologout", after=True))
        yield _answer("denied", number, instead(b"NO [SERVERBUG] It is there"), ALL_MOVED, SOME)
        yield _answer("denied-bad", number, instead(b"BAD It is there"), ALL_MOVED, SOME)
        yield _refusal("refused", number, "NO [LIMIT] Not this one")
        yield _refusal("refused-bad", number, "BAD Command Argument Error. 11")
    full = b"NO [OVERQUOTA] Full"
    yield Harm("full-6", lambda line: line.refuse(APPEND, 6, full), (SOME,), "says that the mailbox is full")
    yield _answer("denied-full", 3, instead(full), SOME, words="says that the mailbox is full")


HARMS = list(_harms())


def _cases() -> Iterator[Any]:
    for number, (host, way) in enumerate(SETTINGS):
        sample = spread(len(HARMS), number)
        for place, harm in enumerate(HARMS):
            marks = [pytest.mark.matrix, *([pytest.mark.sample] if place in sample else [])]
            yield pytest.param(host, way, harm, id=f"{host}-{way}-{harm.name}", marks=marks)


@pytest.mark.parametrize(("host", "way", "harm"), list(_cases()))
def test_harmed(case: Callable[[str, str], Case], host: str, way: str, harm: Harm) -> None:
    move = case(host, way)
    harm.arm(move.line)

    status = move.upload(timeout=harm.timeout).status
    assert move.line.harmed, move.said
    assert status in harm.statuses, move.said
    if status == SOME and harm.words:
        assert harm.words in move.said
    move.goes_on()
    assert move.difference() == ""


@pytest.mark.parametrize(("host", "way"), [("maildir", "together"), ("maildir", "waiting"), ("cyrus", "hurried")])
def test_slow_and_late_lines(case: Callable[[str, str], Case], host: str, way: str) -> None:
    move = case(host, way)
    move.line.delay, move.line.rate = 0.01, 100_000

    assert move.upload().status == ALL_MOVED, move.said
    move.goes_on()
    assert move.difference() == ""
