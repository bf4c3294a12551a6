"""The ``deepwas run`` command: from a study's files to priors, effects and scores."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from snpredict.errors import UsageError
from snpredict.files import write_files
from snpredict.terminal.progress import watch
from train.commands.console import counting_snps
from train.data.dataset import file_sha256
from train.data.genotypes import HowRead
from train.deepwas.calibration import calibration
from train.deepwas.cutting import Span, blocks_as_windows, even_windows
from train.deepwas.export import exportable, write_variant_effects
from train.deepwas.files import StudyFolder, read_study_folder
from train.deepwas.fits import Fit, FitTask, run_fits, settings_of
from train.deepwas.genome import THRESHOLDS, clumped, losses, posterior_effects
from train.deepwas.inputs.intervals import read_intervals
from train.deepwas.likelihood import Posterior
from train.deepwas.networks import LOWEST, NETWORKS, OBJECTIVES
from train.deepwas.own_lines import LineFiles, read_lines_study
from train.deepwas.people import prediction_r2, threshold_name, thresholded
from train.deepwas.results import Outcome, jackknife, outcome_files
from train.deepwas.scores import Score, per_copy, write_score
from train.deepwas.solving import SOLVERS
from train.deepwas.splitting import Split, split_windows
from train.deepwas.store import LdSettings, make_windows, open_windows, window_bytes
from train.deepwas.study import FROM_SNPS, Study, StudyFiles, from_snps, read_study
from train.deepwas.window import Window
from train.errors import StudyFileError
from train.runtime import software_versions

#: Standardised annotations are cut there, as published.
_MOST = 100.0


@dataclass(frozen=True, kw_only=True)
class DeepwasRunOptions:
    """What the command is asked for; see its help for each."""

    out: Path
    folder: Path | None = None
    sumstats: Path | None = None
    reference: Path | None = None
    annotations: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    people: float | None = None
    own_ld: bool = False
    taper: float | None = None
    shrink: float | None = None
    maf: float = 0.0
    info: float = 0.0
    core: int = 1_000_000
    halo: int = 1_000_000
    blocks: Path | None = None
    from_snps: tuple[str, ...] = ("frequency",)
    shuffle: bool = False
    networks: tuple[str, ...] = ("constant", "linear", "mlp")
    objectives: tuple[str, ...] = ("full", "ldsr")
    seeds: int = 1
    seed: int = 1
    held_out: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    scaling: float = 0.0
    training: Mapping[str, Any] = field(default_factory=dict)
    threshold: float = 0.05
    genotypes: Path | None = None
    phenotypes: Path | None = None
    how: HowRead = field(default_factory=HowRead)
    trait: str = "trait"
    unit: str = "SD"
    jobs: int | None = None


def deepwas_run(options: DeepwasRunOptions, console: Console) -> None:
    """Train all fits, then write ``summary.json``, ``variants.parquet`` and the scores."""
    o = options
    _check_names(o)
    given = StudyFolder() if o.folder is None else read_study_folder(o.folder)
    study, paths = _study(o, given, console)
    for note in study.notes:
        console.print(f"note: {note}")
    spans = _spans(o, study)
    own_ld = o.own_ld or given.own_ld or o.genotypes is not None
    ld = LdSettings(
        people=None if own_ld or not study.reference.people else study.reference.people,
        shrink=o.shrink,
        taper=o.taper if o.taper is not None else given.taper,
    )
    digests = {path.name: file_sha256(path) for path in paths if path.is_file()}
    beside = {path.name for path in (*o.annotations, *given.annotations)}
    needed = {name: digest for name, digest in digests.items() if name not in beside}
    windows = _windows(o, study, needed, spans, ld, console)
    split = split_windows(spans, study.chromosome, study.position, o.held_out, o.validation)
    annotations = _features(o, study, windows, split)
    n_core = [sum(windows[at].n_core for at in rows) for rows in vars(split).values()]
    console.print(
        "windows: {} train, {} stop the training, {} are held out, {} between them serve "
        "nothing".format(*(len(rows) for rows in vars(split).values()))
    )
    people = float(np.median(study.n))
    tasks = [
        FitTask(
            o.out,
            settings_of(network=network, objective=objective, seed=seed, **o.training),
            split,
            o.scaling,
            people / len(study),
            file_sha256(o.out / "features.npy"),
        )
        for network in o.networks
        for objective in o.objectives
        for seed in range(o.seed, o.seed + o.seeds)
    ]

    def finished(task: FitTask, fit: Fit) -> None:
        gain = fit.losses.sum() / n_core[2]
        console.print(
            f"{task.name}: held-out loss {gain:.4f} a variant, best of "
            f"{len(fit.history) - 1} epochs: {fit.best}, {fit.seconds:.0f} s"
        )

    fits = run_fits(tasks, o.jobs or os.cpu_count() or 1, finished)
    truth = _truth(given, study)
    outcomes = _outcomes(o, tasks, fits, windows, split, truth)
    summary = _summary(o, study, digests, ld, split, list(annotations), outcomes, windows, truth)
    effects = {one.name: posterior_effects(windows, one.log_prior, one.sigma) for one in outcomes}
    known = _true_effects(given, study)
    if known is not None:
        summary["calibration"] = {name: calibration(of, known) for name, of in effects.items()}
    plain = thresholded(clumped(windows, study.z, study.position), study.z)
    if given.new_people is not None and given.new_phenotypes is not None:
        means = {name: of.mean for name, of in effects.items()}
        if truth is not None and np.isfinite(truth).all():
            means["truth"] = posterior_effects(windows, truth, 1.0).mean
        every = {name: per_copy(study, z) for name, z in {**means, **plain}.items()}
        r2 = prediction_r2(given.new_people, given.new_phenotypes, study.snps, every)
        summary["new_people_r2"] = r2
    write_files(
        {
            o.out / "summary.json": (json.dumps(summary, indent=1) + "\n").encode(),
            **outcome_files(o.out, study, annotations, outcomes, effects),
        }
    )
    if why := _export(o, study, outcomes):
        console.print(f"no bundle of variant effects: {why}")
    for score in _scores(o, study, outcomes, effects, plain):
        write_score(o.out, study, score)
    _show(console, summary)


def _check_names(o: DeepwasRunOptions) -> None:
    for option, names, known in (
        ("from-snps", o.from_snps, FROM_SNPS),
        ("networks", o.networks, NETWORKS),
        ("objectives", o.objectives, OBJECTIVES),
        ("threshold", (f"{o.threshold:g}",), tuple(f"{p:g}" for p in THRESHOLDS)),
        ("solver", (o.training.get("solver", "auto"),), SOLVERS),
    ):
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"--{option} {unknown[0]}: not one of {', '.join(known)}")
    for option, number, least in (
        ("core", o.core, 1),
        ("halo", o.halo, 0),
        ("seeds", o.seeds, 1),
        ("networks", len(o.networks), 1),
        ("objectives", len(o.objectives), 1),
        ("epochs", o.training.get("epochs", 1), 1),
        ("windows-per-step", o.training.get("windows_per_step", 1), 1),
        ("jobs", o.jobs or 1, 1),
    ):
        if number < least:
            raise UsageError(f"--{option}: found {number}, expected {least} or more")
    if o.shrink is not None and not 0 <= o.shrink <= 1:
        raise UsageError(f"--shrink {o.shrink:g}: expected a share from 0 to 1")


def _study(o: DeepwasRunOptions, given: StudyFolder, console: Console) -> tuple[Study, list[Path]]:
    """The study, and the files that it is of."""
    if o.genotypes is not None:
        lines = LineFiles(
            genotypes=o.genotypes,
            trait=o.trait,
            phenotypes=o.phenotypes,
            how=o.how,
            annotations=o.annotations,
            maf=o.maf,
        )
        console.print(f"reading {o.genotypes}")
        study = read_lines_study(lines, watch(quiet=False))
        console.print(f"{len(study):,} SNPs of {study.reference.people:,} lines")
        phenotypes = () if o.phenotypes is None else (o.phenotypes,)
        return study, [o.genotypes, *phenotypes, *o.annotations]
    files = _files(o, given)
    console.print(f"reading {files.summary_statistics}")
    study = read_study(files)
    m, n = study.match, study.reference.people
    assert m is not None
    who = f" ({n:,} people)" if n else ""
    console.print(
        f"{len(study):,} variants used; matched {m.matched:,} of {m.model_snps:,} in "
        f"{files.reference.name}{who}"
    )
    return study, [files.summary_statistics, files.reference, *files.annotations]


def _files(o: DeepwasRunOptions, given: StudyFolder) -> StudyFiles:
    statistics, reference = o.sumstats or given.summary_statistics, o.reference or given.reference
    if statistics is None or reference is None:
        raise UsageError(
            "a study is a FOLDER with study.toml, or --sumstats and --reference, or --genotypes",
            "see --help",
        )
    return StudyFiles(
        summary_statistics=statistics,
        reference=reference,
        annotations=o.annotations or given.annotations,
        columns=o.columns,
        people=o.people,
        maf=o.maf,
        info=o.info,
    )


def _spans(o: DeepwasRunOptions, study: Study) -> list[Span]:
    if o.blocks is None:
        spans = even_windows(study.chromosome, study.position, o.core, o.halo)
    else:
        found = read_intervals(o.blocks, "bed")
        key = study.snps.chromosome_names.key
        own = {key(name): name for name in dict.fromkeys(study.chromosome.tolist())}
        blocks = [
            (own.get(key(name), ""), start, end)
            for name, start, end in zip(
                found.chromosome, found.start.tolist(), found.end.tolist(), strict=True
            )
        ]
        spans = blocks_as_windows(study.chromosome, study.position, blocks, o.halo)
    if not spans:
        raise StudyFileError(f"{o.blocks}: no variant is in one of the blocks")
    return spans


def _windows(
    o: DeepwasRunOptions,
    study: Study,
    digests: Mapping[str, str],
    spans: list[Span],
    ld: LdSettings,
    console: Console,
) -> list[Window]:
    disk, _ = window_bytes(spans)
    largest = max(span.stop - span.start for span in spans)
    # Genotypes of a window as bytes and as float32, its LD, and the likelihood's matrices.
    memory = largest * (5 * study.reference.people + 40 * largest)
    console.print(
        f"{len(spans)} windows of at most {largest:,} variants: up to {disk / 1e6:,.0f} MB on "
        f"disk, and {memory / 1e6:,.0f} MB of memory for the largest"
    )
    about = {
        "files": dict(digests),
        # Families, filters and columns all show in the z-scores.
        "z": hashlib.sha256(study.z.tobytes()).hexdigest(),
        "maf": o.maf,
        "info": o.info,
        "columns": dict(o.columns),
    }
    total = sum(span.core_stop - span.core_start for span in spans)
    with counting_snps(console, "LD of windows", total) as tell:
        make_windows(
            o.out / "windows",
            spans,
            study.reference.ld,
            study.z,
            ld,
            about,
            tell,
        )
    return open_windows(o.out / "windows")


def _features(
    o: DeepwasRunOptions, study: Study, windows: list[Window], split: Split
) -> dict[str, np.ndarray]:
    """Write the standardised annotations, and hand out what they were before."""
    score = np.ones(len(study))
    for window in windows:
        own = slice(window.span.core_start, window.span.core_stop)
        score[own] = window.squares.sum(axis=1)
    own_columns = from_snps(study, o.from_snps, score)
    found = dict(zip(study.names, study.annotations.T, strict=True)) | own_columns
    if not found:
        raise UsageError("no annotation is left", "give --annotations FILE or --from-snps")
    values = np.column_stack(list(found.values()))
    train = np.concatenate(
        [
            np.arange(w.span.core_start, w.span.core_stop)
            for w in map(windows.__getitem__, split.train)
        ]
    )
    mean, scale = np.nanmean(values[train], axis=0), np.nanstd(values[train], axis=0)
    values = (values - mean) / np.where(scale > 0, scale, 1)
    values = np.clip(np.nan_to_num(values, nan=0.0), -_MOST, _MOST).astype(np.float32)
    if o.shuffle:
        values = np.random.default_rng([o.seed, 40]).permutation(values)
    p = study.frequency
    places = np.unique(study.chromosome, return_inverse=True)[1]
    files = {"features.npy": values, "log_4pq.npy": np.log(4 * p * (1 - p))}
    files |= {"chromosome.npy": places, "position.npy": study.position}
    for name, array in files.items():
        np.save(o.out / name, array)
    kept = {"names": list(found), "mean": mean.tolist(), "scale": scale.tolist()}
    write_files({o.out / "features.json": json.dumps(kept).encode()})
    return found


def _truth(given: StudyFolder, study: Study) -> np.ndarray | None:
    """True log Λ of the study's variants, where it is known."""
    return None if given.truth is None else _of_truth(given.truth, study, "log_prior")


