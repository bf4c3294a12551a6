"""The options of training's commands, each defined once, and those of both taken together.

Fields are parameters as they are typed; `parsed` makes of them what the commands work with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from snpredict.choices import ATTRIBUTIONS, CODINGS, SNPS_IN, check_choice
from snpredict.errors import UsageError
from train.attribution.methods import check_methods
from train.data.controls import ADDITIVE, CONTROLS
from train.data.filters import SnpFilters
from train.data.folds import SCHEMES
from train.data.genotypes import MULTIALLELIC, HowRead

#: What an option may be, by the name of its parameter.
CHOICES: dict[str, Sequence[str]] = {
    "snps_in": SNPS_IN,
    "repeats": ("mean",),
    "coding": CODINGS,
    "multiallelic": MULTIALLELIC,
    "folds": SCHEMES,
    "control": (*CONTROLS, ADDITIVE),
}


def _choice(name: str, help: str) -> Any:
    return typer.Option(metavar="|".join(CHOICES[name]), help=help)


def _check_choices(values: dict[str, Any]) -> None:
    for name in CHOICES.keys() & values.keys():
        check_choice(f"--{name.replace('_', '-')}", values[name], CHOICES[name])


Genotypes = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Genotypes: VCF, BCF, PLINK .bed, .pgen or .raw, HapMap, Parquet, or a table. A table "
        "may hold the phenotypes too.",
    ),
]
Trait = Annotated[
    str,
    typer.Option(
        "--trait", metavar="NAME,…", help="The column to predict; several columns by commas."
    ),
]
Phenotypes = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="A table of traits, joined by sample id. A column that both files have comes from it.",
    ),
]
OnlyFolds = Annotated[
    list[str] | None,
    typer.Option(
        "--fold", metavar="N,…", help="Train these folds alone. It may be given several times."
    ),
]
Covariates = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help="Further columns that the models may use, such as site or year. Numbers are used as "
        "they are, texts as categories.",
    ),
]
Binary = Annotated[
    str | None,
    typer.Option(metavar="NAME,…", help="Which of the traits have the values 0 and 1 only."),
]
Threads = Annotated[int, typer.Option(min=1, metavar="N", help="Threads of each fit.")]
Jobs = Annotated[int, typer.Option(min=1, metavar="N", help="How many fits run at a time.")]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Start of all random numbers. The same seed gives the same folds and the same model.",
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column of the sample ids.  [default: found by name]"),
]
FoldColumn = Annotated[
    str, typer.Option(metavar="NAME", help="The column of the folds, if there is one.")
]
FamilyColumn = Annotated[
    str, typer.Option(metavar="NAME", help="The column of the families, if there is one.")
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A column of the table that is not a SNP. It may be given several times.",
    ),
]
SnpsFrom = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The first SNP of the table. All columns after it are SNPs, too."
    ),
]
SnpsIn = Annotated[
    str | None,
    _choice(
        "snps_in", "Whether a table has one SNP per column or per row.  [default: by its names]"
    ),
]
Repeats = Annotated[
    str | None,
    _choice(
        "repeats",
        "Average several rows of one line to one value.  [default: several rows are an error]",
    ),
]
Coding = Annotated[
    str | None,
    _choice(
        "coding",
        "Genotypes of the table are 0, 1, 2, with -1 for missing (012), or -1, 0, 1 (-101).  "
        f"[default: {CODINGS[0]}, but a table that looks like -1, 0, 1 is refused]",
    ),
]
Multiallelic = Annotated[
    str,
    _choice(
        "multiallelic",
        "Leave sites of several alternative alleles out, or make a SNP of each allele.",
    ),
]
MinMaf = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=0.5,
        metavar="SHARE",
        help="Leave out SNPs whose rarer allele is less frequent. The frequency is that in each "
        "fold's training lines.",
    ),
]
MaxMissing = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        metavar="SHARE",
        help="Leave out SNPs of which a larger share is missing in a fold's training lines.",
    ),
]
MaxSnps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Train on N SNPs at most, at even steps along the chromosomes.  [default: all]",
    ),
]
Unit = Annotated[
    str,
    typer.Option(metavar="UNIT,…", help="Unit of the trait, for example cm; of several by commas."),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER",
        help="The model to write, for example models/NAME. Several traits give NAME-TRAIT each.",
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="What is trained: default, deeplift, linear, paper, gblup, reweighted, or a "
        "TOML file.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A model instead of a preset: one of those of 'evaluate', or package.module:NAME.",
    ),
]
IsruAlpha = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        help="α of the network's last unit. It keeps predictions within 1/√α SD of the mean.  "
        "[default: the preset's]",
    ),
]
Folds = Annotated[
    str,
    _choice("folds", "How lines are dealt to folds: by a column, at random, or family by family."),
]
NFolds = Annotated[
    int | None,
    typer.Option(min=2, metavar="N", help="How many folds are dealt.  [default: 10]"),
]
Compare = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="TABLE",
        help="The same lines in another coding. A model is trained on the same folds of it, and "
        "the difference is shown. It may be given several times.",
    ),
]
Gblup = Annotated[
    bool, typer.Option(help="Also fit GBLUP on the same folds, to show what the model adds.")
]
NewFamilies = Annotated[
    bool,
    typer.Option(
        help="Also train with a tenth of the families left out at a time. Only then does the model "
        "have accuracy and intervals for new families."
    ),
]
SnpInfo = Annotated[
    Path | None,
    typer.Option(
        metavar="TABLE",
        help="A table of the SNPs with id, chromosome, position and alleles, for genotypes in bare "
        "codes.",
    ),
]
CountedAllele = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The column of --snp-info whose allele the codes count."),
]
OtherAllele = Annotated[
    str | None, typer.Option(metavar="NAME", help="The column of --snp-info with the other allele.")
]
RunDir = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the folds are kept.  [default: runs/NAME]"),
]
Control = Annotated[
    str | None,
    _choice(
        "control",
        "Train on a trait without signal, as a check. PCC must be about 0; that of family-effects "
        "only with --folds family. Additive is the trait's own additive values and noise, for "
        "decompose --null.",
    ),
]
Licence = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Licence of the data, for the model card.")
]
Source = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Origin of the data, for the model card.")
]
Resume = Annotated[
    bool,
    typer.Option(
        help="Continue where a killed run was. --no-resume refuses a folder that is there."
    ),
]
Gpu = Annotated[bool, typer.Option(help="Let TensorFlow use a GPU.")]
EvaluationFolder = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER", help="Folder of the evaluation. One that is there is continued."
    ),
]
Units = Annotated[
    str | None,
    typer.Option(metavar="UNIT,…", help="Units of the traits, by commas, for the report."),
]
Schemes = Annotated[
    str,
    typer.Option(
        metavar="NAME,…",
        help="How lines are dealt to folds: given (by a column), random, family (families whole).",
    ),
]
Models = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help="Which models are compared: baselines, network-PRESET, package.module:NAME.  "
        "[default: all baselines, network-default]",
    ),
]
EvaluationFolds = Annotated[
    int | None,
    typer.Option(
        min=2, metavar="N", help="How many folds are dealt.  [default: as many as given, or 10]"
    ),
]
Refit = Annotated[
    bool,
    typer.Option(help="Also fit the baselines again on training and validation lines together."),
]
Controls = Annotated[
    bool,
    typer.Option(
        help="Also fit traits without signal, as a check. PCC must be about 0; that of "
        "family-effects only with families left out."
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the report to this file, too, its plots beside it."),
]


_GWAS_MODELS = ("linear", "logistic", "mixed")
_KINSHIPS = ("loco", "all")

GwasTrait = Annotated[str, typer.Option("--trait", metavar="NAME", help="The column to test.")]
GwasTable = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="FILE",
        help="The table to write, .tsv or .parquet. Pictures and a record lie beside it.",
    ),
]
Components = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Adjust for N principal components of the genotypes."),
]
GwasModel = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(_GWAS_MODELS),
        help="The model of each SNP. mixed accounts for kinship.  [default: logistic for a trait "
        "of two classes, else linear]",
    ),
]
Kinship = Annotated[
    str,
    typer.Option(
        metavar="|".join(_KINSHIPS),
        help="Kinship of the mixed model: from the other chromosomes (loco), or from all SNPs.",
    ),
]
Case = Annotated[
    str | None,
    typer.Option(
        metavar="VALUE",
        help="Which of a trait's two values is the case.  [default: 1 of 0/1, 2 of 1/2, yes, R, "
        "...]",
    ),
]
GwasCompare = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[:COLUMN]",
        help="Draw another table below, such as of another model or of what a network attributes.",
    ),
]
Plots = Annotated[
    bool, typer.Option(help="Draw a Manhattan, or with --compare Miami, and a QQ plot.")
]
Html = Annotated[
    bool, typer.Option(help="Also write an interactive page. It needs plotly: the extra 'html'.")
]


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


Attribution = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help="Also say which SNPs predictions rest on, by these methods: "
        f"{', '.join(ATTRIBUTIONS)}.",
    ),
]


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
    attribution: Attribution = None

    def parsed(self) -> dict[str, Any]:
        """Attributes of `train.commands.run.RunOptions`."""
        values = dict(vars(self))
        _check_choices(values)
        values["units"] = units(values.pop("unit"))
        values["compare"] = tuple(self.compare or ())
        values["attribution"] = names(self.attribution or "")
        check_methods(values["attribution"])
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


@dataclass(frozen=True, kw_only=True)
class GwasOnly:
    """What ``gwas`` is asked for, as it was typed."""

    trait: GwasTrait
    out: GwasTable
    phenotypes: Phenotypes = None
    covariates: Covariates = None
    components: Components = 0
    model: GwasModel = None
    kinship: Kinship = "loco"
    case: Case = None
    compare: GwasCompare = None
    plots: Plots = True
    html: Html = False
    seed: Seed = 1
    id_column: IdColumn = None
    ignore: Ignore = None
    snps_from: SnpsFrom = None
    snps_in: SnpsIn = None
    repeats: Repeats = None
    coding: Coding = None
    multiallelic: Multiallelic = MULTIALLELIC[0]

    def parsed(self) -> dict[str, Any]:
        """Attributes of `train.commands.gwas.GwasOptions`."""
        values = dict(vars(self))
        _check_choices(values)
        for name, known in (("model", _GWAS_MODELS), ("kinship", _KINSHIPS)):
            check_choice(f"--{name}", values[name], known)
        values["ignore"] = tuple(self.ignore or ())
        values["covariates"] = names(self.covariates or "")
        of_reading = {one.name for one in fields(HowRead)} & values.keys()
        reading = {name: values.pop(name) for name in of_reading}
        return {**values, "how": HowRead(**reading, find_classes=True)}


DESIGNS = ("structured", "families", "outbred", "spike-in")
_READINGS = ("code", "written")
_GENOTYPE_FORMATS = ("bed", "vcf", "table")

SimulationDesign = Annotated[
    str,
    typer.Argument(
        metavar="DESIGN",
        help="structured: admixed samples and a binary trait, as published. families: inbred lines "
        "of one hub parent. outbred: diploids with linkage. spike-in: real genotypes.",
    ),
]
SimulationFolder = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="A new folder for all files.")
]
Samples = Annotated[int, typer.Option(min=2, metavar="N", help="How many lines.")]
Snps = Annotated[int, typer.Option(min=1, metavar="N", help="How many SNPs.")]
FamilyCount = Annotated[int, typer.Option(min=1, metavar="N", help="Families of that design.")]
Generations = Annotated[int, typer.Option(min=1, metavar="N", help="Of selfing in families.")]
Ancestry = Annotated[
    float,
    typer.Option(
        "--a",
        min=1e-3,
        metavar="A",
        help="Of the structured design: small values make distinct populations.",
    ),
]
Reading = Annotated[
    str,
    typer.Option(
        metavar="|".join(_READINGS),
        help="Frequencies of the structured design: as in its program, or as in its text.",
    ),
]
Centred = Annotated[
    bool, typer.Option(help="Whether the structured design's trait has about as many cases.")
]
SpikeGenotypes = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The real genotypes of a spike-in, in any format."),
]
SimulatedTrait = Annotated[str, typer.Option(metavar="NAME", help="What the trait is called.")]
Loci = Annotated[
    str,
    typer.Option(
        metavar="KIND=N,…",
        help="Loci: additive, dominant, recessive, overdominant, and epistatic, which is pairs "
        "without effects of their own.",
    ),
]
Heritability = Annotated[
    float, typer.Option("--h2", metavar="SHARE", help="Share of the genetic variance.")
]
Background = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of many small effects in that variance.")
]
Prevalence = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Make a trait of 0 and 1 with that share of cases."),
]
Decoys = Annotated[
    bool, typer.Option(help="Name a SNP without effect per locus, as frequent and far from all.")
]
SiteEffect = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="X",
        help="Add the effect of a site, X times the genetic SD, and its column.",
    ),
]
GenotypeFormat = Annotated[
    str,
    typer.Option("--format", metavar="|".join(_GENOTYPE_FORMATS), help="Of the genotypes."),
]


@dataclass(frozen=True, kw_only=True)
class SimulateOnly:
    """What ``simulate`` is asked for, as it was typed."""

    out: SimulationFolder
    samples: Samples = 1000
    snps: Snps = 5000
    families: FamilyCount = 20
    generations: Generations = 5
    a: Ancestry = 0.1
    reading: Reading = "code"
    centred: Centred = True
    genotypes: SpikeGenotypes = None
    trait: SimulatedTrait = "trait"
    loci: Loci = "additive=10"
    h2: Heritability = 0.5
    background: Background = 0.0
    prevalence: Prevalence = None
    decoys: Decoys = True
    site: SiteEffect = 0.0
    format: GenotypeFormat = "bed"
    seed: Seed = 1
    id_column: IdColumn = None
    ignore: Ignore = None
    snps_from: SnpsFrom = None
    snps_in: SnpsIn = None
    coding: Coding = None

    def parsed(self, design: str) -> dict[str, Any]:
        """Attributes of `train.commands.simulate.SimulateOptions`."""
        values = dict(vars(self))
        _check_choices(values)
        check_choice("DESIGN", design, DESIGNS)
        check_choice("--reading", self.reading, _READINGS)
        check_choice("--format", self.format, _GENOTYPE_FORMATS)
        values["heritability"] = values.pop("h2")
        values["loci"] = _counts(self.loci)
        values["ignore"] = tuple(self.ignore or ())
        of_reading = {one.name for one in fields(HowRead)} & values.keys()
        reading = {name: values.pop(name) for name in of_reading}
        return {**values, "how": HowRead(**reading)}


def _counts(text: str) -> dict[str, int]:
    found = {}
    for part in names(text):
        kind, _, count = part.partition("=")
        if not count.isdecimal():
            raise UsageError(
                f"--loci has '{part}'; expected KIND=N",
                "for example --loci additive=10,epistatic=5",
            )
        found[kind] = int(count)
    return found


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
