"""Summary statistics of a study as tables of any of the usual programs write them, or as a VCF.

A column is known by its name. Names whose meaning differs between programs are refused, because a
wrong effect allele turns every sign: a person says what they are.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snpredict.errors import EmptyFile, FileNotFound
from snpredict.genotypes.variants import VariantColumns
from snpredict.names import quoted
from train.deepwas.inputs.text import open_text
from train.errors import StudyFileError

if TYPE_CHECKING:
    import pandas

#: Names of columns, in small letters, by what they hold: those of GWAS-SSF, LDSC, plink2, PLINK
#: 1.9, BOLT-LMM, fastGWA, REGENIE and the PGS Catalog, and plain ones.
COLUMNS: dict[str, tuple[str, ...]] = {
    "chromosome": ("chromosome", "#chrom", "chrom", "chr", "#chr"),
    "position": ("base_pair_location", "pos", "bp", "position", "genpos_bp"),
    "id": ("rsid", "rs_id", "snp", "id", "snpid", "variant_id", "markername", "marker"),
    "effect-allele": ("effect_allele", "a1", "ea", "allele1_effect"),
    "other-allele": ("other_allele", "a2", "nea", "non_effect_allele", "omitted", "ax"),
    "beta": ("beta", "effect", "b"),
    "odds-ratio": ("odds_ratio", "or"),
    "se": ("standard_error", "se", "stderr", "log(or)_se"),
    "z": ("z", "z_score", "zscore", "z_stat", "t_stat", "z_or_t_stat"),
    "p": ("p_value", "p", "pval", "p-value", "pvalue", "p_bolt_lmm", "p_bolt_lmm_inf"),
    "log10-p": ("neg_log_10_p_value", "neg_log10_p", "log10p", "neglog10_p", "logp"),
    "n": ("n", "obs_ct", "neff", "n_eff", "sample_size"),
    "frequency": ("effect_allele_frequency", "af1", "a1_freq", "a1freq", "eaf", "freq1"),
    "info": ("info", "mach_r2", "imputation_info", "rsq", "imputationinfo"),
}

#: Pairs of names that programs use with opposite meanings.
_UNCERTAIN = {"allele1", "allele2", "allele0", "alt", "ref"}

#: Names that say that a file is BOLT-LMM's, whose ALLELE1 is the effect allele.
_BOLT = {"allele1", "allele0", "a1freq"}

_MISSING = ["", "NA", "NaN", "nan", ".", "-", "#NA", "null", "None"]


@dataclass(frozen=True)
class SummaryStatistics:
    """A row per variant, in the file's order; NaN where a number is not known.

    Attributes
    ----------
    path : Path
    variants : VariantColumns
        Counted is the effect allele.
    z : ndarray (variants,) of float64
        By the effect allele.
    n : ndarray (variants,) of float64
        People of the study.
    se : ndarray (variants,) of float64
        Standard error of the effect per copy, in the trait's units.
    frequency : ndarray (variants,) of float64
        Of the effect allele.
    info : ndarray (variants,) of float64
        Quality of the imputation.
    from_what : str
        What z was made from, in words.
    left_out : int
        Rows without a z-score or an effect allele.
    """

    path: Path
    variants: VariantColumns
    z: np.ndarray
    n: np.ndarray
    se: np.ndarray
    frequency: np.ndarray
    info: np.ndarray
    from_what: str
    left_out: int


def read_summary_statistics(
    path: Path, *, columns: Mapping[str, str] | None = None, people: float | None = None
) -> SummaryStatistics:
    """Read a file.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of columns by what they hold, for those whose names are not known; see `COLUMNS`.
    people : float, optional
        Of the study, where the file does not say.

    Raises
    ------
    FileNotFound, EmptyFile, TruncatedFile
    StudyFileError
        A column that is needed is not there or is uncertain, or a cell is not a number.
    """
    if not path.is_file():
        raise FileNotFound(f"{path} does not exist or is not a file")
    if path.stat().st_size == 0:
        raise EmptyFile(f"{path} is empty")
    if _first_line(path).startswith("##fileformat=VCF"):
        table, names = _of_vcf(path)
    else:
        table = read_texts(path)
        names = _roles(path, [str(name) for name in table.columns], columns or {})
    return _from_table(path, table, names, people)


def _first_line(path: Path) -> str:
    with open_text(path) as file:
        return file.readline()


def read_texts(path: Path) -> "pandas.DataFrame":
    """A table with a header, cells as texts and None: tabs, commas or blanks between them.

    Raises
    ------
    TruncatedFile
    StudyFileError
        Two columns have one name, or a row has more or fewer cells than the header.
    """
    import pyarrow as pa
    from pyarrow import csv

    with open_text(path) as file:
        header = next((line for line in file if not line.startswith("##")), "")
        separator = "\t" if "\t" in header else "," if "," in header else None
        names = header.rstrip("\r\n").split(separator)
        if len(set(names)) < len(names):
            twice = [name for name in names if names.count(name) > 1]
            raise StudyFileError(f"{path} has two columns {quoted(twice[:1])}")
        body = file.read()
    if separator is None:
        body = "\n".join("\t".join(line.split()) for line in body.splitlines()) + "\n"
    if not body.strip():
        raise StudyFileError(f"{path} has a header and no row below it")
    try:
        table = csv.read_csv(
            pa.py_buffer(body.encode()),
            read_options=csv.ReadOptions(column_names=names),
            parse_options=csv.ParseOptions(delimiter=separator or "\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=_MISSING,
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise StudyFileError(
            f"{path} is not a table: {error}", "every row has as many cells as the header"
        ) from None
    return table.to_pandas()


def _roles(path: Path, header: list[str], named: Mapping[str, str]) -> dict[str, str]:
    """The column of each thing, by the names that are known and those that a person gave."""
    unknown = [role for role in named if role not in COLUMNS]
    if unknown:
        raise StudyFileError(
            f"--column {unknown[0]}=…: not one of {', '.join(COLUMNS)}",
            "write --column effect-allele=NAME",
        )
    for role, name in named.items():
        if name not in header:
            raise StudyFileError(
                f"{path} has no column {name!r} for {role}; it has {quoted(header)}"
            )
    small = {name.casefold(): name for name in header}
    found = dict(named)
    for role, names in COLUMNS.items():
        there = [small[name] for name in names if name in small]
        if role not in found and there:
            found[role] = there[0]
    _alleles(path, header, small, found)
    if "id" not in found and not {"chromosome", "position"} <= set(found):
        raise StudyFileError(
            f"{path} names its variants neither by id nor by place; it has {quoted(header)}",
            "say which columns do: --column id=NAME, or chromosome and position",
        )
    if "z" not in found and not _effects(found):
        raise StudyFileError(
            f"{path} has no z-scores, and nothing to make them of; it has {quoted(header)}",
            "z, or beta with se or p, or an odds ratio with p: --column beta=NAME",
        )
    return found


def _effects(found: Mapping[str, str]) -> bool:
    sign, size = {"beta", "odds-ratio"} & set(found), {"se", "p", "log10-p"} & set(found)
    return bool(sign) and bool(size)


def _alleles(path: Path, header: list[str], small: dict[str, str], found: dict[str, str]) -> None:
    """The alleles' columns, where their names leave no doubt."""
    if "effect-allele" not in found and set(small) >= _BOLT:
        found["effect-allele"] = small["allele1"]
        found.setdefault("other-allele", small["allele0"])
    if "effect-allele" in found and "other-allele" in found:
        return
    if "effect-allele" in found and {"ref", "alt"} <= set(small):
        return  # plink2: the other one of the two
    uncertain = [small[name] for name in small if name in _UNCERTAIN]
    lacking = "effect allele" if "effect-allele" not in found else "other allele"
    more = f"; what {quoted(uncertain)} mean differs between programs" if uncertain else ""
    raise StudyFileError(
        f"{path}: no column is known to be the {lacking}{more}; it has {quoted(header)}",
        "say which are: --column effect-allele=NAME --column other-allele=NAME",
    )


