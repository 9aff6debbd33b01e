"""Readers for children in the tests: one that dies at a certain folder, and one that never answers."""

import os
import signal
import threading
from collections.abc import Iterator

from hikkoshi.local import units


def read_encoded(data: bytes) -> Iterator[bytes]:
    """Read a unit, or die if it is of the folder A."""
    if b"/mail/A" in data:
        os.kill(os.getpid(), signal.SIGSEGV)
    yield from units.read_encoded(data)


def sleep(_data: bytes) -> Iterator[bytes]:
    """Never answer."""
    threading.Event().wait()
    yield b""
