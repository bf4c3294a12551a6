"""What a table writes is what it reads."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snpredict.bundle.entries import SimilarityEntry
from snpredict.bundle.out_of_fold import FamilyResiduals, OutOfFold
from snpredict.bundle.similarity_table import read_similarity, similarity_to_arrow
from snpredict.bundle.tables import EffectTable, SaliencyTable, SnpTable
from snpredict.formulas.sample_rates import SampleRates
from snpredict.formulas.similarity import SimilarityTable
from tests.bundles import Tiny

TINY = Tiny()
PLACE = Path("table.parquet")


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def same(one: object, two: object) -> bool:
    """Field by field, where numbers of the file may be of single precision."""
    for name, value in vars(one).items():
        other = vars(two)[name]
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, other, rtol=1e-6)
        elif hasattr(value, "__dict__"):
            assert same(value, other)
        else:
            assert value == other
    return True


def test_snps():
    table = TINY.snps()
    assert same(table, SnpTable.read(parquet(table.to_arrow()), PLACE, 12))


def test_saliency_with_and_without_effects():
    folds = ["fold_01", "fold_02", "fold_03"]
    for table, trait in (
        (TINY.saliency(ranges=True), TINY.trait),
        (TINY.saliency(), TINY.trait),
        (Tiny(affine=False).saliency(), None),
    ):
        content = parquet(table.to_arrow(TINY.ids, folds))
        assert same(table, SaliencyTable.read(content, PLACE, TINY.ids, folds, trait))


def test_ranks_are_by_size_and_ties_in_the_models_order():
    sizes = np.array([0.1, 0.5, 0.5, 0.2])
    table = SaliencyTable(sizes, sizes, sizes[:, None], None)
    assert table.rank.tolist() == [4, 1, 2, 3]
    assert table.percentile.tolist() == [25, 100, 75, 50]


def test_training_samples():
    gap = np.nan
    table = OutOfFold(
        digest=("aa", "bb", "cc"),
        fold=np.array([1, 2, 1]),
        predicted=np.array([90.0, 91.0, 92.0]),
        residual=np.array([1.0, -2.0, 0.5]),
        distance=np.array([0.1, gap, 0.3]),
        rates=SampleRates(np.array([0.0, gap, 0.5]), np.array([1.0, 0.2, 0.9])),
        families=FamilyResiduals(np.array([1, 1, 2]), np.array([1, 1, 2]), np.ones(3)),
    )
    assert same(table, OutOfFold.read(parquet(table.to_arrow()), PLACE))
    few = OutOfFold(table.digest, table.fold, table.predicted, table.residual)
    assert same(few, OutOfFold.read(parquet(few.to_arrow()), PLACE))


def test_similarity():
    table = SimilarityTable(
        snps=np.array([0, 5]),
        means=np.array([16, 3]),
        variances=np.array([256.0, 0.5]),
        loadings=np.array([[1, -63, 7], [0, 63, -7]]),
        scale=0.25,
    )
    content = parquet(similarity_to_arrow(table))
    assert same(table, read_similarity(content, PLACE, SimilarityEntry(3, 0.25), 6))


def test_linear_effects():
    table = EffectTable(np.array([0.5, -1e-9]), np.array([0.0, 1.25]))
    assert same(table, EffectTable.read(parquet(table.to_arrow(["a", "b"])), PLACE, ["a", "b"]))
