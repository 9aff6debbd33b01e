"""`hikkoshi check`, cold and warm, beside what the peers do when nothing has changed.

Both sides have the same mail. The local one is the Maildir that mbsync has made of the account, so that mbsync's no-op
and our check look at the same files; offlineimap has a Maildir of its own; imapsync, which reads IMAP only, has the
same mail on a server beside it. Our cold check has no index and reads every header; their no-ops do not.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from support import corpora, peers, servers
from support.dovecot import Dovecot
from support.figures import Figure, Measured, Missing, at_most, times_faster, unmeasured, within
from support.line import Line, Network, network
from support.peers import Imapsync, Mbsync, Offlineimap
from support.programs import Hikkoshi, checked
from support.proxy import Proxied
from support.script import Setting, main
from support.timing import Run, alternate
from support.tools import NotHad

_COUNTING_RTT = 30
"""Milliseconds: what happens at the same time shall be seen so by the proxy that counts."""
_COLD = {0: 4.0, 20: 1.1}
_WARM = {0: 3.0, 20: 0.9, 100: 0.6}
"""Goals beside mbsync's no-op by RTT in milliseconds."""
_ROUND_TRIPS = 3


@dataclass(frozen=True, slots=True)
class Contest:
    """Ours and the peers on one account with `count` mails on each side."""

    count: int
    ours: Hikkoshi
    mbsync: Mbsync | Missing
    offlineimap: Offlineimap | Missing
    imapsync: tuple[Imapsync, Imapsync] | Missing
    """Over the loopback, and behind a line."""
    used: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of CPU by program, which a busy machine changes little."""

    def cold(self, line: Line) -> float:
        """Seconds of a check that knows nothing."""
        self.ours.forget()
        return self.warm(line)

    def warm(self, line: Line) -> float:
        """Seconds of a check for which nothing has changed."""
        done = self.ours.check(line)
        checked(done, local=self.count, server=self.count)
        return self.noted("ours", done)

    def noted(self, name: str, done: Run) -> float:
        """Its seconds; what it used is noted."""
        self.used.setdefault(name, []).append(done.cpu)
        return done.seconds

    def told(self) -> str:
        """What was used since the last time, in words."""
        words = ", ".join(f"{name} {min(used):.2f} s" for name, used in self.used.items())
        self.used.clear()
        return f"of CPU: {words}"


def measure(setting: Setting) -> Iterator[Figure]:
    """Cold and warm checks by RTT, and the round trips of a warm one."""
    try:
        with network() as net, servers.dovecot(listen=net.listen) as server, ExitStack() as stack:
            contest = _prepared(setting, net, server, stack)
            for rtt, goal in _COLD.items():
                with net.line(rtt) as line:
                    yield from _cold(contest, line, rtt, goal, setting)
            for rtt, goal in _WARM.items():
                with net.line(rtt) as line:
                    yield from _warm(contest, line, rtt, goal, setting)
            yield _round_trips(contest)
    except NotHad as reason:
        yield unmeasured("check", 1, "lower", reason=str(reason))


def _prepared(setting: Setting, net: Network, server: Dovecot, stack: ExitStack) -> Contest:
    count = setting.size(20_000, 1_000)
    maildir = corpora.maildir(setting.corpora, corpora.small(count))
    account = servers.copied(server, maildir)
    mbsync, offlineimap, imapsync = (
        peers.program("mbsync"), peers.program("offlineimap"), peers.imapsync(setting.imapsync),
    )  # fmt: skip
    both: tuple[Imapsync, Imapsync] | Missing
    if isinstance(imapsync, Missing):
        both = imapsync
    else:
        with net.beside_clients():
            beside = servers.copied(stack.enter_context(servers.dovecot()), maildir)
        own = setting.work / "imapsync"
        both = (
            Imapsync(imapsync, own, servers.copied(server, maildir), account),
            Imapsync(imapsync, own, beside, account),
        )
    synced = mbsync if isinstance(mbsync, Missing) else Mbsync(mbsync, setting.work / "mbsync", account)
    store = maildir if isinstance(synced, Missing) else synced.maildir
    others = (
        offlineimap if isinstance(offlineimap, Missing) else Offlineimap(offlineimap, setting.work / "off", account)
    )
    contest = Contest(count, Hikkoshi(setting.work / "home", store, account), synced, others, both)
    _primed(contest, net)
    return contest


def _primed(contest: Contest, net: Network) -> None:
    """The peers' first runs, which fetch everything, and a second one, with which they are at rest."""
    with net.line(0) as line:
        for peer in (contest.mbsync, contest.offlineimap):
            if not isinstance(peer, Missing):
                peer.run(line)
                peer.run(line)


