"""Scoring files of the PGS Catalog, format 2.0, harmonised or not.

The format is that of https://www.pgscatalog.org/downloads/#dl_ftp_scoring: a header of lines
``#name=value``, then a tab-separated table with one variant per line.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snpredict.bundle.entries import ScoringFile
from snpredict.errors import BadWeights, NotATable, UnsupportedFile
from snpredict.genotypes.source import TextSource
from snpredict.genotypes.text_columns import (
    integers,
    joined,
    numbered,
    spread,
    texts,
    whole_numbers,
)
from snpredict.scoring_files.score_table import GAPS, ScoreTable, read_score_table
from snpredict.scoring_files.weights import Weights, bad_alleles, check_unique

VERSION = "2.0"
EFFECT_ALLELE, OTHER_ALLELE, WEIGHT = "effect_allele", "other_allele", "effect_weight"
RS_ID, CHROMOSOME, POSITION = "rsID", "chr_name", "chr_position"
FREQUENCY = "allelefrequency_effect"

_HARMONISED = ("hm_rsID", "hm_chr", "hm_pos", "hm_inferOtherAllele")

#: What a variant may be flagged as, and what that is called here.
_FLAGS = {
    "is_haplotype": "a haplotype",
    "is_diplotype": "a diplotype",
    "is_interaction": "an interaction of variants",
    "is_dominant": "a dominant effect",
    "is_recessive": "a recessive effect",
}
_FALSE = ("false", "0", "f", "no")

#: Weights of genotypes instead of one per copy.
_BY_GENOTYPE = tuple(f"dosage_{copies}_{word}" for copies in "012" for word in ("weight", "effect"))

#: Types of weights that are not summed up.
_RATIOS = ("or", "hr", "rr", "odds ratio", "hazard ratio", "risk ratio", "relative risk", "or/hr")

#: Parts of types whose weights are not those of one copy of one allele.
_NOT_PER_COPY = ["dominan", "recessive", "genotyp", "haplotyp", "diplotyp", "interaction", "epista"]

_ADDITIVE = "only weights per copy of one variant's allele are scored"
_LOGARITHM = (
    "give the logarithm of the ratio as effect_weight, and log(OR) or log(HR) as weight_type"
)

_ANOTHER = "another score of the trait may have weights per copy"

#: "chr01" and "1" are one chromosome.
_CHR = "(?i)^(chr)?0*"

_ALLELE = "^([ACGT]+|-)$"


def read_pgs(source: TextSource, comments: Sequence[str], number: int, header: str) -> Weights:
    """The weights of such a file.

    Parameters
    ----------
    source : TextSource
    comments : sequence of str
        Lines above the header of the table.
    number : int
        Line of the header.
    header : str

    Raises
    ------
    As `snpredict.scoring_files.read.read_weights`.
    """
    path, about = source.path, _about(comments)
    if about.get("format_version", VERSION) != VERSION:
        raise UnsupportedFile(
            f"{path}: found format_version {about['format_version']}, expected {VERSION}",
            "the PGS Catalog offers every score in format 2.0",
        )
    names = header.lstrip("#").split("\t")
    needed = (EFFECT_ALLELE, WEIGHT)
    wrong = [name for name in needed if name not in names]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if wrong or repeated:
        found = f"no column {wrong[0]!r}" if wrong else f"the column {repeated[0]!r} twice"
        raise NotATable(
            f"{path}, line {number}: found {found}, expected {EFFECT_ALLELE}, {WEIGHT}, and "
            f"{RS_ID} or {CHROMOSOME} and {POSITION}"
        )
    known = {
        *needed,
        *(OTHER_ALLELE, RS_ID, CHROMOSOME, POSITION, FREQUENCY, "weight_type"),
        *_HARMONISED,
        *_FLAGS,
        *_BY_GENOTYPE,
    }
    keep = {name: at for at, name in enumerate(names) if name in known}
    table = read_score_table(source, number + 1, len(names), keep)
    _refuse_other_models(table, about.get("weight_type"))
    return _weights(table, about, "hm_chr" in keep and "hm_pos" in keep)


def _weights(table: ScoreTable, about: dict[str, str], harmonised: bool) -> Weights:
    effect = pc.utf8_upper(texts(table.columns[EFFECT_ALLELE]))
    bad_alleles(table, effect, EFFECT_ALLELE, _ALLELE)
    other = _one_allele(table.column(OTHER_ALLELE))
    if harmonised:
        other = pc.coalesce(other, _one_allele(table.column("hm_inferOtherAllele")))
    same = integers(pc.equal(effect, other), missing=0) > 0
    if same.any():
        row = int(np.flatnonzero(same)[0])
        raise BadWeights(
            f"{table.line(row)}: found the allele {effect[row].as_py()} twice, expected two "
            "different ones"
        )
    chromosome = table.column("hm_chr" if harmonised else CHROMOSOME)
    position = _positions(table, "hm_pos" if harmonised else POSITION)
    place = joined(":", chromosome, position.cast(pa.string()))
    ids = _ids(
        table, harmonised, joined(":", place, effect, pc.coalesce(other, spread("?", len(table))))
    )
    plain = joined(
        ":", pc.replace_substring_regex(chromosome, _CHR, ""), position.cast(pa.string())
    )
    unique = check_unique(table, ids, plain, (effect, other))
    frequency = table.numbers(FREQUENCY, needed=False)
    outside = np.flatnonzero((frequency < 0) | (frequency > 1))
    if len(outside):
        row = int(outside[0])
        raise BadWeights(
            f"{table.line(row)}, column {FREQUENCY!r}: found {frequency[row]:g}, expected 0 to 1"
        )
    build = about.get("HmPOS_build" if harmonised else "genome_build")
    return Weights(
        id=ids if unique is None else texts(unique),
        chromosome=chromosome,
        position=position,
        effect_allele=effect,
        other_allele=other,
        weight=table.numbers(WEIGHT, needed=True),
        frequency=frequency,
        about=ScoringFile(
            file="",
            sha256="",
            format="pgs-catalog",
            weight_type=_known(about.get("weight_type")) or _types(table),
            genome_build=_known(build),
            with_frequency=int(np.isfinite(frequency).sum()),
            without_other_allele=other.null_count,
            without_place=place.null_count,
        ),
        name=_known(about.get("pgs_id")) or _known(about.get("pgs_name")),
        trait=_known(about.get("trait_reported")),
        citation=_known(about.get("citation")),
    )


def _ids(table: ScoreTable, harmonised: bool, by_place: pa.Array) -> pa.Array:
    """Names of the variants: rsID, else place and alleles, else the line of the file.

    A harmonised file's own names may be places of another build; of these only rs numbers are
    taken.
    """
    names = table.column(RS_ID)
    if harmonised:
        is_rs = pc.match_substring_regex(names, "^rs[0-9]+$")
        names = pc.coalesce(
            table.column("hm_rsID"), pc.if_else(is_rs, names, pa.nulls(len(table), pa.string()))
        )
    names = pc.coalesce(names, by_place)
    lost = np.flatnonzero(integers(pc.is_null(names)))
    if len(lost) and not harmonised:
        raise BadWeights(
            f"{table.line(int(lost[0]))}: found neither {RS_ID} nor {CHROMOSOME} and {POSITION}, "
            "expected one of them"
        )
    if len(lost):
        # The harmonisation found no place for them; no file's variant is theirs.
        listed_names = names.to_pylist()
        for row in lost.tolist():
            listed_names[row] = f"line {table.first_line + row}, without a place"
        names = texts(listed_names)
    return names


def _positions(table: ScoreTable, name: str) -> pa.Array:
    column = table.column(name)
    fits = integers(pc.match_substring_regex(column, "^[0-9]{1,12}$"), missing=1) > 0
    if not fits.all():
        row = int(np.flatnonzero(~fits)[0])
        raise BadWeights(
            f"{table.line(row)}, column {name!r}: found {column[row].as_py()!r}, expected a whole "
            "number of base pairs"
        )
    numbers = integers(column.cast(pa.int64()), missing=0)
    return whole_numbers(numbers, numbers > 0)


def _refuse_other_models(table: ScoreTable, of_all: str | None) -> None:
    """Refuse weights that are not per copy of one allele, with the line of the first."""
    for flag, what in _FLAGS.items():
        rows, words = numbered(table.column(flag))
        is_set = np.array([*(word.lower() not in _FALSE for word in words), False], bool)[rows]
        if is_set.any():
            row = int(np.flatnonzero(is_set)[0])
            raise _not_additive(table.line(row), f"{what} ({flag})")
    for name in _BY_GENOTYPE:
        there = integers(pc.is_valid(table.column(name)))
        if there.any():
            row = int(np.flatnonzero(there)[0])
            raise _not_additive(table.line(row), f"a weight per genotype ({name})")
    rows, words = numbered(table.column("weight_type"))
    for number, word in enumerate(words):
        if wrong := _not_summed(word):
            row = int(np.flatnonzero(rows == number)[0])
            raise _not_additive(table.line(row), f"the weight type {word}", wrong)
    if of_all is not None and (wrong := _not_summed(of_all)):
        raise _not_additive(str(table.path), f"the weight type {of_all}", wrong)
    names = table.column(RS_ID)
    joined_names = integers(pc.match_substring_regex(names, ";|_x_"), missing=0) > 0
    if joined_names.any():
        row = int(np.flatnonzero(joined_names)[0])
        raise _not_additive(table.line(row), f"several variants ({names[row].as_py()})")


def _not_additive(where: str, what: str, hint: str | None = None) -> BadWeights:
    return BadWeights(f"{where}: found {what}; {_ADDITIVE}", hint)


def _not_summed(weight_type: str) -> str | None:
    """What to do about weights of a type that is not additive; None of one that may be."""
    word = weight_type.lower()
    if word in _RATIOS:
        return _LOGARITHM
    return _ANOTHER if any(part in word for part in _NOT_PER_COPY) else None


def _types(table: ScoreTable) -> str | None:
    """The types of the rows, where the header says none."""
    return ", ".join(numbered(table.column("weight_type"))[1]) or None


def _one_allele(column: pa.Array) -> pa.Array:
    """Alleles in capitals; several in one cell, and what is none, are gaps."""
    column = pc.utf8_upper(column)
    is_one = pc.match_substring_regex(column, _ALLELE)
    return pc.if_else(is_one, column, pa.nulls(len(column), pa.string()))


def _known(value: str | None) -> str | None:
    return None if value in GAPS else value


def _about(comments: Iterable[str]) -> dict[str, str]:
    entries = (line.lstrip("#").partition("=") for line in comments if "=" in line)
    return {key.strip(): value.strip() for key, _, value in entries}
