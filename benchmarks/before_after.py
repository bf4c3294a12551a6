"""Two checkouts of this project, side by side: does a change of structure change a figure?

    python benchmarks/before_after.py BEFORE AFTER FOLDER [--chip height_chip.tsv.gz] [--only WORDS]

Runs the same commands in both checkouts, each with its own code and its own shipped models, and
compares exit codes, what was printed, and every file that was written: text line by line, JSON
value by value, Parquet column by column, arrays and ONNX files byte by byte. What may differ
between two runs of the same code is masked: see `MASKED_KEYS` and `MASKED_TEXT`. Both sides use
the Python that runs this script, with the extras ``train`` and ``test``. FOLDER keeps what the
commands wrote; commands that have run there already are not run again.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

#: JSON keys whose values are those of the moment, or digests of files that hold such values.
MASKED_KEYS = re.compile(
    r"created|seconds|manifest_sha256|files|software|versions|peak_|started|snpredict_version"
    r"|size_bytes|path|argv|when|settings|command"
)
#: What a line of text may say otherwise.
MASKED_TEXT = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"--traits"), "--trait"),
    (re.compile(r"--schemes"), "--folds"),
    (re.compile(r"manifest [0-9a-f]{12}"), "manifest DIGEST"),
    (re.compile(r"\d+(\.\d+)? ?(s|min|MB|kB|h)\b"), "N UNIT"),
    (re.compile(r"\d+:\d\d(:\d\d)?( left)?"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+Z-]+"), "WHEN"),
    (re.compile(r"seconds_per_fold,[\d.e-]+"), "seconds_per_fold,N"),
    (re.compile(r"^( \d+ .*?) +\d+ $"), r"\1 SECONDS"),
    # The last cell of a table of folds holds its seconds, and so does that of a report's.
    (re.compile(r"\| [\d.]+ \|$"), "| SECONDS |"),
    (re.compile(r"│ \d+ +│$"), "│ SECONDS │"),
)
#: Names the checkout that a folder's command ran in.
TREE = "tree"

#: Files that hold nothing but time and words of libraries; a log of a fold names its process.
LEFT_OUT = re.compile(r"(^|/)(log\.txt|lock|tree|commands\.jsonl?)$|\.png$")

ENVIRONMENT = {"NO_COLOR": "1", "COLUMNS": "120"}

#: What the first layout of runs and evaluations kept elsewhere, by its place in the second.
OLD_PLACES = (
    (re.compile(r"(.*)data/phenotype\.npy"), r"\1data/trait-height.npy"),
    (re.compile(r"run/data/folds\.npy"), "run/data/folds-random.npy"),
    (
        re.compile(r"evaluation/predictions/(\w+)/(\w+)/((?!network)[\w-]+)/(fold_\d+)\.npz"),
        r"evaluation/runs/\3/\1/\2/folds/\4/predictions.npz",
    ),
    (re.compile(r"evaluation/networks/([\w-]+)/(.*)"), r"evaluation/runs/network-\1/\2"),
)
#: Files that one of the two layouts has alone, or that say its own words.
OF_A_LAYOUT = re.compile(
    r"evaluation/predictions/|evaluation/runs/.*/(data/.*|result\.json)$|settings\.json$"
    r"|data/(labels\.json|samples\.npy|families\.npy|snp_info\.json|trait-height.npy)$"
)

#: Options of `train evaluate` by the names they had before it shared those of `train run`.
OLD_NAMES = {"--trait": "--traits", "--unit": "--units", "--folds": "--schemes"}

PRESETS = ("gblup", "linear", "default", "paper")


@dataclass(frozen=True)
class Command:
    """A command line to run in both checkouts.

    Attributes
    ----------
    name : str
        Also the folder that it runs in.
    words : tuple of str
        What follows ``python -m``; ``{tree}`` is the checkout, ``{data}`` the simulated table.
    """

    name: str
    words: tuple[str, ...]


def commands(models: list[str], chip: Path | None) -> Iterator[Command]:
    """All that is compared, the quick ones first."""
    lines = "{tree}/examples/genotypes.tsv"
    for model in models:
        option = ("-m", "{tree}/models/" + model)
        for name, words in {
            "predict": ("predict", lines, "--per-fold", "--top", "5", "-o", "out.tsv"),
            "interval": ("predict", lines, "--interval", "0.9", "-o", "out.json"),
            "vcf": ("predict", "{tree}/examples/lines.vcf.gz", "-o", "out.parquet"),
            "check": ("check", "{tree}/examples/lines.vcf.gz", "--json"),
            "explain": ("explain", lines, "--sample", "SIM-1-02", "-o", "out.json"),
            "snp": ("explain", "--snp", "Gm10_44669893_G_T", "--json"),
            "show": ("models", "show", "{tree}/models/" + model, "--json"),
        }.items():
            place = () if name == "show" else option
            yield Command(f"{model}-{name}", ("snpredict", *words, *place))
        if chip is not None:
            words = ("snpredict", "predict", str(chip), "--per-fold", "-o", "out.parquet")
            yield Command(f"{model}-chip", (*words, *option))
    for preset in PRESETS:
        run = ("train", "run", "{data}", "--trait", "height", "--unit", "cm", "--preset", preset)
        folds = ("--fold", "1", "--fold", "2", "--folds", "random", "--n-folds", "2")
        places = ("--threads", "1", "--run-dir", "run", "--out", "bundle")
        yield Command(f"run-{preset}", (*run, *folds, *places))
    yield Command(
        "evaluate",
        (
            *("train", "evaluate", "{data}", "--trait", "height", "--folds", "random,family"),
            *("--models", "gblup,rkhs,lightgbm,network-default", "--n-folds", "2"),
            *("--threads", "1", "--out", "evaluation"),
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chip", type=Path, help="a large genotype file to predict as well")
    parser.add_argument("--only", default="", help="commands whose name has one of these words")
    options = parser.parse_args()
    trees = [options.before.resolve(), options.after.resolve()]
    data = _simulated(options.folder)
    models = sorted(path.name for path in (trees[0] / "models").iterdir() if path.is_dir())
    chip = options.chip.resolve() if options.chip else None
    words = options.only.split(",")
    differing = 0
    for command in commands(models, chip):
        if not any(word in command.name for word in words):
            continue
        sides = [
            _run(command, tree, options.folder / side / command.name, data)
            for tree, side in zip(trees, ("before", "after"), strict=True)
        ]
        found = differences(*sides)
        differing += bool(found)
        print(f"{command.name}: {'; '.join(found[:4]) if found else 'equal'}", flush=True)
        for more in found[4:12]:
            print(f"    {more}")
    print(f"{differing} commands differ" if differing else "nothing differs")
    return bool(differing)


def _simulated(folder: Path) -> Path:
    """A table that both checkouts train on, made once by this checkout."""
    from tests.simulated import simulate, write_table

    folder.mkdir(parents=True, exist_ok=True)
    path = (folder / "simulated.tsv").resolve()
    if not path.exists():
        write_table(path, *simulate(200, 120, 10, seed=3))
    return path


def _run(command: Command, tree: Path, folder: Path, data: Path) -> Path:
    """Run it in a folder of its own, where its output is kept as files."""
    if (folder / "exit_code.txt").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = [word.format(tree=tree, data=data) for word in command.words]
    if words[:2] == ["train", "evaluate"] and not (tree / "train/runs/options.py").exists():
        words = [OLD_NAMES.get(word, word) for word in words]
    with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(tree)} | ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    (folder / TREE).write_text(str(tree))
    (folder / "exit_code.txt").write_text(f"{done.returncode}\n")
    return folder


def _tree_of(path: Path) -> str:
    return next(p / TREE for p in path.parents if (p / TREE).exists()).read_text()


def differences(before: Path, after: Path) -> list[str]:
    """Where two folders differ, a line each; empty where they are equal."""
    found = []
    one, two = (_files(folder) for folder in (before, after))
    alone = (("before", one.keys() - two.keys()), ("after", two.keys() - one.keys()))
    for side, names in alone:
        found += [f"only {side}: {n}" for n in sorted(names) if not OF_A_LAYOUT.search(n)]
    for name in sorted(one.keys() & two.keys()):
        if name.endswith(("labels.json", "settings.json")):
            continue
        compare = _COMPARE.get(Path(name).suffix, _compare_bytes)
        found += [f"{name}: {what}" for what in compare(one[name], two[name])]
    return found


def _files(folder: Path) -> dict[str, Path]:
    """Files by their place in the layout of today."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        for old, new in OLD_PLACES:
            name = old.sub(new, name) if old.fullmatch(name) else name
        if path.is_file() and not LEFT_OUT.search(name):
            found[name] = path
    return found


