"""The interactive viewer: type the name of a SNP, read what the model says about it."""

from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from snpredict.bundle.load import Bundle
from snpredict.explaining.snp_report import SnpReport, describe_snp, search_snp
from snpredict.formulas.dense_function import DenseFunction
from snpredict.formulas.score_function import ScoreFunction
from snpredict.genotypes.places import typed_place
from snpredict.names import complete
from snpredict.terminal.wrapping import Line

PROMPT = "SNP> "
MAX_LISTED = 20
TOP = 10

_HELP = (
    ("NAME         ", "a SNP by its name, or by a part that no other name has"),
    ("10:44669893  ", "the SNP at a place: chromosome and position"),
    ("top, top 30  ", "the SNPs to which predictions react most strongly (saliency)"),
    ("help         ", "this list"),
    ("q            ", "end; quit does the same"),
)


def run_viewer(
    bundle: Bundle,
    function: ScoreFunction | DenseFunction | None,
    read: Callable[[], str],
    write: Callable[[Line], None],
    show: Callable[[SnpReport], None],
) -> None:
    """Answer names, ``top`` and ``help`` until ``q``, ``quit`` or the end of the input.

    What names may be is said in `search_snp`; a part of several names lists them.

    Parameters
    ----------
    bundle : Bundle
    function : ScoreFunction or None
        See `describe_snp`.
    read : callable
        Gives the next line; raises EOFError at the end.
    write : callable
        Takes a line for the person.
    show : callable
        Takes the report of a SNP.
    """
    about = (
        f"{len(bundle.snps):,} SNPs of {bundle.manifest.name}; type a name, a part of one or "
        "a place such as 10:44669893; top lists the most important, help says more, q ends"
    )
    write(("", about))
    while True:
        try:
            typed = read().strip()
        except EOFError:
            return
        if typed.lower() in ("q", "quit"):
            return
        command, _, rest = typed.lower().partition(" ")
        if typed in bundle.snps.ids:
            show(describe_snp(bundle, typed, function))
        elif command in ("help", "?") and not rest:
            for line in _HELP:
                write(line)
        elif command == "top" and (not rest or rest.strip().isdecimal()):
            for text in _top(bundle, int(rest or TOP)):
                write(("  ", text))
        elif typed:
            _answer(bundle, function, typed, write, show)


def _top(bundle: Bundle, count: int) -> list[str]:
    """The SNPs of the largest saliency, one per line."""
    known = bundle.known_saliency
    if known is None:
        return [f"model {bundle.manifest.name} does not say how strongly it reacts to its SNPs"]
    order = np.argsort(-known.saliency, kind="stable")[:count].tolist()
    width = max((len(bundle.snps.ids[at]) for at in order), default=0)
    return [
        f"{rank:>4}  {bundle.snps.ids[at]:{width}}  saliency {known.saliency[at]:.4g}"
        for rank, at in enumerate(order, 1)
    ]


def _answer(
    bundle: Bundle,
    function: ScoreFunction | DenseFunction | None,
    typed: str,
    write: Callable[[Line], None],
    show: Callable[[SnpReport], None],
) -> None:
    found = search_snp(bundle.snps, typed)
    if found.match is not None:
        if found.match != typed:
            write(("", f"{typed!r} was read as {found.match}"))
        show(describe_snp(bundle, found.match, function))
    elif found.completions:
        write(("", f"{len(found.completions):,} names have {typed!r} in them:"))
        for completion in found.completions[:MAX_LISTED]:
            write(("  ", completion))
        if len(found.completions) > MAX_LISTED:
            write(("  ", "..."))
    elif found.nearest:
        if typed_place(typed) is not None:
            write(("", f"no SNP at {typed}; the nearest are {', '.join(found.nearest)}"))
        else:
            write(("", f"no SNP {typed!r}; did you mean {' or '.join(found.nearest)}?"))
    else:
        write(("", f"no SNP {typed!r}, and no name like it"))


def line_reader(names: Sequence[str], interactive: bool) -> Callable[[], str]:
    """`input` with a prompt and, where the system has readline, completion by the tab key.

    Without a person at the other end there is neither.
    """
    if not interactive:
        return lambda: input()
    try:
        import readline
    except ImportError:  # Windows
        return lambda: input(PROMPT)
    _complete_with(readline, names)
    return lambda: input(PROMPT)


def _complete_with(readline: ModuleType, names: Sequence[str]) -> None:
    candidates: list[str] = []

    def completer(typed: str, state: int) -> str | None:
        if state == 0:
            candidates[:] = complete(typed, names) if typed else list(names)
        return candidates[state] if state < len(candidates) else None

    readline.set_completer(completer)
    # Names hold dots, dashes and colons.
    readline.set_completer_delims(" \t\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
