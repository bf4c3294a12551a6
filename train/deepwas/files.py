"""A folder with a study: ``study.toml`` names its files."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from snpredict.errors import FileNotFound
from train.errors import StudyFileError

STUDY = "study.toml"


@dataclass(frozen=True, kw_only=True)
class StudyFolder:
    """What ``study.toml`` says; paths are within the folder.

    Attributes
    ----------
    summary_statistics, reference : Path or None
    annotations : tuple of Path
    own_ld : bool
        Whether the reference's correlations are exactly those of the study.
    taper : float or None
        See `train.deepwas.store.LdSettings`.
    truth : Path or None
        Simulated: columns id, log_prior, effect.
    new_people, new_phenotypes : Path or None
        Simulated people that the study has not seen.
    """

    summary_statistics: Path | None = None
    reference: Path | None = None
    annotations: tuple[Path, ...] = ()
    own_ld: bool = False
    taper: float | None = None
    truth: Path | None = None
    new_people: Path | None = None
    new_phenotypes: Path | None = None


_PATHS = ("summary_statistics", "reference", "truth", "new_people", "new_phenotypes")


def study_toml(folder: StudyFolder) -> bytes:
    """The content of ``study.toml``."""
    lines = []
    for name, value in vars(folder).items():
        if value is None:
            continue
        if isinstance(value, bool):
            lines.append(f"{name} = {str(value).lower()}")
        elif isinstance(value, tuple):
            lines.append(f"{name} = [{', '.join(_quoted(str(v)) for v in value)}]")
        elif isinstance(value, Path):
            lines.append(f"{name} = {_quoted(str(value))}")
        else:
            lines.append(f"{name} = {value:.0f}")
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_study_folder(folder: Path) -> StudyFolder:
    """Read ``study.toml``.

    Raises
    ------
    FileNotFound
    StudyFileError
        It is not TOML, or holds what is not known.
    """
    path = folder / STUDY
    if not path.is_file():
        raise FileNotFound(
            f"{folder} has no {STUDY}",
            "name the files themselves: --sumstats, --reference and --annotations",
        )
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyFileError(f"{path} is not a TOML file: {error}") from None
    known = StudyFolder.__dataclass_fields__
    if unknown := set(said) - set(known):
        raise StudyFileError(f"{path}: {sorted(unknown)[0]!r} is not known: {', '.join(known)}")
    for name in _PATHS:
        if name in said:
            said[name] = folder / str(said[name])
    names = said.get("annotations", [])
    if not isinstance(names, list):
        raise StudyFileError(f"{path}: annotations is not a list of files")
    said["annotations"] = tuple(folder / str(name) for name in names)
    return StudyFolder(**said)
