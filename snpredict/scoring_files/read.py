"""A scoring file of either format: which one it is, by its beginning."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from snpredict.errors import NoRows, NotATable, UsageError
from snpredict.genotypes.source import TextSource
from snpredict.scoring_files.pgs_catalog import EFFECT_ALLELE, read_pgs
from snpredict.scoring_files.plink_score import read_plink_score
from snpredict.scoring_files.weights import Weights

#: Formats that no file of weights looks like; a column "rs" makes one look like HapMap.
_GENOTYPES = ("vcf", "bcf", "raw", "bed", "pgen", "parquet")


def read_weights(path: Path, columns: Sequence[str] = ()) -> Weights:
    """The weights of a file of the PGS Catalog, format 2.0, or of ``plink2 --score``.

    Parameters
    ----------
    path : Path
        Plain or gzip.
    columns : sequence of str, optional
        Of a file of plink2: columns of the variants' ids, the alleles and the weights, by number
        from 1 or by name.

    Raises
    ------
    BadWeights
        A weight, allele or frequency cannot be read, a variant is there twice, or a weight is not
        one per copy of an allele.
    UnsupportedFile
        Another version of the format.
    NotATable, RaggedRow, NoRows, EmptyFile, FileNotFound, TruncatedFile, UsageError
    """
    source = TextSource(path)
    if source.format in _GENOTYPES:
        raise NotATable(
            f"{path} is a file of genotypes ({source.format}), expected a file of weights, one per "
            "variant",
            "snpredict predict scores genotypes with a model",
        )
    comments: list[str] = []
    number, text, is_pgs = 0, "", False
    for number, line in source.lines(1 << 16):  # noqa: B007
        text = line.decode()
        is_pgs = EFFECT_ALLELE in text.split("\t")
        if not text.startswith("#") or is_pgs:
            break
        comments.append(text)
    else:
        raise NoRows(f"{path} has a header and no variants")
    if is_pgs or any("PGS CATALOG" in comment.upper() for comment in comments):
        if columns:
            raise UsageError(
                f"--columns is for score files of plink2, and {path} is one of the PGS Catalog",
                "leave it out: the columns of such a file have names that say what they are",
            )
        weights = read_pgs(source, comments, number, text)
    else:
        weights = read_plink_score(source, comments, number, text, columns)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(weights, about=weights.about._replace(file=path.name, sha256=sha256))
