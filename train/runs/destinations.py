"""Folders and files that a command of training writes, checked before anything is read."""

from collections.abc import Iterable
from pathlib import Path

from snpredict.errors import UsageError
from snpredict.files import check_destination, same_file


def check_folder(option: str, folder: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse a folder of ours that holds a file which is read: it might be overwritten.

    Raises
    ------
    UsageError
        One of `inputs` lies in it.
    """
    for path in inputs:
        if path is not None and path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"{path} lies in {folder}, which {option} is to write", "name another folder"
            )


def check_bundle(out: Path, run: Path) -> None:
    """Refuse a bundle that would replace its own run, or lie inside another bundle.

    Raises
    ------
    UsageError
        The run's folder is the bundle's, or lies in it; or a folder above is a bundle.
    """
    for above in out.resolve().parents:
        if (above / "manifest.json").exists():
            raise UsageError(
                f"{out} lies in {above}, which is a bundle", "name a folder beside it with --out"
            )
    if same_file(out, run) or run.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            f"the folder of the run, {run}, would be replaced by the bundle {out}",
            "name another folder with --out or --run-dir",
        )


def check_report(report: Path, folder: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse a report that would overwrite what is read, or the evaluation's own files.

    Raises
    ------
    UsageError, OutputError
        It is one of `inputs`, or lies in `folder` under another name than ``report.md``; or it
        cannot be written.
    """
    if same_file(report, folder / "report.md"):
        return
    if report.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"--report {report} lies in {folder}, which has its own report.md", "name another file"
        )
    if report.parent.is_dir():
        check_destination(report, [path for path in inputs if path is not None])
