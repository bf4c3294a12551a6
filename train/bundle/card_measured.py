"""What a card says was measured for lines like those of a file: errors, intervals, reliability."""

from typing import NamedTuple

from snpredict.bundle.entries import IntervalsEntry, Training
from snpredict.bundle.manifest import Manifest
from train.bundle.interval_coverage import LEVELS


def shown(value: float | None, digits: int = 3) -> str:
    """A figure in a card."""
    # Rounded first, and 0 added: a small negative number is not "-0.00".
    return "not available" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def similarity_lines(manifest: Manifest) -> list[str]:
    """What the model card says of samples unlike the training set."""
    entry, unit = manifest.similarity, manifest.unit
    if entry is None:
        return []
    tested = groups(manifest)
    lines = [
        "",
        "## Samples unlike the training set",
        "",
        "`predict` flags samples that are farther from the training set than 99 % of its own "
        "lines are from the rest, or whose heterozygosity is outside that of 98 % of them, or "
        "whose call rate is below that of 99 % of them. Out-of-fold errors of lines that are far, "
        "and of the others:",
        "",
        f"| tested lines | | n | MAE ({unit}) | RMSE ({unit}) | PCC | MAE ratio (95 % interval) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for errors, what in ((entry.errors, tested.known), (entry.errors_new_families, tested.new)):
        if errors is None:
            continue
        ratio = ""
        if errors.ratio is not None:
            ratio = "{:.2f} ({:.2f} to {:.2f})".format(*errors.ratio)
        for part, found, beside in (
            ("flagged", errors.flagged, ratio),
            ("others", errors.others, ""),
        ):
            lines.append(
                f"| of {what} | {part} | {found.n} | {shown(found.mae)} "
                f"| {shown(found.rmse)} | {shown(found.pcc)} | {beside} |"
            )
    return lines


def reliability_lines(manifest: Manifest) -> list[str]:
    """What the model card says of the column ``reliability``, and how it was checked."""
    entry = manifest.reliability
    if entry is None:
        return []
    tested = groups(manifest)
    parts = [
        (measured, what)
        for measured, what in ((entry.known, tested.known), (entry.new, tested.new))
        if measured is not None
    ]
    within = any(measured.families is not None for measured, _ in parts)
    lines = [
        "",
        "## Reliability",
        "",
        "The column `reliability` of `predict`: the squared correlation of predicted and observed "
        + ("values within families" if within else "values")
        + ", out of fold. It is of the phenotype and not of the breeding value. In brackets 95 % "
        "intervals" + (", from families drawn again and again." if within else "."),
        "",
        "| tested lines | n | all together | nearer half − farther half | so `reliability` is |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measured, what in parts:
        difference = "–"
        if measured.near_minus_far is not None:
            value, low, high = measured.near_minus_far
            difference = _with_ends(value, low, high, signed=True)
        values = [band.reliability for band in measured.bands]
        said = "one value for all"
        if values:
            said = f"{shown(max(values))} for near lines to {shown(min(values))} for far ones"
        lines.append(
            f"| of {what} | {measured.lines} "
            f"| {_with_ends(measured.reliability, measured.low, measured.high)} "
            f"| {difference} | {said} |"
        )
    lines += [
        "",
        "Check: every fold's lines, grouped by their distance from the training set, with the "
        "reliability that the other folds' lines give them, and their own squared correlation:",
        "",
        "| tested lines | distance up to | n | reliability given | observed |",
        "| --- | --- | --- | --- | --- |",
    ]
    for measured, what in parts:
        for band in measured.check:
            up_to = "any" if band.up_to is None else shown(band.up_to)
            observed = _with_ends(band.observed, band.low, band.high)
            lines.append(f"| of {what} | {up_to} | {band.n} | {shown(band.said)} | {observed} |")
    if entry.called:
        lines += [
            "",
            f"What missing genotypes cost, measured on lines of {tested.known} with SNPs taken "
            "away at random from all lines (means of five draws). Other lines are taken to lose in "
            "proportion:",
            "",
            "| share of the model's effects that is called | "
            + " | ".join(f"{100 * point.called:.1f} %" for point in reversed(entry.called))
            + " |",
            "| --- |" + " --- |" * len(entry.called),
            "| part of the reliability that is left | "
            + " | ".join(shown(point.of_whole, 2) for point in reversed(entry.called))
            + " |",
        ]
    return lines


def _with_ends(value: float, low: float, high: float, signed: bool = False) -> str:
    """A figure with its interval in brackets."""
    plus = "+" if signed and value >= 0.0005 else ""
    return f"{plus}{shown(value)} ({shown(low)} to {shown(high)})".replace("-", "−")


class Groups(NamedTuple):
    """What a card calls the samples whose like was in training, and those whose was not."""

    known: str
    new: str


def groups(manifest: Manifest) -> Groups:
    """Families only where the training table names them."""
    training = manifest.training or Training()
    new = None if manifest.intervals is None else manifest.intervals.new
    if training.fold_scheme == "family":
        return Groups("left-out families", "new families")
    clusters = new is not None and new.families_from != "column"
    return Groups(
        "known families" if training.families else "the training population",
        "left-out groups of alike genotypes" if clusters else "new families",
    )


def new_family_lines(manifest: Manifest) -> list[str]:
    """What the model card says of families left out."""
    figures, unit = manifest.metrics, manifest.unit
    told = manifest.intervals or IntervalsEntry()
    known, new, names = told.known, told.new, groups(manifest)
    by_column = new is not None and new.families_from == "column"
    lines = []
    pooled = figures.get("new_families_pcc_pooled")
    if pooled is not None and new is not None:
        inside = figures["new_families_within_family_pcc_mean"]
        left_out = (
            f"**Families that were left out** as a whole, {new.families} families from "
            "the training table: "
            if by_column
            else "**Groups of alike genotypes that were left out** as a whole, in place of "
            f"families, which the training table does not name ({new.families_from}): "
        )
        lines += [
            "",
            f"{left_out}PCC of all samples pooled {shown(pooled)}, mean PCC inside a family "
            + shown(inside)
            + f", MAE {shown(figures['new_families_mae'], 2)} {unit}."
            + (
                f" This, and not the table above, is for {names.new if by_column else 'others'}."
                if known
                else ""
            ),
        ]
    return lines


def interval_lines(manifest: Manifest) -> list[str]:
    """What the model card says of prediction intervals."""
    told = manifest.intervals or IntervalsEntry()
    known, new, names = told.known, told.new, groups(manifest)
    by_column = new is not None and new.families_from == "column"
    rows = [(names.known, known.coverage)] if known else []
    if known and new:
        misused = f"those for {names.known}, used for {'new ones' if by_column else names.new}"
        rows.append((misused, known.coverage_in_new_families or {}))
    rows += [(names.new, new.coverage)] if new else []
    levels = [f"{level:g}" for level in LEVELS]
    lines = [
        "",
        "Prediction intervals (`predict --interval`), each fold's samples against intervals made "
        "without that fold:",
        "",
        "| share of the values that the intervals hold | "
        + " | ".join(f"{100 * float(level):g} %" for level in levels)
        + " |",
        "| --- |" + " --- |" * len(levels),
    ]
    for name, coverage in rows:
        cells = [
            "–" if (share := coverage.get(level)) is None else f"{100 * share:.1f} %"
            for level in levels
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if new is not None and (by_family := new.coverage_by_family.get("0.9")):
        lines += [
            "",
            f"In {names.new} this is an average: at level 90 % the worst "
            f"{'family' if by_column else 'group'} had "
            f"{100 * by_family.lowest:.0f} % of its values inside, and a tenth of the "
            f"{'families' if by_column else 'groups'} less than {100 * by_family.tenth:.0f} %.",
        ]
    elif new is None:
        training = manifest.training or Training()
        others = "new families" if training.families else "other populations"
        lines += ["", f"Intervals for {others} were not made: for them, these are too short."]
    return lines
