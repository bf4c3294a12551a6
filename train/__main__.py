"""``python -m train``."""

import sys
from collections.abc import Callable

from snpredict.terminal.start import start


def _load() -> Callable[[], int]:
    from train.cli import main

    return main


if __name__ == "__main__":
    sys.exit(start(_load))
