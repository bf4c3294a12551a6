"""Finding the name that a person meant among the names that there are."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Search:
    """What a typed name may stand for.

    Attributes
    ----------
    match : str or None
        The one known name that equals the typed one, maybe but for upper and lower case.
    completions : sequence of str
        Without a match: the known names that begin with the typed one or, failing that, that
        contain it.
    nearest : sequence of str
        Without a match or completions: the most similar names, best first.
    """

    match: str | None
    completions: Sequence[str] = ()
    nearest: Sequence[str] = ()


def search(typed: str, known: Sequence[str]) -> Search:
    """Look a typed name up: exactly, then without case, then as a part, then by similarity."""
    if typed in known:
        return Search(typed)
    folded = typed.casefold()
    same = [name for name in known if name.casefold() == folded]
    if len(same) == 1:
        return Search(same[0])
    completions = same or complete(typed, known)
    return Search(None, completions, [] if completions else nearest(typed, known))


def complete(typed: str, known: Iterable[str]) -> list[str]:
    """Names that begin with `typed` or, when none does, that contain it; case is ignored."""
    folded = typed.casefold()
    holding = [name for name in known if folded in name.casefold()]
    return [name for name in holding if name.casefold().startswith(folded)] or holding


def nearest(typed: str, known: Sequence[str], count: int = 3) -> list[str]:
    """At most `count` names similar to `typed`, best first, case ignored."""
    by_folded: dict[str, str] = {}
    for name in known:
        by_folded.setdefault(name.casefold(), name)
    found = difflib.get_close_matches(typed.casefold(), by_folded, n=count, cutoff=0.5)
    return [by_folded[name] for name in found]


def listed(names: Sequence[str], limit: int = 5) -> str:
    """The first names, for a message: ``a, b, c, ...``."""
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")


def did_you_mean(typed: str, known: Sequence[str]) -> str | None:
    """Sentence for a hint, or None when nothing is similar."""
    found = search(typed, known)
    names = [found.match] if found.match else found.completions or found.nearest
    return f"did you mean {' or '.join(names[:3])}?" if names else None


def squared(unit: str) -> str:
    """A unit of a variance: ``cm²``, ``(kg/ha)²``."""
    return f"{unit}²" if unit.isalpha() or len(unit) == 1 else f"({unit})²"


def short(value: str, limit: int = 40) -> str:
    """A name or cell in quotes, cut where it is long."""
    return repr(value if len(value) <= limit else value[:limit] + "...")


def quoted(names: Sequence[str], limit: int = 5) -> str:
    """The first names, for a message: ``'a', 'b', ...``."""
    more = ", ..." if len(names) > limit else ""
    return ", ".join(short(name) for name in names[:limit]) + more
