"""Where the seconds of one fold go.

python benchmarks/fold_profile.py RUN --fold 1

RUN is a run folder (runs/NAME); the fold is trained again in a copy of it, with one thread.
"""

import argparse
import cProfile
import os
import pstats
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

#: Functions by file and name, and what they are; a line's time excludes no other line's.
PARTS = (
    ("ridge.py", "fit_ridge", "ridge: weights of the SNPs"),
    ("teacher.py", "fit_teacher", "kernel regression"),
    ("boosting.py", "fit_trees", "boosted trees"),
    ("virtual.py", "virtual_lines", "virtual lines"),
    ("hidden.py", "lesson", "lessons of both teachers"),
    ("trainer.py", "fit", "the network's epochs"),
    ("saliency.py", "mean_saliency", "saliency of the test lines"),
    ("onnx_export.py", "fold_onnx", "export to ONNX"),
    ("onnx_session.py", "onnx_predictions", "parity"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--fold", type=int, default=1)
    options = parser.parse_args()

    from train.runs.settings import RunSettings
    from train.runtime import configure_tensorflow, thread_environment

    settings = RunSettings.read(options.run)

    # Before numpy and TensorFlow are imported, as for the process of a fold.
    os.environ.update(thread_environment(settings.threads, settings.gpu))
    began = time.perf_counter()
    configure_tensorflow(settings.threads)
    from threadpoolctl import threadpool_limits

    from train.runs.tasks import Task, run_task

    imported = time.perf_counter() - began
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(settings.threads):
        copy = Path(folder) / "run"
        copy.mkdir()
        settings.write(copy)
        shutil.copytree(options.run / settings.data, copy / settings.data)
        profile.runcall(run_task, Task((copy,), options.fold))
    stats = pstats.Stats(profile)
    total = stats.total_tt + imported  # type: ignore[attr-defined]
    print("| part | seconds | share |")
    print("| --- | --- | --- |")
    rest = total
    rows = [("import of TensorFlow and Keras", imported)]
    for file, name, what in PARTS:
        seconds = sum(
            values[3]
            for (path, _, function), values in stats.stats.items()  # type: ignore[attr-defined]
            if Path(path).name == file and function == name
        )
        rows.append((what, seconds))
    for what, seconds in rows:
        rest -= seconds
        print(f"| {what} | {seconds:.1f} | {100 * seconds / total:.0f} % |")
    print(f"| everything else | {rest:.1f} | {100 * rest / total:.0f} % |")
    print(f"| **together** | **{total:.1f}** | |")


if __name__ == "__main__":
    main()
