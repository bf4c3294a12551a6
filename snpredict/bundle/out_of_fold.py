"""The samples that a model was trained on, and the one fold that can predict each honestly.

A bundle holds a digest of every training genotype and the fold that had it as a test sample. A
scored sample of that digest has trained all other fold models, or stopped their training: only
its own fold's prediction is one of a sample not seen before.
"""

import hashlib

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.bundle.manifest import OUT_OF_FOLD
from snpredict.bundle.parquet_columns import NUMBERS, TEXT, Columns

#: What `TrainingSet.held_out_by` says of a sample that was not in the training set, and of one
#: that was tested in several folds, so that every fold model has seen its genotype.
NEW, SEEN_BY_ALL = -1, -2


def genotype_digest(codes: np.ndarray) -> str:
    """SHA-256 of one sample's codes (SNPs,) int8 in model order, missing as −1."""
    return hashlib.sha256(np.ascontiguousarray(codes, np.int8).tobytes()).hexdigest()


class TrainingSet:
    """Digests of a bundle's training genotypes.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle):
        columns = Columns(
            bundle.files[OUT_OF_FOLD],
            bundle.path / OUT_OF_FOLD,
            kinds={"digest": TEXT, "fold": NUMBERS},
        )
        place = {fold.number: at for at, fold in enumerate(bundle.manifest.folds)}
        self._fold_of: dict[str, int] = {}
        folds = columns.matrix(["fold"])[:, 0].tolist()
        for digest, fold in zip(columns.texts("digest", nullable=False), folds, strict=True):
            at = place.get(int(fold), SEEN_BY_ALL)
            if self._fold_of.setdefault(digest, at) != at:
                self._fold_of[digest] = SEEN_BY_ALL

    def held_out_by(self, codes: np.ndarray) -> np.ndarray:
        """For each sample the place of the fold model that did not see it.

        Found only where all genotypes are those of the training set, missing ones included: a
        file that lacks a SNP, or has one more call, is of new samples.

        Parameters
        ----------
        codes : ndarray (samples, SNPs) of int8

        Returns
        -------
        ndarray (samples,) of int64
            Place in the bundle's folds, `NEW` or `SEEN_BY_ALL`.
        """
        found = [self._fold_of.get(genotype_digest(row), NEW) for row in codes]
        return np.array(found, np.int64)
