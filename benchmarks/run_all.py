"""`make bench`: every benchmark, each in a process of its own, and docs/performance.md from what they found.

What a benchmark found is kept in build/benchmarks/NAME.json, so that one can be repeated (`--only NAME`) or the page
be written anew (`--only` without a name) without the others.
"""

import argparse
import os
import subprocess
import sys

import msgspec

from support.figures import Report
from support.performance import page, remarks
from support.repository import BENCHMARKS, PYTHON, ROOT

NAMES = ("scan", "rescan", "listing", "relisting", "compare", "check", "upload", "growth", "startup")
"""In the order of the page."""
_RESULTS = ROOT / "build" / "benchmarks"
_PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Run them and write the page; the status says whether all could be run."""
    parser = argparse.ArgumentParser(prog="benchmarks/run_all.py")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="run these alone and keep what the others found")
    parser.add_argument("--quick", action="store_true", help="smaller corpora; the page is printed, not written")
    parser.add_argument("--imapsync", metavar="PATH", default=os.environ.get("HIKKOSHI_IMAPSYNC"))
    parser.add_argument("--corpora", metavar="DIR")
    given = parser.parse_args()
    options = [
        f"--{name}={value}" for name, value in (("imapsync", given.imapsync), ("corpora", given.corpora)) if value
    ]
    options += ["--quick"] if given.quick else []
    results = _RESULTS / "quick" if given.quick else _RESULTS
    results.mkdir(parents=True, exist_ok=True)
    there = [name for name in NAMES if (BENCHMARKS / f"{name}.py").exists()]
    failed = []
    for name in there if given.only is None else given.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            [PYTHON, BENCHMARKS / f"{name}.py", "--json", *options], stdout=subprocess.PIPE, check=False
        )
        if done.returncode:
            failed.append(name)
            (results / f"{name}.json").unlink(missing_ok=True)
        else:
            (results / f"{name}.json").write_bytes(done.stdout)
    reports = [
        msgspec.json.decode((results / f"{name}.json").read_bytes(), type=Report)
        for name in there
        if (results / f"{name}.json").exists()
    ]
    text = page(reports, [name for name in there if not (results / f"{name}.json").exists()], remarks())
    if given.quick:
        print(text)
    else:
        _PAGE.parent.mkdir(exist_ok=True)
        _PAGE.write_text(text)
        print(f"{_PAGE.relative_to(ROOT)} is written", file=sys.stderr)
    sys.exit(f"these benchmarks could not be run: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
