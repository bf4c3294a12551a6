"""Do prediction intervals hold what they promise, on lines that no part of the training has seen?

PYTHONPATH=. python benchmarks/interval_coverage.py height_chip.tsv.gz --phenotypes phenotypes.tsv \
    --trait height --unit cm --hold-out lines --outer 1 2 3 --work DIR

A tenth of the lines (`--hold-out lines`), or a tenth of the families as a whole (`families`), is
taken out of the tables. The real commands then train on the rest (`python -m train run`), and
predict what was taken out (`snpredict predict --interval`); the observed values between the ends
are counted. A finished outer fold is kept in DIR and not trained again; the table is that of all
finished ones.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from train.data.folds import family_folds, random_folds

REPOSITORY = Path(__file__).resolve().parent.parent
LEVELS = (0.5, 0.8, 0.9, 0.95)
N_OUTER, SEED = 10, 1
#: For held-out lines the families are known ones; in held-out families, what is right and wrong.
KINDS = {"lines": ("known",), "families": ("known", "new")}


def read_lines(path: Path) -> list[str]:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()


def call(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def outer_fold(options: argparse.Namespace, fold: int) -> None:
    """Train without the held-out lines, predict them, and write ``covered.json``."""
    folder = options.work / f"{options.trait}-{options.preset}-{options.hold_out}-{fold}"
    if (folder / "covered.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    traits = list(csv.DictReader(read_lines(options.phenotypes), delimiter="\t"))
    families = [row[options.family_column] for row in traits]
    if options.hold_out == "lines":
        outer = random_folds(len(traits), N_OUTER, SEED)
    else:
        outer = family_folds(families, N_OUTER, SEED)
    held = {row["line"] for row, at in zip(traits, outer, strict=True) if at == fold}

    header, *lines = read_lines(options.table)
    line_at = header.split("\t").index("line")
    kept = [line.split("\t", line_at + 1)[line_at] not in held for line in lines]
    names = {True: "rest.tsv", False: "held.tsv"}
    for keep, name in names.items():
        rows = [line for line, known in zip(lines, kept, strict=True) if known == keep]
        (folder / name).write_text("\n".join([header, *rows]) + "\n")
    phenotypes = read_lines(options.phenotypes)
    rest = [p for p, row in zip(phenotypes[1:], traits, strict=True) if row["line"] not in held]
    (folder / "traits.tsv").write_text("\n".join([phenotypes[0], *rest]) + "\n")

    bundle = folder / "bundle"
    call(
        *("train", "run", folder / "rest.tsv", "--phenotypes", folder / "traits.tsv"),
        *("--trait", options.trait, "--unit", options.unit, "--preset", options.preset),
        *(
            "--folds",
            "random",
            "--n-folds",
            10,
            "--out",
            bundle,
            "--run-dir",
            folder / "run",
            "--no-gblup",
        ),
        *("--family-column", options.family_column, "--jobs", options.jobs, "--threads", 1),
        *(["--new-families"] if options.hold_out == "families" else []),
    )
    observed = {row["line"]: float(row[options.trait]) for row in traits if row["line"] in held}
    family_of = {row["line"]: row[options.family_column] for row in traits}
    found = []
    for kind in KINDS[options.hold_out]:
        for level in LEVELS:
            told = json.loads(
                call(
                    *("snpredict", "predict", folder / "held.tsv", "--model", bundle, "--quiet"),
                    *("--interval", level, "--families", kind, "--format", "json"),
                )
            )
            for row in told["results"]:
                value = observed[row["sample"]]
                if not np.isfinite(value):
                    continue
                found.append(
                    {
                        "families": kind,
                        "level": level,
                        "family": family_of[row["sample"]],
                        "inside": row["lower"] <= value <= row["upper"],
                        "width": row["upper"] - row["lower"],
                        "promised": told["interval"]["measured_coverage"],
                    }
                )
    (folder / "covered.json").write_text(json.dumps(found))
    for name in (*names.values(), "traits.tsv"):
        (folder / name).unlink()


def table(options: argparse.Namespace) -> None:
    """Coverage over all finished outer folds."""
    pattern = f"{options.trait}-{options.preset}-{options.hold_out}-*/covered.json"
    files = sorted(options.work.glob(pattern))
    rows = [row for file in files for row in json.loads(file.read_text())]
    print(f"\n{options.trait}, preset {options.preset}, {options.hold_out} held out, ", end="")
    print(f"outer folds {', '.join(file.parent.name.rpartition('-')[2] for file in files)}\n")
    print(
        "| intervals for | level | lines | coverage | standard error | families, from to | ", end=""
    )
    print("by the bundle's own residuals | mean width |\n|" + " --- |" * 8)
    for kind in KINDS[options.hold_out]:
        for level in LEVELS:
            these = [r for r in rows if (r["families"], r["level"]) == (kind, level)]
            inside = np.array([r["inside"] for r in these], float)
            member = np.unique([r["family"] for r in these], return_inverse=True)[1]
            shares = np.bincount(member, inside) / np.bincount(member)
            if options.hold_out == "lines":
                error = (inside.mean() * (1 - inside.mean()) / len(inside)) ** 0.5
                spread = ""
            else:
                # Lines of a family go together: families are the units.
                error = shares.std(ddof=1) / len(shares) ** 0.5
                spread = f"{100 * shares.min():.0f} to {100 * shares.max():.0f} %"
            print(
                f"| {kind} families | {100 * level:g} % | {len(these):,} | "
                f"{100 * inside.mean():.1f} % | {100 * error:.1f} | {spread} | "
                f"{100 * np.mean([r['promised'] for r in these]):.1f} % | "
                f"{np.mean([r['width'] for r in these]):.2f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--phenotypes", type=Path, required=True)
    parser.add_argument("--trait", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--preset", default="gblup")
    parser.add_argument("--hold-out", choices=sorted(KINDS), default="lines")
    parser.add_argument("--outer", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--family-column", default="family")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    for fold in options.outer:
        outer_fold(options, fold)
        table(options)


if __name__ == "__main__":
    main()
