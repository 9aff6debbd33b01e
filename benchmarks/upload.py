"""`hikkoshi upload` beside what fills an account elsewhere, for each way that a server offers.

Every run starts with an empty account and without an index. Ours has its ledger, the reading back and the receipt; it
reads an mbox. mbsync pushes the same mail from a Maildir, imaplib sends it one by one, imapsync has it on a server
beside it. TLS for all, the same fsync for all.
"""

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import msgspec

from support import corpora, peers, servers
from support.command import environment
from support.corpora import Kind
from support.dovecot import Dovecot
from support.dovecot_config import Settings
from support.figures import Figure, Measured, Missing, at_most, times_faster, unmeasured, within
from support.line import Line, Network, network
from support.peers import Imapsync, Mbsync
from support.repository import HIKKOSHI, PYTHON
from support.script import Setting, main
from support.servers import Account
from support.sink import sending, sink
from support.timing import Run, alternate, run
from support.tools import NotHad

_MIXED = Kind("upload", 500, 8 << 10, tail=True, seed=14)
"""About 26 MB."""
_LITTLE = Kind("upload-little", 2_000, 4 << 10, tail=False, seed=9)
_BASE = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ESEARCH SPECIAL-USE LIST-STATUS QUOTA"
_WAYS = {
    "MULTIAPPEND": f"{_BASE} MULTIAPPEND",
    "LITERAL+": _BASE,
    "neither": _BASE.replace(" LITERAL+", ""),
}
_GOALS = {"MULTIAPPEND": 3.5, "LITERAL+": 2.0, "neither": 1.0}
"""Times mbsync's speed."""
_SERIAL, _IMAPSYNC, _STREAM, _COMPRESSED, _SHARE = 6.0, 20.0, 1.15, 1.2, 15.0
_UPLINK = 20
"""Mbit/s."""
_GROWTH = 32
"""MiB more for a large mail than for one of 1 KiB."""
_names = count(1)


class _Moved(msgspec.Struct):
    messages: int
    read_back: int


class _Receipt(msgspec.Struct):
    """What an upload says of itself, as far as a benchmark wants to be sure of it."""

    state: str
    moved: _Moved


@dataclass(frozen=True, slots=True)
class Contest:
    """Ways to fill an account of one server with one corpus."""

    server: Dovecot
    kind: Kind
    mbox: Path
    maildir: Path
    work: Path
    count: int

    def account(self) -> Account:
        """An empty one."""
        return servers.account(self.server, {})

    def ours(self, line: Line, program: tuple[str | Path, ...] = (HIKKOSHI,), *, watch_memory: bool = False) -> Run:
        """One upload of all of it."""
        account, home = self.account(), self.work / f"home{next(_names)}"
        host, port = line.reach(self.server.imaps_port)
        words: list[str | Path] = [
            *program, "upload", "--yes", "--json", "--local", self.mbox, "--server", f"imaps://{account.user}@{host}:{port}",
            "--password-command", f"echo {account.password}", "--ca-file", self.server.ca_file, "--map",
            f"{self.mbox.stem}=INBOX", "--quota-limit", "10G",
        ]  # fmt: skip
        done = run(words, environment=environment(home), surroundings=line.surroundings, watch_memory=watch_memory)
        receipt = msgspec.json.decode(done.output, type=_Receipt)
        assert (receipt.state, receipt.moved.messages, receipt.moved.read_back) == ("done", self.count, self.count), (
            receipt
        )
        assert servers.warm(account)["INBOX"] == self.count
        shutil.rmtree(home)
        servers.remove(account)
        return done

    def mbsync(self, path: Path, line: Line) -> float:
        """One push of all of it."""
        account, folder = self.account(), self.work / f"mbsync{next(_names)}"
        peer = Mbsync(path, folder, account)
        shutil.copytree(self.maildir, peer.maildir)
        seconds = peer.run(line, push=True).seconds
        assert servers.warm(account)["INBOX"] == self.count
        shutil.rmtree(folder)
        servers.remove(account)
        return seconds

    def serial(self, line: Line) -> float:
        """One by one with imaplib."""
        account = self.account()
        host, port = line.reach(self.server.imaps_port)
        script = Path(__file__).parent / "support" / "serial_main.py"
        words: list[str | Path] = [
            PYTHON,
            script,
            host,
            str(port),
            account.user,
            account.password,
            self.server.ca_file,
            self.maildir,
        ]
        seconds = run(words, surroundings=line.surroundings).seconds
        assert servers.warm(account)["INBOX"] == self.count
        servers.remove(account)
        return seconds

    def imapsync(self, path: Path, net: Network, line: Line) -> float:
        """From a server beside it."""
        account, folder = self.account(), self.work / f"imapsync{next(_names)}"
        with net.beside_clients(), servers.dovecot() as near:
            peer = Imapsync(path, folder, servers.copied(near, self.maildir), account, net.beside_clients)
            return peer.run(line).seconds


