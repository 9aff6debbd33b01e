"""`python ledger_main.py REPORT ARGUMENT...`: `hikkoshi ARGUMENT...`, and the seconds of an upload in REPORT as JSON.

`ledger`: all that was spent in writing to it; `move`: the move, from its plan in the ledger to its end.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.pop(0)  # the folder of this file: the command under test finds its modules without it

from hikkoshi.cli.main import main as hikkoshi
from hikkoshi.ledger.store import Ledger
from hikkoshi.move.upload import Upload


def main() -> None:
    """Run the command with clocks in it."""
    report, sys.argv[1:] = Path(sys.argv[1]), sys.argv[2:]
    spent = {"ledger": 0.0, "move": 0.0}

    def clocked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                spent[name] += time.perf_counter() - begin

        return timed

    for name in ("begin", "step", "verified", "finish"):
        setattr(Ledger, name, clocked("ledger", getattr(Ledger, name)))
    setattr(Upload, "run", clocked("move", Upload.run))  # noqa: B010 - mypy knows that it is a method
    try:
        hikkoshi()
    finally:
        report.write_bytes(msgspec.json.encode(spent))


if __name__ == "__main__":
    main()