def _true_effects(given: StudyFolder, study: Study) -> np.ndarray | None:
    """True √N b of the study's counted alleles, where they are known and not all 0."""
    if given.truth is None:
        return None
    found = _of_truth(given.truth, study, "effect")
    return found if np.isfinite(found).all() and found.any() else None


def _of_truth(path: Path, study: Study, column: str) -> np.ndarray:
    import pandas

    table = pandas.read_parquet(path).set_index("id")
    return table[column].reindex(list(study.snps.ids)).to_numpy(np.float64)


def _outcomes(
    o: DeepwasRunOptions,
    tasks: list[FitTask],
    fits: list[Fit],
    windows: list[Window],
    split: Split,
    truth: np.ndarray | None,
) -> list[Outcome]:
    """Each network and objective, its seeds averaged."""
    held = [windows[at] for at in split.held_out.tolist()]
    check = [windows[at] for at in split.validation.tolist()]
    cores = np.concatenate([np.arange(w.span.core_start, w.span.core_stop) for w in held])
    outcomes = []
    for network in o.networks:
        for objective in o.objectives:
            own = [
                fit
                for task, fit in zip(tasks, fits, strict=True)
                if task.settings["network"] == network and task.settings["objective"] == objective
            ]
            log_prior = np.mean([fit.log_prior for fit in own], axis=0)
            sigma = float(np.mean([fit.sigma for fit in own]))
            outcomes.append(
                Outcome(
                    network=network,
                    objective=objective,
                    fits=own,
                    log_prior=log_prior,
                    sigma=sigma,
                    losses=losses(held, log_prior, sigma),
                    validation=float(losses(check, log_prior, sigma).sum())
                    / sum(w.n_core for w in check),
                    counts=np.array([w.n_core for w in held]),
                    correlations=[_correlation(f.log_prior, truth, cores) for f in own],
                    correlation=_correlation(log_prior, truth, cores),
                )
            )
    return outcomes


