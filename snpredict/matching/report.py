"""What a match says to people: counts by reason, the likely cause, and one row per SNP."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from snpredict.arrow import call, take
from snpredict.bundle.tables import SnpTable
from snpredict.genotypes.places import looks_like_a_place
from snpredict.genotypes.text_columns import integers, whole_numbers
from snpredict.genotypes.variants import Variant, VariantColumns, Variants
from snpredict.matching.alleles import ALLELES, Alleles, MatchRules
from snpredict.matching.match import FOUND_BY, STATES, Match, State
from snpredict.names import listed

#: Below this match rate a person is told what the likely cause is.
GOOD_RATE = 0.9

_BASES = frozenset("ACGT")


@dataclass(frozen=True)
class MatchReport:
    """A match in words and numbers.

    Attributes
    ----------
    model_snps, variants : int
        SNPs of the model, variants of the file.
    matched : int
    rate, weighted_rate : float
        Share of the model's SNPs, and of its effects.
    used, unused : dict of str to int
        Matched and unmatched SNPs by reason.
    by_id, by_position : int
        How the matched SNPs were found.
    moved : int
        Matched by id although the file has them at another place.
    causes : list of str
        What most likely made SNPs fail, most likely first.
    """

    model_snps: int
    variants: int
    matched: int
    rate: float
    weighted_rate: float
    used: dict[str, int]
    unused: dict[str, int]
    by_id: int
    by_position: int
    moved: int
    causes: list[str]


def report_match(snps: SnpTable, file: Variants, match: Match, rules: MatchRules) -> MatchReport:
    """Sum up a match.

    Parameters
    ----------
    snps : SnpTable
    file : Variants
    match : Match
        Of the two.
    rules : MatchRules
        Those of `match`.
    """
    by = match.by_what()
    unused = {state.value: match.count(state) for state in (State.ABSENT, State.DUPLICATE)}
    unused |= {_why_refused(a, rules): n for a, n in match.refused_alleles().most_common()}
    return MatchReport(
        model_snps=len(snps),
        variants=file.total,
        matched=int(match.matched.sum()),
        rate=match.rate,
        weighted_rate=match.weighted_rate,
        used={alleles.value: n for alleles, n in match.used_alleles().most_common()},
        unused={reason: n for reason, n in unused.items() if n},
        by_id=by["id"],
        by_position=by["position"],
        moved=_moved(snps, file.candidates.table, match),
        causes=likely_causes(snps, file, match, rules),
    )


def likely_causes(snps: SnpTable, file: Variants, match: Match, rules: MatchRules) -> list[str]:
    """Sentences that name what is different about a file, most likely first.

    Empty where nine tenths of the model's SNPs are matched.
    """
    if match.rate >= GOOD_RATE:
        return []
    if not file.total:
        return ["the file has no variants"]
    causes = []
    absent = match.count(State.ABSENT)
    if absent > len(snps) / 2:
        causes += _why_absent(snps, file, absent)
    refused = match.refused_alleles()
    found = len(snps) - absent
    if sum(refused.values()) > found / 2:
        causes += _why_other_alleles(snps, file, match, refused, rules)
    if match.count(State.DUPLICATE) > found / 2:
        causes.append("the file holds most variants more than once")
    if not causes:
        causes.append("the file was made with another set of SNPs, or filtered")
    return causes


def log_columns(snps: SnpTable, file: Iterable[Variant], match: Match) -> dict[str, Sequence[Any]]:
    """One row per SNP of the model: what was looked for, what was found, what became of it."""
    matched, recoded = match.matched.tolist(), match.recoded.tolist()
    # −1 reaches the None behind them.
    alleles = [*(alleles.value for alleles in ALLELES), None]
    found = whole_numbers(match.variant, match.variant >= 0)
    model, in_file = snps.columns, take(VariantColumns.of(file).table, found)
    names = ("id", "chromosome", "position", "counted_allele", "other_allele")
    theirs = zip(names, in_file.column_names, strict=True)
    return {
        **{"snp" if name == "id" else name: model[name].to_pylist() for name in names},
        "weight": match.weights.tolist(),
        "state": [STATES[state].value for state in match.state.tolist()],
        "matched_by": [FOUND_BY[by] or None for by in match.by.tolist()],
        "alleles": [alleles[at] for at in match.alleles.tolist()],
        "recoded": [is_it if read else None for read, is_it in zip(matched, recoded, strict=True)],
        **{f"file_{name}": in_file[column].to_pylist() for name, column in theirs},
    }


# --- causes ------------------------------------------------------------------------------------


def _why_absent(snps: SnpTable, file: Variants, absent: int) -> list[str]:
    ours, theirs = snps.ids, [v.id for v in file.examples if v.id is not None]
    causes = []
    if theirs:
        lower = {name.lower() for name in ours}
        shorter = {name.rpartition("_")[0] for name in theirs}
        if any(name.lower() in lower for name in theirs if name not in ours):
            causes.append(
                f"ids differ in upper and lower case: {listed(theirs, 2)} in the file, "
                f"{listed(ours, 2)} in the model"
            )
        elif shorter & set(ours):
            causes.append(
                f"ids of the file end in an allele, such as {listed(theirs, 2)}: PLINK's "
                "--recode A writes them so; its .raw is read with the six columns FID to PHENOTYPE"
            )
    key = snps.chromosome_names.key
    our_places = {
        key(chromosome)
        for chromosome, position in zip(snps.chromosome, snps.position, strict=True)
        if chromosome is not None and position is not None
    }
    if causes:
        return causes
    if our_places and file.chromosomes:
        if not our_places & {key(name) for name in file.chromosomes}:
            causes.append(
                f"chromosomes are named {listed(sorted(file.chromosomes), 3)} in the file and "
                f"{listed(sorted({c for c in snps.chromosome if c}), 3)} in the model"
            )
        elif file.total < len(snps) / 2:
            causes.append(_few(file))
        else:
            causes.append(
                "chromosomes agree and positions do not: another build of the genome, or other SNPs"
            )
    elif theirs and not any(name in ours for name in theirs):
        file_has, model_has = _are_places(theirs), _are_places(ours)
        if file_has != model_has:
            places, names = ("file", "model") if file_has else ("model", "file")
            causes.append(
                f"the {places}'s ids are positions and the {names}'s are names: "
                f"{listed(theirs, 2)} in the file, {listed(ours, 2)} in the model"
            )
        else:
            causes.append(
                f"SNPs are named otherwise: {listed(theirs, 2)} in the file, "
                f"{listed(ours, 2)} in the model"
            )
    elif not theirs and not file.chromosomes:
        causes.append("the file names neither ids nor positions")
    elif file.total < absent:
        causes.append(_few(file))
    return causes


def _few(file: Variants) -> str:
    return f"the file has only {file.total:,} variant{'s' * (file.total != 1)}"


def _why_other_alleles(
    snps: SnpTable, file: Variants, match: Match, refused: Counter[Alleles], rules: MatchRules
) -> list[str]:
    (most, _), *_ = refused.most_common(1)
    if most in (Alleles.FLIPPED, Alleles.FLIPPED_SWAPPED):
        return ["the file gives the alleles of the other strand; --strand flip recodes them"]
    if most in (Alleles.AMBIGUOUS, Alleles.AMBIGUOUS_SWAPPED):
        return [
            "most SNPs are A/T or C/G, whose strand cannot be seen; --ambiguous keep takes the "
            "file's strand for the model's"
        ]
    if most is Alleles.NOT_IN_MODEL:
        return [
            "the model does not know its alleles, so that only a table of the model's own codes "
            "can be scored: train it again with --snp-info, or export the file as a table of codes "
            "that count the same alleles as the training table"
        ]
    is_it = (match.state == STATES.index(State.REFUSED)) & (match.alleles == ALLELES.index(most))
    at = int(np.flatnonzero(is_it)[0])
    variant = file.candidates[int(match.variant[at])]
    theirs = [allele for allele in (variant.counted, variant.other) if allele is not None]
    shown = (
        f"{snps.ids[at]} is {snps.counted_allele[at]}/{snps.other_allele[at]} in the model and "
        f"{'/'.join(theirs)} in the file"
    )
    if not any(set(allele) <= _BASES for allele in theirs):
        return [f"the file does not spell its alleles as bases: {shown}"]
    return [f"the file has other variants under these ids or positions: {shown}"]


def _why_refused(alleles: Alleles, rules: MatchRules) -> str:
    if alleles in (Alleles.FLIPPED, Alleles.FLIPPED_SWAPPED):
        return f"{alleles.value} (--strand {rules.strand})"
    if alleles in (Alleles.AMBIGUOUS, Alleles.AMBIGUOUS_SWAPPED):
        return f"{alleles.value} (--ambiguous {rules.ambiguous})"
    return alleles.value


def _moved(snps: SnpTable, file: pa.Table, match: Match) -> int:
    """How many SNPs were matched by id to a variant at another place."""
    by_id = np.flatnonzero(match.matched & (match.by == FOUND_BY.index("id")))
    place = ["chromosome", "position"]
    ours = take(snps.columns.select(place), whole_numbers(by_id))
    theirs = take(file.select(place), whole_numbers(match.variant[by_id]))
    number = snps.places.chromosomes
    here, there = number(ours["chromosome"]), number(theirs["chromosome"])
    # A chromosome that the model does not have is another one, one without a name is not.
    named = integers(call("is_valid", theirs["chromosome"])) > 0
    elsewhere = (here >= 0) & named & (here != there)
    differ = call("not_equal", ours["position"], theirs["position"])
    return int(np.count_nonzero(elsewhere | (integers(differ, missing=0) > 0)))


def _are_places(names: Sequence[str]) -> bool:
    return sum(map(looks_like_a_place, names[:20])) > len(names[:20]) / 2
