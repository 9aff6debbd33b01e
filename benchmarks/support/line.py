"""A line of a given round-trip time and bandwidth between the programs under test and their servers.

By netem between two network namespaces; where the kernel lacks it by a TUN wire (wire.c) between them; without root,
TUN or a compiler by a proxy that delays. Each figure says which by `Line.how`.

    with network() as net, dovecot(listen=net.listen) as server, net.line(20) as line:
        host, port = line.reach(server.imaps_port)
        run([..., host, port], surroundings=line.surroundings)
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from support.namespaces import Namespaces, ip, tc
from support.proxy import Proxied
from support.repository import BENCHMARKS

SERVER, CLIENT = "198.18.0.1", "198.18.0.2"
"""The ends of a line between namespaces (RFC 2544: for benchmarks). The tests' certificate is valid for the server's."""
_DEVICES = "hikkoshi0", "hikkoshi1"
_QUEUE = 64 << 20
"""Bytes that a line without a limit of bandwidth holds: it shall not drop."""
_BUFFER_SECONDS = 0.1
"""What a home router's queue holds at full speed, beside one round trip of data."""


@dataclass(frozen=True, slots=True)
class Line:
    """`reach`: (host, port) at which a client reaches a port of the server; `surroundings`: what clients start in."""

    how: str
    reach: Callable[[int], tuple[str, int]]
    surroundings: Callable[[], AbstractContextManager[object]] = nullcontext


class Network:
    """Where servers and programs under test are. Start servers inside it; `listen`: the address they listen on."""

    def __init__(self, namespaces: Namespaces | None, reason: str, wire: Path | None) -> None:
        self._namespaces = namespaces
        self._reason = reason
        self._wire = wire
        self.listen = "0.0.0.0" if namespaces else "127.0.0.1"  # in its namespace nobody else is there

    @contextmanager
    def line(self, rtt: float, up: float | None = None, down: float | None = None) -> Iterator[Line]:
        """A line with `rtt` milliseconds and at most `up` and `down` Mbit/s, one at a time."""
        told = f"RTT {rtt:g} ms" + "".join(
            f", {way} {rate:g} Mbit/s" for way, rate in (("up", up), ("down", down)) if rate
        )
        if not rtt and not up and not down:
            yield Line(f"{told} (loopback)", lambda port: ("127.0.0.1", port))
        elif self._namespaces is None:
            with ExitStack() as stack:
                proxies: dict[int, Proxied] = {}

                def reach(port: int) -> tuple[str, int]:
                    if port not in proxies:
                        proxies[port] = stack.enter_context(Proxied(port, rtt=rtt, up=up, down=down))
                    return "127.0.0.1", proxies[port].port

                yield Line(f"{told} by a delaying proxy ({self._reason})", reach)
        else:
            with self._joined(self._namespaces, rtt, up, down) as by:
                yield Line(f"{told} by {by}", lambda port: (SERVER, port), self._namespaces.as_client)

    @contextmanager
    def _joined(self, both: Namespaces, rtt: float, up: float | None, down: float | None) -> Iterator[str]:
        if self._wire is None:
            with _netem(both, rtt, up, down):
                yield "netem between network namespaces"
        else:
            with _tun(both, self._wire, rtt, up, down):
                yield "a TUN wire between network namespaces"

    @contextmanager
    def beside_clients(self) -> Iterator[None]:
        """What is started inside is where the programs under test are, and reached by them at once on 127.0.0.1."""
        with self._namespaces.as_client() if self._namespaces else nullcontext():
            yield


@contextmanager
def network() -> Iterator[Network]:
    """The best that this machine allows; this process is inside while it lasts."""
    with ExitStack() as stack:
        try:
            if os.geteuid() != 0:
                raise OSError("namespaces need root")
            namespaces = Namespaces()
            stack.callback(namespaces.close)
            wire = None if _has_netem() else _built(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        except OSError as error:
            stack.close()
            yield Network(None, str(error), None)
            return
        yield Network(namespaces, "", wire)


def _has_netem() -> bool:
    try:
        tc("qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms")
        tc("qdisc", "del", "dev", "lo", "root")
    except OSError:
        return False
    return True


def _built(folder: Path) -> Path:
    """The TUN wire, compiled. Raises OSError where there is no TUN or no compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not Path("/dev/net/tun").exists():
        raise OSError("the kernel has no netem, and there is no C compiler or no TUN device")
    wire = folder / "wire"
    done = subprocess.run(
        [compiler, "-O2", "-o", wire, BENCHMARKS / "support" / "wire.c"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"the TUN wire does not compile: {done.stderr.strip()[:200]}")
    return wire


@contextmanager
def _tun(both: Namespaces, wire: Path, rtt: float, up: float | None, down: float | None) -> Iterator[None]:
    queue = _QUEUE
    if up or down:
        queue = max(256 << 10, round(max(up or 0, down or 0) * 125_000 * (_BUFFER_SECONDS + rtt / 1000)))
    words = [str(both.server), _DEVICES[0], str(both.client), _DEVICES[1], str(round(rtt * 500))]
    words += [str((down or 0) * 125_000), str((up or 0) * 125_000), str(queue)]
    carrier = subprocess.Popen(
        [wire, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(both.server, both.client)
    )
    assert carrier.stdin is not None
    assert carrier.stdout is not None
    with carrier, carrier.stdin, carrier.stdout:
        if carrier.stdout.readline() != b"up\n":
            raise OSError("the TUN wire does not start")
        _address(_DEVICES[0], SERVER, CLIENT)
        with both.as_client():
            _address(_DEVICES[1], CLIENT, SERVER)
        yield


@contextmanager
def _netem(both: Namespaces, rtt: float, up: float | None, down: float | None) -> Iterator[None]:
    near, far = _DEVICES
    ip("link", "add", near, "type", "veth", "peer", "name", far)
    try:
        ip("link", "set", far, "netns", f"/proc/{os.getpid()}/fd/{both.client}")
        _shaped(near, SERVER, CLIENT, rtt, down)
        with both.as_client():
            _shaped(far, CLIENT, SERVER, rtt, up)
        yield
    finally:
        ip("link", "del", near)


def _shaped(device: str, own: str, other: str, rtt: float, rate: float | None) -> None:
    """Half of the delay on the way out of each end, and its bandwidth."""
    _address(device, own, other)
    limited = ("rate", f"{rate:g}mbit") if rate else ()
    tc("qdisc", "add", "dev", device, "root", "netem", "limit", "100000", "delay", f"{rtt / 2:g}ms", *limited)


def _address(device: str, own: str, other: str) -> None:
    ip("addr", "add", own, "peer", other, "dev", device)
    ip("link", "set", device, "up", "txqueuelen", "10000")
