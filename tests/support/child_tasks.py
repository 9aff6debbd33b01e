"""What children are asked to do in the tests of `hikkoshi.jobs.children`."""

import os
import signal
import threading
from collections.abc import Iterator

from hikkoshi.errors import LocalChanged


def work(unit: bytes) -> Iterator[bytes]:
    """Do what a unit says: its first word."""
    word, _blank, rest = unit.partition(b" ")
    if word == b"count":
        for number in range(int(rest)):
            yield b"%d" % number
    elif word == b"echo":
        yield rest
    elif word == b"who":
        yield b"%d %d %d" % (os.getpid(), os.getsid(0), os.getppid())
    elif word == b"flood":
        yield b"%d" % os.getpid()
        while True:
            yield bytes(100_000)
    elif word == b"sleep":
        threading.Event().wait()
    elif word == b"changed":
        yield b"something"
        raise LocalChanged("it changed")
    elif word == b"os":
        raise PermissionError(13, "not for you")
    elif word == b"bug":
        yield b"%d" % (1 // 0)
    elif word == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
