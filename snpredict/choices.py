"""What an option may be, for readers, help texts and docs; the first choice is the default."""

from collections.abc import Iterable

from snpredict.errors import UsageError

#: `--model`.
DEFAULT_MODEL = "soynam-height"

#: `--input-format`; without it the content of the file decides.
INPUT_FORMATS = ("table", "vcf", "bcf", "bed", "pgen", "hapmap", "parquet", "raw")

#: `--snps-in`; without it the names in the table decide.
SNPS_IN = ("columns", "rows")

#: `--coding`; without it a table that looks like −1, 0, 1 is refused.
CODINGS = ("012", "-101")

DOSAGES = ("use", "round", "ignore")
STRANDS = ("flip", "strict")
AMBIGUOUS = ("order", "keep", "drop")

#: `--min-match`: smallest share of a model's SNPs, and of its effects, that is scored.
MIN_MATCH = 0.75

#: Methods of attribution that a bundle's table may have a column of.
ATTRIBUTIONS = (
    "saliency",
    "saliency-centred",
    "gradient-input",
    "deeplift",
    "integrated-gradients",
    "smoothgrad",
    "occlusion",
    "occlusion-window",
    "shapley",
)

#: `--families`: what is known of the families of the samples.
FAMILIES = ("known", "new")

#: `--format` of results; without it the suffix of the file decides, and it is the first in a pipe.
OUTPUT_FORMATS = ("tsv", "csv", "parquet", "json")


def check_choice(option: str, value: str | None, known: Iterable[str]) -> None:
    """Refuse what is none of the choices; None is none that was made.

    Raises
    ------
    UsageError
    """
    known = tuple(known)
    if value is not None and value not in known:
        raise UsageError(f"{option}: found {value!r}, expected one of {', '.join(known)}")
