"""Start-up times of whole processes, as ratios to importing onnxruntime, in one run.

PYTHONPATH=. python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import ENVIRONMENT

REPOSITORY = Path(__file__).resolve().parent.parent
REPEATS = 9


def one_sample(folder: Path) -> Path:
    """The first simulated line as a file of its own."""
    path = folder / "one.tsv"
    with (REPOSITORY / "examples" / "genotypes.tsv").open() as lines:
        path.write_text(next(lines) + next(lines))
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sample = str(one_sample(Path(folder)))
        python = [sys.executable]
        snpredict = [str(Path(sys.executable).with_name("snpredict"))]
        commands = {
            "python -c 'import onnxruntime'": [*python, "-c", "import onnxruntime"],
            "snpredict --help": [*snpredict, "--help"],
            "snpredict predict (one sample)": [*snpredict, "predict", sample],
            "snpredict explain --snp": [*snpredict, "explain", "--snp", "Gm10_44669893_G_T"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        # Interleaved, so that a disturbance hits all of them.
        for _ in range(REPEATS + 1):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
                times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    reference = next(iter(medians.values()))
    print(f"| command | median of {REPEATS} (s) | ratio |\n| --- | --- | --- |")
    for name, value in medians.items():
        print(f"| `{name}` | {value:.3f} | {value / reference:.2f} |")


if __name__ == "__main__":
    main()
