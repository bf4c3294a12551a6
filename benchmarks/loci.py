"""Which loci of inbred lines attributions and association scans find, by kind and heritability.

    python benchmarks/loci.py FOLDER [--spike-in FILE --ignore COLUMN,…] [--seeds 3]

Loci of known kinds, as many decoys, and a polygenic background of a fifth of the genetic variance
(`train.simulate`), at heritabilities 0.3, 0.5 and 0.8: on 2,000 simulated lines of 20 families
with 5,000 SNPs, or with ``--spike-in`` on the real genotypes of a file. Half of the rows train, a
quarter chooses, and attributions look at the last quarter (500 rows of it at most); scans test the
rows that train. There are four loci of each of the kinds additive, dominant and recessive, and
four pairs without effects of their own.

A method's SNPs are taken from the strongest on; what lies within 5 cM of a peak that was taken is
passed over, until there are as many peaks as causal SNPs. A locus is found when a peak lies within
1 cM of it, a decoy likewise. Where a file has no genetic map, 1 Mb counts as 1 cM.

A line of JSON per data set is written as it ends; what is there is not made again.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from snpredict.formulas.genotypes import Genotypes
from train.attribution.methods import attribute
from train.data.folds import Split
from train.data.genotypes import HowRead
from train.data.snpinfo import SnpInfo
from train.gwas import scan
from train.gwas.kinship import components
from train.gwas.study import KeptGenotypes, Study
from train.model import FoldData, Inputs
from train.networks.by_preset import network_of
from train.networks.dense_fitted import FittedDense
from train.networks.presets import load_preset
from train.simulate.lines import Lines, Sites
from train.simulate.pedigrees import Families
from train.simulate.real import RealLines
from train.simulate.traits import Design, Locus, simulate_trait

HERITABILITIES = (0.3, 0.5, 0.8)
LOCI = {"additive": 4, "dominant": 4, "recessive": 4, "epistatic": 4}
METHODS = (
    "saliency",
    "gradient-input",
    "deeplift",
    "integrated-gradients",
    "smoothgrad",
    "occlusion",
)
COMPONENTS, LOOKED_AT, FIRST_SEED = 5, 500, 101
FOUND_CM, PEAK_CM = 1.0, 5.0


def peaks(scores: np.ndarray, sites: Sites, count: int) -> list[int]:
    """The strongest SNPs that do not lie within `PEAK_CM` of a stronger one."""
    taken: list[int] = []
    for snp in np.argsort(-np.nan_to_num(scores), kind="stable").tolist():
        if len(taken) == count or not scores[snp] > 0:
            break
        if not any(near(sites, snp, other, PEAK_CM) for other in taken):
            taken.append(snp)
    return taken


def near(sites: Sites, one: int, other: int, distance: float) -> bool:
    """Whether two SNPs lie that close on one chromosome."""
    away = abs(sites.centimorgan[one] - sites.centimorgan[other])
    return sites.chromosome[one] == sites.chromosome[other] and away <= distance


def judged(scores: np.ndarray, sites: Sites, loci: list[Locus]) -> dict[str, float]:
    """Shares of the loci of each kind, and of decoys, that a peak lies at; share of right peaks."""
    causal = [locus for locus in loci if locus.kind != "decoy"]
    at = peaks(scores, sites, len(causal))

    def found(locus: Locus) -> bool:
        return any(near(sites, peak, locus.snp, FOUND_CM) for peak in at)

    kinds = dict.fromkeys(locus.kind for locus in loci)
    shares = {
        kind: float(np.mean([found(locus) for locus in loci if locus.kind == kind]))
        for kind in kinds
    }
    right = [any(near(sites, peak, locus.snp, FOUND_CM) for locus in causal) for peak in at]
    shares["all"] = float(np.mean([found(locus) for locus in causal]))
    return {**shares, "precision": float(np.mean(right)) if right else 0.0}


def network(data: FoldData, snps: str) -> FittedDense:
    """The preset's, with components beside the SNPs."""
    preset = load_preset("deeplift")
    architecture = replace(preset.architecture, components=COMPONENTS, snps=snps)
    fitted = network_of(replace(preset, architecture=architecture)).fit(data)
    assert isinstance(fitted, FittedDense)
    return fitted


