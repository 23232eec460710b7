"""Run the command line with `python -m movesim`."""

import sys

from movesim.cli import main

if __name__ == "__main__":
    sys.exit(main())
