"""The program, also as `python -m snpredict`."""

import sys
from collections.abc import Callable

from snpredict.terminal.start import start


def _load() -> Callable[[], int]:
    from snpredict.cli import main

    return main


def main() -> int:
    """Run the command line; see `snpredict.cli.main`."""
    return start(_load)


if __name__ == "__main__":
    sys.exit(main())
