"""LD that somebody has computed: PolyFun's ``.npz``, each with a list of its variants.

``NAME.npz`` is a sparse upper triangle of correlations as SciPy saves it, of half the diagonal or
the whole of it, and ``NAME.gz`` a table beside it: rsid, chromosome, position, allele1, allele2.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snpredict.bundle.tables import SnpTable
from snpredict.errors import FileNotFound
from snpredict.formulas.encoding import CHANNEL_CODES, MISSING
from train.deepwas.cutting import Span
from train.deepwas.inputs.summary_statistics import numbers_of, read_texts
from train.errors import StudyFileError

_COLUMNS = ("rsid", "chromosome", "position", "allele1", "allele2")


@dataclass(frozen=True)
class LdMatrices:
    """Correlations of variants, in one matrix or several.

    Attributes
    ----------
    path : Path
    snps : SnpTable
        Along the chromosomes; genotype frequencies are not known.
    people : int
        0: the number is not known.
    """

    path: Path
    snps: SnpTable
    _files: tuple[Path, ...]
    #: For each variant the places of its row in every matrix, −1 where it is in none.
    _rows: np.ndarray
    people: int = 0

    def only(self, rows: np.ndarray) -> "LdMatrices":
        """With these variants only, ascending places in `snps`."""
        return LdMatrices(self.path, self.snps.rows(rows), self._files, self._rows[:, rows])

    def ld(self, span: Span, taper: float | None) -> np.ndarray:
        """Correlations of a window's core with all of it, (core, all) float32.

        They are those of the matrix that holds most of the window; what it does not hold is 0, but
        for each variant with itself.
        """
        from train.deepwas.window import tapering

        own = np.arange(span.start, span.stop)
        within = self._rows[:, own]
        best = int((within >= 0).sum(axis=1).argmax())
        rows = within[best]
        matrix = _load(self._files[best])
        inside = rows >= 0
        found = np.zeros((len(own), len(own)), np.float32)
        found[np.ix_(inside, inside)] = matrix[np.ix_(rows[inside], rows[inside])]
        np.fill_diagonal(found, 1)
        if taper:
            position = np.array(self.snps.position, np.int64)[own]
            found *= tapering(np.abs(position[:, None] - position), taper)
        return found[span.core]


def is_matrices(path: Path) -> bool:
    """Whether a reference is of this kind: an ``.npz``, or a folder of them."""
    return path.suffix == ".npz" or (path.is_dir() and any(path.glob("*.npz")))


def open_ld_matrices(path: Path) -> LdMatrices:
    """Read the lists of variants.

    Raises
    ------
    FileNotFound
        A matrix has no list beside it.
    StudyFileError
        A list lacks a column, or has another number of variants than its matrix.
    """
    files = tuple(sorted(path.glob("*.npz"))) if path.is_dir() else (path,)
    variants: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for number, file in enumerate(files):
        beside = file.with_suffix(".gz")
        for one in (file, beside):
            if not one.is_file():
                raise FileNotFound(f"{one} does not exist; an LD matrix has a list of variants")
        table = read_texts(beside)
        if lacking := [name for name in _COLUMNS if name not in table.columns]:
            raise StudyFileError(f"{beside} has no column {lacking[0]!r}")
        numbers_of(beside, table, "position")
        size = _shape(file)
        if len(table) != size:
            raise StudyFileError(f"{file} is of {size} variants, and {beside} of {len(table)}")
        for row, variant in enumerate(zip(*(table[name] for name in _COLUMNS), strict=True)):
            variants.setdefault(tuple(map(str, variant)), []).append((number, row))
    names = list(variants)
    chromosomes = {name: at for at, name in enumerate(dict.fromkeys(n[1] for n in names))}
    order = sorted(range(len(names)), key=lambda at: (chromosomes[names[at][1]], int(names[at][2])))
    rows = np.full((len(files), len(names)), -1, np.int64)
    for to, at in enumerate(order):
        for number, row in variants[names[at]]:
            rows[number, to] = row
    ids, chromosome, position, first, second = zip(*(names[at] for at in order), strict=True)
    unknown = np.zeros((len(names), len(CHANNEL_CODES)))
    unknown[:, CHANNEL_CODES.index(MISSING)] = 1
    snps = SnpTable.of(_unique(ids), chromosome, [int(p) for p in position], first, second, unknown)
    return LdMatrices(path, snps, files, rows)


def _unique(ids: tuple[str, ...]) -> list[str]:
    """Ids, with a number behind those that were there before."""
    seen: dict[str, int] = {}
    found = []
    for name in ids:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _shape(file: Path) -> int:
    return len(_load(file))


def _load(file: Path) -> np.ndarray:
    """The whole matrix, float32."""
    from scipy import sparse

    try:
        triangle = sparse.load_npz(file).toarray().astype(np.float32)
    except Exception as error:  # of a damaged archive, NumPy and zipfile raise what they like
        raise StudyFileError(f"{file} is not a sparse matrix of SciPy: {error}") from None
    if triangle.ndim != 2 or triangle.shape[0] != triangle.shape[1]:
        raise StudyFileError(f"{file}: expected a square matrix, found {triangle.shape}")
    whole = triangle + triangle.T
    np.fill_diagonal(whole, 1)
    if np.abs(whole).max(initial=0) > 1.01:
        raise StudyFileError(
            f"{file} holds {np.abs(whole).max():.3g}, expected correlations of an upper triangle"
        )
    return whole
