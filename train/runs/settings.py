"""What the figures of a run and of an evaluation depend on, as ``settings.json`` keeps it.

Both are frozen dataclasses, typed on their way to the file and back. Whether a setting may differ
when a folder is continued, and what is said when it does, is in the metadata of its field: nothing
there means that it must be as it was.
"""

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Self

from snpredict.bundle.manifest import CONTINUOUS
from snpredict.bundle.typed_json import Entry, as_json, from_json
from snpredict.errors import InvalidBundle
from snpredict.files import write_file
from train.data.covariates import Covariate
from train.data.filters import EVERY_SNP, SnpFilters
from train.errors import IncompleteRun, PresetError, SettingsChanged
from train.networks.presets import Preset

SETTINGS = "settings.json"
#: Version of the folders' layout. The first had no number.
LAYOUT = 2

#: The setting changes no figure.
_FREE = {"free": True}
#: Entries may be added; those that are there must not change.
_GROWS = {"grows": True}


def _digest(of: str) -> dict[str, str]:
    """The value tells a person nothing: what may differ when it does."""
    return {"digest": of}


@dataclass(frozen=True)
class _Settings:
    """What both kinds have in common: a file, and a comparison with an earlier one."""

    def write(self, folder: Path) -> None:
        """Write ``settings.json`` whole."""
        text = json.dumps({"layout": LAYOUT, **as_json(self)}, indent=1)
        write_file(f"{text}\n".encode(), folder / SETTINGS)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read ``settings.json``.

        Raises
        ------
        IncompleteRun
            There is none of this kind, or one of an earlier version.
        """
        try:
            values = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            layout = values.get("layout", 1)
        except (OSError, ValueError, AttributeError):
            layout, values = LAYOUT, None
        if layout != LAYOUT:
            raise IncompleteRun(
                f"{folder} was written by another version of snpredict (layout {layout}; expected "
                f"{LAYOUT}) and cannot be continued or read",
                "give another folder, or delete this one and start the same command again",
            )
        try:
            return from_json(cls, values, str(folder / SETTINGS))
        except (InvalidBundle, PresetError):
            kind, start = cls._words()
            raise IncompleteRun(
                f"{folder} is not {kind} folder: it has no readable {SETTINGS}", start
            ) from None

    @classmethod
    def _words(cls) -> tuple[str, str]:
        """What such a folder is called, and the hint where it is not one."""
        raise NotImplementedError

    def require_same(self, folder: Path, before: Self, option: str) -> None:
        """Compare with the settings that a folder was started with.

        Parameters
        ----------
        option : str
            What names another folder, for the hint.

        Raises
        ------
        SettingsChanged
            A setting that must not differ does; both values are named.
        """
        for one in fields(self):
            was, now = getattr(before, one.name), getattr(self, one.name)
            if one.metadata.get("grows"):
                was, now = ({key: d[key] for key in was.keys() & now.keys()} for d in (was, now))
            if was == now or one.metadata.get("free"):
                continue
            if of := one.metadata.get("digest"):
                raise SettingsChanged(
                    f"{folder} was started with other {of} ({one.name} differs)",
                    "Give the table and the options that it was started with, such as --ignore, "
                    f"or another {option}, or delete this one to start again",
                )
            name, was, now = _innermost(one.name, as_json(was), as_json(now))
            raise SettingsChanged(
                f"{folder} was started with {name} = {was!r}; now it is {now!r}",
                f"Give another {option}, or delete this one to start again",
            )


def _innermost(name: str, was: Any, now: Any) -> tuple[str, Any, Any]:
    """The first entry in which two values differ, by its dotted name."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return _innermost(f"{name}.{key}", was.get(key), now.get(key))
    return name, was, now