def measure(setting: Setting) -> Iterator[Figure]:
    """By what the server offers, by RTT, by corpus; then a slow uplink, memory and the ledger's share."""
    try:
        with network() as net, ExitStack() as stack:
            for way, capability in _WAYS.items():
                server = stack.enter_context(
                    servers.dovecot(
                        Settings(quota_storage=None, listen=net.listen, capability=capability), kind=servers.InMemory
                    )
                )
                for kind in (_MIXED, _LITTLE):
                    contest = _contest(setting, server, kind)
                    yield from _by_distance(contest, way, net, setting)
                if way == "MULTIAPPEND":
                    yield from _slow_uplink(_contest(setting, server, _MIXED), net, setting)
                    yield from _compressed(_contest(setting, server, _MIXED), net, setting)
                    yield _memory(_contest(setting, server, _MIXED), net, setting.size(200, 50))
                    yield _ledger(_contest(setting, server, _LITTLE), net, setting)
    except NotHad as reason:
        yield unmeasured("upload", 1, "higher", reason=str(reason))


def _contest(setting: Setting, server: Dovecot, kind: Kind) -> Contest:
    if setting.quick:
        kind = replace(kind, name=f"{kind.name}-quick", count=kind.count // 5)
    mbox, maildir = corpora.mbox(setting.corpora, kind), corpora.maildir(setting.corpora, kind)
    return Contest(server, kind, mbox, maildir, setting.work, kind.count)


def _by_distance(contest: Contest, way: str, net: Network, setting: Setting) -> Iterator[Figure]:
    mbsync = peers.program("mbsync")
    for rtt in (20,) if setting.quick else (0, 20, 100):
        with net.line(rtt) as line:
            ways: list[Callable[[], float]] = [lambda line=line: contest.ours(line).seconds]  # type: ignore[misc]
            if not isinstance(mbsync, Missing):
                ways.append(lambda line=line: contest.mbsync(mbsync, line))  # type: ignore[misc]
            # Where each mail waits a round trip or two, runs take minutes and do not differ.
            ours, *theirs = alternate(1 if setting.quick or way == "neither" else setting.runs, *ways)
            size = contest.mbox.stat().st_size / 1e6
            name = f"upload {contest.count:,} mails ({size:.0f} MB), {way}, RTT {rtt} ms, s"
            speed = contest.count / statistics.median(ours)
            how = f"{line.how}; {speed:,.0f} mails/s; the server keeps mail {servers.InMemory.where}"
            peer: Measured = mbsync if isinstance(mbsync, Missing) else theirs[0]
            yield times_faster(name, ours, peer, _GOALS[way], peer_name="mbsync push", how=how)
            if way == "neither" and rtt == 20 and (contest.kind.tail or not setting.quick):
                serial = [contest.serial(line)]
                yield times_faster(name, ours, serial, _SERIAL, peer_name="imaplib, one by one", how=how)
            if way == "MULTIAPPEND" and rtt == 20 and contest.kind.tail:
                path = peers.imapsync(setting.imapsync)
                found: Measured = path if isinstance(path, Missing) else [contest.imapsync(path, net, line)]
                yield times_faster(name, ours, found, _IMAPSYNC, peer_name="imapsync", how=how)


def _slow_uplink(contest: Contest, net: Network, setting: Setting) -> Iterator[Figure]:
    """The line is the limit; TCP's own overhead is in the bare stream, TLS's is not."""
    size = sum(len(mail.stored) + mail.stored.count(b"\n") for mail in contest.kind.mails())
    with net.line(20, up=_UPLINK) as line, sink(net.listen) as port:
        host, near = line.reach(port)

        def stream() -> float:
            return float(run([PYTHON, *sending(host, near, size)], surroundings=line.surroundings).output)

        ours, bare = alternate(1 if setting.quick else 3, lambda: contest.ours(line).seconds, stream)
        name = f"upload {contest.count:,} mails, uplink {_UPLINK} Mbit/s, s"
        yield at_most(name, ours, bare, _STREAM, peer_name="a bare TCP stream of the same bytes", how=line.how)


def _compressed(plain: Contest, net: Network, setting: Setting) -> Iterator[Figure]:
    """On the same line, from a server that offers COMPRESS=DEFLATE; mbsync uses it from the start wherever it is offered."""
    capability = f"{_WAYS['MULTIAPPEND']} COMPRESS=DEFLATE"
    settings = Settings(quota_storage=None, listen=net.listen, capability=capability, compress=True)
    name = f"upload {plain.count:,} mails, uplink {_UPLINK} Mbit/s, COMPRESS=DEFLATE, s"
    mbsync = peers.program("mbsync")
    with servers.dovecot(settings, kind=servers.InMemory) as server, net.line(20, up=_UPLINK) as line:
        contest = replace(plain, server=server)
        ways: list[Callable[[], float]] = [lambda: contest.ours(line).seconds]
        if not isinstance(mbsync, Missing):
            ways += [lambda: contest.mbsync(mbsync, line), lambda: plain.mbsync(mbsync, line)]
        ours, *theirs = alternate(1 if setting.quick else 3, *ways)
        for number, peer_name in enumerate(
            ("mbsync push, compressed as well", "mbsync push, where COMPRESS is not offered")
        ):
            peer: Measured = mbsync if isinstance(mbsync, Missing) else theirs[number]
            yield times_faster(name, ours, peer, _COMPRESSED, peer_name=peer_name, how=line.how)


def _memory(contest: Contest, net: Network, mebibytes: int) -> Figure:
    """The largest process with a mail of so many MiB beside the same with a small one."""
    line_of_base64 = b"QUJD" * 19 + b"\n"
    peaks = []
    with net.line(0) as line:
        for size in (1 << 10, mebibytes << 20):
            mbox = contest.work / f"large{size}" / "Inbox"
            mbox.parent.mkdir()
            with mbox.open("wb") as file:
                file.write(
                    b"From - Mon Jan  1 10:00:00 2024\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nFrom: a@example.com\n"
                )
                # Raw 8-bit in a header: such mail is read back whole.
                file.write("Subject: 引っ越し\n".encode() + b"Message-ID: <%d@example.com>\n\n" % size)
                for _ in range(size // len(line_of_base64)):
                    file.write(line_of_base64)
            peaks.append(replace(contest, mbox=mbox, count=1).ours(line, watch_memory=True).peak)
            shutil.rmtree(mbox.parent)
    growth = (peaks[1] - peaks[0]) / (1 << 20)
    how = f"largest process {peaks[1] / (1 << 20):.0f} MiB, {peaks[0] / (1 << 20):.0f} MiB with a mail of 1 KiB"
    return within(f"upload of a {mebibytes} MiB mail, growth of memory, MiB", [growth], _GROWTH, how=how)


def _ledger(contest: Contest, net: Network, setting: Setting) -> Figure:
    script = Path(__file__).parent / "support" / "ledger_main.py"
    shares = []
    with net.line(0) as line:
        for _ in range(1 if setting.quick else 3):
            report = setting.work / "spent.json"
            contest.ours(line, (PYTHON, script, report))
            spent = msgspec.json.decode(report.read_bytes(), type=dict[str, float])
            shares.append(100 * spent["ledger"] / spent["move"])
    return within(f"upload {contest.count:,} mails, RTT 0: the ledger's share of the move, %", shares, _SHARE)


if __name__ == "__main__":
    main("upload", measure)