def _compare_bytes(before: Path, after: Path) -> list[str]:
    return [] if before.read_bytes() == after.read_bytes() else ["its bytes differ"]


def _compare_text(before: Path, after: Path) -> list[str]:
    one, two = (_masked_lines(path) for path in (before, after))
    if len(one) != len(two):
        return [f"{len(one)} lines before, {len(two)} after"]
    return [
        f"line {number}: {was!r} became {now!r}"
        for number, (was, now) in enumerate(zip(one, two, strict=True), 1)
        if was != now
    ]


def _masked_lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.name == "stdout.txt" and text.startswith(("{", "[")):
        # Compared as JSON, with its keys masked.
        text = json.dumps(_masked(json.loads(text)), indent=1, sort_keys=True)
    text = text.replace(_tree_of(path), "TREE")
    lines = text.splitlines()
    for pattern, stand_in in MASKED_TEXT:
        lines = [pattern.sub(stand_in, line) for line in lines]
    return lines


def _compare_json(before: Path, after: Path) -> list[str]:
    one, two = (_masked(json.loads(path.read_text())) for path in (before, after))
    return list(_json_differences("", one, two))


def _masked(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _masked(item) for key, item in value.items() if not MASKED_KEYS.search(key)
            }
        case list():
            return [_masked(item) for item in value]
        case str() if "/" in value:
            return Path(value).name
    return value


