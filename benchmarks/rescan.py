"""Looking again at a local store of 20,000 mails: nothing changed; 100 mails came; beside mbsync's no-op.

mbsync looks at the Maildir and at the server beside it, as a whole process without a line between them; ours looks at
the store alone and has an index open, without the start of Python.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from support import corpora, peers, servers
from support.dovecot import Dovecot
from support.engine import part
from support.figures import Figure, Measured, Missing, times_faster, within
from support.line import Line
from support.peers import Mbsync
from support.script import Setting, main
from support.timing import alternate
from support.tools import NotHad

_GOAL = 3.0
_ADDED = 100
_LOOPBACK = Line("loopback", lambda port: ("127.0.0.1", port))
_OLD = 1_600_000_000


def measure(setting: Setting) -> Iterator[Figure]:
    """The Maildir beside mbsync, and an mbox."""
    count = setting.size(20_000, 2_000)
    kind = corpora.small(count)
    more = [mail.stored for mail in corpora.small(_ADDED, seed=9).mails()]
    maildir = setting.work / "maildir"
    shutil.copytree(corpora.maildir(setting.corpora, kind), maildir)
    try:
        with servers.dovecot() as server:
            yield from _maildir(setting, maildir, count, more, _mbsync(setting, server, maildir))
    except NotHad as reason:
        yield from _maildir(setting, maildir, count, more, Missing(str(reason)))
    yield from _mbox(setting, kind, more)


def _mbsync(setting: Setting, server: Dovecot, maildir: Path) -> Mbsync | Missing:
    program = peers.program("mbsync")
    if isinstance(program, Missing):
        return program
    peer = Mbsync(program, setting.work / "mbsync", servers.copied(server, maildir))
    peer.run(_LOOPBACK)
    peer.run(_LOOPBACK)
    return peer


def _maildir(setting: Setting, store: Path, count: int, more: list[bytes], peer: Mbsync | Missing) -> Iterator[Figure]:
    if not isinstance(peer, Missing):
        store = peer.maildir
    index = setting.work / "maildir.sqlite"
    _rest(store)
    part("refresh", index, store)

    def unchanged() -> float:
        found = part("refresh", index, store)[0]
        assert found.mails == count
        return found.seconds

    ways = [unchanged] if isinstance(peer, Missing) else [unchanged, lambda: peer.run(_LOOPBACK).seconds]
    ours, *theirs = alternate(setting.runs, *ways)
    beside: Measured = peer if isinstance(peer, Missing) else theirs[0]
    told = (
        f"{count:,} mails in a Maildir; mbsync is a whole process and looks at a server beside it as well, ours looks at "
        "the store alone, without the start of Python; the last delivery is long ago"
    )
    yield times_faster(
        "rescan Maildir, unchanged, s", ours, beside, _GOAL, peer_name="mbsync, nothing changed", how=told
    )

    added = []
    for round_ in range(setting.runs):
        for number, stored in enumerate(more):
            (store / "new" / f"9{round_}{number:05}.added").write_bytes(stored)
        _rest(store)
        found = part("refresh", index, store)[0]
        assert found.mails == count + (round_ + 1) * _ADDED
        added.append(found.seconds)
    told += f"; {_ADDED} more in new/ each time"
    yield times_faster(
        f"rescan Maildir, {_ADDED} came, s", added, beside, _GOAL, peer_name="mbsync, nothing changed", how=told
    )


def _rest(store: Path) -> None:
    """As if the last delivery had been long ago: what came a moment before is compared name by name."""
    for sub in ("cur", "new"):
        os.utime(store / sub, (_OLD, _OLD + len(list((store / sub).iterdir()))))


def _mbox(setting: Setting, kind: corpora.Kind, more: list[bytes]) -> Iterator[Figure]:
    store = setting.work / "mbox"
    shutil.copyfile(corpora.mbox(setting.corpora, kind), store)
    index = setting.work / "mbox.sqlite"
    first = part("refresh", index, store)[0].seconds
    unchanged, added = [], []
    for round_ in range(setting.runs):
        unchanged.append(part("refresh", index, store)[0].seconds)
        with store.open("ab") as file:
            for stored in more:
                file.write(b"From - Tue Mar  5 10:00:00 2024\n" + stored + b"\n")
        found = part("refresh", index, store)[0]
        assert found.mails == kind.count + (round_ + 1) * _ADDED
        added.append(found.seconds)
    how = f"{kind.count:,} mails in an mbox, which cost {first:.3g} s the first time"
    yield within("rescan mbox, unchanged, s", unchanged, 0.010, how=how)
    yield within(f"rescan mbox, {_ADDED} came, s", added, 0.050, how=how)


if __name__ == "__main__":
    main("rescan", measure)
