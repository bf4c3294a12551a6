"""What `effects` does: a table of all SNPs, and a scoring file of the average effects."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import NETWORK
from snpredict.errors import UsageError
from snpredict.explaining.effect_table import EffectsOfSnps, effect_columns, effects_of_snps
from snpredict.explaining.linear_part import (
    LINES,
    SEED,
    LinearFit,
    fit_to_drawn_lines,
    fit_to_file,
)
from snpredict.files import check_apart, check_destination, write_files
from snpredict.genotypes.detect import files_of
from snpredict.matching.matched_file import judge_match, match_file
from snpredict.results.facts import model_facts
from snpredict.results.tables import Results
from snpredict.scoring.scorer import Scorer
from snpredict.scoring_files.write_pgs import pgs_file
from snpredict.terminal.messages import decimals
from snpredict.terminal.outputs import Outputs
from snpredict.terminal.progress import watch
from snpredict.terminal.tables import heading_table, say, show, signed_bar
from snpredict.terminal.wrapping import tell

if TYPE_CHECKING:
    from rich.console import Console

#: SNPs that are shown on a terminal.
_SHOWN = 20

#: What a file of weights cannot hold of any model, and what else it cannot hold of a network.
_NOT_HELD = "not held: the intercept"
_NOT_HELD_OF_NETWORKS = (
    "; effects of heterozygotes that are not halfway between those of the homozygotes; effects of "
    "missing genotypes other than that of the mean; what SNPs do together (hidden layer); the "
    "curve of the output; the spread over the folds"
)


def give_effects(
    model: str, out: Path | None, format: str | None, pgs: Path | None, on: Path | None, quiet: bool
) -> None:
    """Write the table, the scoring file, or both.

    Raises
    ------
    SnpredictError
        As `effects_of_snps` and, with `on`, as `match_file` and `judge_match`.
    """
    outputs = Outputs(on, [model], out, format, None)
    bundle = outputs.bundle()
    if pgs is not None:
        check_destination(pgs, [] if on is None else files_of(on), bundle.path)
        if out is not None:
            check_apart(out, pgs, "--out and --pgs")
    scorer = Scorer(bundle)
    effects = effects_of_snps(bundle, scorer)
    if pgs is not None:
        _write_pgs(pgs, bundle, scorer, effects, on, quiet)
    if pgs is None or out is not None:
        outputs.give(
            lambda: Results(model_facts(bundle), effect_columns(bundle, effects)),
            lambda console: _show(console, bundle, effects),
        )


def _write_pgs(
    pgs: Path,
    bundle: Bundle,
    scorer: Scorer,
    effects: EffectsOfSnps,
    on: Path | None,
    quiet: bool,
) -> None:
    if bundle.snps.columns["counted_allele"].null_count == len(bundle.snps):
        raise UsageError(
            f"model {bundle.manifest.name!r} does not know which alleles its genotypes count, and "
            "a scoring file names the allele of every weight",
            "train it again with --snp-info",
        )
    if on is None:
        fit = fit_to_drawn_lines(bundle, scorer, effects)
        lines = (
            f"{LINES:,} lines drawn SNP by SNP with the genotype frequencies of training (seed "
            f"{SEED}), in which neighbouring SNPs are independent"
        )
    else:
        matched = match_file(on, bundle, watch=watch(quiet))
        judge_match(on, matched.report, matched.options.min_match)
        fit = fit_to_file(matched, scorer, effects)
        lines = f"the {fit.n_lines:,} samples of {on.name}"
    told = _correlation(fit, lines)
    lacks = _NOT_HELD + (_NOT_HELD_OF_NETWORKS if bundle.manifest.kind == NETWORK else "")
    alone = int(np.isnan(effects.average).sum())
    lacks += f"; {alone:,} SNPs of which one genotype alone occurs in training" if alone else ""
    about = _about(bundle, fit)
    content = pgs_file(bundle.snps, effects.average, effects.frequency, about, [told, lacks])
    write_files({pgs: content})
    if not quiet:
        tell([("", f"{pgs}: {told}; {lacks}")])


def _correlation(fit: LinearFit, lines: str) -> str:
    if math.isnan(fit.correlation):
        return f"the correlation with the model's predictions does not exist in {lines}"
    return f"correlation {fit.correlation:.6f} with the model's predictions in {lines}"


def _about(bundle: Bundle, fit: LinearFit) -> dict[str, str]:
    m = bundle.manifest
    imported = m.scoring_file
    return {
        "pgs_name": m.name + ("-linear" if m.kind == NETWORK else ""),
        "trait_reported": m.trait,
        "weight_type": "beta",
        "genome_build": (imported and imported.genome_build) or "NR",
        "citation": m.source or "NR",
        "snpredict_model": f"{m.name}, manifest SHA-256 {bundle.digest}",
        "weights": f"average effects per copy, in {m.unit or 'units of the trait'}",
        "intercept": f"{fit.offset!r}",
    }


def _show(console: "Console", bundle: Bundle, effects: EffectsOfSnps) -> None:
    """The SNPs with the largest average effects."""
    snps, digits = bundle.snps, decimals(bundle) + 2
    order = np.argsort(-np.abs(np.nan_to_num(effects.average)), kind="stable")[:_SHOWN]
    headings = ("SNP", "alleles", "frequency", "average effect", "SD", "same sign", "rank", "")
    table = heading_table(*headings, right=(2, 3, 4, 5, 6))
    limit = float(np.nanmax(np.abs(effects.average), initial=0))
    for at in order.tolist():
        counted, other = snps.counted_allele[at] or "?", snps.other_allele[at] or "?"
        value = float(effects.average[at])
        table.add_row(
            snps.ids[at],
            f"{counted}/{other}",
            _number(effects.frequency[at], ".3f"),
            _number(value, f"+.{digits}f"),
            _number(effects.sd[at], f".{digits}f"),
            _number(effects.agreement[at], ".0%"),
            f"{bundle.saliency.rank[at]:,}",
            signed_bar(value, limit),
        )
    show(console, table)
    left = len(snps) - len(order)
    if left > 0:
        say(console, [("", f"{left:,} more SNPs: --out effects.tsv writes all of them.")])


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)
