"""PLINK's .raw: a table with samples in rows whose columns say which allele they count.

`plink2 --export A` and `plink --recode A` write it: six columns of the pedigree, then one column
per variant. ``rs123_A`` is variant ``rs123`` counting allele A; with the modifier ``include-alt``
it is ``rs123_A(/T)``, which names the other allele too. Fields are separated by tabs or blanks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from snpredict.errors import NoSampleColumn, NotATable
from snpredict.genotypes.formats import PEDIGREE
from snpredict.genotypes.reader import GenotypeBlock, ReadOptions
from snpredict.genotypes.tables.delimited import BLOCK_BYTES, DelimitedText
from snpredict.genotypes.tables.wide import WideTable
from snpredict.genotypes.variants import Variant, Variants, Wanted
from snpredict.names import quoted

_BAD_CELL = "columns behind PHENOTYPE hold the number of copies of the allele that they name"

#: Further columns of `plink --recode AD`: 1 for a heterozygote, 0 for a homozygote.
_DOMINANCE = "_HET"

#: PLINK's names of an allele that no sample has.
_NO_ALLELE = ("0", ".")

_DOMINANCE_NOTE = "columns of heterozygotes (_HET), left out"
_PLAIN_NOTE = "SNP columns without an allele, codes taken as the model's"


def open_raw(path: Path, options: ReadOptions, snps: Wanted | None) -> "RawTable":
    """Reader for a .raw; see `snpredict.genotypes.detect.open_genotypes`."""
    return RawTable(path, id_column=options.id_column, coding=options.coding)


class RawTable(WideTable):
    """A PLINK .raw, of which only the header has been read.

    Parameters
    ----------
    path : Path
    id_column : str, optional
        One of `PEDIGREE`; IID when left out.
    coding : str, optional
        See `WideTable`.

    Attributes
    ----------
    header : list of str
        Column names, those of SNPs without the allele.
    no_snps : frozenset of str
        The pedigree, and columns of heterozygotes.
    alleles : dict of str to (str or None, str or None)
        Of every SNP; None for an allele that is not named.

    The others are those of `WideTable`.

    Raises
    ------
    NotATable
        The first columns are not `PEDIGREE`.
    NoSampleColumn
        `id_column` is none of them.
    """

    _own_ids = (
        "give every sample its own IID; where they are unique within families only, rename them "
        "with plink2 --update-ids"
    )

    def __init__(self, path: Path, *, id_column: str | None = None, coding: str | None = None):
        text = DelimitedText(path, _BAD_CELL, ("raw", "table"), coding)
        n = len(PEDIGREE)
        if tuple(text.header[:n]) != PEDIGREE:
            raise NotATable(
                f"{path} is not a PLINK .raw: its columns begin with {quoted(text.header, n)}, "
                f"expected {', '.join(PEDIGREE)}",
                "leave out --input-format",
            )
        if id_column not in (None, *PEDIGREE):
            raise NoSampleColumn(
                f"{path} has no column {id_column!r} before its SNPs; found {quoted(PEDIGREE, n)}",
                "leave out --id-column: IID holds the sample ids",
            )
        self._names = text.header
        #: Per column behind the pedigree, None for one of heterozygotes.
        self._variants: list[Variant | None] = []
        for name in text.header[n:]:
            before = self._variants[-1] if self._variants else None
            if before is not None and name == f"{before.id}{_DOMINANCE}":
                self._variants.append(None)
            else:
                self._variants.append(named_variant(name))
        header = list(PEDIGREE)
        for name, variant in zip(text.header[n:], self._variants, strict=True):
            header.append(name if variant is None or variant.id is None else variant.id)
        self._hold(text, "raw", header)
        self.id_column = id_column or "IID"
        self._check_unique([self.id_column])
        dominance = [
            name
            for name, variant in zip(text.header[n:], self._variants, strict=True)
            if variant is None
        ]
        self.no_snps = frozenset([*PEDIGREE, *dominance])
        self.alleles = {
            variant.id: (_named(variant.counted), variant.other)
            for variant in self._variants
            if variant is not None and variant.id is not None
        }
        if dominance:
            self.notes[_DOMINANCE_NOTE] = len(dominance)

    def variants(self, wanted: Wanted) -> Variants:
        """The columns that a model asks for, by id; see `GenotypeReader.variants`.

        A file of which more columns are SNPs of the model by their whole name is not from PLINK:
        its columns say no allele.
        """
        found = [
            (index, variant)
            for index, variant in enumerate(self._variants, len(PEDIGREE))
            if variant is not None
        ]
        whole = sum(self._names[index] in wanted.ids for index, _ in found)
        plain = whole > sum(variant.id in wanted.ids for _, variant in found)
        if plain:
            found = [(index, _without_alleles(self._names[index])) for index, _ in found]
            self.notes[_PLAIN_NOTE] = whole
        variants = Variants(has_alleles=not plain)
        self._candidates = []
        for index, variant in found:
            variants.see(variant)
            if wanted.named(variant.id):
                self._candidates.append(index)
                variants.candidates.append(variant)
        return variants

    def blocks(
        self,
        snps: Sequence[str],
        *,
        columns: Sequence[str] = (),
        block_bytes: int = BLOCK_BYTES,
        repeats: bool = False,
    ) -> Iterator[GenotypeBlock]:
        """As `WideTable.blocks`; −9 in PHENOTYPE, which PLINK means as missing, is NA."""
        blocks = super().blocks(snps, columns=columns, block_bytes=block_bytes, repeats=repeats)
        return map(_without_minus_nine, blocks)


def named_variant(name: str) -> Variant:
    """What a column's name says.

    The allele stands behind the last underscore, as ids may hold underscores too.

    Examples
    --------
    >>> named_variant("Gm01_3321482_T_C_C(/T)")
    Variant(id='Gm01_3321482_T_C', chromosome=None, position=None, counted='C', other='T')
    """
    stem, bracket, others = name.rpartition("(/")
    other = None
    if bracket and stem and others.endswith(")"):
        name = stem
        # Several ALT alleles are none that can be named.
        other = None if "," in others else _named(others[:-1].upper())
    id, _, counted = name.rpartition("_")
    if not (id and counted):
        return _without_alleles(name)
    counted = counted.upper()
    if other is not None:
        return Variant(_value(id), None, None, _named(counted), other)
    # An allele without a name, beside another without one, stays as it is spelt: it fits no
    # model's SNP, where two that are not known would be taken for the model's.
    return Variant(_value(id), None, None, counted, None)


def _without_alleles(name: str) -> Variant:
    return Variant(_value(name), None, None, None, None)


def _value(id: str) -> str | None:
    return None if id in ("", ".") else id


def _named(allele: str | None) -> str | None:
    return None if allele in _NO_ALLELE else allele


def _without_minus_nine(block: GenotypeBlock) -> GenotypeBlock:
    phenotype = block.columns.get("PHENOTYPE")
    if phenotype is None:
        return block
    known = ["NA" if text in ("-9", "-9.0") else text for text in phenotype]
    return replace(block, columns={**block.columns, "PHENOTYPE": known})
