"""A scoring file of the PGS Catalog's format 2.0, written."""

from collections.abc import Mapping, Sequence

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.scoring_files.pgs_catalog import (
    CHROMOSOME,
    EFFECT_ALLELE,
    FREQUENCY,
    OTHER_ALLELE,
    POSITION,
    RS_ID,
    VERSION,
    WEIGHT,
)

_FIRST_LINE = (
    "###PGS CATALOG SCORING FILE - see "
    "https://www.pgscatalog.org/downloads/#dl_ftp_scoring for additional information"
)


def pgs_file(
    snps: SnpTable,
    weights: np.ndarray,
    frequency: np.ndarray,
    about: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> bytes:
    """The content of such a file.

    Parameters
    ----------
    snps : SnpTable
        The counted allele is the effect allele.
    weights : ndarray (SNPs,) of float64
        NaN for a SNP without one, which is left out, as one without a counted allele.
    frequency : ndarray (SNPs,) of float64
        Of the effect allele; NaN where it is not known.
    about : mapping of str to str
        Entries of the header, ``#name=value``.
    remarks : sequence of str
        Further lines of the header.
    """
    kept = [at for at in np.flatnonzero(np.isfinite(weights)).tolist() if snps.counted_allele[at]]
    names = (RS_ID, CHROMOSOME, POSITION, EFFECT_ALLELE, OTHER_ALLELE, WEIGHT, FREQUENCY)
    header = [
        _FIRST_LINE,
        f"#format_version={VERSION}",
        "##POLYGENIC SCORE (PGS) INFORMATION",
        *(f"#{name}={' '.join(value.split())}" for name, value in about.items()),
        f"#variants_number={len(kept)}",
        *(f"##{' '.join(remark.split())}" for remark in remarks),
    ]
    lines = [*header, "\t".join(names)]
    for at in kept:
        p = frequency[at]
        cells = (
            snps.ids[at],
            snps.chromosome[at],
            snps.position[at],
            snps.counted_allele[at],
            snps.other_allele[at],
            repr(float(weights[at])),
            repr(float(p)) if np.isfinite(p) else None,
        )
        lines.append("\t".join("" if cell is None else str(cell) for cell in cells))
    return ("\n".join(lines) + "\n").encode()
