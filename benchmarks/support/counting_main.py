"""`python counting_main.py REPORT ARGUMENT...`: `hikkoshi ARGUMENT...`, and what it did as JSON in REPORT."""

import dataclasses
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.pop(0)  # the folder of this file: the command under test finds its modules without it

_DATABASES: dict[str, dict[str, int]] = {}
_OPEN: list["Watched"] = []


class Watched(sqlite3.Connection):
    """A connection that counts."""

    def __init__(self, database: str | Path, *arguments: Any, **options: Any) -> None:
        super().__init__(database, *arguments, **options)
        # The names of indexes and locks begin with a digest of the account.
        name = ".".join(Path(database).name.split(".")[-2:])
        self.counts = _DATABASES.setdefault(name, {"steps": 0, "changes": 0, "commits": 0})
        self.set_progress_handler(self._step, 1)
        self.set_trace_callback(self._trace)
        _OPEN.append(self)

    def _step(self) -> int:
        self.counts["steps"] += 1
        return 0

    def _trace(self, statement: str) -> None:
        self.counts["commits"] += statement.lstrip().upper().startswith("COMMIT")

    def close(self) -> None:
        """Close it; what it changed is counted."""
        if self in _OPEN:
            _OPEN.remove(self)
            self.counts["changes"] += self.total_changes
        super().close()


class Calls:
    """A function that counts its calls."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        self.count = 0

    def __call__(self, *arguments: Any, **options: Any) -> object:
        """Call it."""
        self.count += 1
        return self.function(*arguments, **options)


def _connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    return Watched(*arguments, **options)


def main() -> None:
    """Run the command; the report is written however it ends."""
    report, sys.argv[1:] = Path(sys.argv[1]), sys.argv[2:]
    sqlite3.connect = _connect  # type: ignore[assignment]
    # Where both have been done in every Python until now; nothing that is public sees all of them.
    made = dataclasses._process_class = Calls(dataclasses._process_class)  # type: ignore[attr-defined]
    compiled = re._compiler.compile = Calls(re._compiler.compile)  # type: ignore[attr-defined]
    from hikkoshi.cli.main import main as hikkoshi

    status: object = 0
    try:
        hikkoshi()
    except SystemExit as end:
        status = end.code
        raise
    finally:
        modules = sorted(sys.modules)
        for connection in tuple(_OPEN):
            connection.close()
        found = {
            "status": status or 0, "read": _read(), "modules": modules, "databases": _DATABASES,
            "dataclasses": made.count, "patterns": compiled.count,
        }  # fmt: skip
        report.write_bytes(msgspec.json.encode(found))


def _read() -> int:
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
