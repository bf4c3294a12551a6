"""A tiny bundle, built from numbers that a test chooses or draws."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from snpredict.bundle.entries import Fold, LinkEntry, Training
from snpredict.bundle.manifest import CONTINUOUS, ENSEMBLE, LINEAR, NETWORK, Manifest
from snpredict.bundle.out_of_fold import FamilyResiduals, OutOfFold
from snpredict.bundle.tables import EffectTable, SaliencyTable, SnpTable
from snpredict.bundle.write import write_bundle
from snpredict.formulas.effects import average_effects, effect_ranges
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.links import Isru, TraitScale
from snpredict.formulas.score_function import ScoreFunction
from train.bundle.ensemble_onnx import fused_ensemble
from train.networks.score import HiddenPart, function_of


@dataclass
class Tiny:
    """Everything that a bundle is made of; the defaults are random numbers of a fixed seed.

    With `units` every fold has a hidden layer of that many units over half of the SNPs.
    Half of the SNPs lie on chromosome Gm01, the others on Gm02, 1000 base pairs apart.
    """

    n_snps: int = 12
    n_folds: int = 3
    alpha: float = 0.2
    affine: bool = True
    name: str = "tiny"
    ids: list[str] = field(default_factory=list)
    weights: Any = None
    bias: Any = None
    center: Any = None
    scale: Any = None
    frequencies: Any = None
    units: int = 0
    hidden: HiddenPart | None = None

    def __post_init__(self):
        rng = np.random.default_rng(7)
        n, k = self.n_snps, self.n_folds

        def given(value, drawn):
            return drawn if value is None else np.asarray(value, float)

        self.ids = self.ids or [f"Gm{1 + 2 * j // n:02d}_{1000 * (j + 1)}_A_G" for j in range(n)]
        self.weights = given(self.weights, rng.normal(0, 0.3, (n, 4, k))).astype(np.float32)
        self.bias = given(self.bias, rng.normal(0, 0.3, k)).astype(np.float32)
        self.center = given(self.center, 90 + rng.normal(0, 1, k))
        self.scale = given(self.scale, 10 + rng.normal(0, 0.2, k))
        self.frequencies = given(self.frequencies, rng.dirichlet([1, 2, 4, 4], n))

        if self.units:
            half = (k, max(1, n // 2))
            self.hidden = HiddenPart(
                snps=np.stack([rng.permutation(n)[: half[1]] for _ in range(k)]),
                means=rng.uniform(0, 2, half).astype(np.float32),
                grid=rng.integers(-127, 128, (*half, self.units), dtype=np.int8),
                snp_scale=rng.uniform(0.5, 2, half).astype(np.float32),
                unit_scale=rng.uniform(0.5, 2, (k, self.units)).astype(np.float32) / 127,
                bias=rng.normal(0, 1, (k, self.units)).astype(np.float32),
                output=rng.normal(0, 0.5, (k, self.units)).astype(np.float32),
            )

    # --- parts -----------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        metrics = {"pcc": 0.7, "mae": 5.0, "mse": 40.0, "r2": 0.5}
        return Manifest(
            name=self.name,
            description="random numbers for tests",
            trait="height",
            unit="cm",
            kind=NETWORK,
            task=CONTINUOUS,
            link=LinkEntry("isru", self.alpha),
            genotype_coding="copies of the counted allele",
            n_snps=self.n_snps,
            ensemble=ENSEMBLE if self.affine else None,
            folds=tuple(
                Fold(
                    number=f + 1,
                    model=f"folds/fold_{f + 1:02d}.onnx",
                    center=float(self.center[f]),
                    scale=float(self.scale[f]),
                    n_train=80,
                    n_validation=10,
                    n_test=10,
                    best_epoch=3,
                    epochs=5,
                    metrics=metrics,
                )
                for f in range(self.n_folds)
            ),
            metrics={"pcc_mean": 0.7, "pcc_sd": 0.02, "within_family_pcc_mean": None},
            preset={"name": "test"},
            seed=7,
            training=Training(table="none.tsv", samples=100),
            created="2025-01-01T00:00:00Z",
            licence="CC0-1.0",
            source="made up",
        )

    def snps(self) -> SnpTable:
        n = self.n_snps
        return SnpTable.of(
            ids=tuple(self.ids),
            chromosome=tuple(f"Gm{1 + 2 * j // n:02d}" for j in range(n)),
            position=tuple(1000 * (j + 1) for j in range(n)),
            counted_allele=("A",) * n,
            other_allele=("G",) * n,
            frequencies=self.frequencies,
        )

    def effect_ranges(self) -> np.ndarray:
        """Percentiles of the effects over 20 drawn lines, (SNPs, 4, 2)."""
        lines = Genotypes(self.draw(20))
        return effect_ranges(self.function(), self.trait, self.frequencies, lines)

    def saliency(self, ranges: bool = False) -> SaliencyTable:
        strength = np.abs(self.weights).max(axis=1)
        mean = strength.mean(axis=1)
        effects = average_effects(self.function(), self.trait, self.frequencies)
        return SaliencyTable(
            saliency=mean,
            centered=mean / 2,
            per_fold=strength,
            effects=effects if self.affine else None,
            effect_ranges=self.effect_ranges() if ranges else None,
        )

    def saliency_columns(self, ranges: bool = False) -> pa.Table:
        return self.saliency(ranges).to_arrow(self.ids, [f.name for f in self.manifest().folds])

    def out_of_fold(
        self,
        digests: tuple[str, ...] = ("aa", "bb"),
        folds: tuple[int, ...] = (1, 1),
        residuals: tuple[float, ...] = (0.5, 0.5),
        **more: Any,
    ) -> OutOfFold:
        """Samples with these residuals, and further columns."""
        n = len(digests)
        residual = np.array(residuals, float) if len(residuals) == n else np.full(n, 0.5)
        return OutOfFold(digests, np.array(folds, float), np.full(n, 90.0), residual, **more)

    def residuals(
        self,
        folds: list[int],
        residuals: list[float],
        families: FamilyResiduals | None = None,
    ) -> OutOfFold:
        """Samples without names, with these residuals."""
        digests = tuple(f"{at:x}" for at in range(len(folds)))
        return self.out_of_fold(digests, tuple(folds), tuple(residuals), families=families)

    @property
    def trait(self) -> TraitScale:
        """What turns scores into predictions."""
        return TraitScale(self.center, self.scale, Isru(self.alpha))

    def function(self) -> ScoreFunction:
        """The score as numbers."""
        return function_of(self.weights, self.bias, self.hidden)

    def ensemble(self) -> bytes:
        return fused_ensemble(
            self.weights, self.bias, self.center, self.scale, self.alpha, self.hidden
        )

    def fold_model(self, f: int) -> bytes:
        """One fold alone: the fused graph of one fold, its folds axis taken away."""
        part = slice(f, f + 1)
        fused = onnx.load_from_string(
            fused_ensemble(
                self.weights[:, :, part],
                self.bias[part],
                self.center[part],
                self.scale[part],
                self.alpha,
                self.hidden and HiddenPart(**{k: v[part] for k, v in vars(self.hidden).items()}),
            )
        )
        graph = fused.graph
        del graph.output[:]
        for node in graph.node:
            node.output[:] = ["column" if n == "prediction" else n for n in node.output]
        graph.initializer.append(numpy_helper.from_array(np.array([1]), "folds_axis"))
        graph.node.append(helper.make_node("Squeeze", ["column", "folds_axis"], ["prediction"]))
        graph.output.append(
            helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["samples"])
        )
        return fused.SerializeToString()

    def models(self) -> dict[str, bytes]:
        """All ONNX files by their paths."""
        models = {f"folds/fold_{f + 1:02d}.onnx": self.fold_model(f) for f in range(self.n_folds)}
        return models | ({ENSEMBLE: self.ensemble()} if self.affine else {})

    # --- whole -----------------------------------------------------------------------------

    def write(self, target: Path, **changed: Any) -> Path:
        """Write the bundle, its parts replaced by those in `changed`."""
        parts: dict[str, Any] = {
            "manifest": self.manifest(),
            "snps": self.snps(),
            "saliency": self.saliency(),
            "out_of_fold": self.out_of_fold(),
            "models": self.models(),
            "card": "# tiny\n",
        }
        write_bundle(target, **(parts | changed))
        return target

    def table(self, codes: np.ndarray, samples: list[str] | None = None) -> str:
        """A TSV of genotypes, missing as NA."""
        samples = samples or [f"s{row}" for row in range(len(codes))]
        rows = [["sample", *self.ids]]
        for sample, row in zip(samples, codes.tolist(), strict=True):
            rows.append([sample, *("NA" if code < 0 else str(code) for code in row)])
        return "".join("\t".join(row) + "\n" for row in rows)

    def draw(self, n_samples: int, seed: int = 1) -> np.ndarray:
        """Genotypes at random, a tenth of them missing."""
        codes = np.array([-1, 0, 1, 2], np.int8)
        rng = np.random.default_rng(seed)
        return rng.choice(codes, (n_samples, self.n_snps), p=[0.1, 0.3, 0.3, 0.3])

    def expected(self, codes: np.ndarray) -> np.ndarray:
        """Predictions of all folds by the formula, cell by cell, in float64."""
        channel = {-1: 0, 1: 1, 2: 2, 0: 3}
        out = np.empty((len(codes), self.n_folds))
        for row, sample in enumerate(codes.tolist()):
            for f in range(self.n_folds):
                z = float(self.bias[f])
                for snp, code in enumerate(sample):
                    z += float(self.weights[snp, channel[code], f])
                z += self._curved(sample, f)
                out[row, f] = self.center[f] + self.scale[f] * z / (1 + self.alpha * z * z) ** 0.5
        return out

    def _curved(self, sample: list[int], f: int) -> float:
        """What the hidden layer of a fold adds, unit by unit."""
        if self.hidden is None:
            return 0.0
        h, total = self.hidden, 0.0
        for unit in range(self.units):
            s = float(h.bias[f, unit])
            for at, snp in enumerate(h.snps[f].tolist()):
                if sample[snp] != -1:
                    weight = float(h.grid[f, at, unit]) * float(h.snp_scale[f, at])
                    s += (
                        weight
                        * float(h.unit_scale[f, unit])
                        * (sample[snp] - float(h.means[f, at]))
                    )
            total += float(h.output[f, unit]) * s / (1 + math.exp(-s))
        return total


def with_columns(snps: SnpTable, **columns: Any) -> SnpTable:
    """The same SNPs, some of their columns replaced."""
    return SnpTable.of(
        **{
            **{("ids" if n == "id" else n): snps.columns[n] for n in snps.columns.column_names},
            "frequencies": snps.frequencies,
            **columns,
        }
    )


def write_linear(target: Path, effects: list[float], means: list[float], **changed: Any) -> Path:
    """A linear bundle of SNPs rs1, rs2 … with these effects and mean codes.

    Frequencies are those of homozygotes alone with these means; `changed` are other entries of the
    manifest.
    """
    n = len(effects)
    half = np.array(means) / 2
    entries: dict[str, Any] = {
        "name": "sum",
        "trait": "height",
        "unit": "cm",
        "n_snps": n,
        "kind": LINEAR,
        "task": CONTINUOUS,
        "link": LinkEntry("identity"),
        "folds": (Fold(number=1, model=None, center=100.0, scale=10.0),),
    }
    write_bundle(
        target,
        Manifest(**(entries | changed)),
        "# sum\n",
        snps=SnpTable.of(
            ids=tuple(f"rs{at + 1}" for at in range(n)),
            chromosome=("1",) * n,
            position=tuple(range(100, 100 + n)),
            counted_allele=("A",) * n,
            other_allele=("G",) * n,
            frequencies=np.stack([0 * half, 0 * half, half, 1 - half], axis=1),
        ),
        effects=EffectTable(np.array(effects, float), np.array(means, float)),
    )
    return target