@dataclass(frozen=True)
class BundleSettings:
    """What a bundle says beside its figures, and where it is written.

    Attributes
    ----------
    out : str or None
        Absolute path of the bundle; None for a run whose bundle `summarize` is to name.
    """

    out: str | None = None
    licence: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class RunSettings(_Settings):
    """Everything that a run's figures depend on.

    Attributes
    ----------
    model : str
        As `train.registry` knows it.
    preset : Preset or None
        Of a network, because the file that it was read from may change.
    data : str
        The data folder, from the run's own.
    scheme : str
        One of `train.data.folds.SCHEMES`.
    families : str or None
        ``"column"``, or how they were told from genotypes; None where they are not known.
    control : str or None
        One of `train.data.controls`, such as ``shuffled``, made from `trait`.
    fold_sizes : tuple of int
        Samples that are tested in each fold.
    refit : bool
        Whether it is fitted again on training and validation rows.
    task : str
        `snpredict.bundle.manifest.CONTINUOUS` or `BINARY`.
    covariates : tuple of Covariate
        What the model looks at beside genotypes.
    filters : SnpFilters
        Of the SNPs, in each fold's training rows.
    attribution : tuple of str
        Methods of attribution over the test rows, beside saliency.
    """

    trait: str
    unit: str
    model: str
    scheme: str
    n_folds: int
    fold_sizes: tuple[int, ...]
    seed: int
    threads: int
    software: dict[str, str]
    data_digest: str = field(
        metadata=_digest("genotypes, phenotypes, samples, SNPs, folds, families or covariates")
    )
    snp_info: str = field(metadata=_digest("SNPs, or other places or alleles of them"))
    preset: Annotated[Preset | None, Entry(parse=Preset.from_dict)] = None
    data: str = "data"
    refit: bool = False
    gpu: bool = False
    families: str | None = None
    control: str | None = None
    repeats: str | None = None
    coding: str = "012"
    task: str = CONTINUOUS
    covariates: tuple[Covariate, ...] = ()
    filters: SnpFilters = EVERY_SNP
    attribution: tuple[str, ...] = ()
    bundle: BundleSettings = field(default=BundleSettings(), metadata=_FREE)

    @classmethod
    def _words(cls) -> tuple[str, str]:
        return (
            "a run",
            "Start one: python -m train run TABLE --trait NAME --unit UNIT --out FOLDER",
        )

    def continuing(self, before: Self) -> Self:
        """With what the bundle was said to be before, where this command does not say it."""
        now = {one.name: getattr(self.bundle, one.name) for one in fields(self.bundle)}
        given = {name: value for name, value in now.items() if value is not None}
        return replace(self, bundle=replace(before.bundle, **given))


@dataclass(frozen=True)
class EvaluationSettings(_Settings):
    """Everything that an evaluation's figures depend on, and what its report says of the data.

    Attributes
    ----------
    missing : float
        Share of the genotypes.
    families : str
        Where they come from, in words.
    traits : dict of str to str
        Name → SHA-256 of its values.
    units : dict of str to str
    schemes : dict of str to int
        Name → number of folds.
    binary : tuple of str
        Traits whose values are 0 and 1.
    covariates : tuple of Covariate
    filters : SnpFilters
        Of the SNPs, in each fold's training rows.
    control_trait : str or None
        What the controls are made from.
    """

    table: str = field(metadata=_FREE)
    table_sha256: str = field(metadata=_FREE)
    phenotypes: str | None = field(metadata=_FREE)
    phenotypes_sha256: str | None = field(metadata=_FREE)
    repeats: str | None
    data_digest: str = field(metadata=_digest("genotypes, samples, SNPs or covariates"))
    coding: str = field(metadata=_FREE)
    n_samples: int = field(metadata=_FREE)
    n_snps: int = field(metadata=_FREE)
    missing: float = field(metadata=_FREE)
    families: str
    n_families: int = field(metadata=_FREE)
    seed: int
    n_folds: int
    software: dict[str, str]
    traits: dict[str, str] = field(metadata=_GROWS | _digest("values of a trait"))
    units: dict[str, str] = field(metadata=_FREE)
    schemes: dict[str, int] = field(metadata=_FREE)
    control_trait: str | None = field(metadata=_FREE)
    binary: tuple[str, ...] = field(default=(), metadata=_FREE)
    covariates: tuple[Covariate, ...] = ()
    filters: SnpFilters = EVERY_SNP

    @classmethod
    def _words(cls) -> tuple[str, str]:
        return "an evaluation", "start one: python -m train evaluate"

    def continuing(self, before: Self) -> Self:
        """With the traits, units and schemes of earlier commands."""
        return replace(
            self,
            traits=before.traits | self.traits,
            units=before.units | self.units,
            schemes=before.schemes | self.schemes,
            binary=tuple(dict.fromkeys((*before.binary, *self.binary))),
            control_trait=self.control_trait or before.control_trait,
        )