def _cold(contest: Contest, line: Line, rtt: int, goal: float, setting: Setting) -> Iterator[Figure]:
    ours, mbsync, offlineimap = _beside(setting.runs, contest, line, cold=True)
    name = f"check cold, {contest.count:,} + {contest.count:,} mails, RTT {rtt} ms, s"
    how = f"TLS on both sides, Maildir, {line.how}; {contest.told()}"
    yield at_most(name, ours, mbsync, goal, peer_name="mbsync no-op", how=how)
    yield times_faster(name, ours, offlineimap, 2, peer_name="offlineimap no-op", how=how)
    imapsync: Measured
    if isinstance(contest.imapsync, Missing):
        imapsync = contest.imapsync
    else:
        peer = contest.imapsync[0 if rtt == 0 else 1]
        # Seconds each, with little spread: two are enough.
        imapsync = [peer.run(line, "--dry").seconds for _ in range(2)]
        how += "; imapsync reads the near side from a server beside it, without TLS"
    yield times_faster(name, ours, imapsync, 10, peer_name="imapsync --dry", how=how)


def _warm(contest: Contest, line: Line, rtt: int, goal: float, setting: Setting) -> Iterator[Figure]:
    contest.warm(line)
    contest.used.clear()
    ours, mbsync, _none = _beside(setting.runs if rtt else 2 * setting.runs + 1, contest, line, cold=False)
    name = f"check warm, {contest.count:,} + {contest.count:,} mails, RTT {rtt} ms, s"
    how = f"nothing changed, TLS on both sides, Maildir, {line.how}; {contest.told()}"
    yield at_most(name, ours, mbsync, goal, peer_name="mbsync no-op", how=how)


def _beside(runs: int, contest: Contest, line: Line, *, cold: bool) -> tuple[list[float], Measured, Measured]:
    """Ours, mbsync and (for a cold check) offlineimap in turns."""
    mbsync, offlineimap = contest.mbsync, contest.offlineimap
    ways = {"ours": lambda: contest.cold(line) if cold else contest.warm(line)}
    if isinstance(mbsync, Mbsync):
        ways["mbsync"] = lambda: contest.noted("mbsync", mbsync.run(line))
    if cold and isinstance(offlineimap, Offlineimap):
        ways["offlineimap"] = lambda: contest.noted("offlineimap", offlineimap.run(line))
    found = dict(zip(ways, alternate(runs, *ways.values()), strict=True))
    return (
        found["ours"],
        mbsync if isinstance(mbsync, Missing) else found["mbsync"],
        offlineimap if isinstance(offlineimap, Missing) else found.get("offlineimap", []),
    )


def _round_trips(contest: Contest) -> Figure:
    account = contest.ours.account
    with Proxied(account.server.imap_port, rtt=_COUNTING_RTT) as proxy:
        for _ in ("cold", "warm"):  # at this address it has not been before
            done = contest.ours.at(f"imap://{account.user}@127.0.0.1:{proxy.port}")
            checked(done, local=contest.count, server=contest.count)
            record = proxy.take()
    how = (
        f"the longest chain of flights after the first greeting, counted by a proxy, without TLS, over "
        f"{record.connections} connections; {record.up:,} bytes sent, {record.down:,} received"
    )
    return within("check warm, round trips after the greeting", [record.round_trips], _ROUND_TRIPS, how=how)


if __name__ == "__main__":
    main("check", measure)
