"""Wall clock of one fold under two presets, whole processes, one after the other.

python benchmarks/training.py height_chip.tsv.gz --trait height --fold 1
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trait", required=True)
    parser.add_argument("--fold", type=int, default=1)
    parser.add_argument("--presets", nargs="+", default=["paper", "default"])
    options = parser.parse_args()
    print("| preset | wall clock (s) | epochs | PCC | peak memory of the fold (MB) |")
    print("| --- | --- | --- | --- | --- |")
    seconds = []
    for preset in options.presets:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            subprocess.run(
                [
                    *(sys.executable, "-m", "train", "run", str(options.table.resolve())),
                    *("--trait", options.trait, "--unit", "units", "--preset", preset),
                    *("--fold", str(options.fold), "--out", f"{folder}/bundle"),
                    *("--run-dir", f"{folder}/run", "--no-gblup"),
                ],
                check=True,
                cwd=REPOSITORY,
                capture_output=True,
            )
            seconds.append(time.perf_counter() - began)
            result = json.loads(
                (Path(folder) / f"run/folds/fold_{options.fold:02d}/result.json").read_text()
            )
        print(
            f"| {preset} | {seconds[-1]:.1f} | {result['epochs']} | "
            f"{result['metrics']['pcc']:.3f} | {result['peak_memory_mb']} |",
            flush=True,
        )
    print(f"\n{options.presets[0]} takes {seconds[0] / seconds[-1]:.1f} × {options.presets[-1]}")


if __name__ == "__main__":
    main()
