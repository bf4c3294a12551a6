"""What `annotate` does: expected effect variances of a table's variants, and what made them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snpredict.annotating.effect_sizes import EffectSizes, VariantScorer
from snpredict.annotating.variant_table import VariantTable, read_variants
from snpredict.bundle.load import Bundle, find_bundle
from snpredict.files import check_destination
from snpredict.names import listed
from snpredict.results.facts import model_facts
from snpredict.results.tables import Results
from snpredict.terminal.outputs import Outputs
from snpredict.terminal.progress import watch_rows
from snpredict.terminal.tables import heading_table, say, show
from snpredict.terminal.wrapping import tell

if TYPE_CHECKING:
    from rich.console import Console

#: Variants that are shown on a terminal, and annotations of each.
_SHOWN, _NAMED = 20, 3


def annotate_variants(
    file: Path, model: str, out: Path | None, format: str | None, best: int | None, quiet: bool
) -> None:
    """Write a row per variant.

    Raises
    ------
    SnpredictError
        As `read_variants` and `VariantScorer`.
    """
    outputs = Outputs(None, [model], out, format, None)
    if out is not None:
        check_destination(out, [file], find_bundle(model))
    bundle = outputs.bundle()
    scorer = VariantScorer(bundle)
    table = read_variants(file, scorer.entry.annotations)
    if table.lacking and not quiet:
        few = listed(table.lacking, 4)
        tell([("", f"{file.name} lacks {few}: taken as average for all variants")])
    with watch_rows(len(table), quiet) as count:
        found = scorer.effect_sizes(table.values, count)
    order = np.argsort(found.rank)[:best] if best is not None else np.arange(len(table))
    outputs.give(
        lambda: Results(_facts(bundle, scorer, table), _columns(scorer, table, found)).rows(order),
        lambda console: _show(console, scorer, table, found),
    )


def _facts(bundle: Bundle, scorer: VariantScorer, table: VariantTable) -> dict[str, Any]:
    entry = scorer.entry
    return model_facts(bundle) | {
        "network": entry.network,
        "objective": entry.objective,
        "people": entry.people,
        "annotations": list(entry.annotations),
        "annotations_not_in_the_table": table.lacking,
        "effect_variance_is_of": "the trait's SD per SD of the genotype",
    }


def _columns(scorer: VariantScorer, table: VariantTable, found: EffectSizes) -> dict[str, Any]:
    by = {f"by_{name}": found.by[:, at] for at, name in enumerate(scorer.entry.annotations)}
    return {**table.named, "effect_variance": found.variance, "rank": found.rank, **by}


def _show(
    console: "Console", scorer: VariantScorer, table: VariantTable, found: EffectSizes
) -> None:
    """The variants with the largest expected effects."""
    names = scorer.entry.annotations
    rows = heading_table("variant", "effect variance", "rank", "made by", right=(1, 2))
    for at in np.argsort(found.rank)[:_SHOWN].tolist():
        most = np.argsort(-np.abs(found.by[at]), kind="stable")[:_NAMED].tolist()
        made = ", ".join(f"{names[a]} ×{np.exp(found.by[at, a]):.2g}" for a in most)
        rows.add_row(_name(table, at), f"{found.variance[at]:.3g}", f"{found.rank[at]:,}", made)
    show(console, rows)
    left = len(table) - _SHOWN
    if left > 0:
        say(console, [("", f"{left:,} more variants: --out effects.tsv writes all of them.")])


def _name(table: VariantTable, at: int) -> str:
    own = {what: column[at] for what, column in table.named.items()}
    return own.get("id") or f"{own.get('chromosome')}:{own.get('position')}"
