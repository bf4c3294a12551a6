"""What is said of a list to select from: how it was sorted, what is tied and what is flagged."""

from snpredict.results.selection import Selection
from snpredict.terminal.messages import told_of_predictions
from snpredict.terminal.wrapping import COLUMN, Line, labelled

_FLAGS = {
    "unlike_training": "unlike the training set of a model",
    "low_call_rate": "of which too little is called",
}


def told_of_selection(selection: Selection, quiet: bool) -> list[Line]:
    """All that is said beside a list; of a quiet run the warnings."""
    lines = told_of_predictions(selection.predictions, quiet)
    if quiet:
        return lines
    facts = [*_columns(selection), *_index(selection), *_ranking(selection)]
    blank = [("", "")] if facts and len(selection.predictions) > 1 else []
    return [*lines, *blank, *labelled(facts, COLUMN)]


def _columns(selection: Selection) -> list[tuple[str, str]]:
    """Why columns are named by models, where they are."""
    manifests = [one.check.bundle.manifest for one in selection.predictions]
    traits = [manifest.trait for manifest in manifests]
    pairs = zip(selection.plan.columns, manifests, strict=True)
    renamed = [f"{column} ({m.trait})" for column, m in pairs if traits.count(m.trait) > 1]
    if not renamed:
        return []
    return [("columns", f"named by model, of one trait: {', '.join(renamed)}")]


def _index(selection: Selection) -> list[tuple[str, str]]:
    terms = selection.plan.index
    if not terms:
        return []
    of = dict(zip(selection.plan.columns, selection.predictions, strict=True))
    said = [
        f"{term.weight:+g} × {term.column} ({'high' if term.weight > 0 else 'low'} values are "
        "better)"
        for term in terms
    ]
    scales = []
    for term in terms:
        unit = of[term.column].check.bundle.manifest.unit
        scales.append(f"{term.column} {term.mean:.4g} ± {term.sd:.3g} {unit}".rstrip())
    texts = [
        " ".join(said),
        f"from the mean in SDs of the training set: {', '.join(scales)}",
    ]
    left_out = [column for column in of if column not in {term.column for term in terms}]
    if left_out:
        texts.append(f"not in the index: {', '.join(left_out)}")
    return list(zip(["index", *[""] * len(texts)], texts, strict=False))


def _ranking(selection: Selection) -> list[tuple[str, str]]:
    if selection.ranks is None:
        return []
    listed, best = len(selection.rows), selection.plan.best
    texts = [f"by {selection.ranked_by}, highest first"]
    if best is not None:
        texts[0] += f"; {listed:,} of {len(selection.samples):,} samples kept"
        if listed > best:
            texts[0] += f" for --best {best:,}, because of ties"
    if tied := selection.tied:
        texts.append(f"ties: {tied:,} of these samples share their rank with another one")
    for flag, count in selection.flagged().items():
        texts.append(f"{flag}: {count:,} of these samples, {_FLAGS[flag]}")
    return list(zip(["ranking", *[""] * len(texts)], texts, strict=False))
