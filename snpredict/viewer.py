"""The interactive viewer: type the name of a SNP, read what the model says about it."""

from collections.abc import Callable, Sequence
from types import ModuleType

from snpredict.bundle import Bundle
from snpredict.explanation import SnpReport, describe_snp
from snpredict.names import complete, search

PROMPT = "SNP> "
MAX_LISTED = 20


def run_viewer(
    bundle: Bundle,
    read: Callable[[], str],
    write: Callable[[str], None],
    show: Callable[[SnpReport], None],
) -> None:
    """Answer names until ``q``, ``quit`` or the end of the input.

    A part of a name is completed when only one name has it, and lists those that do otherwise.

    Parameters
    ----------
    bundle : Bundle
    read : callable
        Gives the next line; raises EOFError at the end.
    write : callable
        Takes a line for the person.
    show : callable
        Takes the report of a SNP.
    """
    write(
        f"{len(bundle.snps):,} SNPs of {bundle.manifest.name}; type a name or a part of one, "
        "q to quit"
    )
    while True:
        try:
            typed = read().strip()
        except EOFError:
            return
        if typed.lower() in ("q", "quit"):
            return
        if typed:
            _answer(bundle, typed, write, show)


def _answer(
    bundle: Bundle, typed: str, write: Callable[[str], None], show: Callable[[SnpReport], None]
) -> None:
    found = search(typed, bundle.snps.ids)
    name = found.match
    if name is None and len(found.completions) == 1:
        name = found.completions[0]
    if name is not None:
        if name != typed:
            write(f"{typed!r} was read as {name}")
        show(describe_snp(bundle, name))
    elif found.completions:
        write(f"{len(found.completions):,} names have {typed!r} in them:")
        for completion in found.completions[:MAX_LISTED]:
            write(f"  {completion}")
        if len(found.completions) > MAX_LISTED:
            write("  ...")
    elif found.nearest:
        write(f"no SNP {typed!r}; did you mean {' or '.join(found.nearest)}?")
    else:
        write(f"no SNP {typed!r}, and no name like it")


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
