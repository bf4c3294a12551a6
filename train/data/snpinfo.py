"""Chromosome, position and alleles of the table's SNPs, from a SNP table or from their names."""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snpredict.genotypes.places import place_in_name
from snpredict.names import quoted
from train.errors import TrainingTableError

if TYPE_CHECKING:
    import pandas

_ID_NAMES = ("snp", "id", "name", "marker", "snp_id")
_CHROMOSOME_NAMES = ("chromosome", "chrom", "chr", "#chrom")
_POSITION_NAMES = ("position", "pos", "bp")
_NO_ALLELE = frozenset(("", "na", "nan", ".", "-", "0"))


@dataclass(frozen=True)
class SnpInfo:
    """One list entry per SNP in model order; None where it is not known."""

    chromosome: list[str | None]
    position: list[int | None]
    counted_allele: list[str | None]
    other_allele: list[str | None]

    @property
    def without_alleles(self) -> int:
        """SNPs of which neither allele is known; one of them is enough to match a SNP."""
        pairs = zip(self.counted_allele, self.other_allele, strict=True)
        return sum(pair == (None, None) for pair in pairs)

    @property
    def along(self) -> np.ndarray:
        """The SNPs along the chromosomes: places (SNPs,) int64.

        Chromosomes, and SNPs whose place is not known, stand in the order of the file.
        """
        rank = {name: at for at, name in enumerate(dict.fromkeys(self.chromosome))}
        number = np.array([rank[name] for name in self.chromosome], np.int64)
        position = np.array([at or 0 for at in self.position], np.int64)
        return np.lexsort((position, number))

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Keep it with the run, so that a summary needs no other file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> "SnpInfo":
        """What `save` wrote."""
        return SnpInfo(**json.loads(path.read_text(encoding="utf-8")))


def info_from_names(snps: list[str]) -> SnpInfo:
    """Places from names like ``CHROMOSOME_POSITION_…``, when every SNP's name has one."""
    places = [place_in_name(name) for name in snps]
    nothing: list[str | None] = [None] * len(snps)
    if None in places:
        return SnpInfo(nothing, [None] * len(snps), nothing, nothing)
    return SnpInfo(
        chromosome=[place[0] for place in places if place],
        position=[place[1] for place in places if place],
        counted_allele=nothing,
        other_allele=nothing,
    )


def with_alleles(
    info: SnpInfo,
    snps: list[str],
    alleles: Mapping[str, tuple[str | None, str | None]],
    path: Path,
) -> SnpInfo:
    """Add what the genotype file itself says about the alleles.

    Parameters
    ----------
    info : SnpInfo
        Of `snps`.
    alleles : mapping of str to (str or None, str or None)
        By SNP, the allele that the file's codes count and the other one.
    path : Path
        The genotype file, for messages.

    Raises
    ------
    TrainingTableError
        `info` names other alleles for a SNP.
    """
    counted, other = list(info.counted_allele), list(info.other_allele)
    for at, snp in enumerate(snps):
        ours = alleles.get(snp, (None, None))
        theirs = (counted[at], other[at])
        counted[at], other[at] = (one or two for one, two in zip(theirs, ours, strict=True))
        differ = any(
            one is not None and two is not None and one.upper() != two.upper()
            for one, two in zip(theirs, ours, strict=True)
        )
        if differ or (ours[0] is not None and counted[at] == other[at]):
            raise TrainingTableError(
                f"{path}: SNP {snp} counts {_shown(ours)} by the file itself and "
                f"{_shown(theirs)} by --snp-info",
                "leave out --counted-allele and --other-allele: the file says itself what it "
                "counts; a .raw names both alleles where plink2 --export A include-alt wrote it",
            )
    return replace(info, counted_allele=counted, other_allele=other)


def _shown(alleles: tuple[str | None, str | None]) -> str:
    counted, other = alleles
    return f"{counted or 'an unknown allele'} (not {other})" if other else str(counted)


def info_from_table(
    path: Path, snps: list[str], *, counted: str | None = None, other: str | None = None
) -> SnpInfo:
    """Places and alleles from a SNP table (TSV or CSV, one row per SNP).

    Parameters
    ----------
    counted, other : str, optional
        Columns of the allele that the genotype codes count, and of the other one. Without them
        alleles stay unknown: a column called ``alt`` or ``allele2`` does not say what was counted.

    Raises
    ------
    TrainingTableError
        The file or a column is not there, a SNP of the model is not in it, or a position is no
        whole number.
    """
    table = _read(path)
    lower = {str(name).lower(): name for name in table.columns}

    def column(names: tuple[str, ...], what: str) -> str:
        for name in names:
            if name in lower:
                return lower[name]
        raise TrainingTableError(
            f"{path} has no column of the {what}; found {', '.join(map(str, table.columns))}",
            hint=f"Name it one of: {', '.join(names)}",
        )

    for name in (counted, other):
        if name is not None and name not in table.columns:
            raise TrainingTableError(
                f"{path} has no column '{name}'; found {', '.join(map(str, table.columns))}"
            )
    ids = column(_ID_NAMES, "SNP names")
    table = table.drop_duplicates()
    twice = table.loc[table[ids].duplicated() & table[ids].isin(snps), ids]
    if len(twice):
        raise TrainingTableError(
            f"{path} has {len(twice)} SNPs more than once, and not alike: {quoted(list(twice))}",
            "leave one row of each SNP",
        )
    table = table.set_index(ids)
    unknown = [name for name in snps if name not in table.index]
    if unknown:
        raise TrainingTableError(
            f"{path} lacks {len(unknown)} of the {len(snps)} SNPs: {', '.join(unknown[:5])}"
            + (" ..." if len(unknown) > 5 else "")
        )
    table = table.loc[snps]
    nothing: list[str | None] = [None] * len(snps)
    return SnpInfo(
        chromosome=list(table[column(_CHROMOSOME_NAMES, "chromosomes")]),
        position=_positions(path, table[column(_POSITION_NAMES, "positions")]),
        counted_allele=_alleles(table[counted]) if counted else nothing,
        other_allele=_alleles(table[other]) if other else nothing,
    )


def _read(path: Path) -> "pandas.DataFrame":
    """The table as texts."""
    import pandas

    if not path.is_file():
        raise TrainingTableError(f"SNP table {path} does not exist")
    try:
        return pandas.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    except (ValueError, csv.Error) as error:  # pandas' and Unicode's errors are ValueErrors
        raise TrainingTableError(f"SNP table {path} cannot be read: {error}") from None


def _positions(path: Path, texts: "pandas.Series") -> list[int | None]:
    for snp, text in texts.items():
        if not (text.isascii() and text.isdigit()):
            raise TrainingTableError(
                f"{path}: the position of {snp} is '{text}'; expected a whole number"
            )
    return [int(text) for text in texts]


def _alleles(texts: Iterable[str]) -> list[str | None]:
    return [None if text.strip().lower() in _NO_ALLELE else text.strip() for text in texts]
