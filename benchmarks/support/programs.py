"""The installed `hikkoshi`, run as a user would who has only this one account."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import msgspec

from support.command import environment
from support.line import Line
from support.repository import HIKKOSHI
from support.servers import Account
from support.timing import Run, run


class Counted(msgspec.Struct):
    """Messages of one side in a check's report."""

    messages: int


class Checked(msgspec.Struct):
    """What a check found, as far as a benchmark wants to be sure of it."""

    local: Counted
    server: Counted
    differences: dict[str, int]
    problems: list[object]


class Hikkoshi:
    """`hikkoshi check` for one store and one account; its index, ledger and config are below `home`."""

    def __init__(self, home: Path, store: Path, account: Account, options: Sequence[str | Path] = ()) -> None:
        self.home = home
        self.store = store
        self.account = account
        self.options = options

    def forget(self) -> None:
        """As if it had never run: no index, no ledger."""
        shutil.rmtree(self.home, ignore_errors=True)

    def check(self, line: Line, *, watch_memory: bool = False) -> Run:
        """One `hikkoshi check --json` over TLS; it may find differences."""
        host, port = line.reach(self.account.server.imaps_port)
        return self.at(f"imaps://{self.account.user}@{host}:{port}", line, watch_memory=watch_memory)

    def at(
        self,
        server: str,
        line: Line | None = None,
        *,
        watch_memory: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> Run:
        """The same at another address, such as a recording proxy's; `extra`: more environment."""
        words: list[str | Path] = [
            HIKKOSHI, "check", "--json", "--local", self.store, "--server", server,
            "--password-command", f"echo {self.account.password}", "--ca-file", self.account.server.ca_file,
            *self.options,
        ]  # fmt: skip
        return run(
            words,
            environment={**environment(self.home), **(extra or {})},
            surroundings=line.surroundings if line else nullcontext,
            statuses=(0, 1),
            watch_memory=watch_memory,
        )


def checked(done: Run, *, local: int, server: int) -> Checked:
    """The report of a check, which must have seen all of both sides: a fast answer may not be a wrong one."""
    report = msgspec.json.decode(done.output, type=Checked)
    assert not report.problems, report.problems
    assert (report.local.messages, report.server.messages) == (local, server), report
    return report