def _from_table(
    path: Path, table: "pandas.DataFrame", names: Mapping[str, str], people: float | None
) -> SummaryStatistics:
    def numbers(role: str) -> np.ndarray | None:
        return numbers_of(path, table, names[role]) if role in names else None

    z, from_what = _z_scores(numbers)
    effect = _texts(table[names["effect-allele"]], upper=True)
    other = _other_allele(table, names, effect)
    n = numbers("n")
    if n is None:
        if people is None:
            raise StudyFileError(
                f"{path} does not say how many people were studied",
                "say it with --people N, or which column does with --column n=NAME",
            )
        n = np.full(len(table), float(people))
    place = numbers("position")
    good = np.isfinite(z) & np.isfinite(n) & (n > 0)
    good &= np.array([allele is not None for allele in effect])
    if not good.any():
        raise StudyFileError(
            f"{path}: no row has a z-score, an effect allele and a number of people"
        )
    none = np.full(len(table), np.nan)
    columns = {
        "id": _texts(table[names["id"]]) if "id" in names else [None] * len(table),
        "chromosome": _texts(table[names["chromosome"]])
        if "chromosome" in names
        else [None] * len(table),
        "position": [None] * len(table)
        if place is None
        else [int(p) if np.isfinite(p) else None for p in place.tolist()],
        "counted": effect,
        "other": other,
    }

    def of(role: str) -> np.ndarray:
        values = numbers(role)
        return (none if values is None else values)[good]

    return SummaryStatistics(
        path=path,
        variants=_variants(columns, good),
        z=z[good],
        n=n[good],
        se=of("se") if "beta" in names else none[good],
        frequency=of("frequency"),
        info=of("info"),
        from_what=from_what,
        left_out=int((~good).sum()),
    )


