import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.timing import Failed, alternate, on_cores, run

MIB = 1 << 20


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_is_timed_from_its_start_to_its_end() -> None:
    done = run(python("import time; time.sleep(0.2); print('done')"))
    assert 0.2 <= done.seconds < 5
    assert done.cpu < done.seconds
    assert done.output == b"done\n"


def test_cpu_time_of_its_children_counts() -> None:
    child = "import time; end = time.process_time() + 0.2\\nwhile time.process_time() < end: pass"
    done = run(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{child}'])"))
    assert done.cpu >= 0.2


def test_its_output_goes_through_a_pipe_and_its_locale_is_c() -> None:
    code = "import os, stat; print(stat.S_ISFIFO(os.fstat(1).st_mode), os.environ['LC_ALL'])"
    assert run(python(code)).output == b"True C\n"


def test_an_unexpected_status_is_a_failure_that_tells_the_last_words() -> None:
    with pytest.raises(Failed, match=r"ended with 3:\n.*no such luck"):
        run(python("import sys; print('no such luck', file=sys.stderr); sys.exit(3)"))
    assert run(python("import sys; sys.exit(3)"), statuses=(3,)).status == 3


def test_memory_is_that_of_all_processes_together() -> None:
    child = "x = bytearray(b'x') * (60 << 20); import time; time.sleep(1)"
    code = f"import subprocess, sys; [p.wait() for p in [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in 'ab']]"
    done = run(python(code), watch_memory=True)
    assert 120 * MIB < done.memory < 250 * MIB
    assert 60 * MIB < done.peak < 100 * MIB


def test_memory_that_this_process_has_had_is_not_the_programs() -> None:
    held = bytearray(b"x") * (100 * MIB)
    assert run(python("import time; time.sleep(0.2)"), watch_memory=True).peak < 50 * MIB
    assert held


def test_it_can_be_held_on_one_core() -> None:
    before = os.sched_getaffinity(0)
    assert run(python("import os; print(len(os.sched_getaffinity(0)))"), cores=1).output == b"1\n"
    assert os.sched_getaffinity(0) == before
    with on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_it_starts_in_its_surroundings() -> None:
    entered = []

    @contextmanager
    def surroundings() -> Iterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    run(python("pass"), surroundings=surroundings)
    assert entered == ["in", "out"]


def test_both_sides_run_in_turns() -> None:
    order: list[str] = []

    def way(name: str) -> float:
        order.append(name)
        return float(len(order))

    assert alternate(2, lambda: way("a"), lambda: way("b")) == [[1.0, 3.0], [2.0, 4.0]]
    assert order == ["a", "b", "a", "b"]
