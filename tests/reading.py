"""Reading a genotype file in tests through the public interface, and breaking files."""

import random
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from snpredict.genotypes.detect import open_genotypes
from snpredict.genotypes.reader import GenotypeReader, ReadOptions, Selection
from snpredict.genotypes.variants import Variant, Variants, Wanted

_PIECES = b'\t|\n|\r\n|\r|,| |\0|./.|0|9|-|"|\xff|#|nan|99999999999999999999|/|:'.split(b"|")


def wanted(variants: list[Variant]) -> Wanted:
    """A model that asks for these variants."""
    return Wanted(
        [v.id if v.id is not None else f"unnamed{at}" for at, v in enumerate(variants)],
        [v.chromosome for v in variants],
        [v.position for v in variants],
    )


def read_all(
    path: Path, wants: Wanted, *, format: str | None = None, options: ReadOptions | None = None
) -> tuple[GenotypeReader, Variants, list[str], np.ndarray, np.ndarray]:
    """Every candidate as the file counts it.

    Returns
    -------
    reader, variants, samples, codes (samples, candidates) int8, fractions (same shape) float32
    """
    reader = open_genotypes(path, format=format, options=options, snps=wants)
    variants = reader.variants(wants)
    n = len(variants.candidates)
    selection = Selection(np.arange(n), np.zeros(n, bool))
    samples: list[str] = []
    codes, fractions = [np.empty((0, n), np.int8)], [np.empty((0, n), np.float32)]
    for block in reader.genotypes(selection):
        assert block.codes.dtype == np.int8
        assert block.codes.shape == (len(block.samples), n)
        assert block.samples
        samples += block.samples
        codes.append(block.codes)
        none = np.zeros(block.codes.shape, np.float32)
        fractions.append(none if block.genotypes.fractions is None else block.genotypes.fractions)
    return reader, variants, samples, np.concatenate(codes), np.concatenate(fractions)


@st.composite
def mutations(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with a few places cut, doubled, overwritten or moved."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = rng.randrange(len(data) + 1)
        length = rng.choice([1, 1, 1, 2, 4, 30, 200])
        match rng.randrange(6):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 4:
                data[at : at + 1] = rng.choice(_PIECES)
            case 5:
                other = rng.randrange(len(data) + 1)
                data[at : at + length] = data[other : other + length]
        if not data:
            break
    return bytes(data)
