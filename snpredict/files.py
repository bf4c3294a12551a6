"""Files out: whole or not at all, and never over a file that is being read.

A file is written under a temporary name in its own folder and renamed when it is complete. The
temporary file is locked as long as its writer lives, so that the next run tells what a killed one
has left, and removes it.
"""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from snpredict.errors import OutputError, UsageError

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked and nothing left behind is removed.
    fcntl = None  # type: ignore[assignment]

#: Short, whatever the file is called: a name of 255 bytes has no room for a suffix.
_PREFIX, _SUFFIX = ".snpredict-", ".tmp"

STDOUT = Path("/dev/stdout")

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/(\d+))")


def is_stream(path: Path) -> bool:
    """Whether it is written to and never replaced: a device, a pipe, or /dev/stdout."""
    if _DESCRIPTOR.fullmatch(str(path)):
        return True
    with suppress(OSError):
        mode = path.stat().st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def same_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file: by spelling, by links, or by hard links."""
    with suppress(OSError):
        return one.samefile(other)
    # At least one of them is still to be written.
    return os.path.realpath(one) == os.path.realpath(other)


def check_destination(out: Path, inputs: Sequence[Path] = (), folder: Path | None = None) -> None:
    """Refuse a file that cannot be written or must not be, before any work is done.

    Parameters
    ----------
    out : Path
    inputs : sequence of Path
        Files that are read, the one that was named first.
    folder : Path, optional
        A folder that is read, such as a bundle's.

    Raises
    ------
    OutputError
        It is a folder or write-protected, or its folder does not exist or cannot be written to.
    UsageError
        It is one of the files that are read.
    """
    try:
        if is_stream(out):
            if (number := _descriptor(out)) is not None:
                os.write(number, b"")
                # What it was opened on may be a file that is read.
                _refuse_inputs(out, inputs, folder)
            return
        if out.is_dir():
            raise OutputError(f"{out} is a directory", "name a file")
        _refuse_inputs(out, inputs, folder)
        parent = Path(os.path.realpath(out)).parent
        if not parent.exists():
            raise OutputError(f"{out}: the folder {parent} does not exist", "create it first")
        if not parent.is_dir():
            raise OutputError(f"{out}: {parent} is not a folder", "name a file in a folder")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(f"{out}: no permission to write to {parent}")
        _refuse_protected(out)
        # A name that is too long fails here and not when the work is done.
        out.exists()
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from None


def check_apart(one: Path, other: Path, what: str) -> None:
    """Refuse two outputs of the same file.

    Raises
    ------
    UsageError
        They are; `what` names the two.
    """
    # Two streams mix what they are given; what replaces a file destroys the other output.
    if same_file(one, other) and not (is_stream(one) and is_stream(other)):
        raise UsageError(f"{what} are the same file, {other}", "write to two files")


def write_file(content: bytes, out: Path) -> None:
    """Write a file whole or not at all: one that is there is replaced by the complete new one.

    An older file's mode stays. A link stays a link, to the new content. What a killed run has left
    in the folder is removed.

    Raises
    ------
    OutputError
        The file cannot be written, or is write-protected.
    """
    write_files({out: content})


def write_files(contents: Mapping[Path, bytes | Iterable[bytes]]) -> None:
    """As `write_file`, several files: all of them, or none.

    A content may come in pieces. They are asked for file by file, in the order of `contents`.

    Raises
    ------
    OutputError
        One of them cannot be written.
    """
    with ExitStack() as stack:
        written: list[tuple[Path, BinaryIO, Path]] = []
        for out, content in contents.items():
            with _named(out):
                if is_stream(out):
                    _write_stream(content, out)
                    continue
                _refuse_protected(out)
                target = Path(os.path.realpath(out))
                remove_leftovers(target.parent)
                file, temporary = stack.enter_context(_temporary_file(target))
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                written.append((out, file, temporary))
        for out, file, temporary in written:
            with _named(out):
                if fcntl is None:
                    file.close()
                temporary.replace(os.path.realpath(out))


def write_folder(files: Mapping[str, bytes], target: Path, check: Callable[[Path], object]) -> None:
    """Write a folder whole or not at all: one that is there is replaced by the complete new one.

    Parameters
    ----------
    files : mapping of str to bytes
        Content by path within the folder.
    target : Path
    check : callable
        Given the complete new folder, raises where it is not to take the place of the older one.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with _named(target):
        target = Path(os.path.realpath(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        # Beside the target, so that the renames stay within one file system.
        work = target.with_name(f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}")
        work.mkdir(0o700)
        with _locked(work):
            try:
                _fill(work, files, target, check)
            finally:
                shutil.rmtree(work, ignore_errors=True)


def _fill(
    work: Path, files: Mapping[str, bytes], target: Path, check: Callable[[Path], object]
) -> None:
    new, old = work / "new", work / "old"
    # Whose older content it is, should this process be killed between the two renames.
    (work / "target").symlink_to(target.name)
    for name, content in files.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    check(new)
    if target.exists():
        new.chmod(stat.S_IMODE(target.stat().st_mode))
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that killed runs have left in a folder; those of live ones stay.

    An older folder that a killed run had moved aside, and not replaced yet, gets its place back.
    """
    if fcntl is None:
        return
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        # One that belongs to somebody else, or to a file system without locks, stays.
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_dir():
                    _remove_folder(path)
                else:
                    path.unlink()
            finally:
                os.close(descriptor)


def _remove_folder(work: Path) -> None:
    name = work / "target"
    if name.is_symlink():
        target = work.with_name(name.readlink().name)
        if (work / "old").is_dir() and not target.exists():
            (work / "old").rename(target)
    shutil.rmtree(work)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _named(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from None


@contextmanager
def _temporary_file(target: Path) -> Iterator[tuple[Any, Path]]:
    """An open, locked file beside the target, with its mode and owner; removed if still there."""
    older = target.stat() if target.exists() else None
    temporary = target.with_name(f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}")
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    while True:
        descriptor = os.open(temporary, flags, 0o666 if older is None else 0o600)
        if fcntl is None:
            break
        # Without locks nobody can take the file for one that was left behind either.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        # Another run was quicker than the lock.
        os.close(descriptor)
    with os.fdopen(descriptor, "wb") as file:
        try:
            if older is not None:
                if hasattr(os, "chown"):
                    with suppress(OSError):
                        os.chown(temporary, older.st_uid, older.st_gid)
                temporary.chmod(stat.S_IMODE(older.st_mode))
            yield file, temporary
        finally:
            # Where it was renamed, nothing is there.
            with suppress(OSError):
                temporary.unlink()


def _write_stream(content: bytes | Iterable[bytes], out: Path) -> None:
    number = _descriptor(out)
    # The descriptor itself: opening it anew may be forbidden, or begin at the file's start.
    with out.open("wb") if number is None else os.fdopen(os.dup(number), "wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)


def _descriptor(out: Path) -> int | None:
    named = _DESCRIPTOR.fullmatch(str(out))
    if named is None:
        return None
    return int(named[2]) if named[2] else ("stdout", "stderr").index(named[1]) + 1


def _refuse_inputs(out: Path, inputs: Sequence[Path], folder: Path | None) -> None:
    for path in inputs:
        if same_file(out, path):
            what = "the input file" if path == inputs[0] else f"read with {inputs[0]}"
            raise UsageError(f"{out} is {what}", "write to another file")
    if folder is not None and _is_within(out, folder):
        raise UsageError(f"{out} lies in {folder}, which is read", "write to another folder")


def _refuse_protected(out: Path) -> None:
    """As an editor does, also for those whom the system would let replace it."""
    if out.exists() and not (out.stat().st_mode & 0o222 and os.access(out, os.W_OK)):
        raise OutputError(f"{out} is write-protected", "name another file, or make it writable")


def _is_within(out: Path, folder: Path) -> bool:
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(folder)):
        return True
    return out.exists() and any(path.is_file() and same_file(out, path) for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for name, _, files in os.walk(folder):
        yield from (Path(name) / file for file in files)
