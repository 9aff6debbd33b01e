"""What one run of `hikkoshi` did, counted instead of timed: modules, SQLite's steps and changes, bytes read.

`count(...)` runs the command inside counting_main.py, which watches every SQLite connection that it opens.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from support.command import environment
from support.repository import PYTHON
from support.timing import run


class Database(msgspec.Struct):
    """`steps`: of SQLite's virtual machine, about ten for each row that is looked at; `changes`: rows written."""

    steps: int = 0
    changes: int = 0
    commits: int = 0


class Counts(msgspec.Struct):
    """`read`: bytes that the process and its children have read from files (rchar of proc(5), which leaves out sockets
    that are read by recv); `databases`: by the last part of the file's name, such as 'index.sqlite'; `dataclasses` and
    `patterns`: how many classes were given their methods, and how many regular expressions were compiled."""

    status: int
    read: int
    modules: list[str]
    databases: dict[str, Database]
    dataclasses: int
    patterns: int


def count(home: Path, *arguments: str | Path, statuses: Sequence[int] = (0, 1)) -> Counts:
    """Run `hikkoshi ARGUMENTS` with its files below `home`."""
    report = home / "counts.json"
    home.mkdir(parents=True, exist_ok=True)
    program = Path(__file__).with_name("counting_main.py")
    run([PYTHON, program, report, *arguments], environment=environment(home), statuses=statuses)
    return msgspec.json.decode(report.read_bytes(), type=Counts)