def _correlation(log_prior: np.ndarray, truth: np.ndarray | None, rows: np.ndarray) -> float | None:
    """With the true log Λ, which below −10 cannot be told from 0; None where either is constant."""
    if truth is None or not np.isfinite(truth[rows]).all():
        return None
    known, found = np.maximum(truth[rows], LOWEST), log_prior[rows]
    if np.ptp(found) < 1e-6 or np.ptp(known) < 1e-6:
        return None
    return float(np.corrcoef(found, known)[0, 1])


def _summary(
    o: DeepwasRunOptions,
    study: Study,
    digests: Mapping[str, str],
    ld: LdSettings,
    split: Split,
    names: list[str],
    outcomes: list[Outcome],
    windows: list[Window],
    truth: np.ndarray | None,
) -> dict[str, Any]:
    networks: dict[str, dict[str, Any]] = {}
    for one in outcomes:
        networks.setdefault(one.network, {})[one.objective] = one.summary()
    held = [windows[at] for at in split.held_out.tolist()]
    summary: dict[str, Any] = {
        "networks": networks,
        "best": _best(outcomes).name,
        "mean_chi2": float(np.mean(study.z**2)),
        "variants": len(study),
        "held_out_variants": sum(w.n_core for w in held),
        "windows": {name: len(rows) for name, rows in vars(split).items()},
        "annotations": names,
        "people": float(np.median(study.n)),
        "ld": vars(ld),
        "matching": None
        if study.match is None
        else {"used": study.match.used, "unused": study.match.unused},
        "notes": study.notes,
        "files": dict(digests),
        "seed": o.seed,
        "training": settings_of(network="", objective="", **o.training),
        "software": software_versions(),
    }
    if truth is not None and np.isfinite(truth).all():
        of_truth = losses(held, truth, 1.0)
        counts = np.array([w.n_core for w in held])
        summary["truth"] = {"held_out_gain": float(of_truth.sum() / counts.sum())}
        summary["lost_against_truth"] = {
            one.name: dict(
                zip(("mean", "se"), jackknife(one.losses - of_truth, counts), strict=True)
            )
            for one in outcomes
        }
    plain = {one.objective: one for one in outcomes if one.network == "constant"}
    summary["less_constant"] = {
        one.name: dict(
            zip(
                ("mean", "se"),
                jackknife(one.losses - plain[one.objective].losses, one.counts),
                strict=True,
            )
        )
        for one in outcomes
        if one.network != "constant" and one.objective in plain
    }
    if {"full", "ldsr"} <= set(o.objectives):
        by = {(one.network, one.objective): one for one in outcomes}
        summary["full_less_ldsr"] = {
            network: dict(
                zip(
                    ("mean", "se"),
                    jackknife(
                        by[network, "full"].losses - by[network, "ldsr"].losses,
                        by[network, "full"].counts,
                    ),
                    strict=True,
                )
            )
            for network in o.networks
        }
    return summary