def _json_differences(place: str, one: Any, two: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys()):
            if key not in one or key not in two:
                yield f"{place}.{key} only {'after' if key not in one else 'before'}"
            else:
                yield from _json_differences(f"{place}.{key}", one[key], two[key])
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for at, pair in enumerate(zip(one, two, strict=True)):
            yield from _json_differences(f"{place}[{at}]", *pair)
    elif one != two:
        yield f"{place}: {str(one)[:60]} became {str(two)[:60]}"


def _compare_parquet(before: Path, after: Path) -> list[str]:
    one, two = (pq.read_table(path) for path in (before, after))
    names = [set(table.column_names) for table in (one, two)]
    found = [f"column {name} only before" for name in sorted(names[0] - names[1])]
    found += [f"column {name} only after" for name in sorted(names[1] - names[0])]
    return found + [
        f"column {name} differs"
        for name in one.column_names
        # Not equals(), for which NaN differs from itself.
        if name in names[1] and one[name].to_pylist().__repr__() != two[name].to_pylist().__repr__()
    ]


def _compare_arrays(before: Path, after: Path) -> list[str]:
    one, two = (np.load(path, allow_pickle=False) for path in (before, after))
    if isinstance(one, np.ndarray):
        return [] if _same(one, two) else ["the array differs"]
    if set(one) != set(two):
        return [f"arrays {sorted(one)} became {sorted(two)}"]
    return [f"array {name} differs" for name in one if not _same(one[name], two[name])]


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    # A run's predictions were a vector, and are a column.
    one, two = (a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a for a in (one, two))
    return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()


def _compare_onnx(before: Path, after: Path) -> list[str]:
    """By steps and numbers: tf2onnx gives the nodes of a fold model other names in every run."""
    import onnx

    steps, numbers = [], []
    for path in (before, after):
        graph = onnx.load(path).graph
        steps.append([node.op_type for node in graph.node])
        tensors = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
        numbers.append(sorted((str(t.dtype), t.shape, t.tobytes()) for t in tensors))
    if steps[0] != steps[1]:
        return ["its steps differ"]
    return [] if numbers[0] == numbers[1] else ["its numbers differ"]


_COMPARE: dict[str, Callable[[Path, Path], list[str]]] = {
    ".txt": _compare_text,
    ".tsv": _compare_text,
    ".csv": _compare_text,
    ".md": _compare_text,
    ".json": _compare_json,
    ".onnx": _compare_onnx,
    ".parquet": _compare_parquet,
    ".npy": _compare_arrays,
    ".npz": _compare_arrays,
}

if __name__ == "__main__":
    sys.exit(main())
