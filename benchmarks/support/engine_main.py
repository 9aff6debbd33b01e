"""Parts of the engine by themselves: `python engine_main.py PART ARGUMENT...`, in a process of its own so that its memory
can be watched. It prints a `Part` as JSON: the seconds of the part alone, without the start of Python.

    scan STORE [CHILDREN]          read every mail of a store: size, flags, date, identity fields; with so many child
                                   processes (default: as many as the engine finds it worth)
    headers MBOX                   the CRLF sizes and identity fields alone of every mail of an mbox, in this process
    stdlib STORE                   the same six fields of every mail by mailbox.mbox or mailbox.Maildir
    refresh INDEX STORE            bring an index up to what a store has now
    plant INDEX COUNT FOLDERS      fill an index with COUNT mails on each side (see planted_mails.py)
    compare INDEX                  compare all that it has
    change INDEX FOLDER            read a folder anew, as after its file was compacted: every mail of it is touched
    list INDEX HOST PORT USER PASSWORD   list an account without TLS into an index that has nothing of it
    drain HOST PORT USER PASSWORD        ask for the same of INBOX, and throw the answer away (`mails` are bytes then)
    imapclient HOST PORT USER PASSWORD   list INBOX with imapclient
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

sys.path[0] = str(Path(__file__).resolve().parents[1])  # child processes of the engine inherit it

from hikkoshi.index.account import compare
from hikkoshi.index.proofs import KnownProofs
from hikkoshi.index.refresh_local import refresh_local
from hikkoshi.index.refresh_server import refresh_server
from hikkoshi.index.schema import LOCAL, SERVER
from hikkoshi.index.store import Index
from hikkoshi.jobs.cancel import Cancel
from hikkoshi.local.detect import open_store
from hikkoshi.local.look import NOTHING_KNOWN
from hikkoshi.local.mbox import scan_extents
from hikkoshi.local.scan import AUTOMATIC, LocalScan
from hikkoshi.mail.headers import identity_fields
from hikkoshi.move.link import Link
from hikkoshi.server.login import Login
from support.engine import Part
from support.listings import by_imapclient, drain
from support.planted_mails import plant, replant, targets


@contextmanager
def _clock() -> Iterator[Part]:
    measured = Part(0, 0, 0)
    begin, used = time.perf_counter(), _cpu()
    yield measured
    measured.seconds, measured.cpu = time.perf_counter() - begin, _cpu() - used


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _scan(path: str, children: str = "") -> Part:
    with _clock() as measured:
        store = open_store(Path(path))
        folders = [(folder, NOTHING_KNOWN) for folder in store.folders()]
        with LocalScan(store, folders, int(children) if children else AUTOMATIC) as scan:
            scan.start()
            for _folder in folders:
                changes = scan.changes([])
                assert changes is not None
                measured.mails += sum(1 for _ in changes.messages)
    return measured


def _headers(path: str) -> Part:
    with _clock() as measured:
        size = fields = 0
        for extent in scan_extents(Path(path)):
            size += extent.size
            fields += len(identity_fields(extent.header))
            measured.mails += 1
        assert size > fields > 0
    return measured


def _stdlib(path: str) -> Part:
    import mailbox  # noqa: PLC0415, TID251 - only where it is what is measured

    store = Path(path)
    with _clock() as measured:
        box = mailbox.Maildir(store, create=False) if store.is_dir() else mailbox.mbox(store, create=False)
        for message in box:
            for name in ("Date", "From", "To", "Subject", "Message-ID", "X-Mozilla-Status"):
                message.get(name)
            measured.mails += 1
    return measured


def _refresh(path: str, store: str) -> Part:
    with Index(Path(path)) as index, _clock() as measured:
        problems = refresh_local(index, open_store(Path(store)), lambda _progress: None, Cancel())
        assert not problems, problems
        measured.mails = index.totals(LOCAL)[1]
    return measured


def _plant(path: str, count: str, folders: str) -> Part:
    with _clock() as measured:
        plant(Path(path), int(count), int(folders))
        measured.mails = 2 * int(count)
    return measured


def _compare(path: str) -> Part:
    with Index(Path(path)) as index, _clock() as measured:
        compare(index, targets(index), KnownProofs({}))
        measured.mails = sum(index.totals(side)[1] for side in (LOCAL, SERVER))
    return measured


def _change(path: str, folder: str) -> Part:
    with _clock() as measured:
        measured.mails = replant(Path(path), int(folder))
    return measured


def _list(path: str, host: str, port: str, user: str, password: str) -> Part:
    login, cancel = Login(host, int(port), user, password, "plain"), Cancel()
    with Index(Path(path)) as index, _clock() as measured, Link(login, cancel) as link:
        problems = refresh_server(index, link.bulk, link.session.folders(), lambda _progress: None, cancel)
        assert not problems, problems
        measured.mails = index.totals(SERVER)[1]
    return measured


def _drain(host: str, port: str, user: str, password: str) -> Part:
    with _clock() as measured:
        measured.mails = drain(host, int(port), user, password)
    return measured


def _imapclient(host: str, port: str, user: str, password: str) -> Part:
    with _clock() as measured:
        measured.mails = by_imapclient(host, int(port), user, password)
    return measured


_PARTS: dict[str, Callable[..., Part]] = {
    "scan": _scan, "headers": _headers, "stdlib": _stdlib, "refresh": _refresh, "plant": _plant, "compare": _compare,
    "change": _change, "list": _list, "drain": _drain, "imapclient": _imapclient,
}  # fmt: skip


def main() -> None:
    """Run the part that the command line names."""
    sys.stdout.buffer.write(msgspec.json.encode(_PARTS[sys.argv[1]](*sys.argv[2:])))


if __name__ == "__main__":
    main()
