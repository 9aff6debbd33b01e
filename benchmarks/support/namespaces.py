"""Two network namespaces, one for servers and one for the programs under test. They have no names and no traces:
they are gone with the process. Needs root.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000  # sched.h
_OWN = "/proc/thread-self/ns/net"


class Namespaces:
    """`server`: the one this process is in until `close`; `client`: the other. Both have a loopback of their own."""

    def __init__(self) -> None:
        """Make them and enter the server's. Raises OSError where this is not allowed or not there."""
        self._before = os.open(_OWN, os.O_RDONLY)
        try:
            _libc("unshare", _CLONE_NEWNET)
            self.client = os.open(_OWN, os.O_RDONLY)
            ip("link", "set", "lo", "up")
            _libc("unshare", _CLONE_NEWNET)
            self.server = os.open(_OWN, os.O_RDONLY)
            ip("link", "set", "lo", "up")
        except BaseException:
            _libc("setns", self._before, _CLONE_NEWNET)
            os.close(self._before)
            raise

    @contextmanager
    def as_client(self) -> Iterator[None]:
        """This thread, and what it starts, in the client's namespace."""
        _libc("setns", self.client, _CLONE_NEWNET)
        try:
            yield
        finally:
            _libc("setns", self.server, _CLONE_NEWNET)

    def close(self) -> None:
        """Go back to where this process came from."""
        _libc("setns", self._before, _CLONE_NEWNET)
        for descriptor in (self._before, self.client, self.server):
            os.close(descriptor)


def ip(*arguments: str) -> None:
    """Run ip(8). Raises OSError with its words."""
    _said(["ip", *arguments])


def tc(*arguments: str) -> None:
    """Run tc(8). Raises OSError with its words."""
    _said(["tc", *arguments])


def _said(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


def _libc(name: str, *arguments: int) -> None:
    # os.unshare and os.setns came with Python 3.12.
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
