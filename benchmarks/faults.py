"""Kill commands at random moments, look at what is left, and give the same command again.

PYTHONPATH=. python benchmarks/faults.py FOLDER --kills 50

For each of run, summarize, evaluate, import and predict the whole process group gets SIGKILL at a
moment drawn uniformly over the time that the command takes undisturbed. Then a bundle must load or
not be there, and a file of predictions must be the older one or the new one, whole. The same
command again must end well and give the files of an undisturbed run byte for byte, and leave no
temporary file. Moments after the command's end are drawn again. FOLDER keeps a line of JSON per
trial in trials.jsonl; what broke a rule stays there as a folder.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.bundle.load import load_bundle
from snpredict.errors import SnpredictError
from tests.outside import MODULE
from tests.simulated import simulate, write_table

REPOSITORY = Path(__file__).resolve().parents[1]
TRAIN = (sys.executable, "-m", "train")
SNPREDICT = (sys.executable, "-m", "snpredict")
#: Files of a bundle that hold no times.
TABLES = ("*.onnx", "*.parquet")


@dataclass(frozen=True)
class Case:
    """A command, what it needs, and what must be the same after all.

    ``ready`` puts into an empty folder what the command reads; ``compared`` are patterns of files
    that are equal after every complete run, and ``bundle`` is where one is written.
    """

    words: tuple[str, ...]
    ready: Callable[[Path], None]
    compared: tuple[str, ...]
    bundle: str | None = None


def _table(folder: Path) -> None:
    write_table(folder / "table.tsv", *simulate(60, 24), n_folds=3)
    (folder / "sums.py").write_text(MODULE)


def _scores(folder: Path) -> None:
    columns = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    head = f"#pgs_id=made up\n#format_version=2.0\n{columns}"
    rows = "".join(f"1\t{100 * n}\tA\tG\t{n / 1000}\n" for n in range(1, 20001))
    (folder / "weights.txt").write_text(head + rows)


def _older(folder: Path) -> None:
    (folder / "out.tsv").write_text("older\n")


class _Finished:
    """The folder of a run whose folds are finished, made once."""

    def __init__(self, home: Path):
        self.home = home

    def __call__(self, folder: Path) -> None:
        if not self.home.exists():
            self.home.mkdir(parents=True)
            _table(self.home)
            _start(CASES["run"].words, self.home).wait()
            shutil.rmtree(self.home / "models")
        shutil.copytree(self.home, folder, dirs_exist_ok=True)


RUN = ("run", "table.tsv", "--trait", "height", "--unit", "cm", "--model", "sums:Sum")
RUN += ("--no-gblup", "--threads", "1", "--out", "models/mine")
EVALUATE = ("evaluate", "table.tsv", "--trait", "height", "--folds", "given", "--threads", "1")
EVALUATE += ("--models", "gblup,reweighted,missing-mask", "--out", "evaluation")
EXAMPLE = str(REPOSITORY / "examples" / "lines.vcf.gz")
IN_BUNDLE = tuple(f"models/mine/**/{pattern}" for pattern in TABLES)
PREDICTIONS = "**/predictions.npz"
CASES: dict[str, Case] = {
    "run": Case((*TRAIN, *RUN), _table, (*IN_BUNDLE, PREDICTIONS), "models/mine"),
    "evaluate": Case((*TRAIN, *EVALUATE), _table, (PREDICTIONS,)),
    "import": Case(
        (*SNPREDICT, "import", "weights.txt", "--out", "models/mine"),
        _scores,
        IN_BUNDLE,
        "models/mine",
    ),
    "predict": Case((*SNPREDICT, "predict", EXAMPLE, "--out", "out.tsv"), _older, ("out.tsv",)),
}


def _start(words: tuple[str, ...], folder: Path) -> subprocess.Popen:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    path = os.pathsep.join([str(REPOSITORY), str(folder)])
    environment = os.environ | {"PYTHONPATH": path, "TMPDIR": str(temporary)}
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            words, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True
        )


def _contents(case: Case, folder: Path) -> dict[str, bytes]:
    found = {}
    for pattern in case.compared:
        for path in sorted(folder.glob(pattern)):
            name = str(path.relative_to(folder))
            if path.suffix == ".npz":  # a zip archive holds the time
                with np.load(path) as arrays:
                    found[name] = b"".join(arrays[k].tobytes() for k in sorted(arrays))
            else:
                found[name] = path.read_bytes()
    return found


def _undisturbed(case: Case, folder: Path) -> tuple[dict[str, bytes], float]:
    folder.mkdir(parents=True)
    case.ready(folder)
    began = time.perf_counter()
    if _start(case.words, folder).wait():
        sys.exit((folder / "said.txt").read_text())
    seconds = time.perf_counter() - began
    contents = _contents(case, folder)
    assert contents, f"nothing to compare in {folder}"
    return contents, seconds


def _trial(case: Case, folder: Path, moment: float, expected: dict[str, bytes]) -> dict:
    """Kill, look, and give the command again."""
    folder.mkdir(parents=True)
    case.ready(folder)
    process = _start(case.words, folder)
    time.sleep(moment)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    broken = []
    left = "nothing"
    if case.bundle is not None and (folder / case.bundle).exists():
        left = "bundle"
        try:
            load_bundle(folder / case.bundle)
        except SnpredictError as error:
            broken.append(f"half a bundle: {error}")
    if (folder / "out.tsv").exists():
        old = (folder / "out.tsv").read_text() == "older\n"
        left = "older file" if old else "new file"
        if not old and (folder / "out.tsv").read_bytes() != expected["out.tsv"]:
            broken.append("half a file of predictions")
    code = _start(case.words, folder).wait()
    if code:
        broken.append(f"the same command again: exit code {code}")
    elif _contents(case, folder) != expected:
        broken.append("other files than those of an undisturbed run")
    ours = [*folder.rglob(".snpredict-*"), *(folder / "tmp").glob("snpredict*")]
    if ours:
        broken.append(f"left behind: {ours[0].relative_to(folder)}")
    if not broken:
        shutil.rmtree(folder)
    return {"moment": round(moment, 3), "ended": ended, "left": left, "broken": broken}


def measure(name: str, home: Path, kills: int, seed: int) -> Counter[str]:
    """Kill one command so often; what was found, counted."""
    case = CASES[name]
    expected, seconds = _undisturbed(case, home / name / "undisturbed")
    random = np.random.default_rng([seed, *name.encode()])
    counts: Counter[str] = Counter()
    made = 0
    with ThreadPoolExecutor(2) as pool:
        while counts["kills"] < kills:
            n = kills - counts["kills"]
            # Two at a time take longer than one alone.
            moments = random.uniform(0.02, 1.1 * seconds, n)
            folders = [home / name / f"trial{made + at}" for at in range(n)]
            made += n
            for found in pool.map(_trial, [case] * n, folders, moments.tolist(), [expected] * n):
                with (home / "trials.jsonl").open("a") as file:
                    file.write(json.dumps({"command": name} | found) + "\n")
                if found["ended"]:
                    counts["too late"] += 1
                    continue
                counts["kills"] += 1
                counts[found["left"]] += 1
                counts["broken"] += bool(found["broken"])
    return counts


def main() -> None:
    """Print a table of counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--commands", default="run,summarize,evaluate,import,predict")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    home = options.folder.resolve()
    home.mkdir(parents=True)
    CASES["summarize"] = Case(
        (*TRAIN, "summarize", "runs/mine", "--out", "models/mine"),
        _Finished(home / "finished"),
        IN_BUNDLE,
        "models/mine",
    )
    print("| command | killed | left: nothing | older file | whole result | rules broken |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.commands.split(","):
        c = measure(name, home, options.kills, options.seed)
        whole = c["bundle"] + c["new file"]
        row = (c["kills"], c["nothing"], c["older file"], whole, c["broken"])
        print(f"| `{name}` | {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
