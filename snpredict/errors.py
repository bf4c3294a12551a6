"""Everything that can go wrong with a person's input: one class, one exit code each.

Exit codes: 0 done, 1 unexpected, 2 usage, then the codes below. They are part of the interface
and listed in docs/errors.md; a test keeps the two equal. Training errors live in train/errors.py
and use the codes from 50.
"""


class SnpredictError(Exception):
    """Base of all errors that are told to a person instead of shown as a traceback.

    Parameters
    ----------
    message : str
        What was found and what was expected, with the file, line, column or SNP.
    hint : str, optional
        The way out, shown on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SnpredictError):
    """The command line asks for something that cannot be done as written."""

    exit_code = 2


class FileNotFound(SnpredictError):
    """The named input does not exist or cannot be opened."""

    exit_code = 3


# --- reading a genotype file -------------------------------------------------------------------


class EmptyFile(SnpredictError):
    """The file holds no bytes."""

    exit_code = 10


class NoRows(SnpredictError):
    """The file has a header and nothing below it."""

    exit_code = 11


class NotATable(SnpredictError):
    """The file is binary, not UTF-8, or has no column separator."""

    exit_code = 12


class TruncatedFile(SnpredictError):
    """A compressed file ends before its end marker or is damaged."""

    exit_code = 13


class RaggedRow(SnpredictError):
    """A row has fewer or more columns than the header."""

    exit_code = 14


class BadGenotype(SnpredictError):
    """A cell of a SNP column is neither 0, 1, 2 nor a spelling of missing."""

    exit_code = 15


class DuplicateSample(SnpredictError):
    """Two rows carry the same sample id."""

    exit_code = 16


class DuplicateColumn(SnpredictError):
    """Two columns that are read carry the same name."""

    exit_code = 17


class NoSampleColumn(SnpredictError):
    """The column of the sample ids is not there, is empty somewhere, or is ambiguous."""

    exit_code = 18


class MissingPackage(SnpredictError):
    """The library that reads this format is not installed."""

    exit_code = 19


class NoSnpMatched(SnpredictError):
    """The file holds no SNP of the model."""

    exit_code = 20


class UnknownSnp(SnpredictError):
    """The model has no SNP of that name."""

    exit_code = 21


class UnknownSample(SnpredictError):
    """The file has no sample of that id."""

    exit_code = 22


class TooFewSnps(SnpredictError):
    """Less of the model's SNPs is found, or of its effects called, than --min-match."""

    exit_code = 23


class UnsupportedFile(SnpredictError):
    """The file is of a known format, but of a kind that cannot be read."""

    exit_code = 24


class InconsistentFiles(SnpredictError):
    """The files of a set do not belong together, such as a .bed too short for its .fam."""

    exit_code = 25


class BadVariant(SnpredictError):
    """A record's chromosome, position or alleles cannot be read, or contradict its genotypes."""

    exit_code = 26


class NoGenotypes(SnpredictError):
    """The file has no samples, or its records hold no genotypes."""

    exit_code = 27


class UnclearCoding(SnpredictError):
    """The codes hold -1 and no 2, or hardly any, so that -1 may be missing or a homozygote."""

    exit_code = 28


class BadWeights(SnpredictError):
    """A weight of a scoring file is not a number, not of one allele, or there twice."""

    exit_code = 29


# --- bundles -----------------------------------------------------------------------------------


class UnknownModel(SnpredictError):
    """No bundle of that name or path."""

    exit_code = 30


class BundleFileMissing(SnpredictError):
    """A file that the bundle's manifest names is not there."""

    exit_code = 31


class BundleFileAltered(SnpredictError):
    """A bundle file's SHA-256 is not the one in the manifest."""

    exit_code = 32


class UnknownSchema(SnpredictError):
    """The bundle was written under a schema version that this release does not know."""

    exit_code = 33


class InvalidBundle(SnpredictError):
    """The bundle's parts contradict each other or cannot be read."""

    exit_code = 34


class NotExplainable(SnpredictError):
    """The layers of the model are not known, from which exact contributions are computed."""

    exit_code = 35


class NoInterval(SnpredictError):
    """The model has too few residuals for an interval of this level, or none of this kind."""

    exit_code = 36


class WrongKindOfModel(SnpredictError):
    """The model is of a kind that does not have, or not take, what the command needs."""

    exit_code = 37


class SamplesDiffer(SnpredictError):
    """Files that are read as one do not have the same samples in the same order."""

    exit_code = 38


# --- writing -----------------------------------------------------------------------------------


class BadCovariate(SnpredictError):
    """A table of covariates lacks a column or a sample, or has a value that is not one."""

    exit_code = 39


class OutputError(SnpredictError):
    """The results could not be written."""

    exit_code = 40


class BadVariantTable(SnpredictError):
    """A table of variants lacks names or annotations, or a cell is not a number."""

    exit_code = 41
