"""A crash, a terminal that goes away, signals: the program as a process."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from hikkoshi.app.terminal import GoneSafe

TESTS = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is needed")

CRASH = """
import sys
from pathlib import Path
from support.fake_session import FakeSession, run
def spoil(session):
    def refresh(report, cancel):
        password = "sec" + "ret-of-the-user"
        raise RuntimeError("subject of a mail \\x1b[31m")
    session.refresh = refresh
sys.exit(run(sys.argv[1], "0", spoil))
"""

MOVE = """
import sys
from support.fake_session import run
status = run(sys.argv[1], sys.argv[2])
open(sys.argv[1] + ".status", "w").write(str(status))
sys.exit(status)
"""


@contextmanager
def terminal(program: str, *args: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program in a pseudo terminal of its own; its output is read by `until`."""
    master, slave = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        close_fds=True,
    )
    os.close(slave)
    try:
        yield process, master
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        try:
            os.close(master)
        except OSError:
            assert process.returncode is not None


def until(master: int, text: bytes, seconds: float = 20) -> bytes:
    """Read until `text` was painted, or to the end."""
    import select

    seen, end = b"", monotonic() + seconds
    while text not in seen and monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    return seen


def test_a_crash_shows_no_local_variables_and_no_mail(tmp_path: Path) -> None:
    with terminal(CRASH, str(tmp_path / "index.db")) as (process, master):
        output = until(master, b"RuntimeError\r\n")
        assert process.wait(20) == 2

    assert b"because of an error of its own" in output
    assert b"secret-of-the-user" not in output
    assert b"password" not in output
    assert b"subject of a mail" not in output
    assert b"locals" not in output


def test_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    with terminal(MOVE, str(tmp_path / "index.db"), "0") as (process, master):
        until(master, b"checked")
        process.send_signal(signal.SIGTERM)
        output = until(master, b"nothing of the kind", 20)
        assert process.wait(20) == 0

    assert b"Traceback" not in output
    assert b"\x1b[?1049l" in output


def test_a_terminal_that_goes_away_ends_the_move_and_then_the_program(tmp_path: Path) -> None:
    with terminal(MOVE, str(tmp_path / "index.db"), "0.2") as (process, master):
        until(master, b"checked")
        for keys, shown in ((b"m", b"25 selected"), (b"u", b"Cancel"), (b"\r", b"Esc stops")):
            os.write(master, keys)
            assert shown in until(master, shown)
        os.close(master)
        assert process.wait(20) == 1

    assert (tmp_path / "index.db.status").read_text() == "1"


def test_a_terminal_that_is_gone_without_a_signal_ends_it_too(tmp_path: Path) -> None:
    program = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + MOVE
    program = program.replace(
        "status = run", "import hikkoshi.app.main as main\nmain.on_hang_up = lambda call: None\nstatus = run"
    )
    with terminal(program, str(tmp_path / "index.db"), "0") as (process, master):
        until(master, b"checked")
        os.close(master)
        assert process.wait(20) == 0


class Broken:
    """A terminal that was closed."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        return 2


def test_output_to_nobody_is_dropped_and_told_once() -> None:
    told: list[str] = []
    file = GoneSafe(Broken(), lambda: told.append("gone"))  # type: ignore[arg-type]
    for _number in range(3):
        file.write("text")
        file.flush()

    assert told == ["gone"]
