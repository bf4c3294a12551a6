"""Processes that end with the one that started them, and locks that say who holds them.

A parent that is killed cannot stop its children: they would go on training for minutes, and hold
the files that a second start of the same command needs.
"""

import fcntl
import json
import os
import platform
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Any

#: How often a process looks for its parent, in seconds.
_EVERY_S = 0.5

#: How long a lock is waited for: an orphan needs a moment to notice that it is one.
_PATIENCE_S = 3.0

ORPHANED = 130


def end_with_parent(parent: int) -> None:
    """Watch, in a thread, that the process `parent` is still this one's parent, and end without it.

    A process whose parent is gone gets another one, on every system that has `os.getppid`. What is
    being written stays as it is: all results are renamed into place when they are whole.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY_S)
        try:
            os.write(2, f"process {parent}, which started this one, is gone: stopped\n".encode())
        finally:
            os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def hold(path: Path) -> IO[str] | None:
    """Lock a file until this process ends, and write into it who holds it since when.

    Parameters
    ----------
    path : Path
        Created if it is not there. Its content belongs to the process that holds it.

    Returns
    -------
    file or None
        To be kept open; None when another process keeps the lock for some seconds longer.
    """
    lock = path.open("a+", encoding="utf-8")
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > until:
                lock.close()
                return None
            time.sleep(_EVERY_S / 2)
    lock.truncate(0)
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    json.dump({"process": os.getpid(), "host": platform.node(), "since": since}, lock)
    lock.flush()
    return lock


def holder(path: Path) -> dict[str, Any] | None:
    """What the process that locked a file with `hold` wrote into it; None if it wrote nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: found[key] for key in ("process", "host", "since")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
