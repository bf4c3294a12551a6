"""A scoring file made into a model, with what is said about it."""

from pathlib import Path

from snpredict.bundle.write import check_target
from snpredict.errors import UsageError
from snpredict.scoring_files.read import read_weights
from snpredict.scoring_files.to_bundle import Names, write_weights
from snpredict.terminal.messages import weights_facts
from snpredict.terminal.wrapping import COLUMN, labelled, tell

_N_COLUMNS = 3


def import_weights(
    file: Path,
    out: Path,
    columns: str | None,
    name: str | None,
    trait: str | None,
    unit: str | None,
    quiet: bool,
) -> None:
    """Read the weights, write the bundle, say what it holds.

    Raises
    ------
    SnpredictError
        As `read_weights` and `write_weights`.
    """
    named = [column.strip() for column in columns.split(",")] if columns else []
    if columns is not None and (len(named) != _N_COLUMNS or not all(named)):
        raise UsageError(
            f"--columns: found {columns!r}, expected three columns: those of the ids, the alleles "
            "and the weights",
            "for example --columns 1,2,3 or --columns ID,A1,BETA",
        )
    check_target(out)
    manifest = write_weights(out, read_weights(file, named), Names(name, trait, unit))
    about = manifest.scoring_file
    if quiet or about is None:
        return
    facts: list[tuple[str, object]] = [
        ("model", f"{manifest.name}, {manifest.n_snps:,} weights, written to {out}"),
        *weights_facts(manifest),
    ]
    if about.without_other_allele:
        n = f"{about.without_other_allele:,} of {manifest.n_snps:,} SNPs"
        facts.append(("alleles", f"of {n} the effect allele alone is known and is compared"))
    if about.without_place:
        n = f"{about.without_place:,} of {manifest.n_snps:,} SNPs"
        facts.append(("places", f"of {n} no place is known; they are found by their names"))
    facts.append(("next", f"snpredict predict FILE --model {out}"))
    tell(labelled(facts, COLUMN))
