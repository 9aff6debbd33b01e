"""Where the project's own files and programs are. Importing this lets benchmarks use tests/support as well.

benchmarks/support and tests/support are one namespace package: `support.dovecot` is the tests' server,
`support.figures` is of here. So the servers are set up in one place only.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
PYTHON = Path(sys.executable)
HIKKOSHI = PYTHON.with_name("hikkoshi")
"""The installed command, of the environment that runs the benchmark."""

TESTS = str(ROOT / "tests")
if TESTS not in sys.path:
    sys.path.append(TESTS)
