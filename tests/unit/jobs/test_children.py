"""Child processes: their answers' order, their errors, their death, their end with the parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hikkoshi.errors import Cancelled, HelperDied, LocalChanged
from hikkoshi.jobs.children import Children

TASK = "support.child_tasks:work"
TESTS = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def _tasks_can_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", TESTS)


@pytest.fixture
def children() -> Iterator[Children]:
    with Children(2, TASK) as made:
        yield made


def test_answers_come_in_the_order_of_the_units(children: Children) -> None:
    units = [b"count %d" % number for number in range(60)]

    found = [list(answer) for answer in children.answers(units)]

    assert found == [[b"%d" % step for step in range(number)] for number in range(60)]


def test_two_children_share_the_work_and_are_no_children_of_the_terminal(children: Children) -> None:
    said = [next(answer).split() for answer in children.answers([b"who"] * 6)]

    pids = {pid for pid, _session, _parent in said}
    assert len(pids) == 2
    assert str(os.getpid()).encode() not in pids
    assert all(session == pid for pid, session, _parent in said)


def test_an_error_is_raised_in_its_place_and_the_rest_goes_on(children: Children) -> None:
    answers = children.answers([b"count 1", b"changed", b"os", b"bug", b"count 2"])

    assert list(next(answers)) == [b"0"]
    with pytest.raises(LocalChanged, match="it changed"):
        list(next(answers))
    with pytest.raises(PermissionError, match="not for you"):
        list(next(answers))
    with pytest.raises(HelperDied, match="ZeroDivisionError"):
        list(next(answers))
    assert list(next(answers)) == [b"0", b"1"]


def test_a_child_that_dies_is_told_and_another_one_does_the_rest(children: Children) -> None:
    answers = children.answers([b"die", b"count 1", b"count 2", b"count 3", b"die", b"count 4"])
    found: list[object] = []
    for answer in answers:
        try:
            found.append(len(list(answer)))
        except HelperDied as error:
            found.append(str(error).partition("(")[2].partition(")")[0])

    assert found == ["-9", 1, 2, 3, "-9", 4]


def test_an_answer_that_nobody_takes_is_passed_over(children: Children) -> None:
    answers = children.answers([b"count 500", b"changed", b"count 1"])
    next(next(answers))
    next(answers)

    assert list(next(answers)) == [b"0"]


def test_more_than_the_pipes_hold_goes_both_ways(children: Children) -> None:
    units = [b"echo " + bytes([number]) * 300_000 for number in range(40)]

    assert [b"".join(answer) for answer in children.answers(units)] == [unit[5:] for unit in units]


def test_a_child_holds_little_while_its_parent_is_busy(children: Children) -> None:
    answers = children.answers([b"flood", b"flood"])
    first = next(answers)
    pid = int(next(first))
    deadline = time.monotonic() + 20
    while (state := Path(f"/proc/{pid}/stat").read_text().split()[2]) != "S" and time.monotonic() < deadline:
        os.sched_yield()

    assert state == "S", "it waits, though its task goes on for ever"
    memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert memory < 60 << 20


def test_waiting_hears_a_cancel() -> None:
    def stop() -> None:
        raise Cancelled("stopped")

    with Children(1, TASK, stop) as children:
        answer = next(children.answers([b"sleep"]))
        with pytest.raises(Cancelled):
            next(answer)


def test_a_child_ends_with_its_parent() -> None:
    program = (
        f"import sys, os, signal; sys.path.insert(0, {TESTS!r})\n"
        "from hikkoshi.jobs.children import Children\n"
        f"answer = next(Children(1, {TASK!r}).answers([b'flood']))\n"
        "print(next(answer).decode(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    assert told.returncode == -signal.SIGKILL
    pid = int(told.stdout)
    deadline = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < deadline:
        os.sched_yield()

    assert not _runs(pid)


def test_ctrl_c_and_a_hangup_reach_the_parent_alone(children: Children) -> None:
    answers = children.answers([b"who", b"who", b"count 3"])
    pid = int(next(next(answers)).split()[0])
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGHUP)
    next(answers)

    assert len(list(next(answers))) == 3


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
