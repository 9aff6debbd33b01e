"""How time grows with the number of mails: 10,000, 100,000 and a million, for scan, list, compare and check.

The exponent of a power law is fitted by least squares on the logarithms: 1 is proportional, 2 is quadratic. Fixed
costs make it smaller than it is for large stores, so the one between the two largest sizes counts where it is larger.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from support import corpora, servers
from support.dovecot import Dovecot
from support.engine import part
from support.figures import Figure, unmeasured, within
from support.line import Line
from support.programs import Hikkoshi, checked
from support.script import Setting, main
from support.tools import NotHad

_FULL, _QUICK = (10_000, 100_000, 1_000_000), (1_000, 4_000, 16_000)
_GOAL = 1.1
_MEMORY_MB = 300
_MB = 1_000_000
_LOOPBACK = Line("loopback", lambda port: ("127.0.0.1", port))


def measure(setting: Setting) -> Iterator[Figure]:
    """One fit for each part, and the memory of the largest check."""
    sizes = _QUICK if setting.quick else _FULL
    # The largest takes minutes; its noise is small beside its time.
    runs = setting.runs if setting.quick else 1
    yield _fit("scan of an mbox", sizes, runs, lambda count: _scan(setting, count))
    yield _fit("compare", sizes, runs, lambda count: _compare(setting, count))
    try:
        with servers.dovecot() as server:
            yield from _with_server(setting, server, sizes, runs)
    except NotHad as reason:
        yield unmeasured("growth of list and check, exponent", 1, "lower", reason=str(reason))


def _with_server(setting: Setting, server: Dovecot, sizes: tuple[int, ...], runs: int) -> Iterator[Figure]:
    listing: dict[int, list[float]] = {}
    cold: dict[int, list[float]] = {}
    warm: dict[int, list[float]] = {}
    peak = 0
    for count in sizes:
        account = servers.copied(server, corpora.maildir(setting.corpora, corpora.small(count)))
        ours = Hikkoshi(setting.work / "home", corpora.mbox(setting.corpora, corpora.small(count)), account)
        address = f"imaps://{account.user}@127.0.0.1:{server.imaps_port}"
        for _ in range(runs):
            index = setting.work / "listed.sqlite"
            words = ["list", str(index), "127.0.0.1", str(server.imap_port), account.user, account.password]
            listing.setdefault(count, []).append(part(*words)[0].seconds)
            index.unlink()
            ours.forget()
            done = ours.at(address)
            checked(done, local=count, server=count)
            cold.setdefault(count, []).append(done.seconds)
            warm.setdefault(count, []).append(ours.at(address).seconds)
        if count == sizes[-1]:
            ours.forget()
            watched = ours.at(address, watch_memory=True)
            peak = max(watched.memory, watched.peak)
        servers.remove(account)
    yield _figure("listing into the index", listing, "without TLS, loopback, listed once before")
    yield _figure("check, cold", cold, "whole process, an mbox, TLS, loopback")
    yield _figure("check, warm", warm, "whole process, an mbox, TLS, loopback; nothing changed")
    how = f"{sizes[-1]:,} mails on each side; the largest of its processes or all together (Pss), whichever is more"
    yield within("check cold, memory of all processes, MB", [peak / _MB], _MEMORY_MB, how=how)


def _scan(setting: Setting, count: int) -> float:
    path = corpora.mbox(setting.corpora, corpora.small(count))
    part("scan", path)  # once for the page cache
    return part("scan", path)[0].seconds


def _compare(setting: Setting, count: int) -> float:
    index: Path = setting.work / "compared.sqlite"
    part("plant", index, count, max(1, count // 10_000))
    seconds = part("compare", index)[0].seconds
    index.unlink()
    return seconds


def _fit(name: str, sizes: tuple[int, ...], runs: int, way: Callable[[int], float]) -> Figure:
    return _figure(name, {count: [way(count) for _ in range(runs)] for count in sizes}, "")


def _figure(name: str, times: dict[int, list[float]], how: str) -> Figure:
    """The larger of the fit over all sizes and the one between the two largest, of the quickest run of each size."""
    best = {count: min(found) for count, found in times.items()}
    over_all, at_the_end = exponent(best), exponent(dict(list(best.items())[-2:]))
    told = ", ".join(f"{count:,}: {seconds:.3g} s" for count, seconds in best.items())
    how = f"{told}; over all {over_all:.2f}, between the two largest {at_the_end:.2f}" + (f"; {how}" if how else "")
    return within(f"growth of {name}, exponent", [max(over_all, at_the_end)], _GOAL, how=how)


def exponent(times: dict[int, float]) -> float:
    """The slope of log time over log count, by least squares."""
    points = [(math.log(count), math.log(seconds)) for count, seconds in times.items()]
    middle_x = sum(x for x, _y in points) / len(points)
    middle_y = sum(y for _x, y in points) / len(points)
    across = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return across / sum((x - middle_x) ** 2 for x, _y in points)


if __name__ == "__main__":
    main("growth", measure)
