"""Listing INBOX in other ways than ours, for the same items: taking the bytes off the socket, and imapclient."""

import re
import socket

from imapclient import IMAPClient

from hikkoshi.server.fetch import LIST_ITEMS

_CHUNK = 1 << 18
_BATCH = 1000
"""UIDs a FETCH, as imapclient's users do it: a list of more than 64 KiB is refused, and a range fails in it."""
_PATIENCE = 600
_LAST = 256
"""Bytes of the end in which the last line is looked for."""
_END = re.compile(rb"\r\nc (?:OK|NO|BAD)[^\n]*\n\Z")


def drain(host: str, port: int, user: str, password: str) -> int:
    """Read the answer to its end and look at nothing in it; how many bytes."""
    with socket.create_connection((host, port), _PATIENCE) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(
            f"a LOGIN {user} {password}\r\nb EXAMINE INBOX\r\nc UID FETCH 1:* ".encode() + LIST_ITEMS + b"\r\n"
        )
        room = bytearray(_CHUNK)
        view, taken, end = memoryview(room), 0, b""
        while not _END.search(end):
            count = line.recv_into(room)
            if not count:
                raise ConnectionError("the server ended the connection")
            taken += count
            end = (end + bytes(view[max(0, count - _LAST) : count]))[-_LAST:]
        return taken


def by_imapclient(host: str, port: int, user: str, password: str) -> int:
    """Fetch with imapclient, batch by batch, each mail's answer dropped once it is parsed; how many mails."""
    # The items without the brackets around them, which imapclient adds.
    items = LIST_ITEMS.decode()[1:-1]
    with IMAPClient(host, port, ssl=False, timeout=_PATIENCE) as client:
        client.login(user, password)
        client.select_folder("INBOX", readonly=True)
        uids = range(1, client.folder_status("INBOX", ["UIDNEXT"])[b"UIDNEXT"])
        return sum(len(client.fetch(uids[at : at + _BATCH], [items])) for at in range(0, len(uids), _BATCH))
