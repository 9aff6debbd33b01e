"""The installed program with short waits for a server that was cut off, since a server of the tests stores mail at once."""

from hikkoshi.cli.main import main
from hikkoshi.move import link, patience, quiet

quiet.QUIET = 0.4
link._WAITS = (0.1, 0.4, 0.9)
patience._FIRST = 0.2

if __name__ == "__main__":
    main()
