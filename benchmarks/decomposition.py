"""What a decomposition recovers of known effects in simulated diploid families.

    python benchmarks/decomposition.py FOLDER [--lines 1000,10000] [--heritability 0.3,0.7]
        [--presets default,elm] [--fold 1,2] [--additive]

Full-sib families of 25 from random pairs of parents, 100 unlinked loci of two alleles. Forty loci
have an additive effect, twenty of them dominance as well, and fifteen pairs an effect
additive by additive: three fifths, 15 % and a quarter of the genetic variance. With ``--additive``
all of it is additive. Preset ``elm`` stands here for a copy with ``coding = "diploid"``.

Two folds of ten are trained and decomposed for each row of the table; r and slope are those of the
estimates on the truth: average effects, dominance, and all 4,950 pairs. ``found`` is the share of
true pairs among the fifteen strongest, V the share of the network's genetic variance, with the
truth in the first row; accuracy is the correlation of predicted and genetic values in the tested
lines' phenotypes.
"""

import argparse
import contextlib
import io
import json
import time
from pathlib import Path

import numpy as np

from train.cli import app
from train.networks.presets import PRESET_FOLDER

LOCI, ADDITIVE, DOMINANT, PAIRS = 100, 40, 20, 15
FAMILY = 25

#: Shares of the genetic variance: additive, dominance, pairs.
SHARES = (0.6, 0.15, 0.25)


def families(lines: int, random: np.random.Generator) -> np.ndarray:
    """Codes (lines, loci) of full sibs; every locus is passed on by itself."""
    frequency = random.uniform(0.2, 0.8, LOCI)
    codes = []
    for _ in range(-(-lines // FAMILY)):
        parents = random.random((2, 2, LOCI)) < frequency  # parent, copy
        which = random.integers(0, 2, (FAMILY, 2, LOCI))
        passed = np.take_along_axis(parents[None], which[:, :, None, :], axis=2)[:, :, 0]
        codes.append(passed.sum(axis=1))
    return np.concatenate(codes)[:lines].astype(np.int8)


def scaled(values: np.ndarray, variance: float) -> float:
    """What makes values have that variance."""
    return float(np.sqrt(variance) / values.std())


def effects(
    codes: np.ndarray, additive_only: bool, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float]], np.ndarray]:
    """a and d of all loci, pairs with their effects, and the genetic values, of variance 1."""
    x, het = codes - 1.0, (codes == 1).astype(float)
    chosen = random.permutation(LOCI)
    a, d = np.zeros(LOCI), np.zeros(LOCI)
    a[chosen[:ADDITIVE]] = random.normal(size=ADDITIVE)
    shares = (1.0, 0.0, 0.0) if additive_only else SHARES
    a *= scaled(x @ a, shares[0])
    pairs: list[tuple[int, int, float]] = []
    genetic = x @ a
    if not additive_only:
        d[chosen[:DOMINANT]] = random.normal(size=DOMINANT)
        d *= scaled(het @ d, shares[1])
        loci = random.permutation(LOCI)[: 2 * PAIRS].reshape(-1, 2)
        sizes = random.normal(size=PAIRS)
        products = x[:, loci[:, 0]] * x[:, loci[:, 1]]
        sizes *= scaled(products @ sizes, shares[2])
        pairs = [(int(i), int(j), float(e)) for (i, j), e in zip(loci, sizes, strict=True)]
        genetic = genetic + het @ d + products @ sizes
    return a, d, pairs, genetic


