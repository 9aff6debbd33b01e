"""Where the program starts. What it is asked most often, and by scripts, costs no import of its own."""

import sys

from hikkoshi import __version__


def main() -> None:
    """Run `hikkoshi` and exit."""
    if sys.argv[1:] == ["--version"]:
        # As click prints it, whose import takes 20 ms.
        sys.stdout.write(f"hikkoshi, version {__version__}\n")
        return
    from hikkoshi.cli.main import main as run

    run()
