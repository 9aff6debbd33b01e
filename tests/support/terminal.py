"""A real terminal: tmux on a socket of its own, typed into and read as a person would."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support.tools import Tool

_SECONDS = 30
_numbers = itertools.count()


class Terminal:
    """A program in a tmux window of `columns` x `rows`. Use it in a `with`; leaving it hangs up on the program."""

    def __init__(
        self, tmux: Tool, command: Sequence[str], environment: Mapping[str, str], columns: int = 120, rows: int = 36
    ) -> None:
        self._tmux = [str(tmux.path), "-L", f"hikkoshi{os.getpid()}x{next(_numbers)}", "-f", "/dev/null", "-u"]
        self._environment = {**tmux.environment(), **environment}
        words = [f"{name}={value}" for name, value in environment.items() if name not in ("TERM", "TMUX")]
        self._status = Path(tempfile.mkdtemp(prefix="hikkoshi-terminal-")) / "status"
        # A shell waits for it, for tmux does not always learn how a program ended. Hung up on, it still waits.
        script = f"trap : HUP; env \"$@\"; echo $? > '{self._status}'; while :; do sleep 1; done"
        shell = ["sh", "-c", script, "sh", *words, *command]
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), *shell)
        self._run("set-option", "-s", "escape-time", "10")
        self._pid = int(self._run("display-message", "-p", "#{pane_pid}"))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._run("kill-server", check=False)
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        shutil.rmtree(self._status.parent, ignore_errors=True)

    def _run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], env=self._environment, capture_output=True, text=True, timeout=20, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {done.stderr}")
        return done.stdout

    def screen(self) -> str:
        """What is on the screen now."""
        return self._run("capture-pane", "-p")

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names: `m`, `Enter`, `S-Down`, `F5`."""
        for key in keys:
            self._run("send-keys", key)

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """The screen, once it shows `wanted`. Raises AssertionError with the screen where that does not come."""
        deadline = time.monotonic() + _SECONDS
        while True:
            screen = self.screen()
            if wanted in screen if isinstance(wanted, str) else wanted(screen):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"not on the screen: {wanted!r}\n{screen}")
            time.sleep(0.05)  # noqa: TID251 - a terminal tells nobody that it has changed

    def hang_up(self) -> None:
        """Close the terminal under the program (SIGHUP) and wait until the program is gone."""
        self._run("kill-server")
        self.wait_for_end()

    def wait_for_end(self) -> int:
        """The exit status of the program, once it has ended."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if self._status.exists() and (status := self._status.read_text().strip()):
                return int(status)
            time.sleep(0.05)  # noqa: TID251 - it is not our child, so nobody tells us
        raise AssertionError(f"the program did not end\n{self._run('capture-pane', '-p', check=False)}")
