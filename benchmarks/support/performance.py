"""The page docs/performance.md: what the benchmarks found beside their goals, and why where a goal is missed."""

import textwrap
import tomllib
from collections.abc import Iterable, Sequence

import msgspec

from support.figures import HEADINGS, Figure, Report, table
from support.repository import BENCHMARKS

_WIDTH = 120


class Remark(msgspec.Struct, forbid_unknown_fields=True):
    """Why a figure is as it is, by a person. It belongs to the figures of `benchmark` whose name holds `figure`, and
    beside `peer` alone where it names one."""

    benchmark: str
    figure: str
    why: str
    peer: str = ""

    def fits(self, report: Report, figure: Figure) -> bool:
        """Whether it is about this figure."""
        return (
            self.benchmark == report.benchmark and self.figure in figure.name and self.peer in (figure.peer_name or "")
        )


class _Remarks(msgspec.Struct, forbid_unknown_fields=True):
    remark: list[Remark] = []


def remarks() -> list[Remark]:
    """What remarks.toml has."""
    text = (BENCHMARKS / "remarks.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Remarks).remark


_TITLES = {
    "scan": "Reading a store",
    "rescan": "Reading a store again",
    "listing": "Listing a server folder",
    "relisting": "Listing a server again",
    "compare": "Comparing",
    "check": "`hikkoshi check`",
    "upload": "Uploading",
    "growth": "Growth",
    "startup": "Start-up",
}
_INTRODUCTION = """\
# Performance

This page is written by `make bench` (`benchmarks/run_all.py`); the remarks on missed goals are kept in
`benchmarks/remarks.toml`. Trust the ratios, not the seconds: both sides of a row ran in turns on the same machine.

Measured on: {machine}.

## How it is measured

- Both sides do the same work: the same generated mailboxes (fixed seed, no download), TLS for both or for neither, the
  same server with the same fsync, output through a pipe, `LC_ALL=C`. Programs are timed as whole processes, start of
  Python included, in turns (A B A B); the figures are medians. Files are in the page cache unless a row says "cold".
- The server is a private Dovecot. Round-trip time is added between two network namespaces by netem, or by a TUN wire
  (`benchmarks/support/wire.c`) where the kernel lacks netem, else by a proxy that delays; each figure says which.
- `ratio` is ours / the peer's for times and sizes that shall be at most something, and how many times better ours is
  where it shall be at least something. A figure without a peer is compared with its goal: ratio ours / goal, goal 1.
- A peer that is not installed leaves its row open; nothing is filled in.
- Memory is that of all processes together (proportional set size), sampled 50 times a second.

To repeat it: `make bench`, on a quiet machine, as root where lines with a round-trip time shall be real ones. The peers
mbsync (isync) and offlineimap3 come from Debian's packages, imapsync (github.com/imapsync/imapsync) from a path that you
give: `make bench ARGS="--imapsync PATH"`. One benchmark alone: `python benchmarks/NAME.py [--quick] [--json]`. `make
bench-quick` counts instead of timing (round trips, bytes, rows, modules) and fails where a limit in
`benchmarks/limits.toml` is passed; CI runs it.
"""


def page(reports: Sequence[Report], missing: Sequence[str], known: Sequence[Remark]) -> str:
    """The page in Markdown. `missing`: benchmarks of which nothing was found."""
    machines = list(dict.fromkeys(report.machine.partition(";")[0] for report in reports)) or ["nothing was measured"]
    parts = [_INTRODUCTION.format(machine="; ".join(machines)), _summary(reports)]
    parts += [_section(report, known) for report in reports]
    parts += [
        f"## {_TITLES.get(name, name)}\n\nNot measured: the benchmark `{name}.py` did not run to its end.\n"
        for name in missing
    ]
    return "\n".join(parts)


def _summary(reports: Iterable[Report]) -> str:
    figures = [figure for report in reports for figure in report.figures]
    held, missed, unknown = ([each for each in figures if each.holds is value] for value in (True, False, None))
    return f"{len(figures)} figures: {len(held)} hold, {len(missed)} do not, {len(unknown)} are open.\n"


def _section(report: Report, known: Sequence[Remark]) -> str:
    lines = [f"## {_TITLES.get(report.benchmark, report.benchmark)}", ""]
    if busy := report.machine.partition(";")[2]:
        lines += [
            f"The machine was{busy} when this was measured: times and their ratios are worse than they need be.",
            "",
        ]
    lines += ["| " + " | ".join(HEADINGS) + " |", "| --- | ---: | ---: | ---: | --- | --- |"]
    for row in table(report.figures):
        lines.append("| " + " | ".join(_cell(f"**{cell}**" if cell == "NO" else cell) for cell in row) + " |")
    lines.append("")
    for how, names in _methods(report.figures).items():
        lines.append(_item(f"{', '.join(names)}: {how}"))
    missed = [figure for figure in report.figures if figure.holds is False]
    if missed:
        lines += ["", "Where the goal is missed:", ""]
        whys: dict[str, list[str]] = {}
        for figure in missed:
            found = [remark.why for remark in known if remark.fits(report, figure)]
            why = " ".join(found) or "no reason has been written down yet."
            whys.setdefault(why, []).append(_title(figure))
        lines += [_item(f"{'; '.join(names)}: {why}") for why, names in whys.items()]
    return "\n".join([*lines, ""])


def _methods(figures: Iterable[Figure]) -> dict[str, list[str]]:
    """The names by what is told of how they were measured."""
    found: dict[str, list[str]] = {}
    for figure in figures:
        if figure.how and figure.name not in found.setdefault(figure.how, []):
            found[figure.how].append(figure.name)
    return found


def _title(figure: Figure) -> str:
    return f"{figure.name} beside {figure.peer_name}" if figure.peer_name else figure.name


def _item(text: str) -> str:
    return "\n".join(textwrap.wrap(text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
