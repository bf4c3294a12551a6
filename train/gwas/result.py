"""What a GWAS found, as a table, and how inflated its statistics are."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from snpredict.errors import UsageError
from train.data.snpinfo import SnpInfo
from train.errors import TrainingTableError
from train.gwas import tails
from train.gwas.linear import Tested

#: Median of χ² with one degree of freedom.
_MEDIAN = 0.45493642311957283

#: What a table of associations must have to be drawn.
_NEEDED = ("chromosome", "position", "neg_log10_p")


@dataclass(frozen=True)
class Associations:
    """A GWAS, one entry per SNP.

    Attributes
    ----------
    snps : list of str
    info : SnpInfo
    tested : Tested
    """

    snps: list[str]
    info: SnpInfo
    tested: Tested

    @property
    def neg_log10_p(self) -> np.ndarray:
        """(SNPs,) float64; NaN where a SNP could not be tested."""
        statistic, df = self.tested.statistic, self.tested.df
        normal = np.isinf(df)
        found = np.empty(len(statistic))
        found[normal] = tails.of_normal(statistic[normal])
        found[~normal] = tails.of_t(statistic[~normal], df[~normal])
        return found

    @property
    def inflation(self) -> float:
        """Genomic inflation factor λ (Devlin & Roeder 1999): median of the squared statistics over
        the median of χ². About 1 where few SNPs are associated and structure is accounted for.
        """
        squares = self.tested.statistic[np.isfinite(self.tested.statistic)] ** 2
        return float(np.median(squares) / _MEDIAN) if len(squares) else float("nan")

    def table(self) -> pa.Table:
        """The columns of docs/gwas.md; null where nothing is known."""
        t, info = self.tested, self.info

        def numbers(values: np.ndarray) -> pa.Array:
            return pa.array(values, from_pandas=True)

        return pa.table(
            {
                "snp": self.snps,
                "chromosome": pa.array(info.chromosome, pa.string()),
                "position": pa.array(info.position, pa.int64()),
                "counted_allele": pa.array(info.counted_allele, pa.string()),
                "other_allele": pa.array(info.other_allele, pa.string()),
                "n": pa.array(t.n),
                "beta": numbers(t.beta),
                "se": numbers(t.se),
                "statistic": numbers(t.statistic),
                "neg_log10_p": numbers(self.neg_log10_p),
            }
        )


def content_of(table: pa.Table, out: Path) -> bytes:
    """A table's bytes in the format that the file's name says.

    Raises
    ------
    UsageError
        The name ends neither in .tsv nor in .parquet.
    """
    check_name(out)
    stream = io.BytesIO()
    if out.suffix == ".parquet":
        parquet.write_table(table, stream)
    else:
        # Its own header is quoted.
        stream.write(("\t".join(table.column_names) + "\n").encode())
        options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        csv.write_csv(table, stream, options)
    return stream.getvalue()


def check_name(out: Path) -> None:
    """Refuse a name that says no format.

    Raises
    ------
    UsageError
    """
    if out.suffix not in (".tsv", ".parquet"):
        raise UsageError(
            f"--out {out}: a table of associations is .tsv or .parquet",
            "give a file name that ends in one of them",
        )


@dataclass(frozen=True)
class Points:
    """Values along the genome, to be drawn: −log10 p, or what a network attributes.

    Attributes
    ----------
    label : str
    snps : list of str
    chromosome : list of str
    position : ndarray (SNPs,) of float64
    values : ndarray (SNPs,) of float64
    """

    label: str
    snps: list[str]
    chromosome: list[str]
    position: np.ndarray
    values: np.ndarray


def points_of(table: pa.Table, label: str, column: str = "neg_log10_p") -> Points:
    """What of a table can be drawn: SNPs whose place is known and that have a value."""
    names = table.column("snp").to_pylist()
    chromosome = table.column("chromosome").cast(pa.string()).to_pylist()
    position = table.column("position").to_numpy(zero_copy_only=False).astype(np.float64)
    values = table.column(column).to_numpy(zero_copy_only=False).astype(np.float64)
    known = np.array([name is not None for name in chromosome], bool)
    kept = np.flatnonzero(known & np.isfinite(position) & np.isfinite(values)).tolist()
    return Points(
        label,
        [str(names[at]) for at in kept],
        [str(chromosome[at]) for at in kept],
        position[kept],
        values[kept],
    )


def read_points(path: Path, column: str | None = None) -> Points:
    """Values along the genome from a table: a GWAS, or a bundle's saliency with places.

    Parameters
    ----------
    column : str, optional
        Which one; ``neg_log10_p`` when left out.

    Raises
    ------
    TrainingTableError
        It is no such table.
    """
    wanted = column or _NEEDED[-1]
    try:
        table = (
            parquet.read_table(path)
            if path.suffix == ".parquet"
            else csv.read_csv(path, parse_options=csv.ParseOptions(delimiter="\t"))
        )
    except (pa.ArrowInvalid, OSError) as error:
        reason = " ".join(str(error).split())
        raise TrainingTableError(f"{path} cannot be read as a table: {reason}") from None
    lacking = [name for name in ("snp", *_NEEDED[:2], wanted) if name not in table.column_names]
    if lacking:
        raise TrainingTableError(
            f"{path} has no column {', '.join(lacking)}; it has {', '.join(table.column_names)}",
            "name a table that 'gwas' has written, or its column with FILE:COLUMN",
        )
    return points_of(table, f"{path.stem}, {wanted}", wanted)
