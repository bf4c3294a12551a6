"""``commands.json`` of an evaluation folder: every command that was given for it, as it was given.

A list in order of time. A command is added before its first fit, so that a killed one is there too;
its place in the list, from 1, is the ``command`` in every ``result.json`` that it wrote (see
`train.runs.tasks`).
"""

import fcntl
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snpredict.files import write_file
from snpredict.version import __version__

FILE = "commands.json"

#: Number of the command of results that say none.
UNRECORDED = 0


def read_commands(folder: Path) -> list[dict[str, Any]]:
    """The folder's commands; none where the file is not there or cannot be read."""
    try:
        return json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return []


def begin(folder: Path, arguments: Sequence[str] | None, jobs: int, threads: int) -> int:
    """Add a command to the folder; its number, from 1.

    Parameters
    ----------
    arguments : sequence of str or None
        What was given after ``python -m train``; None for a call from Python.
    """
    entry = {
        "arguments": None if arguments is None else list(arguments),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "jobs": jobs,
        "threads": threads,
        "seconds": None,
    }
    with (folder / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        commands = [*read_commands(folder), entry]
        _write(folder, commands)
    return len(commands)


def end(folder: Path, number: int, seconds: float) -> None:
    """Keep how long a command took; one that was killed has no time."""
    with (folder / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        commands = read_commands(folder)
        commands[number - 1]["seconds"] = round(seconds, 1)
        _write(folder, commands)


def _write(folder: Path, commands: list[dict[str, Any]]) -> None:
    write_file(f"{json.dumps(commands, indent=1)}\n".encode(), folder / FILE)


def shown(arguments: Sequence[str]) -> str:
    """The command as it can be pasted, absolute paths by their last part alone."""
    words = []
    for word in arguments:
        option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
        words.append(option + equals + (Path(value).name if value.startswith("/") else value))
    return shlex.join(["python", "-m", "train", *words])


def told(commands: Sequence[Mapping[str, Any]], fits_by: Mapping[int, Counter[str]]) -> list[str]:
    """Markdown on how an evaluation folder was made: the commands that fitted something.

    Parameters
    ----------
    commands : sequence of dict
        `read_commands`.
    fits_by : dict of int to Counter
        Number of the command, or `UNRECORDED`, → how many fits of each model it made.
    """
    numbers = [n for n in range(1, len(commands) + 1) if fits_by.get(n)]
    unrecorded = sum(fits_by.get(UNRECORDED, Counter()).values())
    lines = [shown(a) for n in numbers if (a := commands[n - 1].get("arguments")) is not None]
    if len(numbers) == 1 and lines and not unrecorded:
        about = "Written by this command; do not edit."
    else:
        about = "Written by `python -m train evaluate`; do not edit."
        if numbers:
            about += f" Commands that made its fits, in this order: {len(numbers)}."
        if unrecorded:
            about += f" Fits whose command is not recorded: {unrecorded}."
    console = ["```console", *(f"$ {line}" for line in lines), "```", ""] if lines else []
    return [about, "", *console, *(_one(commands[n - 1], n, fits_by[n]) for n in numbers)]


def _one(command: Mapping[str, Any], number: int, fits: Counter[str]) -> str:
    models = ", ".join(f"{name} {count}" for name, count in sorted(fits.items()))
    seconds = command.get("seconds")
    return (
        f"- command {number}: started {command.get('started', 'at an unknown time')}, "
        f"snpredict {command.get('version', 'of an unknown version')}, "
        + ("did not end by itself" if seconds is None else f"{seconds:g} s")
        + ("" if command.get("arguments") is not None else ", called from Python")
        + f"; fits: {models}"
    )
