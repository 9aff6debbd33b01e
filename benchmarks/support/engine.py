"""Parts of the engine by themselves, each in a process of its own: see engine_main.py."""

from pathlib import Path

import msgspec

from support.repository import PYTHON
from support.timing import Run, run


class Part(msgspec.Struct):
    """What a part did: its seconds, without the start of Python, those of them on the CPU (more than all, where several
    processes worked; fewer, where it waited for the disk or for other programs), and how many mails it dealt with."""

    seconds: float
    cpu: float
    mails: int


def part(*words: str | Path | int, watch_memory: bool = False, cores: int | None = None) -> tuple[Part, Run]:
    """Run a part, which the first word names, with its arguments."""
    program = Path(__file__).with_name("engine_main.py")
    done = run([PYTHON, program, *map(str, words)], watch_memory=watch_memory, cores=cores)
    return msgspec.json.decode(done.output, type=Part), done
