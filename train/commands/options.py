"""The options of training's commands, each defined once, and those of both taken together.

Fields are parameters as they are typed; `parsed` makes of them what the commands work with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from snpredict.choices import CODINGS, SNPS_IN, check_choice
from snpredict.errors import UsageError
from train.data.controls import CONTROLS
from train.data.filters import SnpFilters
from train.data.folds import SCHEMES
from train.data.genotypes import MULTIALLELIC

#: What an option may be, by the name of its parameter.
CHOICES: dict[str, Sequence[str]] = {
    "snps_in": SNPS_IN,
    "repeats": ("mean",),
    "coding": CODINGS,
    "multiallelic": MULTIALLELIC,
    "folds": SCHEMES,
    "control": CONTROLS,
}


def _choice(name: str, help: str) -> Any:
    return typer.Option(metavar="|".join(CHOICES[name]), help=help)


def _check_choices(values: dict[str, Any]) -> None:
    for name in CHOICES.keys() & values.keys():
        check_choice(f"--{name.replace('_', '-')}", values[name], CHOICES[name])


Genotypes = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="Genotypes: VCF, BCF, PLINK .bed, .pgen or .raw, HapMap, Parquet, or a table, which "
        "may hold the phenotypes too",
    ),
]
Trait = Annotated[str, typer.Option("--trait", help="Column of the phenotype; several by commas")]
Phenotypes = Annotated[
    Path | None,
    typer.Option(help="Table of traits, joined by sample id; its columns come first"),
]
OnlyFolds = Annotated[
    list[str] | None,
    typer.Option("--fold", help="This fold alone; several by commas, or given again"),
]
Covariates = Annotated[
    str | None,
    typer.Option(
        help="Columns that the models may look at too, by commas: numbers, or texts as categories"
    ),
]
Binary = Annotated[
    str | None, typer.Option(help="Of the traits those whose values are 0 and 1, by commas")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of each fit")]
Jobs = Annotated[int, typer.Option(min=1, help="Fits at a time")]
Seed = Annotated[
    int, typer.Option(min=0, help="Fixes dealt folds, controls, chains, weights and batches")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of the sample ids")]
FoldColumn = Annotated[str, typer.Option(help="Column of the folds, if there")]
FamilyColumn = Annotated[str, typer.Option(help="Column of the families, if there")]
Ignore = Annotated[
    list[str] | None,
    typer.Option(help="A further column that is not a SNP; may be given again"),
]
SnpsFrom = Annotated[
    str | None, typer.Option(help="First SNP; all later columns are SNPs, whatever their names")
]
SnpsIn = Annotated[
    str | None,
    _choice(
        "snps_in", "Whether a table has one SNP per column or per row  [default: by its names]"
    ),
]
Repeats = Annotated[
    str | None,
    _choice("repeats", "Average several rows of one line to one value; else they are refused"),
]
Coding = Annotated[
    str | None,
    _choice(
        "coding",
        "Genotypes of the table are 0, 1, 2, with -1 for missing (012), or -1, 0, 1 (-101)  "
        f"[default: {CODINGS[0]}, but a table that looks like -1, 0, 1 is refused]",
    ),
]
Multiallelic = Annotated[
    str,
    _choice("multiallelic", "Leave sites of several alternative alleles out, or split them"),
]
MinMaf = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=0.5,
        help="In each fold's training rows: leave out SNPs whose rarer allele is less frequent",
    ),
]
MaxMissing = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="In each fold's training rows: leave out SNPs of which a larger share is missing",
    ),
]
MaxSnps = Annotated[
    int | None,
    typer.Option(
        min=1, help="Of more SNPs that pass, take so many at even steps along the chromosomes"
    ),
]
Unit = Annotated[str, typer.Option(help="Unit of the phenotype, for example cm; by commas")]
Out = Annotated[
    Path,
    typer.Option(help="Bundle to write, for example models/NAME; NAME-TRAIT of several traits"),
]
Preset = Annotated[
    str, typer.Option(help="default, linear, paper, gblup, reweighted, or a TOML file")
]
Model = Annotated[
    str | None,
    typer.Option(help="A model of 'evaluate' instead of a preset, such as package.module:NAME"),
]
IsruAlpha = Annotated[
    float | None,
    typer.Option(
        help="α of the network's last unit, which keeps predictions within 1/√α SD of the mean "
        "[default: the preset's]"
    ),
]
Folds = Annotated[str, _choice("folds", "Given in a column, random, or whole families")]
NFolds = Annotated[int | None, typer.Option(min=2, help="For random and family  [default: 10]")]
Compare = Annotated[
    list[Path] | None,
    typer.Option(
        help="Another table over the same rows, such as another coding, trained on the same folds; "
        "may be given again"
    ),
]
Gblup = Annotated[
    bool, typer.Option(help="Also fit GBLUP on the same folds, to show what the model adds")
]
NewFamilies = Annotated[
    bool,
    typer.Option(
        help="Also train with a tenth of the families left out at a time, for accuracy and "
        "intervals in new families"
    ),
]
SnpInfo = Annotated[
    Path | None, typer.Option(help="Table of SNPs: id, chromosome, position, alleles")
]
CountedAllele = Annotated[
    str | None, typer.Option(help="Column of --snp-info whose allele the codes count")
]
OtherAllele = Annotated[str | None, typer.Option(help="Column of --snp-info with the other allele")]
RunDir = Annotated[Path | None, typer.Option(help="Where folds are kept; default runs/NAME")]
Control = Annotated[
    str | None,
    _choice(
        "control",
        "Replace the phenotype by one without signal: PCC must be 0, of family-effects only with "
        "--folds family",
    ),
]
Licence = Annotated[str | None, typer.Option(help="Licence of the data, for the card")]
Source = Annotated[str | None, typer.Option(help="Origin of the data, for the card")]
Resume = Annotated[bool, typer.Option(help="Continue a killed run, or refuse to touch its folder")]
Gpu = Annotated[bool, typer.Option(help="Let TensorFlow use a GPU")]
EvaluationFolder = Annotated[
    Path, typer.Option(help="Folder of the evaluation; continued if it is there")
]
Units = Annotated[str | None, typer.Option(help="Units of the traits, by commas, for the report")]
Schemes = Annotated[
    str, typer.Option(help="Of given (in a column), random, and family (left out), by commas")
]
Models = Annotated[
    str | None,
    typer.Option(help="Baselines, and network-PRESET  [default: all baselines, network-default]"),
]
EvaluationFolds = Annotated[
    int | None,
    typer.Option(min=2, help="Random and family folds  [default: as many as given, or 10]"),
]
Refit = Annotated[
    bool, typer.Option(help="Also fit the baselines again on training and validation samples")
]
Controls = Annotated[
    bool,
    typer.Option(
        help="Also fit phenotypes without signal: PCC must be 0, of family-effects only with "
        "families left out"
    ),
]
Report = Annotated[Path | None, typer.Option(help="Write the report here too, its plots beside it")]


@dataclass(frozen=True, kw_only=True)
class SharedOptions:
    """What both commands that train are asked for, as it was typed."""

    trait: Trait
    phenotypes: Phenotypes = None
    covariates: Covariates = None
    binary: Binary = None
    fold: OnlyFolds = None
    jobs: Jobs = 1
    threads: Threads = 2
    seed: Seed = 1
    id_column: IdColumn = None
    fold_column: FoldColumn = "fold"
    family_column: FamilyColumn = "family"
    ignore: Ignore = None
    snps_from: SnpsFrom = None
    snps_in: SnpsIn = None
    repeats: Repeats = None
    coding: Coding = None
    multiallelic: Multiallelic = MULTIALLELIC[0]
    min_maf: MinMaf = 0.0
    max_missing: MaxMissing = 1.0
    max_snps: MaxSnps = None

    def parsed(self) -> dict[str, Any]:
        """Attributes of `train.runs.options.TrainingOptions`."""
        values = dict(vars(self))
        _check_choices(values)
        of_filters = [one.name for one in fields(SnpFilters)]
        values["filters"] = SnpFilters(**{name: values.pop(name) for name in of_filters})
        values["traits"] = names(values.pop("trait"))
        values["only_folds"] = _numbers(values.pop("fold"))
        values["ignore"] = tuple(self.ignore or ())
        values["covariates"] = names(self.covariates or "")
        values["binary"] = names(self.binary or "")
        return values


@dataclass(frozen=True, kw_only=True)
class RunOnly:
    """What ``run`` alone is asked for, as it was typed."""

    unit: Unit
    out: Out
    preset: Preset = "default"
    model: Model = None
    isru_alpha: IsruAlpha = None
    folds: Folds = "given"
    n_folds: NFolds = None
    compare: Compare = None
    gblup: Gblup = True
    new_families: NewFamilies = False
    snp_info: SnpInfo = None
    counted_allele: CountedAllele = None
    other_allele: OtherAllele = None
    run_dir: RunDir = None
    control: Control = None
    licence: Licence = None
    source: Source = None
    resume: Resume = True
    gpu: Gpu = False

    def parsed(self) -> dict[str, Any]:
        """Attributes of `train.commands.run.RunOptions`."""
        values = dict(vars(self))
        _check_choices(values)
        values["units"] = units(values.pop("unit"))
        values["compare"] = tuple(self.compare or ())
        return values


@dataclass(frozen=True, kw_only=True)
class EvaluateOnly:
    """What ``evaluate`` alone is asked for, as it was typed."""

    out: EvaluationFolder
    unit: Units = None
    folds: Schemes = "random,family"
    models: Models = None
    n_folds: EvaluationFolds = None
    refit: Refit = False
    controls: Controls = False
    report: Report = None

    def parsed(self) -> dict[str, Any]:
        """Attributes of `train.evaluation.setup.EvaluateOptions`."""
        values = dict(vars(self))
        values["units"] = units(values.pop("unit"))
        values["schemes"] = names(values.pop("folds"))
        if models := names(values.pop("models") or ""):
            values["models"] = models
        return values


def names(text: str) -> tuple[str, ...]:
    """Names by commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def units(text: str | None) -> tuple[str, ...]:
    """Units by commas: two traits may well have the same."""
    return tuple(unit.strip() for unit in text.split(",")) if text else ()


def _numbers(texts: list[str] | None) -> tuple[int, ...]:
    text = ",".join(texts or ())
    try:
        return tuple(int(name) for name in names(text))
    except ValueError:
        raise UsageError(f"--fold is '{text}'; expected numbers such as 1,4,7") from None