def _best(outcomes: list[Outcome]) -> Outcome:
    """By the likelihood of the validation windows, which no figure tests."""
    return min(outcomes, key=lambda one: one.validation)


def _export(o: DeepwasRunOptions, study: Study, outcomes: list[Outcome]) -> str:
    """The best network that looks at a variant's own annotations, as a bundle; else why none."""
    able = [one for one in outcomes if exportable(one.network)]
    if not able:
        return "the networks look at neighbours too"
    if o.scaling:
        return "the scaling with frequency is no part of the network"
    if o.shuffle:
        return "the annotations were shuffled"
    features = json.loads((o.out / "features.json").read_text(encoding="utf-8"))
    target = o.out / "bundles" / "variant-effects"
    names = ("variant-effects", o.trait, o.unit)
    write_variant_effects(target, study, _best(able), o.out, features, names)
    return ""


def _scores(
    o: DeepwasRunOptions,
    study: Study,
    outcomes: list[Outcome],
    effects: Mapping[str, Posterior],
    plain: Mapping[str, np.ndarray],
) -> list[Score]:
    """The best network's, that of one variance for all, and clumping and thresholding."""
    best = _best(outcomes)
    made = f"Made by `python -m train deepwas run` from {len(study):,} variants"
    found = [
        (
            "deepwas",
            effects[best.name].mean,
            f"{made}: effects under the prior variances of the network '{best.network}' "
            f"(objective '{best.objective}').",
        )
    ]
    for one in outcomes:
        if one.network == "constant" and one.objective == o.objectives[0]:
            told = f"{made}: effects under one prior variance for all variants (LDpred-inf)."
            found.append(("ldpred-inf", effects[one.name].mean, told))
    name = threshold_name(o.threshold)
    told = f"{made}: clumping (r² 0.1, 250 kb) and thresholding, p < {o.threshold:g}."
    found.append(("ct", plain[name], told))
    caution = " How well they predict new people is not known here."
    return [
        Score(
            name=name,
            weights=per_copy(study, values),
            told=told + caution,
            trait=o.trait,
            unit=o.unit,
        )
        for name, values, told in found
    ]


def _show(console: Console, summary: dict[str, Any]) -> None:
    table = Table(title="held-out loss a variant, in nats; lower is better")
    for name in ("network", "objective", "loss", "± SE", "r with the truth"):
        table.add_column(name, justify="right" if name not in ("network", "objective") else "left")
    for network, objectives in summary["networks"].items():
        for objective, of in objectives.items():
            r = of.get("correlation_with_truth")
            table.add_row(
                network,
                objective,
                f"{of['held_out_gain']:.4f}",
                f"{of['held_out_gain_se']:.4f}",
                "" if r is None else f"{r:.2f}",
            )
    if "truth" in summary:
        table.add_row("the truth", "", f"{summary['truth']['held_out_gain']:.4f}", "", "")
    console.print(table)
    if "new_people_r2" in summary:
        console.print("R² in people that the study has not seen:")
        for name, r2 in summary["new_people_r2"].items():
            console.print(f"  {name}: {r2:.4f}")
