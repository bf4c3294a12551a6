"""Where a command's results go: checked before anything is read, written together at the end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snpredict.bundle import load as bundles
from snpredict.errors import NoSnpMatched, OutputError, TooFewSnps, UsageError
from snpredict.files import STDOUT, check_apart, check_destination, write_files
from snpredict.genotypes.detect import files_of
from snpredict.matching.matched_file import MatchedFile
from snpredict.predicting import match_log
from snpredict.results import Results, encode, format_of
from snpredict.terminal.streams import require_stdout


class Outputs:
    """The results of a command and, beside them, the log of the match.

    Parameters
    ----------
    file : Path or None
        The genotypes.
    model : str or None
        As named on the command line.
    out : Path or None
        None is stdout.
    format : str or None
        One of `snpredict.results.FORMATS`, as named on the command line.
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
        model: str | None,
        out: Path | None,
        format: str | None,
        log: Path | None,
    ):
        self.format = format_of(out, format)
        self.out, self._log = out, log
        self._log_format = format_of(log, None) or "tsv"
        self._matched: MatchedFile | None = None
        if out is None:
            require_stdout()
        read = [] if file is None else files_of(file)
        folder = bundles.find_bundle(model or bundles.DEFAULT_MODEL)
        check_destination(out or STDOUT, read, folder)
        if log is not None:
            check_destination(log, read, folder)
        formats = {self.format} | ({self._log_format} if log is not None else set())
        if file is not None and formats & {"json", "parquet"}:
            _require_utf8(file)
        if log is not None:
            check_apart(out or STDOUT, log, f"{'--out' if out else 'stdout'} and --match-log")

    def note_match(self, matched: MatchedFile) -> None:
        """Keep what the log is made of."""
        self._matched = matched

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
            raise UsageError("Parquet is not text for a terminal", "name a file with --out")
        self.write_bytes(encode(results, self.format or "tsv"))

    def write_bytes(self, content: bytes) -> None:
        """As `write`, results that are encoded already."""
        if self.out is not None:
            self._write({self.out: content})
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        self.write_log()

    def write_log(self) -> None:
        """The log alone, where the results are on stdout: when these are out."""
        sys.stdout.flush()
        self._write({})

    def _write(self, contents: dict[Path, bytes]) -> None:
        if self._log is not None and self._matched is not None:
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
