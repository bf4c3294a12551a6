"""The ``deepwas simulate`` command: a study whose truth is known, as the files that people have."""

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.errors import UsageError
from snpredict.files import write_files
from snpredict.genotypes.spool import pack
from train.deepwas import simulation
from train.deepwas.files import STUDY, StudyFolder, study_toml
from train.errors import SimulationError
from train.runtime import software_versions

#: Alleles of the made-up variants; A/T and C/G are not among them.
_ALLELES = np.array([("A", "G"), ("G", "A"), ("C", "T"), ("T", "C"), ("A", "C"), ("C", "A")])


@dataclass(frozen=True, kw_only=True)
class DeepwasSimulateOptions:
    """What the command is asked for; see its help for each."""

    out: Path
    truth: str = simulation.TRUTHS[0]
    variants: int = 60_000
    chromosomes: int = 20
    per_megabase: float = 150.0
    people: float = 100_000
    heritability: float = 0.5
    reference_people: int = 2_000
    new_people: int = 1_000
    seed: int = 1


def deepwas_simulate(options: DeepwasSimulateOptions, console: Console) -> None:
    """Write summary statistics, LD reference, annotations, truth, new people and ``study.toml``.

    Raises
    ------
    UsageError
        The folder has files.
    SimulationError
        Numbers out of range.
    """
    o = options
    if o.out.exists() and (not o.out.is_dir() or any(o.out.iterdir())):
        raise UsageError(f"{o.out} exists and is not an empty folder", "name a new folder")
    if o.truth not in simulation.TRUTHS:
        raise UsageError(f"--truth {o.truth}: not one of {', '.join(simulation.TRUTHS)}")
    if not 0 < o.heritability < 1 or o.people < 100 or o.reference_people < 100:
        raise SimulationError(
            "a heritability is between 0 and 1, and studies and references have 100 people or more"
        )
    if o.variants < 100 * o.chromosomes or o.chromosomes < 1:
        raise SimulationError(
            f"{o.variants:,} variants on {o.chromosomes} chromosomes are too few",
            "100 or more on each",
        )
    random = [np.random.default_rng([o.seed, 30 + stream]) for stream in range(6)]
    genome = simulation.draw_genome(random[0], o.variants, o.chromosomes, o.per_megabase)
    annotations = simulation.draw_annotations(random[1], genome)
    console.print(f"drawing {o.reference_people:,} people × {o.variants:,} variants")
    codes = simulation.draw_codes(random[2], genome, o.reference_people)
    log_prior = simulation.true_log_prior(random[3], annotations, genome.frequency, o.truth)
    total = np.log(o.people * o.heritability)
    log_prior += total - np.log(np.exp(log_prior).sum())
    draw = random[4].standard_normal(o.variants)
    effects = draw * np.exp(log_prior / 2) if o.truth != "null" else np.zeros(o.variants)
    z = simulation.z_scores(random[4], genome, codes, effects)
    names, pairs = _names(genome), _ALLELES[random[0].integers(0, len(_ALLELES), o.variants)]
    about = {
        "options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(o).items()},
        "mean_chi2": float(np.mean(z**2)),
        "software": software_versions(),
    }
    folder = StudyFolder(
        summary_statistics=Path("sumstats.tsv.gz"),
        reference=Path("reference.bed"),
        annotations=(Path("annotations.parquet"),),
        own_ld=True,
        taper=simulation.BAND,
        truth=Path("truth.parquet"),
        new_people=Path("new.bed") if o.new_people else None,
        new_phenotypes=Path("new_phenotypes.tsv") if o.new_people else None,
    )
    o.out.mkdir(parents=True, exist_ok=True)
    files = {
        "sumstats.tsv.gz": _statistics(genome, names, pairs, z, o.people),
        "annotations.parquet": _annotations(genome, names, pairs, annotations),
        "truth.parquet": _truth(names, log_prior, effects, o),
        **_bed("reference", genome, names, pairs, codes, "R"),
        "simulation.json": (json.dumps(about, indent=1) + "\n").encode(),
    }
    if o.new_people:
        console.print(f"drawing {o.new_people:,} new people")
        codes = simulation.draw_codes(random[5], genome, o.new_people)
        y = simulation.phenotypes(random[5], codes, effects / o.people**0.5, o.heritability)
        files |= _bed("new", genome, names, pairs, codes, "N")
        rows = [f"N{at + 1}\t{value:.6g}\n" for at, value in enumerate(y.tolist())]
        files["new_phenotypes.tsv"] = ("sample\ttrait\n" + "".join(rows)).encode()
    files[STUDY] = study_toml(folder)
    write_files({o.out / name: content for name, content in files.items()})
    console.print(f"wrote {o.out}: mean χ² {about['mean_chi2']:.2f}")


def _names(genome: simulation.Genome) -> list[str]:
    places = zip(genome.chromosome.tolist(), genome.position.tolist(), strict=True)
    return [f"v{chromosome}_{position}" for chromosome, position in places]


def _statistics(
    genome: simulation.Genome, names: list[str], pairs: np.ndarray, z: np.ndarray, people: float
) -> bytes:
    """GWAS-SSF: effects per copy of the counted allele, of a trait with variance 1."""
    p = genome.frequency
    se = 1 / np.sqrt(people * 2 * p * (1 - p))
    header = (
        "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\t"
        "effect_allele_frequency\trsid\tn\n"
    )
    rows = zip(
        genome.chromosome.tolist(),
        genome.position.tolist(),
        pairs.tolist(),
        (z * se).tolist(),
        se.tolist(),
        p.tolist(),
        names,
        strict=True,
    )
    body = "".join(
        f"{c}\t{at}\t{a}\t{b}\t{beta:.8g}\t{error:.8g}\t{f:.5f}\t{name}\t{people:.0f}\n"
        for c, at, (a, b), beta, error, f, name in rows
    )
    return gzip.compress((header + body).encode(), compresslevel=6, mtime=0)


def _bed(
    name: str,
    genome: simulation.Genome,
    names: list[str],
    pairs: np.ndarray,
    codes: np.ndarray,
    letter: str,
) -> dict[str, bytes]:
    rows = zip(
        genome.chromosome.tolist(), names, genome.position.tolist(), pairs.tolist(), strict=True
    )
    return {
        f"{name}.bed": b"\x6c\x1b\x01" + pack(codes.T).tobytes(),
        f"{name}.bim": "".join(
            f"{c}\t{v}\t0\t{at}\t{a}\t{b}\n" for c, v, at, (a, b) in rows
        ).encode(),
        f"{name}.fam": "".join(
            f"0 {letter}{at + 1} 0 0 0 -9\n" for at in range(len(codes))
        ).encode(),
    }


def _annotations(
    genome: simulation.Genome, names: list[str], pairs: np.ndarray, annotations: np.ndarray
) -> bytes:
    return _parquet(
        {
            "chromosome": genome.chromosome.astype(str).tolist(),
            "position": genome.position,
            "id": names,
            "effect_allele": pairs[:, 0].tolist(),
            "other_allele": pairs[:, 1].tolist(),
            **{f"annotation{at + 1}": column for at, column in enumerate(annotations.T)},
        }
    )


def _truth(
    names: list[str], log_prior: np.ndarray, effects: np.ndarray, o: DeepwasSimulateOptions
) -> bytes:
    if o.truth == "null":
        log_prior = np.full(len(log_prior), -np.inf)
    return _parquet({"id": names, "log_prior": log_prior, "effect": effects})


def _parquet(columns: dict) -> bytes:
    import pandas

    file = io.BytesIO()
    pandas.DataFrame(columns).to_parquet(file, index=False)
    return file.getvalue()
