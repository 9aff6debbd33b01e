"""A bare TCP stream, the most that a line carries: how long it takes until the other end has it all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 1 << 20
_CODE = """
import socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as line:
    left = int(sys.argv[3])
    block = bytes(1 << 16)
    begin = time.perf_counter()
    while left:
        left -= line.send(block[:left])
    line.shutdown(socket.SHUT_WR)
    line.recv(1)
    print(time.perf_counter() - begin)
"""
"""Sends so many bytes and waits for the other end's word; prints the seconds."""


@contextmanager
def sink(listen: str) -> Iterator[int]:
    """A port that swallows what comes and says one byte at its end."""
    listener = socket.create_server((listen, 0))

    def swallow() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection:
                while connection.recv(_CHUNK):
                    pass
                connection.send(b".")

    thread = threading.Thread(target=swallow, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def sending(host: str, port: int, size: int) -> list[str]:
    """The words of a python command that sends `size` bytes."""
    return ["-c", _CODE, host, str(port), str(size)]
