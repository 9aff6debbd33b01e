"""Listing a folder of 200,000 mails into the index, beside taking the answer off the socket and beside imapclient.

All three ask for the same: UID, flags, size, INTERNALDATE and the five header fields of identity. Draining looks at
nothing of it; imapclient parses it and keeps nothing; ours is in the index afterwards. The folder was listed before,
so that the server has its own cache.
"""

from collections.abc import Iterator

from support import corpora, servers
from support.engine import part
from support.figures import Figure, at_most, times_faster, unmeasured
from support.script import Setting, main
from support.servers import Account
from support.timing import alternate
from support.tools import NotHad

_DRAIN, _IMAPCLIENT = 1.8, 5.0


def measure(setting: Setting) -> Iterator[Figure]:
    """Two figures, over the loopback and without TLS."""
    kind = corpora.SMALL_QUICK if setting.quick else corpora.SMALL
    try:
        with servers.dovecot() as server:
            yield from _beside(setting, servers.copied(server, corpora.maildir(setting.corpora, kind)), kind.count)
    except NotHad as reason:
        yield unmeasured("listing", _DRAIN, "lower", reason=str(reason))


def _beside(setting: Setting, account: Account, count: int) -> Iterator[Figure]:
    where = ("127.0.0.1", account.server.imap_port, account.user, account.password)
    index = setting.work / "index.sqlite"

    def ours() -> float:
        found, _run = part("list", index, *where)
        assert found.mails == count, found
        for suffix in ("", "-wal", "-shm"):
            index.with_name(index.name + suffix).unlink(missing_ok=True)
        return found.seconds

    def drained() -> float:
        found, _run = part("drain", *where)
        assert found.mails > 300 * count, found  # bytes
        return found.seconds

    def by_imapclient() -> float:
        found, _run = part("imapclient", *where)
        assert found.mails == count, found
        return found.seconds

    runs = setting.runs if setting.quick else min(setting.runs, 3)
    drained()  # once for the server's caches
    mine, bare, theirs = alternate(runs, ours, drained, by_imapclient)
    name = f"listing {count:,} mails into the index, s"
    how = "loopback, without TLS; login included, the start of Python not; the folder was listed once before"
    yield at_most(name, mine, bare, _DRAIN, peer_name="draining the socket", how=how)
    yield times_faster(name, mine, theirs, _IMAPCLIENT, peer_name="imapclient.fetch, 1,000 a batch", how=how)


if __name__ == "__main__":
    main("listing", measure)
