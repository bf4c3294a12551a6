import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snpredict.errors import OutputError
from snpredict.genotypes.reader import Selection
from snpredict.genotypes.spool import PackedRows, Spool, pack, row_bytes

# Five samples: the first has the lowest bits of the first byte.
CODES = np.array([[2, -1, 1, 0, 2], [0, 0, 0, 0, 0], [-1, -1, -1, -1, -1]], np.int8)
#           0,1,-1,2 → 11 10 01 00, and 2 → 00
ROWS = bytes([0b11_10_01_00, 0b00, 0b11_11_11_11, 0b11, 0b01_01_01_01, 0b01])
SAMPLES = ["a", "b", "c", "d", "e"]


def selection(variants, swapped=None) -> Selection:
    variants = np.array(variants, np.int64)
    none = np.zeros(len(variants), bool)
    return Selection(variants, none if swapped is None else np.array(swapped, bool))


def read(blocks, n_snps):
    """Samples, codes and fractions of all blocks."""
    samples = []
    codes, fractions = [np.empty((0, n_snps), np.int8)], [np.empty((0, n_snps), np.float32)]
    for block in blocks:
        assert block.samples
        assert block.codes.dtype == np.int8
        assert block.codes.flags.c_contiguous
        assert block.codes.shape == (len(block.samples), n_snps)
        samples += block.samples
        codes.append(block.codes)
        none = np.zeros(block.codes.shape, np.float32)
        fractions.append(none if block.genotypes.fractions is None else block.genotypes.fractions)
    return samples, np.concatenate(codes), np.concatenate(fractions)


def packed_rows(content: bytes, samples, offset=0):
    file = tempfile.TemporaryFile()  # noqa: SIM115, closed when it is collected
    file.write(content)
    file.flush()
    return PackedRows(file, samples, offset)


def expected(codes: np.ndarray, chosen: Selection) -> np.ndarray:
    """Plain look-up, SNP by SNP."""
    columns = []
    for row, swapped in zip(chosen.variants, chosen.swapped, strict=True):
        column = codes[row] if row >= 0 else np.full(codes.shape[1], -1)
        columns.append(np.where(column < 0, -1, 2 - column if swapped else column))
    return np.array(columns, np.int8).reshape(len(columns), codes.shape[1]).T


def test_bytes_worked_out_by_hand():
    # The spare bits of the last byte are of no sample.
    assert (pack(CODES) & np.array([255, 3], np.uint8)).tobytes() == ROWS
    samples, codes, _ = read(packed_rows(ROWS, SAMPLES).blocks(selection([0, 1, 2])), 3)
    assert samples == SAMPLES
    assert codes.T.tolist() == CODES.tolist()


def test_rows_behind_an_offset():
    rows = packed_rows(b"xyz" + ROWS, SAMPLES, offset=3)
    assert read(rows.blocks(selection([2, 0])), 2)[1].T.tolist() == CODES[[2, 0]].tolist()


def test_rows_far_apart_and_side_by_side():
    codes = np.random.default_rng(1).integers(-1, 3, (100, 9)).astype(np.int8)
    rows = packed_rows(b"xyz" + pack(codes).tobytes(), list("abcdefghi"), offset=3)
    for chosen in ([97, 3], [50], range(40, 60), range(100)):
        found = read(rows.blocks(selection(chosen)), len(chosen))[1]
        assert found.T.tolist() == codes[list(chosen)].tolist()


@pytest.mark.parametrize(
    ("variants", "swapped", "snps"),
    [
        pytest.param([0, 1], [True, False], [[0, -1, 1, 2, 0], [0] * 5], id="one swapped"),
        pytest.param([2], [True], [[-1] * 5], id="missing stays missing"),
        pytest.param([1, 1], [False, True], [[0] * 5, [2] * 5], id="a row twice"),
        pytest.param([-1, 1], [False, False], [[-1] * 5, [0] * 5], id="an absent SNP"),
        pytest.param([-1], [True], [[-1] * 5], id="absent SNPs only"),
        pytest.param([], [], [], id="no SNP"),
    ],
)
def test_selections(variants, swapped, snps):
    rows = packed_rows(ROWS, SAMPLES)
    samples, codes, _ = read(rows.blocks(selection(variants, swapped)), len(variants))
    assert samples == SAMPLES
    assert codes.T.tolist() == snps


