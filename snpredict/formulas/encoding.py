"""The genotype codes and the one-hot channels, stated once for both packages.

A genotype is an int8 code: 0, 1 or 2 copies of the SNP's counted allele, or −1 for missing.
The one-hot encoding has four channels in the order of the paper's generator:

======= ======================= ==============
channel genotype                one-hot
======= ======================= ==============
0       missing (−1)            ``[1,0,0,0]``
1       heterozygous (1)        ``[0,1,0,0]``
2       homozygous, code 2      ``[0,0,1,0]``
3       homozygous, code 0      ``[0,0,0,1]``
======= ======================= ==============
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MISSING = -1
N_CHANNELS = 4

#: The code that each channel stands for, in channel order.
CHANNEL_CODES: tuple[int, int, int, int] = (MISSING, 1, 2, 0)

CHANNEL_NAMES = ("missing", "heterozygous", "homozygous_2", "homozygous_0")

#: All usual spellings of a missing genotype in a table of codes, compared without case.
MISSING_SPELLINGS = ("", "nan", "na", "n", ".", "-", "-9", "-1")


def channel_of(codes: "np.ndarray") -> "np.ndarray":
    """Channel index of every genotype code.

    Parameters
    ----------
    codes : ndarray of int8, any shape
        Values −1, 0, 1, 2.

    Returns
    -------
    ndarray of int8, same shape
        Values 0..3, see the table above.
    """
    import numpy as np

    # Indexed by code, where −1 reaches the last entry.
    lookup = np.empty(N_CHANNELS, np.int8)
    lookup[list(CHANNEL_CODES)] = np.arange(N_CHANNELS, dtype=np.int8)
    return lookup[codes]


def centred_codes(means: "np.ndarray") -> "np.ndarray":
    """What each channel stands for, less the SNP's mean: ``code − mean``, 0 for missing.

    Parameters
    ----------
    means : ndarray (SNPs,) of float

    Returns
    -------
    ndarray (SNPs, 4) of the same type, channel order
    """
    import numpy as np

    columns = [np.zeros_like(means) if c == MISSING else c - means for c in CHANNEL_CODES]
    return np.stack(columns, axis=1)


def channel_weights(effects: "np.ndarray", means: "np.ndarray") -> "np.ndarray":
    """``effect · (code − mean)`` as weights of the channels; a missing genotype is the mean.

    Parameters
    ----------
    effects, means : ndarray (SNPs,) of float

    Returns
    -------
    ndarray (SNPs, 4) of float, channel order
    """
    weights = effects[:, None] * centred_codes(means)
    weights[:, CHANNEL_CODES.index(MISSING)] = 0  # and not −0, which has other bits
    return weights


def genotype_frequencies(codes: "np.ndarray") -> "np.ndarray":
    """Share of samples in each channel, per SNP.

    Parameters
    ----------
    codes : ndarray (samples, SNPs) of int8

    Returns
    -------
    ndarray (SNPs, 4) of float64, channel order; every row adds up to 1.
    """
    import numpy as np

    return np.stack([(codes == code).mean(axis=0) for code in CHANNEL_CODES], axis=1)


def unknown_in_training(frequencies: "np.ndarray") -> "np.ndarray":
    """Which SNPs have no known genotype in training: their share of missing ones is 1.

    Parameters
    ----------
    frequencies : ndarray (SNPs, 4)
        Channel order.

    Returns
    -------
    ndarray (SNPs,) of bool
    """
    return frequencies[:, CHANNEL_CODES.index(MISSING)] == 1


def assumed_frequencies(frequencies: "np.ndarray") -> "np.ndarray":
    """The frequencies, those of two equally common alleles where none are known in training.

    Parameters
    ----------
    frequencies : ndarray (SNPs, 4)
        Channel order.

    Returns
    -------
    ndarray of the same shape
    """
    import numpy as np

    even = [{MISSING: 0.0, 0: 0.25, 1: 0.5, 2: 0.25}[code] for code in CHANNEL_CODES]
    return np.where(unknown_in_training(frequencies)[:, None], even, frequencies)
