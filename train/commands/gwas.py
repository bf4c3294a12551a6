"""The ``gwas`` command: one SNP at a time, as a table, pictures and a page."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from snpredict.errors import UsageError
from snpredict.files import write_files
from snpredict.terminal.progress import watch
from train.commands.console import counting_snps
from train.data.dataset import file_sha256
from train.data.genotypes import HowRead
from train.data.phenotypes import read_phenotypes
from train.errors import UnsuitableModel
from train.gwas import scan
from train.gwas.kinship import components
from train.gwas.linear import Tested
from train.gwas.result import Associations, Points, check_name, content_of, points_of, read_points
from train.gwas.study import Study, open_study
from train.runtime import software_versions

#: Prints a line.
Say = Callable[[str], None]

#: A family-wise error of 5 in 100, shared among the SNPs.
_LEVEL = 0.05

#: A covariate that goes with the trait like this predicts it by itself.
_TELLS = 0.95

#: Statistics that are inflated beyond this show structure that is not accounted for. What chance
#: does to λ is about 2.3 / √SNPs (SE), of which twice as much is let pass.
_INFLATED, _BY_CHANCE = 1.1, 5.0

#: So many SNPs are named at the end.
_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class GwasOptions:
    """What the command is asked for.

    Attributes
    ----------
    table : Path
        Genotypes.
    trait : str
    out : Path
    how : HowRead
    phenotypes : Path or None
    model : str or None
        One of `train.gwas.scan.MODELS`; by the trait when left out.
    components : int
    kinship : str
        One of `train.gwas.scan.KINSHIPS`.
    compare : str or None
        A table to be drawn below, FILE or FILE:COLUMN.
    plots, html : bool
    seed : int
    """

    table: Path
    trait: str
    out: Path
    how: HowRead
    phenotypes: Path | None = None
    model: str | None = None
    components: int = 0
    kinship: str = scan.KINSHIPS[0]
    compare: str | None = None
    plots: bool = True
    html: bool = False
    seed: int = 1


def gwas(options: GwasOptions, console: Console) -> None:
    """Test every SNP, then write the table and what is drawn of it."""
    o = options
    check_name(o.out)
    below = None if o.compare is None else _compared(o.compare)

    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    say(f"reading {o.table}")
    phenotypes = None
    if o.phenotypes is not None:
        repeats = bool(o.how.repeats)
        phenotypes = read_phenotypes(o.phenotypes, id_column=o.how.id_column, repeats=repeats)
    study = open_study(
        o.table,
        trait=o.trait,
        how=o.how,
        phenotypes=phenotypes,
        watch=watch(quiet=False),
        say=say,
    )
    model = _model(o, study)
    covariates, names = _covariates(o, study, say)
    said = f"{len(study.y):,} lines × {study.n_snps:,} SNPs"
    if study.left_out:
        said += f", {study.left_out:,} lines left out: their trait or a covariate is missing"
    say(said)
    adjusted = f", adjusted for {', '.join(names)}" if names else ""
    say(f"{model} model of '{o.trait}'{adjusted}")
    kinship = scan.kinship_of(study, o.kinship)
    if model == "mixed" and kinship != o.kinship:
        say(
            "warning: the SNPs are of one chromosome, or their places are not known: the kinship "
            "is that of all SNPs, and each SNP is tested against a kinship that holds it"
        )
    total = study.n_snps * (scan.passes(kinship) if model == "mixed" else 1)
    facts: dict[str, object] = {}
    with counting_snps(console, f"{model} model", total) as tell:
        if model == "linear":
            tested = scan.linear(study, covariates, tell)
        elif model == "logistic":
            tested, facts["firth"] = scan.logistic(study, covariates, tell)
        else:
            tested, facts["kinship_share"] = scan.mixed(study, covariates, kinship, tell)
            facts["kinship"] = kinship
    found = Associations(study.source.snps, study.source.info, tested)
    contents, threshold = _contents(o, model, found, below)
    contents[o.out.with_name(o.out.name + ".json")] = _record(o, study, model, names, found, facts)
    write_files(contents)
    _summary(o, model, found, facts, threshold, say)
    for path in contents:
        say(f"written: {path}")


def _compared(text: str) -> Points:
    """The table of ``FILE`` or ``FILE:COLUMN``."""
    path, _, column = text.rpartition(":")
    if path and not Path(text).exists():
        return read_points(Path(path), column)
    return read_points(Path(text))


def _model(o: GwasOptions, study: Study) -> str:
    binary = bool(np.isin(study.y, (0, 1)).all())
    model = o.model or ("logistic" if binary else "linear")
    if model == "logistic" and not binary:
        raise UnsuitableModel(
            f"--model logistic needs a trait of two classes; '{o.trait}' has "
            f"{len(np.unique(study.y))} different values",
            "leave --model out, or name the value of the cases with --case",
        )
    if model == "logistic" and np.ptp(study.y) == 0:
        raise UnsuitableModel(
            f"all {len(study.y)} lines that have every covariate are of one class of '{o.trait}'; "
            "expected both",
            "leave covariates with many gaps out",
        )
    return model


def _covariates(o: GwasOptions, study: Study, say: Say) -> tuple[np.ndarray, list[str]]:
    """Covariates and components side by side, and their names."""
    values, names = study.covariates, list(study.names)
    for name, column in zip(names, values.T, strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            r = abs(np.corrcoef(column, study.y)[0, 1])
        if r > _TELLS:
            say(
                f"warning: the covariate '{name}' alone predicts '{o.trait}' (correlation {r:.3f})"
                "; if it was made from the trait, leave it out: beside it no SNP has an effect"
            )
    if o.components:
        found = components(study, o.components, o.seed)
        values = np.concatenate([values, found], axis=1)
        names += [f"component {at}" for at in range(1, found.shape[1] + 1)]
    if len(study.y) < values.shape[1] + 3:
        raise UsageError(
            f"{len(study.y)} lines are too few for {values.shape[1]} covariates and components",
            "give fewer",
        )
    return values, names


def _contents(
    o: GwasOptions, model: str, found: Associations, below: Points | None
) -> tuple[dict[Path, bytes], float | None]:
    """The table and what is drawn of it, by path; and the threshold, as −log10 p."""
    table = found.table()
    contents = {o.out: content_of(table, o.out)}
    points = points_of(table, "−log10 p")
    values = found.neg_log10_p
    n_tested = int(np.isfinite(values).sum())
    threshold = -float(np.log10(_LEVEL / n_tested)) if n_tested else None
    title = f"{o.trait}, {model} model, {n_tested:,} SNPs"
    drawn = bool(points.snps)
    if o.plots and n_tested:
        from train.gwas import pictures

        contents[_beside(o, "qq.png")] = pictures.qq(values, found.inflation, title)
        if drawn and below is None:
            contents[_beside(o, "manhattan.png")] = pictures.manhattan(points, title, threshold)
        elif drawn and below is not None:
            contents[_beside(o, "miami.png")] = pictures.miami(points, below, title, threshold)
    if o.html and drawn:
        from train.gwas.html import interactive

        contents[_beside(o, "html")] = interactive(points, below, title, threshold)
    return contents, threshold


def _beside(o: GwasOptions, ending: str) -> Path:
    return o.out.with_name(f"{o.out.stem}.{ending}")


def _record(
    o: GwasOptions,
    study: Study,
    model: str,
    names: list[str],
    found: Associations,
    facts: dict[str, object],
) -> bytes:
    """What the table came from, as JSON."""
    inflation = found.inflation
    record = {
        "genotypes": o.table.name,
        "genotypes_sha256": study.table.sha256,
        "phenotypes": None if o.phenotypes is None else o.phenotypes.name,
        "phenotypes_sha256": None if o.phenotypes is None else file_sha256(o.phenotypes),
        "trait": o.trait,
        "model": model,
        "covariates": names,
        "components": o.components,
        "lines": len(study.y),
        "lines_left_out": study.left_out,
        "snps": study.n_snps,
        "snps_tested": int(np.isfinite(found.tested.statistic).sum()),
        "inflation": inflation if np.isfinite(inflation) else None,
        "seed": o.seed,
        "notes": list(study.table.notes),
        **facts,
        "software": software_versions(),
    }
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _summary(
    o: GwasOptions,
    model: str,
    found: Associations,
    facts: dict[str, object],
    threshold: float | None,
    say: Say,
) -> None:
    values, tested = found.neg_log10_p, found.tested
    n_tested = int(np.isfinite(values).sum())
    if threshold is None:
        say("no SNP could be tested: none varies beside the covariates")
        return
    if n_tested < len(values):
        say(f"{len(values) - n_tested:,} SNPs do not vary beside the covariates: not tested")
    if facts.get("firth"):
        say(
            f"{facts['firth']:,} SNPs that separate cases from others: penalised likelihood (Firth)"
        )
    if "kinship_share" in facts:
        say(f"share of the kinship in the variance: {facts['kinship_share']:.3f}")
    say(f"inflation factor λ = {found.inflation:.3f}")
    if found.inflation > _INFLATED + _BY_CHANCE / n_tested**0.5 and model != "mixed":
        say(
            "warning: the statistics are inflated, as family structure or ancestry does it; "
            "--model mixed or --components N accounts for it"
        )
    over = np.flatnonzero(np.nan_to_num(values) > threshold)
    say(
        f"{len(over):,} SNPs beyond −log10 p = {threshold:.2f} (5 % shared among {n_tested:,} SNPs)"
    )
    for at in np.argsort(-np.nan_to_num(values), kind="stable")[:_NAMED].tolist():
        say(_line(found, tested, at, float(values[at])))


def _line(found: Associations, tested: Tested, at: int, value: float) -> str:
    place = ""
    if found.info.chromosome[at] is not None and found.info.position[at] is not None:
        place = f" ({found.info.chromosome[at]}:{found.info.position[at]})"
    effect = f"beta {tested.beta[at]:.4g}, SE {tested.se[at]:.3g}"
    return f"  {found.snps[at]}{place}: {effect}, −log10 p {value:.2f}"
