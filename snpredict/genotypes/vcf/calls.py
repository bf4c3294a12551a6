"""Records of VCF and BCF files: from alleles, calls and dosages to rows of codes.

Both formats say the same in different bytes: a site has a reference and any number of
alternative alleles, and a call names the alleles of a sample by number, 0 for the reference. What
a model needs is one row of codes per alternative allele.

The calls of a site are two arrays, the number of each sample's first and second allele, with
`NO_CALL`, `ABSENT` and `MORE` in the place of a number.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from snpredict.errors import BadGenotype, BadVariant, NoGenotypes, NoRows
from snpredict.formulas.encoding import MISSING
from snpredict.genotypes.reader import SPLIT_NOTE
from snpredict.genotypes.spool import Spool
from snpredict.genotypes.variants import Variant, Variants, Wanted

#: An allele that is not known, written as a dot.
NO_CALL = -1
#: In the second place: a haploid call has no such allele.
ABSENT = -2
#: In the second place: a call of more than two alleles.
MORE = -3

#: Dosages beyond 0 and 2 by no more than this come from rounding.
DOSAGE_TOLERANCE = 1e-3

#: Genotypes that are packed at a time, about.
_BATCH_GENOTYPES = 1 << 18

#: No allele has this number.
_NONE = -128


class Site(NamedTuple):
    """A record that may be a SNP of the model.

    Attributes
    ----------
    where : str
        File, place and name, to begin a message with.
    n_alts : int
        Alternative alleles of the record, also symbolic ones.
    variants : dict of int to Variant
        By number of the counted allele; of a site that names no alternative allele one variant
        without counted allele, by a number that no call has.
    symbolic : list of int
        Numbers of alleles that are no sequence, such as ``<NON_REF>`` and ``*``.
    """

    where: str
    n_alts: int
    variants: dict[int, Variant]
    symbolic: list[int]


class CallRows:
    """The variants of a file and their codes, gathered record by record.

    Parameters
    ----------
    path : Path
    samples : sequence of str
        At least one.
    wanted : Wanted
    dosages : {"use", "round", "ignore"}
        See `snpredict.genotypes.reader.ReadOptions`.

    Attributes
    ----------
    variants : Variants
    spool : Spool
        One row per candidate.
    notes : Counter of str
        What was taken otherwise than one might expect.
    """

    def __init__(self, path: Path, samples: Sequence[str], wanted: Wanted, dosages: str):
        self._path = path
        self._samples = samples
        self._wanted = wanted
        self._dosages = dosages
        self._ignored_dosages = 0
        self._batch = np.empty((max(1, _BATCH_GENOTYPES // len(samples)), len(samples)), np.int8)
        self._filled = 0
        self.variants = Variants()
        self.spool = Spool(samples)
        self.notes: Counter[str] = Counter()

    def see(self, chromosome: str, position: int, ids: str) -> Variant | None:
        """Count a record of the file.

        Parameters
        ----------
        chromosome : str
        position : int
            0 where it is not known.
        ids : str
            As the file spells them: "." for none, several separated by semicolons.

        Returns
        -------
        Variant or None
            Without alleles; None for a record that is not wanted. Of several ids the one that the
            model knows, else the first.
        """
        id = None if ids in (".", "") else ids
        if id and ";" in id:
            names = [name for name in id.split(";") if name not in (".", "")]
            known = [name for name in names if name in self._wanted.ids]
            id = next(iter(known + names), None)
        variant = Variant(id, chromosome, position or None, None, None)
        self.variants.see(variant)
        return variant if self._wanted(*variant[:3]) else None

    def site(self, variant: Variant, place: str, ref: str, alts: Sequence[str]) -> Site | None:
        """The alleles of a record that is wanted, or None where they are of no use.

        Parameters
        ----------
        variant : Variant
            What `see` returned.
        place : str
            Where in the file, such as ``"line 12"``.
        ref : str
            "." where it is not known.
        alts : sequence of str

        Raises
        ------
        BadVariant
            An allele is empty, or named twice.
        """
        name = variant.id or f"{variant.chromosome}:{variant.position}"
        where = f"{self._path}, {place}, variant {short(name)}"
        ref, alts = ref.upper(), [alt.upper() for alt in alts]
        found = f"REF {short(ref)}, ALT {short(','.join(alts))}"
        if not all((ref, *alts)):
            raise BadVariant(
                f"{where}: found an empty allele in {found}, expected bases, or . for none"
            )
        other = None if _is_symbolic(ref) else ref
        named = {number: alt for number, alt in enumerate(alts, 1) if not _is_symbolic(alt)}
        if len({ref, *named.values()}) <= len(named):
            raise BadVariant(
                f"{where}: found {found}, expected every allele once",
                "correct the record or remove it",
            )
        if other is None and not named:
            self.notes["records without alleles, skipped"] += 1
            return None
        if len(named) > 1:
            self.notes[SPLIT_NOTE] += 1
        variants = {
            number: variant._replace(counted=alt, other=other) for number, alt in named.items()
        } or {_NONE: variant._replace(other=other)}
        symbolic = [number for number in range(1, len(alts) + 1) if number not in named]
        return Site(where, len(alts), variants, symbolic)

    def fields(self, site: Site, keys: Sequence[str]) -> tuple[int | None, int | None]:
        """Which of a record's FORMAT fields are read.

        Parameters
        ----------
        site : Site
        keys : sequence of str

        Returns
        -------
        calls, dosages : int or None
            Places of GT and DS in `keys`. Both None for a record to be skipped.
        """
        calls = keys.index("GT") if "GT" in keys else None
        # Dosages count alternative alleles.
        dosages = keys.index("DS") if "DS" in keys and _NONE not in site.variants else None
        if dosages is not None and self._dosages == "ignore":
            dosages = None
            self._ignored_dosages += 1
        if calls is None and dosages is None:
            self.notes["records without GT, skipped"] += 1
        return calls, dosages

    def add(
        self,
        site: Site,
        calls: tuple[np.ndarray, np.ndarray] | None,
        dosages: np.ndarray | None,
    ) -> None:
        """Add the variants of a site.

        Parameters
        ----------
        site : Site
        calls : (ndarray (samples,), ndarray (samples,)) of a signed integer type, or None
            Numbers of the first and the second alleles.
        dosages : ndarray (alternative alleles, samples) of float, or None
            Expected copies of each allele; NaN where the sample's call is to be taken. The call is
            also taken where it has one allele, or more than two: it is missing then.

        Raises
        ------
        BadGenotype
            An allele that the site does not have, or a dosage that is not within 0 and 2.
        """
        if calls is not None and dosages is not None:
            # A dosage of such a call counts up to another number of alleles than 2.
            first, second = calls
            # A lone dot may stand for a diploid call; several alleles are as many, called or not.
            not_diploid = ((second == ABSENT) & (first >= 0)) | (second == MORE)
            lost = not_diploid & (first < 0) & ~np.isnan(dosages).all(axis=0)
            if count := np.count_nonzero(lost):
                self.notes["polyploid calls, taken as missing"] += count
            dosages = np.where(not_diploid, np.nan, dosages)
        if dosages is not None:
            dosages = self._checked(dosages, site)
        if calls is not None:
            first, second = calls
            if dosages is not None:
                told = ~np.isnan(dosages).any(axis=0)
                first, second = (np.where(told, NO_CALL, alleles) for alleles in calls)
            self._check(first, second, site)
            self._count(first, second, site)
        for number, variant in site.variants.items():
            self.variants.candidates.append(variant)
            if calls is None:
                codes = np.full(len(self._samples), MISSING, np.int8)
            else:
                codes = _codes(first, second, number, site.n_alts)
            if dosages is None:
                self._append(codes)
            else:
                self._append_dosages(codes, dosages, number)

    def finish(self) -> Variants:
        """All variants, their rows in the spool.

        Raises
        ------
        NoRows
            The file has no records.
        NoGenotypes
            There are candidates, and all were skipped for lack of genotypes.
        """
        self._flush()
        if not self.variants.total:
            raise NoRows(f"{self._path} has a header and no records")
        skipped = self.notes["records without GT, skipped"]
        if skipped and not self.variants.candidates:
            hint = "its dosages (DS) are read without --dosages ignore"
            raise NoGenotypes(
                f"{self._path} has no genotypes for the SNPs of the model: found {skipped} records "
                "of them, expected the field GT in FORMAT",
                hint if self._ignored_dosages else None,
            )
        return self.variants

    # --- checks ----------------------------------------------------------------------------

    def _check(self, first: np.ndarray, second: np.ndarray, site: Site) -> None:
        if max(first.max(), second.max()) <= site.n_alts:
            return
        at = int(np.argmax((first > site.n_alts) | (second > site.n_alts)))
        found = max(int(first[at]), int(second[at]))
        names = "0 for REF alone" if site.n_alts == 0 else f"0 to {site.n_alts}"
        raise BadGenotype(
            f"{site.where}, sample {self._samples[at]!r}: found allele number {found} in GT, "
            f"expected {names}, as the record has {site.n_alts} alternative alleles"
        )

    def _count(self, first: np.ndarray, second: np.ndarray, site: Site) -> None:
        # The sign of first ^ second: one of the two is the number of an allele, the other not.
        if odd := np.count_nonzero((first ^ second) < 0):
            haploid = np.count_nonzero((second == ABSENT) & (first >= 0))
            polyploid = np.count_nonzero((second == MORE) & (first >= 0))
            for kind, count in (
                ("half-calls", odd - haploid - polyploid),
                ("haploid calls", haploid),
                ("polyploid calls", polyploid),
            ):
                if count:
                    self.notes[f"{kind}, taken as missing"] += count
        if site.symbolic:
            carriers = np.isin(first, site.symbolic) | np.isin(second, site.symbolic)
            if count := np.count_nonzero(carriers & (first >= 0) & (second >= 0)):
                self.notes[
                    "genotypes with a symbolic allele such as <NON_REF> or *, taken as missing"
                ] += count

    def _checked(self, dosages: np.ndarray, site: Site) -> np.ndarray:
        low, high = -DOSAGE_TOLERANCE, 2 + DOSAGE_TOLERANCE
        bad = (dosages < low) | (dosages > high)
        if bad.any():
            alt, at = np.argwhere(bad)[0]
            raise BadGenotype(
                f"{site.where}, sample {self._samples[at]!r}: found dosage "
                f"{float(dosages[alt, at]):g} in DS, expected copies of the alternative allele "
                "from 0 to 2"
            )
        return dosages.clip(0, 2).astype(np.float32, copy=False)

    # --- rows ------------------------------------------------------------------------------

    def _append(self, codes: np.ndarray) -> None:
        self._batch[self._filled] = codes
        self._filled += 1
        if self._filled == len(self._batch):
            self._flush()

    def _append_dosages(self, codes: np.ndarray, dosages: np.ndarray, number: int) -> None:
        copies = dosages[number - 1]
        if np.isnan(copies).all():
            self._append(codes)
            return
        from_calls = np.where(codes == MISSING, np.nan, codes)
        result = np.where(np.isnan(copies), from_calls, copies).astype(np.float32)
        if len(dosages) > 1:
            # As a call with a third allele is: its copies would be taken for the reference.
            third = np.nansum(np.delete(dosages, number - 1, axis=0), axis=0)
            result[(third >= 0.5) & ~np.isnan(copies)] = np.nan
        if self._dosages == "round":
            self.notes["variants with dosages (DS), rounded"] += 1
            result = np.floor(result + np.float32(0.5))
        else:
            self.notes["variants with dosages (DS), used as expected genotypes"] += 1
        self._flush()
        self.spool.append_dosages(result)

    def _flush(self) -> None:
        if self._filled:
            self.spool.append(self._batch[: self._filled])
            self._filled = 0


def short(text: str | bytes, length: int = 40) -> str:
    """What was found, in quotes, cut where it is long."""
    start = text[: 4 * length]
    shown = start.decode(errors="replace") if isinstance(start, bytes) else start
    return repr(shown if len(shown) <= length else shown[: length - 3] + "...")


def _is_symbolic(allele: str) -> bool:
    # <DEL>, * (deleted by another record), breakends such as G]17:198982] and .A, and the dot.
    return allele == "*" or allele[0] in "<." or allele[-1] == "." or "[" in allele or "]" in allele


def _codes(first: np.ndarray, second: np.ndarray, number: int, n_alts: int) -> np.ndarray:
    """Copies of an allele, int8; missing where a call has any other but the reference."""
    if n_alts == number == 1:
        # The numbers are the copies; a negative one, shifted, has all bits of −1.
        sign = 8 * first.itemsize - 1
        return ((first + second) | ((first | second) >> sign)).astype(np.int8, copy=False)
    is_first, is_second = first == number, second == number
    copies = is_first.view(np.int8) + is_second.view(np.int8)
    third = ~((is_first | (first == 0)) & (is_second | (second == 0)))
    return copies | -third.view(np.int8)
