"""Places on a genome as names and people spell them: ``Gm01_3321482_T_C``, ``10:44,669,893``.

Which names of chromosomes mean the same is a matter of `snpredict.genotypes.chromosomes`.
"""

import re

#: Nothing but letters and a number, or a sex chromosome, is taken for a chromosome's name.
_IN_NAME = re.compile(
    r"(?P<chromosome>[A-Za-z]*\d+|[XYM])[_:\-](?P<position>\d+)(?:[_:\-].*)?", re.ASCII
)

_TYPED = re.compile(
    r"(?P<chromosome>.+)[:_](?P<position>[1-9]\d{0,2}(?:,\d{3})+|\d{1,18})",
)

_USUAL = re.compile(r"(?:chr|chrom|chromosome)?[A-Za-z]{0,2}\d{1,2}[a-zA-Z]?[:_.-]\d{3,}")

_OFF_THE_MAP = re.compile(
    r"(?:chr|chrom|chromosome|lg)?_?"
    r"(?:x|y|z|w|xy|mt?|pt|un[a-z]*|scaffold|scaf|sc|contig|ctg)[0-9]*[:_.-][0-9]"
)


def place_in_name(name: str) -> tuple[str, int] | None:
    """Chromosome and position of a SNP that is named by them.

    Alleles are never read from a name, because nothing in it says which of them the codes count.
    """
    return _place(_IN_NAME.fullmatch(name))


def typed_place(text: str) -> tuple[str, int] | None:
    """Chromosome and position as a person types them, thousands apart or not."""
    return _place(_TYPED.fullmatch(text))


def looks_like_a_place(name: str) -> bool:
    """Whether a name begins as places usually do: for a guess at what a file's names are."""
    return _USUAL.match(name) is not None


def is_off_the_map(name: str) -> bool:
    """Whether a name begins with a place off the numbered chromosomes, such as ``scaffold_12``."""
    return _OFF_THE_MAP.match(name.casefold()) is not None


def _place(found: re.Match[str] | None) -> tuple[str, int] | None:
    if found is None:
        return None
    return found["chromosome"], int(found["position"].replace(",", ""))
