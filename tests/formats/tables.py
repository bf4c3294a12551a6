"""Tables of genotype codes as text or Parquet, with samples in rows or SNPs in rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.genotypes.variants import Variant


def write_wide(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    delimiter: str = "\t",
    missing: str = "NA",
    pack=bytes,
) -> Path:
    """One row per sample, one column per SNP.

    Parameters
    ----------
    pack : callable
        Bytes to bytes, such as `gzip.compress`.
    """
    lines = [["sample", *(variant.id or "" for variant in variants)]]
    lines += [[s, *_cells(row, missing)] for s, row in zip(samples, codes, strict=True)]
    return _write_text(path, lines, delimiter, pack)


def write_snp_rows(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    annotation: tuple[str, ...] = ("snp", "chrom", "pos", "counted", "alt"),
    delimiter: str = "\t",
    missing: str = "NA",
    pack=bytes,
) -> Path:
    """One row per SNP: annotation, then one column per sample.

    Parameters
    ----------
    annotation : tuple of str
        Names of the columns of id, chromosome, position, counted and other allele; the first
        ones only where fewer are given.
    pack : callable
        Bytes to bytes, such as `gzip.compress`.
    """
    lines = [[*annotation, *samples]]
    for variant, row in zip(variants, codes.T, strict=True):
        cells = ["." if value is None else str(value) for value in variant]
        lines.append([*cells[: len(annotation)], *_cells(row, missing)])
    return _write_text(path, lines, delimiter, pack)


def write_parquet_wide(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    dtype: pa.DataType | None = None,
    **options,
) -> Path:
    """One row per sample, one column per SNP; missing is null. `options` are pyarrow's."""
    dtype = dtype or pa.int8()
    columns = {"sample": pa.array(samples)}
    columns |= {
        v.id or "": _array(column, dtype) for v, column in zip(variants, codes.T, strict=True)
    }
    pq.write_table(pa.table(columns), path, **options)
    return path


def write_parquet_rows(
    path: Path,
    samples: list[str],
    variants: list[Variant],
    codes: np.ndarray,
    *,
    dtype: pa.DataType | None = None,
    **options,
) -> Path:
    """One row per SNP, one column per sample; missing is null. `options` are pyarrow's."""
    names = ("snp", "chrom", "pos", "counted", "alt")
    columns = {
        name: pa.array(values)
        for name, values in zip(names, zip(*variants, strict=True), strict=True)
    }
    columns |= {s: _array(row, dtype or pa.int8()) for s, row in zip(samples, codes, strict=True)}
    pq.write_table(pa.table(columns), path, **options)
    return path


def _array(codes: np.ndarray, dtype: pa.DataType) -> pa.Array:
    values = pa.array([None if code < 0 else code for code in codes.tolist()], pa.int8())
    if pa.types.is_dictionary(dtype):
        return values.cast(dtype.value_type).dictionary_encode().cast(dtype)
    return values.cast(dtype)


def _cells(codes: np.ndarray, missing: str) -> list[str]:
    return [missing if code < 0 else str(code) for code in codes.tolist()]


def _write_text(path: Path, lines: list[list[str]], delimiter: str, pack) -> Path:
    text = "".join(delimiter.join(cells) + "\n" for cells in lines)
    path.write_bytes(pack(text.encode()))
    return path
