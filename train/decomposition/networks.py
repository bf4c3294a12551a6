"""What is decomposed: the fold models of one trait, out of a run or a bundle."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import MANIFEST
from snpredict.formulas.encoding import CHANNEL_CODES, assumed_frequencies
from snpredict.scoring.scorer import Scorer
from train.data.snpinfo import SnpInfo
from train.decomposition.contrasts import Contrasts
from train.decomposition.fold_functions import FoldFunction, functions_of
from train.errors import UnsuitableModel
from train.networks.presets import HomogeneousArchitecture
from train.runs.folder import Run


@dataclass(frozen=True)
class Networks:
    """Of one trait.

    Attributes
    ----------
    path : Path
    trait, unit : str
    snps : list of str
    info : SnpInfo
    frequencies : ndarray (SNPs, 4)
        Of the training set, channel order.
    functions : list of FoldFunction
    run : Run or None
        Where they come from; a bundle has no lines.
    """

    path: Path
    trait: str
    unit: str
    snps: list[str]
    info: SnpInfo
    frequencies: np.ndarray
    functions: list[FoldFunction]
    run: Run | None = None

    @property
    def haploid(self) -> bool:
        """Whether no line has two copies of any counted allele."""
        return not assumed_frequencies(self.frequencies)[:, CHANNEL_CODES.index(2)].any()

    @cached_property
    def contrasts(self) -> Contrasts:
        """At the frequencies of the training set."""
        return Contrasts.of(self.frequencies)

    @property
    def unvarying(self) -> list[str]:
        """Loci with one genotype: no effect of theirs can be seen."""
        varies = self.contrasts.additive_variance > 0
        return [snp for snp, does in zip(self.snps, varies, strict=True) if not does]


def networks_of_run(run: Run) -> Networks:
    """The networks of the finished folds of a run.

    Raises
    ------
    UnsuitableModel
        The model does not tell its layers as numbers, or takes codes for what they are not.
    """
    found = Networks(
        run.path,
        run.settings.trait,
        run.settings.unit,
        list(run.data.snps),
        run.data_folder.snp_info,
        run.data.genotypes.frequencies(),
        functions_of(run),
        run,
    )
    architecture = run.settings.preset and run.settings.preset.architecture
    if isinstance(architecture, HomogeneousArchitecture):
        kind = "haploid" if found.haploid else "diploid"
        if architecture.coding != kind:
            highest = 1 if found.haploid else 2
            raise UnsuitableModel(
                f'{run.path} was trained with coding = "{architecture.coding}", and '
                f"{run.data.source} has codes from 0 to {highest}",
                f'train it with coding = "{kind}" in a copy of the preset',
            )
    return found


def networks_of_bundle(path: Path) -> Networks:
    """The networks of a bundle, from the numbers that its graphs hand out.

    Raises
    ------
    UnsuitableModel
        The bundle's graphs do not tell their layers as numbers.
    SnpredictError
        See `snpredict.bundle.load.load_bundle`.
    """
    bundle = load_bundle(path)
    manifest, snps = bundle.manifest, bundle.snps
    function = Scorer(bundle, 1).score_function()
    if function is None:
        raise UnsuitableModel(
            f"bundle {path} does not tell its layers as numbers: it cannot be mapped exactly",
            "only bundles with a fused ensemble, or of dense layers, can be decomposed",
        )
    columns = snps.columns.to_pydict()
    info = SnpInfo(**{name: columns[name] for name in SnpInfo.__dataclass_fields__})
    scale = manifest.trait_scale
    functions = [
        FoldFunction(fold.number, function.only(at), scale.only(at).additive())
        for at, fold in enumerate(manifest.folds)
    ]
    return Networks(
        path, manifest.trait, manifest.unit, columns["id"], info, snps.frequencies, functions
    )


def is_bundle(path: Path) -> bool:
    """Whether a folder is that of a bundle."""
    return (path / MANIFEST).exists()
