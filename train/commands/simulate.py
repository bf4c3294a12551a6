"""The ``simulate`` command: genotypes, a trait on them, and the truth, as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.errors import UsageError
from snpredict.files import write_files
from train.data.genotypes import HowRead
from train.errors import SimulationError
from train.runtime import software_versions
from train.simulate.lines import Lines
from train.simulate.pedigrees import Families, Outbred
from train.simulate.real import RealLines
from train.simulate.structured import Structured, structured_trait
from train.simulate.traits import Design, Locus, Trait, simulate_trait
from train.simulate.write import genotype_files, phenotype_table, truth_table

#: Causal SNPs of the published design.
_CAUSAL = 10


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """What the command is asked for; see its help for each."""

    design: str
    out: Path
    samples: int = 1000
    snps: int = 5000
    families: int = 20
    generations: int = 5
    a: float = 0.1
    reading: str = "code"
    centred: bool = True
    genotypes: Path | None = None
    how: HowRead = field(default_factory=HowRead)
    trait: str = "trait"
    loci: Mapping[str, int] = field(default_factory=lambda: {"additive": 10})
    heritability: float = 0.5
    background: float = 0.0
    prevalence: float | None = None
    decoys: bool = True
    site: float = 0.0
    format: str = "bed"
    seed: int = 1


def simulate(options: SimulateOptions, console: Console) -> None:
    """Write ``genotypes.*``, ``phenotypes.tsv``, ``truth.tsv`` and ``simulation.json``.

    Raises
    ------
    UsageError
        The folder has files, or options contradict each other.
    SimulationError
        The trait cannot be had on these genotypes.
    """
    o = options
    if o.out.exists() and (not o.out.is_dir() or any(o.out.iterdir())):
        raise UsageError(f"--out {o.out} exists and is not an empty folder", "name a new folder")
    if (o.design == "spike-in") != (o.genotypes is not None):
        raise UsageError(
            "--genotypes FILE belongs to the design spike-in, and spike-in needs it",
            "give both or neither",
        )
    if o.design == "structured" and (o.prevalence is not None or o.site or o.background):
        raise UsageError(
            "the design structured has its own trait: --prevalence, --site and --background do not "
            "go with it",
            "leave them out, or take another design",
        )
    lines = _lines(o)
    trait = _trait(o, lines)
    columns: dict[str, np.ndarray | list[str]] = {o.trait: trait.y}
    if o.site:
        columns |= _with_site(o, trait)
    if lines.families is not None:
        columns["family"] = lines.families
    o.out.mkdir(parents=True, exist_ok=True)
    contents: dict[Path, object] = {}
    if o.genotypes is None:
        contents |= genotype_files(lines, o.out / "genotypes", o.format)
    contents[o.out / "phenotypes.tsv"] = phenotype_table(lines.samples, columns)
    contents[o.out / "truth.tsv"] = truth_table(lines, o.trait, trait)
    contents[o.out / "simulation.json"] = _record(o, lines, trait)
    write_files(contents)  # type: ignore[arg-type]
    n_loci = sum(locus.kind != "decoy" for locus in trait.loci)
    console.print(
        f"{len(lines.samples):,} lines × {len(lines.sites):,} SNPs, {n_loci} causal SNPs of "
        f"'{o.trait}'",
        soft_wrap=True,
    )
    if 0 < trait.y.mean() < 1 and np.isin(trait.y, (0, 1)).all():
        console.print(f"cases: {trait.y.mean():.1%}")
    for path in contents:
        console.print(f"written: {path}", soft_wrap=True)


def _lines(o: SimulateOptions) -> Lines:
    if o.genotypes is not None:
        return RealLines(o.genotypes, o.how)
    if o.design == "structured":
        return Structured(o.samples, o.snps, a=o.a, reading=o.reading, seed=o.seed)
    if o.design == "families":
        if o.samples % o.families:
            raise UsageError(
                f"--samples {o.samples} cannot be dealt to --families {o.families}",
                "give a multiple",
            )
        each = o.samples // o.families
        return Families(o.families, each, o.snps, generations=o.generations, seed=o.seed)
    return Outbred(o.samples, o.snps, seed=o.seed)


def _trait(o: SimulateOptions, lines: Lines) -> Trait:
    if isinstance(lines, Structured):
        if len(lines.sites) < _CAUSAL:
            raise SimulationError(
                f"--snps {len(lines.sites)} is less than the {_CAUSAL} causal SNPs of the design"
            )
        first = next(lines.blocks(_CAUSAL))[1].T
        drawn = structured_trait(first, lines.ancestry, seed=o.seed, centred=o.centred)
        terms = first * drawn.effects
        loci = [
            Locus(at, "additive", float(effect), None, float("nan"))
            for at, effect in enumerate(drawn.effects)
        ]
        return Trait(drawn.y, terms.sum(axis=1), loci)
    design = Design(
        loci=o.loci,
        heritability=o.heritability,
        background=o.background,
        prevalence=o.prevalence,
        decoys=o.decoys,
    )
    return simulate_trait(lines, design, o.seed)


def _with_site(o: SimulateOptions, trait: Trait) -> dict[str, np.ndarray | list[str]]:
    """The sites, and the trait with their effect, `site` times the genetic SD."""
    if o.prevalence is not None:
        raise UsageError("--site goes with a trait of numbers", "leave --prevalence out")
    random = np.random.default_rng([o.seed, 8])
    sites = random.integers(0, 4, len(trait.y))
    effect = np.array([-1.5, -0.5, 0.5, 1.5])[sites]
    effect = (effect - effect.mean()) / effect.std() * float(trait.genetic.std()) * o.site
    return {o.trait: trait.y + effect, "site": [f"site{number + 1}" for number in sites]}


def _record(o: SimulateOptions, lines: Lines, trait: Trait) -> bytes:
    settings = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(o).items()
        if name not in ("how", "out", "genotypes")
    }
    settings["loci"] = dict(o.loci)
    record = {
        **settings,
        "genotypes": None if o.genotypes is None else o.genotypes.name,
        "lines": len(lines.samples),
        "snps": len(lines.sites),
        "genetic_variance": float(np.var(trait.genetic)),
        "trait_variance": float(np.var(trait.y)),
        "software": software_versions(),
    }
    return (json.dumps(record, indent=1, allow_nan=False) + "\n").encode()
