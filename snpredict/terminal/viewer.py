"""The interactive viewer: type the name of a SNP, read what the model says about it."""

from collections.abc import Callable, Sequence
from types import ModuleType

from snpredict.bundle.load import Bundle
from snpredict.explaining.snp_report import SnpReport, describe_snp, search_snp
from snpredict.formulas.score_function import ScoreFunction
from snpredict.names import complete
from snpredict.terminal.wrapping import Line

PROMPT = "SNP> "
MAX_LISTED = 20


def run_viewer(
    bundle: Bundle,
    function: ScoreFunction | None,
    read: Callable[[], str],
    write: Callable[[Line], None],
    show: Callable[[SnpReport], None],
) -> None:
    """Answer names until ``q``, ``quit`` or the end of the input.

    What they may be is said in `search_snp`; a part of several names lists them.

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
        "a place such as 10:44669893, q to quit"
    )
    write(("", about))
    while True:
        try:
            typed = read().strip()
        except EOFError:
            return
        if typed.lower() in ("q", "quit"):
            return
        if typed:
            _answer(bundle, function, typed, write, show)


def _answer(
    bundle: Bundle,
    function: ScoreFunction | None,
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
