"""Blocks of any size become tiles of one size."""

import numpy as np
import pytest

from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.reader import GenotypeBlock
from snpredict.scoring.tiles import MAX_ROWS, tiles

CODES = np.random.default_rng(1).integers(-1, 3, (200, 5)).astype(np.int8)
NAMES = [f"s{row}" for row in range(200)]


def blocks(sizes: list[int], dosages_in: int | None = None):
    start = 0
    for at, size in enumerate(sizes):
        rows = slice(start, start + size)
        fractions = np.full((size, 5), 0.25, np.float32) if at == dosages_in else None
        yield GenotypeBlock(NAMES[rows], Genotypes(CODES[rows], fractions))
        start += size


@pytest.mark.parametrize("sizes", [[200], [1] * 200, [64, 64, 72], [63, 1, 130, 6], [3, 197]])
def test_every_tile_has_all_rows_and_no_sample_is_lost(sizes):
    made = list(tiles(blocks(sizes), n_snps=5))
    assert {len(tile.genotypes) for tile in made} == {MAX_ROWS}
    assert [name for tile in made for name in tile.samples] == NAMES
    together = np.concatenate([tile.genotypes.codes[: len(tile.samples)] for tile in made])
    np.testing.assert_array_equal(together, CODES)
    assert (made[-1].genotypes.codes[len(made[-1].samples) :] == -1).all()


def test_a_tile_that_was_handed_out_is_not_written_to_again():
    made = list(tiles(blocks([10] * 20), n_snps=5))
    np.testing.assert_array_equal(made[0].genotypes.codes, CODES[:MAX_ROWS])


def test_dosages_stay_with_their_samples():
    first, second, *_ = tiles(blocks([60, 4, 136], dosages_in=1), n_snps=5)
    assert (first.genotypes.fractions[:60] == 0).all()
    assert (first.genotypes.fractions[60:] == 0.25).all()
    assert second.genotypes.fractions is None


def test_very_many_snps_make_smaller_tiles():
    codes = np.zeros((3, 3_000_000), np.int8)
    made = list(tiles([GenotypeBlock(NAMES[:3], Genotypes(codes))], n_snps=3_000_000))
    assert [len(tile.genotypes) for tile in made] == [1, 1, 1]