def one_data_set(
    spike_in: Path | None, ignore: tuple[str, ...], heritability: float, seed: int
) -> dict:
    """All methods, on one thread."""
    with threadpool_limits(1):
        lines: Lines = Families(20, 100, 5000, seed=seed)
        if spike_in is not None:
            lines = RealLines(spike_in, HowRead(ignore=ignore))
        design = Design(LOCI, heritability, background=0.2)
        trait = simulate_trait(lines, design, seed)
        codes, sites, y = lines.codes(), lines.sites, trait.y
        order = np.random.default_rng(seed).permutation(len(y))
        cuts = np.cumsum([len(y) // 2, len(y) // 4])
        rows = Split(*(np.sort(part) for part in np.split(order, cuts)))
        inputs = Inputs(Genotypes(codes))
        data = FoldData.of(inputs, y[:, None], rows, seed=seed)
        found: dict = {"heritability": heritability, "seed": seed, "methods": {}}
        test = inputs.rows(rows.test[:LOOKED_AT])
        for snps in ("strongest", "pairs"):
            fitted = network(data, snps)
            predicted = fitted.predict(inputs.rows(rows.test))[:, 0]
            name = "network" if snps == "strongest" else "network, pairs"
            found[f"pcc, {name}"] = float(np.corrcoef(predicted, y[rows.test])[0, 1])
            explained, inputs_of = fitted.explained()
            x = inputs_of(test)
            for method in METHODS if snps == "strongest" else ("deeplift",):
                score = attribute(explained, x.__getitem__, len(x), method).score
                found["methods"][f"{name}: {method}"] = judged(score, sites, trait.loci)
        info = SnpInfo(sites.chromosome, sites.position.tolist(), sites.counted, sites.other)
        source = KeptGenotypes(Genotypes(codes[rows.train]), sites.names, info)
        study = Study(None, "y", y[rows.train], np.empty((len(rows.train), 0)), [], source, 0)
        covariates = components(study, COMPONENTS, 1)
        for name, tested in (
            ("GWAS", scan.linear(study, study.covariates, lambda n: None)),
            ("GWAS, components", scan.linear(study, covariates, lambda n: None)),
            ("mixed model", scan.mixed(study, study.covariates, "loco", lambda n: None)[0]),
        ):
            found["methods"][name] = judged(tested.statistic**2, sites, trait.loci)
        return found


def table(found: list[dict]) -> str:
    """Means over the data sets, by heritability, as Markdown."""
    lines = []
    for heritability in sorted({one["heritability"] for one in found}):
        these = [one for one in found if one["heritability"] == heritability]
        methods = list(these[0]["methods"])
        columns = list(these[0]["methods"][methods[0]])
        pcc = np.mean([one["pcc, network"] for one in these])
        lines += [
            f"Heritability {heritability:g}, {len(these)} data sets, PCC of the network {pcc:.2f}:",
            "",
            "| | " + " | ".join(columns) + " |",
            "| --- |" + " --- |" * len(columns),
        ]
        for method in methods:
            cells = [100 * np.mean([o["methods"][method][c] for o in these]) for c in columns]
            lines.append(f"| {method} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """All data sets that are not there yet, then the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spike-in", type=Path)
    parser.add_argument("--ignore", default="fold,height,family", help="of FILE, not SNPs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    path = o.folder / ("families.jsonl" if o.spike_in is None else "spike-in.jsonl")
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    there = {(one["heritability"], one["seed"]) for one in found}
    seeds = range(FIRST_SEED, FIRST_SEED + o.seeds)
    wanted = [(h, seed) for seed in seeds for h in HERITABILITIES if (h, seed) not in there]
    with ProcessPoolExecutor(o.jobs) as pool:
        for run in [
            pool.submit(one_data_set, o.spike_in, tuple(o.ignore.split(",")), *each)
            for each in wanted
        ]:
            found.append(run.result())
            with path.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
            print(json.dumps(found[-1]), flush=True)
    print(table(found))


if __name__ == "__main__":
    main()
