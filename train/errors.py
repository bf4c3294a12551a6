"""What can be wrong with a training table, a run folder or an export (exit codes from 50)."""

from snpredict.errors import SnpredictError


class TrainingTableError(SnpredictError):
    """A column that training needs is not there, or a table does not fit the run."""

    exit_code = 50


class NonNumericPhenotype(SnpredictError):
    """A cell of the trait's column is not a number."""

    exit_code = 51


class ConstantPhenotype(SnpredictError):
    """The trait does not vary, so nothing can be learned and no correlation exists."""

    exit_code = 52


class NoTrainingRows(SnpredictError):
    """A fold leaves no rows to train, validate or test on."""

    exit_code = 53


class PresetError(SnpredictError):
    """A preset file is not there, or holds what its network does not know."""

    exit_code = 54


class SettingsChanged(SnpredictError):
    """The run folder was started with other settings or other data."""

    exit_code = 55


class IncompleteRun(SnpredictError):
    """A run folder lacks finished folds that the command needs."""

    exit_code = 56


class FoldFailed(SnpredictError):
    """The process that fitted a fold ended with an error."""

    exit_code = 57


class FoldBusy(SnpredictError):
    """Another process is training this fold of this run folder."""

    exit_code = 59


class MissingExtra(SnpredictError):
    """The packages that training needs are not installed."""

    exit_code = 60


class ParityError(SnpredictError):
    """Keras, the fold ONNX and the fused ensemble disagree: nothing is exported."""

    exit_code = 58


class PhenotypeFileError(SnpredictError):
    """The phenotype file and the genotypes have no sample in common."""

    exit_code = 61


class UnknownModelName(SnpredictError):
    """An evaluation was asked for a model or a scheme that does not exist."""

    exit_code = 62


class UncertainColumns(SnpredictError):
    """Columns of a training table would be SNPs, but do not look like the other SNPs."""

    exit_code = 63


class TraitScale(SnpredictError):
    """The trait's spread is too small against its values, or its unit too small or too large."""

    exit_code = 64


class UnsuitableModel(SnpredictError):
    """A model cannot learn that kind of trait, or does not use what it is given."""

    exit_code = 65


class OutsideModelError(SnpredictError):
    """``package.module:NAME`` does not lead to a model, or to one that cannot be used."""

    exit_code = 66


class SimulationError(SnpredictError):
    """What is to be simulated cannot be: shares out of range, or too few SNPs for the loci."""

    exit_code = 67


class StudyFileError(SnpredictError):
    """Summary statistics, an LD reference or annotations lack what is needed, or do not fit."""

    exit_code = 68