@pytest.mark.parametrize(("n_samples", "n_bytes"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_row_bytes(n_samples, n_bytes):
    assert row_bytes(n_samples) == n_bytes


def test_dosages_are_codes_and_fractions():
    with Spool(["a", "b", "c", "d"]) as spool:
        spool.append(np.array([[0, 1, 2, -1]], np.int8))
        spool.append_dosages(np.array([0.25, 1.5, 2, np.nan], np.float32))
        chosen = selection([1, 1, 0], [False, True, False])
        _, codes, fractions = read(spool.blocks(chosen), 3)
    assert codes.T.tolist() == [[0, 1, 2, -1], [1, 0, 0, -1], [0, 1, 2, -1]]
    assert fractions.T.tolist() == [[0.25, 0.5, 0, 0], [0.75, 0.5, 0, 0], [0, 0, 0, 0]]


def test_dosages_that_are_whole_numbers_are_hard_calls():
    with Spool(["a", "b", "c"]) as spool:
        spool.append_dosages(np.array([0, np.nan, 2], np.float32))
        (block,) = spool.blocks(selection([0]))
    assert block.genotypes.fractions is None
    assert block.codes.T.tolist() == [[0, -1, 2]]


def test_an_empty_spool_has_absent_snps():
    with Spool(["a", "b"]) as spool:
        assert read(spool.blocks(selection([-1, -1])), 2)[1].tolist() == [[-1, -1]] * 2


def test_blocks_can_be_left_early():
    with Spool([str(n) for n in range(2000)]) as spool:
        spool.append(np.ones((3, 2000), np.int8))
        blocks = spool.blocks(selection([2, 0]))
        first = next(blocks)
        assert 1 <= len(first.samples) < 2000
        blocks.close()


def test_pack_leaves_its_argument_alone():
    codes = CODES.copy()
    pack(codes)
    np.testing.assert_array_equal(codes, CODES)


@st.composite
def tables(draw):
    """Codes (variants, samples), where the rows are cut into appends, and a selection."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_samples = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 255, 256, 257, 1030]) | st.integers(1, 600))
    n_variants = draw(st.integers(1, 40))
    codes = rng.integers(-1, 3, (n_variants, n_samples)).astype(np.int8)
    match draw(st.sampled_from(["all", "span", "some", "some"])):
        case "all":
            variants = np.arange(n_variants)
        case "span":
            variants = np.arange(draw(st.integers(0, n_variants - 1)), n_variants)
        case _:
            variants = rng.integers(-1, n_variants, draw(st.integers(0, 60)))
    swapped = rng.random(len(variants)) < draw(st.sampled_from([0, 0.5, 1]))
    return codes, draw(st.integers(0, n_variants)), Selection(variants, swapped)


@settings(max_examples=100)
@given(tables())
def test_what_was_packed_comes_back(table):
    codes, cut, chosen = table
    samples = [f"s{n}" for n in range(codes.shape[1])]
    rows = packed_rows(pack(codes).tobytes(), samples)
    with Spool(samples) as spool:
        spool.append(codes[:cut])
        spool.append(codes[cut:])
        for blocks in (rows.blocks(chosen), spool.blocks(chosen)):
            found, read_codes, fractions = read(blocks, len(chosen.variants))
            assert found == samples
            np.testing.assert_array_equal(read_codes, expected(codes, chosen))
            assert not fractions.any()


@settings(max_examples=50)
@given(tables(), st.integers(0, 2**32))
def test_dosages_come_back(table, seed):
    codes, _, chosen = table
    rng = np.random.default_rng(seed)
    n_samples = codes.shape[1]
    # A multiple of 2⁻¹⁴ as in .pgen, so that 2 − d is exact.
    dosages = np.where(codes < 0, np.nan, rng.integers(0, 2**15 + 1, codes.shape) / 2**14)
    hard = rng.random(len(codes)) < 0.5
    dosages[hard] = np.where(codes < 0, np.nan, codes)[hard]
    with Spool([str(n) for n in range(n_samples)]) as spool:
        for row in dosages.astype(np.float32):
            spool.append_dosages(row)
        _, read_codes, fractions = read(spool.blocks(chosen), len(chosen.variants))
    for snp, (row, swapped) in enumerate(zip(chosen.variants, chosen.swapped, strict=True)):
        wanted = np.full(n_samples, np.nan) if row < 0 else dosages[row]
        wanted = 2 - wanted if swapped else wanted
        missing = np.isnan(wanted)
        np.testing.assert_array_equal(read_codes[:, snp] == -1, missing)
        found = read_codes[:, snp] + fractions[:, snp]
        np.testing.assert_array_equal(found[~missing], wanted[~missing])
    assert ((fractions >= 0) & (fractions < 1)).all()
    assert not fractions[(read_codes == -1) | (read_codes == 2)].any()


def test_no_folder_for_temporary_files(monkeypatch):
    """As in a container with a read-only root."""
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with pytest.raises(OutputError, match="a temporary file cannot be made") as caught:
        Spool(SAMPLES)
    assert "--tmpfs /tmp" in caught.value.hint
