"""A second look at an account of 100 folders over a line of 40 ms: nothing changed, 100 flags changed, 100 new mails.

Ours is a whole `hikkoshi check`, the look at the local Maildir and the comparison included. The peers look at an account
of the same mail in which nothing changes, which is the least that they can do.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from support import corpora, peers, servers
from support.dovecot import Dovecot
from support.figures import Figure, Measured, Missing, times_faster, unmeasured
from support.line import Line, Network, network
from support.peers import Imapsync, Mbsync
from support.programs import Hikkoshi, checked
from support.script import Setting, main
from support.servers import Account
from support.timing import alternate
from support.tools import NotHad

_RTT = 40
_CHANGED, _SPREAD = 100, 10
"""So many mails change, in so many folders."""


@dataclass(slots=True)
class Contest:
    """Ours and the peers on one account; `there`: mails on the server, `here`: in the Maildir."""

    account: Account
    folders: list[str]
    here: int
    there: int
    ours: Hikkoshi
    mbsync: Mbsync
    imapsync: Imapsync | Missing

    def check(self, line: Line) -> float:
        """Seconds of a check, which must have seen everything."""
        done = self.ours.check(line)
        checked(done, local=self.here, server=self.there)
        return done.seconds

    def flag(self) -> None:
        """Toggle a flag of mails in some of the folders."""
        for folder in self.folders[:_SPREAD]:
            servers.change_flags(self.account, folder, _CHANGED // _SPREAD)

    def deliver(self) -> None:
        """Let mail come into some of the folders."""
        found = iter(corpora.small(_CHANGED, seed=1000 + self.there).mails())
        for folder in self.folders[:_SPREAD]:
            servers.deliver(self.account, folder, islice(found, _CHANGED // _SPREAD))
        self.there += _CHANGED


def measure(setting: Setting) -> Iterator[Figure]:
    """Three states beside two peers."""
    try:
        with network() as net, servers.dovecot(listen=net.listen) as server, ExitStack() as stack:
            contest = _prepared(setting, net, server, stack)
            with net.line(_RTT) as line:
                contest.check(line)
                imapsync: Measured = contest.imapsync if isinstance(contest.imapsync, Missing) else [
                    contest.imapsync.run(line, "--dry").seconds for _ in range(setting.size(2, 1))
                ]  # fmt: skip
                for what, change in (
                    ("unchanged", lambda: None),
                    (f"{_CHANGED} flags changed", contest.flag),
                    (f"{_CHANGED} new mails", contest.deliver),
                ):
                    yield from _beside(setting, contest, line, what, change, imapsync)
    except NotHad as reason:
        yield unmeasured("relisting", 4, "higher", reason=str(reason))


def _prepared(setting: Setting, net: Network, server: Dovecot, stack: ExitStack) -> Contest:
    folders = [f"Folder {number:03}" for number in range(setting.size(100, 20))]
    each = setting.size(100, 50)
    count = len(folders) * each

    def filled(where: Dovecot) -> Account:
        found = iter(corpora.small(count).mails())
        return servers.account(where, {folder: list(islice(found, each)) for folder in folders})

    changing, still = filled(server), filled(server)
    program = peers.program("mbsync")
    if isinstance(program, Missing):
        raise NotHad(f"the local Maildir is one that mbsync makes: {program.reason}")
    mbsync = Mbsync(program, setting.work / "mbsync", still)
    with net.line(0) as line:
        mbsync.run(line)
        mbsync.run(line)
    ours = Hikkoshi(setting.work / "home", mbsync.maildir, changing)
    imapsync: Imapsync | Missing
    other = peers.imapsync(setting.imapsync)
    if isinstance(other, Missing):
        imapsync = other
    else:
        with net.beside_clients():
            beside = filled(stack.enter_context(servers.dovecot()))
        imapsync = Imapsync(other, setting.work / "imapsync", beside, still)
    return Contest(changing, folders, count, count, ours, mbsync, imapsync)


def _beside(
    setting: Setting, contest: Contest, line: Line, what: str, change: Callable[[], None], imapsync: Measured
) -> Iterator[Figure]:
    def ours() -> float:
        change()
        return contest.check(line)

    mine, mbsync = alternate(setting.runs, ours, lambda: contest.mbsync.run(line).seconds)
    name = f"relisting, {len(contest.folders)} folders, RTT {_RTT} ms, {what}, s"
    how = f"a whole check, {contest.here:,} mails in a Maildir, TLS, {line.how}; nothing changed for the peer"
    yield times_faster(name, mine, mbsync, 4, peer_name="mbsync no-op", how=how)
    yield times_faster(name, mine, imapsync, 20, peer_name="imapsync --dry", how=how)


if __name__ == "__main__":
    main("relisting", measure)