def _variants(columns: dict[str, list], rows: np.ndarray) -> VariantColumns:
    import pyarrow as pa

    from snpredict.genotypes.text_columns import texts, whole_numbers

    at = np.flatnonzero(rows).tolist()
    kept = {name: [values[row] for row in at] for name, values in columns.items()}
    arrays = {
        name: whole_numbers(values) if name == "position" else texts(values)
        for name, values in kept.items()
    }
    return VariantColumns.of_table(pa.table(arrays))


def _texts(column: "pandas.Series", upper: bool = False) -> list[str | None]:
    return [
        (value.upper() if upper else value) if isinstance(value, str) else None
        for value in column.tolist()
    ]


def _other_allele(
    table: "pandas.DataFrame", names: Mapping[str, str], effect: list[str | None]
) -> list[str | None]:
    if "other-allele" in names:
        return _texts(table[names["other-allele"]], upper=True)
    small = {str(name).casefold(): str(name) for name in table.columns}
    ref, alt = (_texts(table[small[name]], upper=True) for name in ("ref", "alt"))
    return [a if e == r else r for e, r, a in zip(effect, ref, alt, strict=True)]


def numbers_of(path: Path, table: "pandas.DataFrame", name: str) -> np.ndarray:
    """A column of texts as float64, NaN for gaps.

    Raises
    ------
    StudyFileError
        A cell is not a number.
    """
    import pandas

    values = pandas.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(values) & table[name].notna().to_numpy())
    if len(wrong):
        raise StudyFileError(
            f"{path}: column {name!r}, row {wrong[0] + 1} below the header: found "
            f"{table[name].iloc[wrong[0]]!r}, expected a number or NA"
        )
    return values


def _z_scores(numbers: Any) -> tuple[np.ndarray, str]:
    """z-scores of what is there: the statistic itself, effect and error, or sign and p-value."""
    from scipy.special import ndtri

    z, beta, se, ratio = (numbers(role) for role in ("z", "beta", "se", "odds-ratio"))
    if z is not None:
        return z, "z"
    with np.errstate(divide="ignore", invalid="ignore"):
        if beta is not None and se is not None:
            return np.where(se > 0, beta / se, np.nan), "beta / se"
        sign = np.sign(beta if beta is not None else np.log(ratio))
        log10_p = numbers("log10-p")
        if log10_p is not None:
            return sign * _from_log10(log10_p), "the sign of the effect and the p-value"
        p = numbers("p")
        return sign * -ndtri(np.maximum(p, 1e-300) / 2), "the sign of the effect and the p-value"


def _from_log10(log10_p: np.ndarray) -> np.ndarray:
    """|z| of −log10 p, however small p is."""
    from scipy.special import ndtri_exp

    return -ndtri_exp(-log10_p * math.log(10) - math.log(2))


def _of_vcf(path: Path) -> tuple["pandas.DataFrame", dict[str, str]]:
    """A GWAS-VCF: ALT is the effect allele, and FORMAT holds ES, SE, LP, AF, SS, EZ, SI."""
    import pandas

    fields = {"ES": "beta", "SE": "se", "LP": "log10-p", "AF": "frequency", "SS": "n", "EZ": "z"}
    fields["SI"] = "info"
    rows: list[list[str | None]] = []
    for number, cells in _records(path):
        if len(cells) != 10:
            raise StudyFileError(
                f"{path}, line {number}: found {len(cells)} cells, expected the 10 of one study"
            )
        if "," in cells[4]:
            continue
        own = dict(zip(cells[8].split(":"), cells[9].split(":"), strict=False))
        values = [own.get(field, "").split(",")[0] for field in fields]
        rows.append(
            [v if v not in _MISSING else None for v in [*cells[:3], cells[4], cells[3], *values]]
        )
    if not rows:
        raise StudyFileError(f"{path} has no variant of one alternative allele")
    roles = ["chromosome", "position", "id", "effect-allele", "other-allele", *fields.values()]
    table = pandas.DataFrame(rows, columns=roles)
    there = {role: role for role in roles if table[role].notna().any()}
    if "z" not in there and not _effects(there):
        raise StudyFileError(
            f"{path} is a VCF without summary statistics",
            "a GWAS-VCF has ES and SE, or EZ, in its FORMAT",
        )
    return table, there


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("#") and line.strip():
                yield number, line.rstrip("\r\n").split("\t")
