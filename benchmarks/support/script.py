"""What every benchmark's command line has in common: `python benchmarks/NAME.py [--quick] [--json]`."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from support.figures import Figure, Report, text_table

_GIB = 1 << 30
_BUSY = 0.4
"""Load for each core from which on a machine is not quiet."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a benchmark shall run.

    `quick`: the smaller corpora, under a minute in all. `runs`: of each side, in turns. `corpora`: where generated
    mail is kept. `work`: a folder for this run alone. `imapsync`: where the user has it, if at all.
    """

    quick: bool
    runs: int
    corpora: Path
    work: Path
    imapsync: Path | None

    def size(self, full: int, quick: int) -> int:
        """One of two sizes."""
        return quick if self.quick else full


Measure = Callable[[Setting], Iterable[Figure]]


def main(name: str, measure: Measure) -> None:
    """Run a benchmark and print its report: a table, or one JSON object with --json."""
    parser = argparse.ArgumentParser(prog=f"benchmarks/{name}.py")
    parser.add_argument("--quick", action="store_true", help="smaller corpora: under 60 seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--runs", type=int, default=0, help="runs of each side (default: 3 with --quick, else 5)")
    parser.add_argument("--corpora", type=Path, metavar="DIR", help="keep generated mail here, not in the cache folder")
    parser.add_argument("--imapsync", type=Path, metavar="PATH", default=os.environ.get("HIKKOSHI_IMAPSYNC"))
    given = parser.parse_args()
    where = machine()  # before there is a load of our own
    work = Path(tempfile.mkdtemp(prefix=f"hikkoshi-bench-{name}-"))
    try:
        setting = Setting(
            quick=given.quick,
            runs=given.runs or (3 if given.quick else 5),
            corpora=given.corpora or platformdirs.user_cache_path("hikkoshi-benchmarks"),
            work=work,
            imapsync=Path(given.imapsync) if given.imapsync else None,
        )
        report = Report(name, where, list(measure(setting)))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if given.json:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    else:
        print(f"{name} on {report.machine}\n\n{text_table(report.figures)}")


def machine() -> str:
    """Cores, processor, memory, system and Python, as far as the system tells them; behind a semicolon that it is busy."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    busy = f"; busy with other work (load {load:.1f} on {cores} cores)" if load > cores * _BUSY else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    return (
        f"{cores} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {kernel}, "
        f"Python {platform.python_version()}{busy}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
