"""Scoring files cut, doubled and overwritten: read, or refused with a word of where; never else."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from snpredict.errors import SnpredictError
from snpredict.scoring_files.read import read_weights
from tests.reading import mutations

PGS = (
    b"###PGS CATALOG SCORING FILE\n#format_version=2.0\n#pgs_id=PGS1\n#genome_build=GRCh37\n"
    b"#weight_type=beta\n"
    b"rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
    b"\tallelefrequency_effect\tis_haplotype\n"
    b"rs1\t1\t100\tA\tG\t0.5\t0.25\tFalse\nrs2\t1\t200\tC\tT\t-1e-3\t\tFalse\n"
    b"\t2\t300\tT\tC\t2\t0.5\tFalse\n"
)
HARMONISED = PGS.replace(b"\tis_haplotype", b"\thm_chr\thm_pos")
for place in (b"\t1\t77", b"\t1\t78", b"\t\t"):
    HARMONISED = HARMONISED.replace(b"\tFalse", place, 1)
PLINK = b"#ID A1 BETA\nrs1 A 0.5\nrs2\tC  -1\n2:300:T:C T 2e-3\n"


@pytest.mark.parametrize("content", [PGS, HARMONISED, PLINK], ids=["pgs", "harmonised", "plink"])
def test_damaged_files(content):
    @given(mutations(content))
    def damaged(text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "score.txt")
            path.write_bytes(text)
            try:
                weights = read_weights(path)
            except SnpredictError as error:
                assert error.message
                return
        ids = weights.id.to_pylist()
        assert len(set(ids)) == len(ids) > 0
        assert None not in ids
        assert np.isfinite(weights.weight).all()
        assert not ((weights.frequency < 0) | (weights.frequency > 1)).any()

    damaged()
