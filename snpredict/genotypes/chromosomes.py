"""Which names of chromosomes mean the same, told by the names that a model uses.

"Chr01", "chr1" and "1" are one chromosome in every genome. "Gm01" is the same one only for a model
whose own SNPs lie on Gm01, Gm02 and so on: before a number any other word, such as "sc" or "NC",
may name a scaffold, a plasmid or another genome.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

#: Words for "chromosome" that no model needs to show, longest first.
_CHROMOSOME = re.compile(r"(?:chromosome|chrom|chr)[ ._-]?(?=.)")

_NUMBER = r"0*([1-9]\d{0,2}[a-z]?)"
_PLAIN = re.compile(rf"{_NUMBER}|[xywz]|mt")

#: A word directly before a number, as in "Gm01" and "SL4.0ch01". What an underline or a hyphen
#: sets apart, as in "scaffold_12" and "sc_1", is not the number of a chromosome.
_PREFIXED = re.compile(rf"([a-z](?:[a-z0-9.]*[a-z.])?){_NUMBER}")

#: Words for pieces that belong to no chromosome yet.
_PIECE = re.compile(r".*(?:scaf|tig|ctg|super|unplaced).*|sc|un")

#: The prefix of at least this share of the model's numbered SNPs stands for "chromosome". Where a
#: second one is as common, both have the same numbers: A01 and C01 of oilseed rape.
_MOST = 0.9


class ChromosomeNames:
    """The chromosome names of a model, and what other spellings of them there are.

    Parameters
    ----------
    names : iterable of (str or None), or mapping of them to int
        The chromosome of every SNP of the model, or how many SNPs each has.

    Attributes
    ----------
    prefix : str
        The word that the model itself puts before a chromosome's number, in small letters; empty
        where it puts none, or only "chr" and the like.
    """

    def __init__(self, names: Iterable[str | None] | Mapping[str | None, int] = ()):
        shown: Counter[str] = Counter()
        for name, count in Counter(names).items():
            plain = "" if name is None else _without_chr(name)
            found = _PREFIXED.fullmatch(plain)
            if found and not _PIECE.fullmatch(found.group(1)):
                shown[found.group(1)] += count
            elif _PLAIN.fullmatch(plain):
                shown[""] += count
        most = max(shown, key=lambda prefix: shown[prefix], default="")
        self.prefix = most if shown[most] >= _MOST * shown.total() else ""
        self._prefixes = frozenset(shown) - {""}
        # Without a prefix it matches nothing, and takes nothing away.
        own = rf"{re.escape(self.prefix.rstrip('.'))}[ ._-]?" if self.prefix else ""
        self._own = re.compile(own)
        self._keys: dict[str, str] = {}

    def key(self, name: str) -> str:
        """What is equal for two names of one chromosome, and of no others.

        Examples
        --------
        >>> soybean = ChromosomeNames(["Gm01", "Gm02"])
        >>> [soybean.key(name) for name in ("Gm01", "gm_1", "Chr01", "chr1", "1", "1A")]
        ['1', '1', '1', '1', '1', '1a']
        >>> [soybean.key(name) for name in ("sc_1", "Zm01", "scaffold_1", "NC_1")]
        ['sc_1', 'zm01', 'scaffold_1', 'nc_1']
        """
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = self._key(name)
        return key

    def _key(self, name: str) -> str:
        rest = _without_chr(name)
        own = self._own.match(rest)
        number = rest[own.end() :] if own else rest
        if _PLAIN.fullmatch(number):
            return number.lstrip("0")
        other = _PREFIXED.fullmatch(rest)
        return "".join(other.groups()) if other and other.group(1) in self._prefixes else rest


def _without_chr(name: str) -> str:
    plain = name.strip().lower()
    found = _CHROMOSOME.match(plain)
    return plain[found.end() :] if found else plain
