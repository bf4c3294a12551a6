"""Whole processes side by side: wall clock and peak memory, interleaved in one run.

A process counts the memory of the one that started it until it is replaced: peaks below some
130 MB are this harness's own.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Python keeps compiled modules, as it does for people.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
# Of commands that import onnxruntime by themselves.
ENVIRONMENT["ORT_DISABLE_TELEMETRY"] = "1"


@dataclass(frozen=True)
class Measured:
    """Medians over the repeats of one command."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure(
    commands: Mapping[str, Sequence[str]], repeats: int = 5, warm_up: int = 1
) -> dict[str, Measured]:
    """Run every command in turn, `repeats` times; the first `warm_up` rounds do not count.

    In turn, so that a disturbance of the machine hits all of them.
    """
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(repeats + warm_up):
        for name, command in commands.items():
            runs[name].append(_run(command))
    return {
        name: Measured(*(statistics.median(column) for column in zip(*rows[warm_up:], strict=True)))
        for name, rows in runs.items()
    }


def _run(command: Sequence[str]) -> tuple[float, float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    # wait4 and not getrusage(RUSAGE_CHILDREN), which is the maximum over all children so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {errors.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(measured: Mapping[str, Measured], reference: str) -> str:
    """Markdown, with the ratio of each wall clock to that of `reference`."""
    rows = ["| command | wall clock (s) | ratio | CPU (s) | peak memory (MB) |"]
    rows.append("| --- | --- | --- | --- | --- |")
    for name, m in measured.items():
        ratio = m.seconds / measured[reference].seconds
        rows.append(
            f"| {name} | {m.seconds:.3f} | {ratio:.2f} | {m.cpu_seconds:.2f} | {m.peak_mb:.0f} |"
        )
    return "\n".join(rows)
