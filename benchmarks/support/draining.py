"""Taking a server's answer off the socket and looking at nothing in it but its end."""

import re
import socket

_CHUNK = 1 << 18
_PATIENCE = 600
"""Seconds: the first listing of 1,000,000 mails reads every file."""
_LAST = 256
"""Bytes of the end in which the last line is looked for."""
_END = re.compile(rb"\r\nc (OK|NO|BAD)[^\n]*\n\Z")


def drain(host: str, port: int, user: str, password: str, folder: str, items: bytes) -> int:
    """Fetch these items of all mails of a folder; how many bytes. Raises ConnectionError where that was not all."""
    with socket.create_connection((host, port), _PATIENCE) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(
            f'a LOGIN {user} {password}\r\nb EXAMINE "{folder}"\r\nc UID FETCH 1:* '.encode() + items + b"\r\n"
        )
        room = bytearray(_CHUNK)
        view, taken, end = memoryview(room), 0, b""
        while not (found := _END.search(end)):
            count = line.recv_into(room)
            if not count:
                raise ConnectionError(f"the server ended the connection after {taken:,} bytes")
            taken += count
            end = (end + bytes(view[max(0, count - _LAST) : count]))[-_LAST:]
    if found[1] != b"OK":
        raise ConnectionError(found[0].decode(errors="replace").strip())
    return taken
