"""The first thing that a program does: be quiet about Ctrl-C while it loads."""

# Not `signal`, whose import takes a hundredth of a second: Ctrl-C in it is still a traceback.
import _signal as signal  # type: ignore[import-not-found]
import os
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130

_pressed = False


def start(load: Callable[[], Callable[[], int]]) -> int:
    """Run a program.

    Parameters
    ----------
    load : callable
        Imports the program and gives its main function.

    Returns
    -------
    int
        Its exit code; 130 where it was interrupted.
    """
    # Nothing is open yet that would have to be tidied up, and an exception in the midst of an
    # import ends as a traceback or as an error of the module.
    signal.signal(signal.SIGINT, _leave)
    main = load()
    signal.signal(signal.SIGINT, interrupt)
    code = main()
    # While Python ends its threads, too.
    signal.signal(signal.SIGINT, _leave)
    if code == INTERRUPTED:
        # All is tidied up. Python may still hold that the exception was never caught, and would end
        # as if killed by the signal.
        os._exit(code)
    return code


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, and remember that."""
    global _pressed
    _pressed = True
    raise KeyboardInterrupt


def was_interrupted() -> bool:
    """Whether `interrupt` was called: libraries turn its exception into others."""
    return _pressed


def _leave(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(INTERRUPTED)
