"""Listing INBOX in other ways than ours, for the same items: taking the bytes off the socket, and imapclient."""

from imapclient import IMAPClient

from hikkoshi.server.fetch import LIST_ITEMS
from support import draining

_BATCH = 1000
"""UIDs a FETCH, as imapclient's users do it: a list of more than 64 KiB is refused, and a range fails in it."""
_PATIENCE = 600


def drain(host: str, port: int, user: str, password: str) -> int:
    """Read the answer to its end and look at nothing in it; how many bytes."""
    return draining.drain(host, port, user, password, "INBOX", LIST_ITEMS)


def by_imapclient(host: str, port: int, user: str, password: str) -> int:
    """Fetch with imapclient, batch by batch, each mail's answer dropped once it is parsed; how many mails."""
    # The items without the brackets around them, which imapclient adds.
    items = LIST_ITEMS.decode()[1:-1]
    with IMAPClient(host, port, ssl=False, timeout=_PATIENCE) as client:
        client.login(user, password)
        client.select_folder("INBOX", readonly=True)
        uids = range(1, client.folder_status("INBOX", ["UIDNEXT"])[b"UIDNEXT"])
        return sum(len(client.fetch(uids[at : at + _BATCH], [items])) for at in range(0, len(uids), _BATCH))
