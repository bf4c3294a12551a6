"""The files of a PLINK file set beside its genotypes, and the samples of a .fam or .psam."""

from pathlib import Path

from snpredict.errors import InconsistentFiles, NotATable, RaggedRow, UnsupportedFile
from snpredict.genotypes.sample_ids import check_samples
from snpredict.genotypes.source import TextSource


def part(path: Path, suffix: str, rewrite: str) -> Path:
    """The file of the same set with another suffix.

    Parameters
    ----------
    path : Path
        The .bed or .pgen.
    suffix : str
    rewrite : str
        The command that writes the set without compression.

    Raises
    ------
    InconsistentFiles
        It is not there.
    UnsupportedFile
        It is there as a zstd file only.
    """
    named = path.with_suffix(suffix)
    if named.exists():
        return named
    packed = named.with_name(named.name + ".zst")
    if packed.exists():
        raise UnsupportedFile(
            f"{packed} is a zstd file, which is not read", f"write it uncompressed: {rewrite}"
        )
    raise InconsistentFiles(
        f"{path} comes without its {suffix} file: {named} does not exist",
        f"put {named.name} beside {path.name}",
    )


def read_samples(path: Path, hint: str) -> list[str]:
    """Individual ids (IID) of a .fam or .psam.

    Parameters
    ----------
    path : Path
    hint : str
        The way out of repeated ids.

    Raises
    ------
    NotATable
        The .psam's header has no column IID, or ends before it.
    RaggedRow
        A line has another number of columns than the header, or than the first line.
    NoGenotypes, DuplicateSample
        See `snpredict.genotypes.sample_ids.check_samples`.
    """
    source = TextSource(path)
    place, first, n_columns = 1, 1, 0
    samples: list[str] = []
    blank = 0
    for number, line in source.lines():
        cells = line.split()
        if not samples and line.startswith(b"#"):
            names = [cell.decode() for cell in cells]
            first = number + 1
            if names[0] in ("#FID", "#IID"):
                names[0] = names[0][1:]
                if "IID" not in names:
                    raise NotATable(f"{path}, line {number}: the header has no column IID")
                place, n_columns = names.index("IID"), len(names)
            continue
        if not cells:
            blank = blank or number
            continue
        if blank:
            raise blank_line(path, blank)
        if not n_columns:
            if first > 1:
                raise NotATable(
                    f"{path}, line {number}: found a sample, expected the header line before it",
                    "the last line that begins with # must begin with #FID or #IID",
                )
            # More than six are further phenotypes.
            n_columns = max(6, len(cells))
        if len(cells) != n_columns:
            raise ragged(path, number, len(cells), n_columns)
        samples.append(cells[place].decode())
    check_samples(path, samples, "line", first, hint)
    return samples


def ragged(path: Path, number: int, found: int, expected: int) -> RaggedRow:
    """The error of a line with another number of columns."""
    return RaggedRow(f"{path}, line {number}: found {found} columns, expected {expected}")


def blank_line(path: Path, number: int) -> RaggedRow:
    """The error of a blank line that is not at the end."""
    return RaggedRow(
        f"{path}, line {number}: the line is blank, and others follow", "remove the blank line"
    )
