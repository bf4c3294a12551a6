"""Which columns of a wide training table are SNPs, told by their names and places.

Genotype codes cannot tell: a disease score of 0 and 1 looks like a marker. Names can, because SNPs
are named by machines: by place, by probe, by number. Three rules, on the header alone:

1. Columns that an option names, columns of the phenotype table and PLINK's own columns are never
   SNPs.
2. Where two thirds of the other names hold a digit, a name without one is unlike a SNP's.
3. Two names share a *pattern* when they begin with the same word and continue alike, as
   ``Gm01_12_T_C`` and ``Gm20_7_A_G`` do. A pattern is common when a hundredth of the names have
   it, and ten of them (in small tables half of them). Where common patterns cover two thirds of
   the names, a name of another pattern is unlike a SNP's when it stands before the first or after
   the last of them. Between them it is taken: maps hold a gene marker here and there.

Columns unlike the others stop the run, unless a person says where the SNPs begin.
"""

import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from snpredict.genotypes.places import is_off_the_map
from snpredict.genotypes.tables.columns import plain
from snpredict.names import quoted
from train.errors import TrainingTableError, UncertainColumns

#: Columns that PLINK writes beside genotypes and phenotypes, as `plain` makes them.
_PLINK = frozenset(("fid", "iid", "sid", "pat", "mat", "sex", "pheno", "pheno1", "phenotype"))

_MOST = 2 / 3
_COMMON_COLUMNS = 10
_COMMON_SHARE = 0.01


@dataclass(frozen=True)
class SnpColumns:
    """The columns of a table by what they are taken for, each in the table's order.

    Attributes
    ----------
    snps : list of str
    others : list of str
        Columns that are not SNPs.
    single : list of str
        SNPs whose names have a pattern of their own.
    alike : bool
        Whether the names follow a pattern, so that another column would be noticed.
    """

    snps: list[str]
    others: list[str]
    single: list[str]
    alike: bool

    def __str__(self) -> str:
        first, last = self.snps[0], self.snps[-1]
        ends = first if len(self.snps) == 1 else f"{first} to {last}"
        text = f"SNPs: {len(self.snps)} columns, {ends}; not SNPs: {quoted(self.others, 10)}"
        if self.single:
            text += f"; SNPs with other names than the rest: {quoted(self.single)}"
        if not self.alike:
            text += (
                "; the names of the SNPs follow no common pattern, which hides a column that is "
                "not one: check that all of them are SNPs"
            )
        return text


def snp_columns(
    path: Path,
    header: Sequence[str],
    *,
    named: Collection[str],
    elsewhere: Collection[str] = (),
    snps_from: str | None = None,
) -> SnpColumns:
    """Tell the SNPs of a table from its other columns.

    Parameters
    ----------
    path : Path
        For messages.
    header : sequence of str
    named : collection of str
        Columns that an option names: ids, traits, folds, families, ignored ones.
    elsewhere : collection of str
        Columns of the phenotype table; compared without case.
    snps_from : str, optional
        The first SNP. All later columns are SNPs then, but for those of rule 1.

    Raises
    ------
    TrainingTableError
        There is no column `snps_from`, or no SNP is left.
    UncertainColumns
        Columns look unlike the SNPs.
    """
    if snps_from is not None and snps_from not in header:
        raise TrainingTableError(
            f"{path} has no column '{snps_from}' that the SNPs could begin with; "
            f"it begins with {quoted(header, 6)}",
            "give --snps-from the name of the first SNP",
        )
    start = 0 if snps_from is None else header.index(snps_from)
    never = {*_PLINK, *map(plain, elsewhere)}
    snps = [name for name in header[start:] if name not in named and plain(name) not in never]
    taken = frozenset(snps)
    others = [name for name in header if name not in taken]
    if not snps:
        raise TrainingTableError(
            f"{path} has no SNP column beside {quoted(others, 10)}",
            "columns that an option names, columns of the phenotype table and PLINK's own columns "
            "are never SNPs",
        )
    if snps_from is not None:
        return SnpColumns(snps, others, [], alike=True)

    patterns = [_pattern(name) for name in snps]
    common = _common(patterns)
    unlike, single = _unlike(snps, patterns, common)
    if unlike:
        raise _uncertain(path, header, snps, unlike)
    return SnpColumns(snps, others, single, alike=bool(common))


def _pattern(name: str) -> str:
    """The first word, then digits as ``9``, further words as ``a``, signs as they are."""
    name = name.casefold()
    word = re.match(r"[^\W\d_]*", name)
    begin = word.group() if word else ""
    rest = re.sub(r"\d+", "9", name[len(begin) :])
    return begin + re.sub(r"[^\W\d_]+", "a", rest)


def _common(patterns: Sequence[str]) -> frozenset[str]:
    """Patterns of many columns; none where they do not cover most of the columns."""
    total = len(patterns)
    fewest = max(min(_COMMON_COLUMNS, total / 2), _COMMON_SHARE * total)
    counts = {pattern: n for pattern, n in Counter(patterns).items() if n >= fewest and n > 1}
    return frozenset(counts) if sum(counts.values()) >= _MOST * total else frozenset()


def _most_have_digits(names: Sequence[str]) -> bool:
    return sum(map(_has_digit, names)) >= _MOST * len(names)


def _has_digit(name: str) -> bool:
    return any(character.isdigit() for character in name)


def _unlike(
    names: Sequence[str], patterns: Sequence[str], common: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Names unlike a SNP's, and names of their own that are taken all the same."""
    unlike = set()
    if _most_have_digits(names):
        unlike = {at for at, name in enumerate(names) if not _has_digit(name)}
    single: set[int] = set()
    if common:
        usual = [at for at, pattern in enumerate(patterns) if pattern in common]
        between = range(usual[0], usual[-1])
        # What also stands amid the others is a kind of marker.
        inside = {patterns[at] for at in between if at not in unlike}
        rare = {at for at in range(len(names)) if patterns[at] not in common} - unlike
        unlike |= {
            at
            for at in rare
            # A few SNPs off the numbered chromosomes often end a table.
            if patterns[at] not in inside and not is_off_the_map(names[at])
        }
        single = rare - unlike
    return [names[at] for at in sorted(unlike)], [names[at] for at in sorted(single)]


def _uncertain(
    path: Path, header: Sequence[str], snps: Sequence[str], unlike: Sequence[str]
) -> UncertainColumns:
    apart = frozenset(unlike)
    rest = [name for name in snps if name not in apart]
    at = f"column {header.index(unlike[0]) + 1} of {len(header)}"
    if len(unlike) == 1:
        found = f"column {quoted(unlike)} ({at}) would be taken for a SNP, but its name is"
    else:
        found = f"{len(unlike)} columns {quoted(unlike)} (from {at} on) would be taken for SNPs, "
        found += "but their names are"
    ways = ["if they are not SNPs: " + " ".join(f"--ignore {shlex.quote(n)}" for n in unlike[:8])]
    if len(unlike) > 8:
        ways[0] += " and so on"
    if header.index(unlike[-1]) < header.index(rest[0]):
        ways[0] += f", or --snps-from {shlex.quote(rest[0])}"
    ways.append(f"if they are SNPs: --snps-from {shlex.quote(snps[0])}")
    return UncertainColumns(
        f"{path}: {found} unlike those of the other {len(rest)}, {rest[0]} to {rest[-1]}",
        "; ".join(ways),
    )
