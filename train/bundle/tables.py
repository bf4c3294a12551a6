"""The tables of a bundle, made from a run's folds."""

import numpy as np
import pyarrow as pa

from snpredict.bundle.manifest import fold_name
from snpredict.bundle.out_of_fold import genotype_digest
from snpredict.formulas.effects import PERCENTILES
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from snpredict.formulas.genotypes import Genotypes
from snpredict.formulas.sample_rates import sample_rates
from train.data.snpinfo import SnpInfo
from train.runs.folder import Run
from train.runs.left_out import LeftOut

#: Training lines over which the ranges of effects are taken, at most: the time that they take
#: grows with their number, and the percentiles hardly move any more.
EFFECT_LINES = 200


def some_lines(codes: np.ndarray, seed: int) -> np.ndarray:
    """The genotypes of at most `EFFECT_LINES` lines, drawn with that seed."""
    if len(codes) <= EFFECT_LINES:
        return codes
    rows = np.random.default_rng(seed).choice(len(codes), EFFECT_LINES, replace=False)
    return codes[np.sort(rows)]


def effect_columns(effects: np.ndarray, ranges: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the effects (SNPs, 4) and of their percentiles (SNPs, 4, 2)."""
    columns = {}
    for name, code in {"0": 0, "1": 1, "2": 2, "missing": MISSING}.items():
        at = CHANNEL_CODES.index(code)
        columns[f"effect_{name}"] = effects[:, at].astype(np.float32)
        for place, percentile in enumerate(PERCENTILES):
            of_lines = ranges[:, at, place].astype(np.float32)
            columns[f"effect_{name}_p{percentile:02d}"] = of_lines
    return columns


def snp_table(run: Run, info: SnpInfo, frequencies: np.ndarray) -> pa.Table:
    """``snps.parquet``: the SNPs in model order, with their frequencies in training."""
    by_code = {code: frequencies[:, at] for at, code in enumerate(CHANNEL_CODES)}
    return pa.table(
        {
            "id": pa.array(run.data.snps, pa.string()),
            "chromosome": pa.array(info.chromosome, pa.string()),
            "position": pa.array(info.position, pa.int64()),
            "counted_allele": pa.array(info.counted_allele, pa.string()),
            "other_allele": pa.array(info.other_allele, pa.string()),
            "freq_0": by_code[0],
            "freq_1": by_code[1],
            "freq_2": by_code[2],
            "freq_missing": by_code[MISSING],
        }
    )


def saliency_table(run: Run, effects: dict[str, np.ndarray]) -> pa.Table:
    """``saliency.parquet``: saliency, ranks, and the effects of each genotype."""
    mean = run.over_samples(run.saliency)
    rank = ranks(mean)
    return pa.table(
        {
            "id": pa.array(run.data.snps, pa.string()),
            "saliency": mean,
            "rank": rank,
            "percentile": 100.0 * (len(mean) - rank + 1) / len(mean),
            "centered_saliency": run.over_samples(run.centered),
            **{
                fold_name(fold): run.saliency[at].astype(np.float32)
                for at, fold in enumerate(run.folds)
            },
            **effects,
        }
    )


def out_of_fold_table(run: Run, left_out: LeftOut | None, distances: np.ndarray) -> pa.Table:
    """``out_of_fold.parquet``: what the fold that did not see a sample predicted for it."""
    rows = np.concatenate(run.rows)
    predicted = np.concatenate(run.predicted)
    fold = np.concatenate([np.full(len(r), f) for f, r in zip(run.folds, run.rows, strict=True)])
    order = np.argsort(rows, kind="stable")
    rates = sample_rates(Genotypes(run.data.codes[rows[order]]))
    return pa.table(
        {
            "digest": [genotype_digest(run.data.codes[row]) for row in rows[order]],
            "fold": fold[order].astype(np.int16),
            "predicted": predicted[order],
            "residual": run.data.phenotype[rows[order]] - predicted[order],
            # All rows are there, in their order.
            **(left_out.columns() if left_out is not None else {}),
            # Gaps where a row has no distance.
            "distance": pa.array(distances[rows[order]], pa.float64(), from_pandas=True),
            # A gap where too little of a row is called.
            "heterozygosity": pa.array(rates.heterozygosity, pa.float64(), from_pandas=True),
            "call_rate": rates.call_rate,
        }
    )


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank of every value, 1 = largest; ties keep the model's order."""
    order = np.argsort(-values, kind="stable")
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(1, len(values) + 1)
    return rank