def write(folder: Path, lines: int, h2: float, additive_only: bool) -> None:
    """``table.tsv`` and ``truth.tsv``."""
    random = np.random.default_rng([lines, round(100 * h2), additive_only])
    codes = families(lines, random)
    a, d, pairs, genetic = effects(codes, additive_only, random)
    noise = random.normal(0, np.sqrt(genetic.var() * (1 - h2) / h2), lines)
    y = genetic + noise
    names = [f"L{at:03d}" for at in range(LOCI)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "table.tsv").open("w") as file:
        print("line", "family", "trait", *names, sep="\t", file=file)
        for at in range(lines):
            print(f"i{at}", f"f{at // FAMILY}", f"{y[at]:.6f}", *codes[at], sep="\t", file=file)
    partner = {i: (j, e) for i, j, e in pairs} | {j: (i, e) for i, j, e in pairs}
    with (folder / "truth.tsv").open("w") as file:
        print(
            "trait", "locus", "additive", "partner", "epistatic", "dominance", sep="\t", file=file
        )
        for at, name in enumerate(names):
            other, e = partner.get(at, ((at + 1) % LOCI, 0.0))
            print("trait", name, a[at], names[other], e, d[at], sep="\t", file=file)


def row(folder: Path, preset: str, folds: str) -> tuple[dict, float]:
    """What ``variance.json`` says of the trait, with the run's mean PCC; seconds of both."""
    began = time.perf_counter()
    path = preset
    if preset == "elm":
        text = (PRESET_FOLDER / "elm.toml").read_text()
        path = str(folder / "elm.toml")
        Path(path).write_text(text.replace('coding = "haploid"', 'coding = "diploid"'))
    words = ["run", str(folder / "table.tsv"), "--trait", "trait", "--unit", "1", "--preset", path]
    words += ["--folds", "random", "--fold", folds, "--no-gblup", "--family-column", "family"]
    words += ["--snps-from", "L000", "--id-column", "line", "--jobs", "1", "--threads", "1"]
    words += ["--run-dir", str(folder / preset), "--out", str(folder / f"{preset}-bundle")]
    decompose = ["decompose", str(folder / preset), "--truth", str(folder / "truth.tsv")]
    with contextlib.redirect_stderr(io.StringIO()):
        app(words, standalone_mode=False)
        app([*decompose, "--out", str(folder / f"{preset}-found")], standalone_mode=False)
    record = json.loads((folder / f"{preset}-found/variance.json").read_text())
    return record["traits"]["trait"], time.perf_counter() - began


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", default="1000,10000")
    parser.add_argument("--heritability", default="0.3,0.7")
    parser.add_argument("--presets", default="default,elm")
    parser.add_argument("--fold", default="1,2")
    parser.add_argument("--additive", action="store_true")
    o = parser.parse_args()
    heads = ["lines", "h²", "preset", "r with phenotypes", "average effects r", "slope"]
    heads += [
        "dominance r",
        "slope",
        "pairs r",
        "slope",
        "found",
        "V_A",
        "V_D",
        "V_AA",
        "real lines",
    ]
    print("|", " | ".join([*heads, "seconds"]), "|")
    print("|", " | ".join(["---"] * (len(heads) + 1)), "|")
    for lines in map(int, o.lines.split(",")):
        for h2 in map(float, o.heritability.split(",")):
            folder = o.folder / f"{lines}-{h2}{'-additive' if o.additive else ''}"
            write(folder, lines, h2, o.additive)
            for preset in o.presets.split(","):
                found, seconds = row(folder, preset, o.fold)
                v, truth, real = found["variances"], found["truth"], found["real_lines"]
                whole = v["genetic"]["mean"]
                cells = [f"{lines:,}", f"{h2}", preset, f"{real['r_network']['mean']:.3f}"]
                names = ["additive_r", "additive_slope", "dominance_r", "dominance_slope"]
                names += ["pairs_r", "pairs_slope", "true_pairs_found"]
                cells += [f"{truth[name]:.2f}" if name in truth else "" for name in names]
                cells += [
                    f"{v[name]['mean'] / whole:.3f} ± {(v[name]['sd'] or 0) / whole:.3f}"
                    for name in ("additive", "dominance", "additive_by_additive")
                ]
                cells += [f"{real['pooled_additive']['mean']:.3f}", f"{seconds:.0f}"]
                print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
