"""Where a command's results go: checked before anything is read, written together at the end."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snpredict.bundle import load as bundles
from snpredict.bundle.load import Bundle
from snpredict.errors import NoSnpMatched, OutputError, TooFewSnps, UsageError
from snpredict.files import STDOUT, check_apart, check_destination, write_files
from snpredict.genotypes.detect import files_of
from snpredict.matching.matched_file import MatchedFile
from snpredict.results.of_files import match_log
from snpredict.results.tables import Results, encode, format_of, to_json
from snpredict.terminal.streams import require_stdout
from snpredict.terminal.tables import terminal

if TYPE_CHECKING:
    from rich.console import Console


class Outputs:
    """The results of a command and, beside them, the log of the match.

    Parameters
    ----------
    file : Path or None
        The genotypes.
    models : sequence of str
        As named on the command line; the default model where none is.
    out : Path or None
        None is stdout.
    format : str or None
        One of `snpredict.choices.OUTPUT_FORMATS`, as named on the command line.
    log : Path or None
        The match log.

    Attributes
    ----------
    format : str or None
        None where nothing says it.

    Raises
    ------
    UsageError
        An output would overwrite a file of the input or of the model, or the other output; or its
        name says no format.
    OutputError
        It cannot be written.
    UnknownModel
        There is no such model.
    """

    def __init__(
        self,
        file: Path | None,
        models: Sequence[str],
        out: Path | None,
        format: str | None,
        log: Path | None,
    ):
        self.format = format_of(out, format)
        self.out, self._log = out, log
        self._log_format = format_of(log, None) or "tsv"
        self._matched: list[MatchedFile] = []
        self._models = list(models) or [bundles.DEFAULT_MODEL]
        if out is None:
            require_stdout()
        read = [] if file is None else files_of(file)
        for model in self._models:
            folder = bundles.find_bundle(model)
            check_destination(out or STDOUT, read, folder)
            if log is not None:
                check_destination(log, read, folder)
        formats = {self.format} | ({self._log_format} if log is not None else set())
        if file is not None and formats & {"json", "parquet"}:
            _require_utf8(file)
        if log is not None:
            check_apart(out or STDOUT, log, f"{'--out' if out else 'stdout'} and --match-log")

    def bundle(self) -> Bundle:
        """The only model, loaded."""
        (bundle,) = self.bundles()
        return bundle

    def bundles(self) -> list[Bundle]:
        """The models, loaded."""
        return [bundles.load_bundle(model) for model in self._models]

    def note_match(self, matched: MatchedFile) -> None:
        """Keep what the log is made of; once for each model."""
        self._matched.append(matched)

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """Writes the log also for a file that is refused because of its match, and says so."""
        try:
            yield
        except (NoSnpMatched, TooFewSnps) as error:
            if self._log is not None:
                self._write({})
                where = f"{self._log} says what became of each SNP"
                error.hint = f"{error.hint}; {where}" if error.hint else where
            raise

    @property
    def on_screen(self) -> bool:
        """Whether a person sees the results on a terminal, in no format that was asked for."""
        return self.out is None and self.format is None and sys.stdout.isatty()

    def give(self, results: Callable[[], Results], draw: Callable[["Console"], None]) -> None:
        """Results to where they go: drawn on a terminal, else written; and the log.

        Raises
        ------
        OutputError, UsageError
            See `write`.
        """
        if self.on_screen:
            draw(terminal())
            self.write_log()
        else:
            self.write(results())

    def write(self, results: Results) -> None:
        """Results and log, in files both or none.

        Raises
        ------
        OutputError
            A file cannot be written.
        UsageError
            Parquet is to be shown on a terminal.
        """
        if self.out is None and self.format == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet cannot be shown on a terminal", "name a file with --out")
        self.write_bytes(encode(results, self.format or "tsv"))

    def write_bytes(self, content: bytes) -> None:
        """As `write`, results that are encoded already."""
        if self.out is not None:
            self._write({self.out: content})
            return
        print_bytes(content)
        self.write_log()

    def write_log(self) -> None:
        """The log alone, where the results are on stdout: when these are out."""
        sys.stdout.flush()
        self._write({})

    def _write(self, contents: dict[Path, bytes]) -> None:
        if self._log is not None and self._matched:
            contents[self._log] = encode(match_log(self._matched), self._log_format)
        write_files(contents)


def _require_utf8(file: Path) -> None:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise OutputError(
            f"{file}: its name is not UTF-8, and JSON and Parquet hold the name",
            "rename the file, or write a .tsv or .csv",
        ) from None


def print_bytes(content: bytes) -> None:
    """To stdout, behind what has been printed."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def print_json(value: object) -> None:
    """To stdout as JSON."""
    print_bytes(to_json(value).encode())
