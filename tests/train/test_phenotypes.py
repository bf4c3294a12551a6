"""What a cell of a phenotype may hold, and what is said about one that it may not."""

import math
from pathlib import Path

import pytest

from train.errors import NonNumericPhenotype, TrainingTableError
from train.folds import folds_from_column
from train.phenotypes import number_of, numbers
from train.snpinfo import info_from_table


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("-9", -9.0),
        ("+0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.25E-2", -0.0125),
        ("1_000", None),
        ("١٢", None),
        ("１２", None),
        ("12,5", None),
        ("1 000", None),
        ("0x10", None),
        ("inf", None),
        ("-Infinity", None),
        ("1e999", None),
        ("tall", None),
        ("12 cm", None),
    ],
)
def test_a_number_is_a_plain_decimal(text: str, value: float | None) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize("text", ["", "NA", "nan", "NaN", ".", "-"])
def test_words_for_missing(text: str) -> None:
    value = number_of(text)
    assert value is not None and math.isnan(value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1_000", "digits 0 to 9"),
        ("١٢", "digits 0 to 9"),
        ("12,5", "with a point"),
        ("-inf", "finite"),
        ("1e999", "rescale"),
        ("12 cm", "write NA"),
    ],
)
def test_a_slip_is_named_with_its_sample_and_a_way_out(text: str, hint: str) -> None:
    with pytest.raises(NonNumericPhenotype) as caught:
        numbers(Path("p.tsv"), "height", ["a", "b", "c"], ["1", text, "NA"])
    assert caught.value.message == (
        f"p.tsv: trait 'height' of sample 'b' is {text!r}; expected a number such as 12.5, or NA "
        "where it was not measured"
    )
    assert hint in str(caught.value.hint)


def test_a_trait_of_words_is_told_what_it_holds() -> None:
    words = ["erect", "prostrate", "NA", "erect", "bushy"]
    with pytest.raises(NonNumericPhenotype) as caught:
        numbers(Path("p.tsv"), "habit", list("abcde"), words)
    assert caught.value.message == (
        "p.tsv: trait 'habit' holds text such as 'erect', 'prostrate', 'bushy' in 4 of 4 samples; "
        "expected numbers such as 12.5, or NA where it was not measured"
    )
    assert "0 and 1" not in str(caught.value.hint)


def test_a_trait_of_two_words_is_told_what_can_be_done() -> None:
    with pytest.raises(NonNumericPhenotype) as caught:
        numbers(Path("p.tsv"), "height", list("abcd"), ["tall", "short", "tall", "NA"])
    assert "text such as 'tall', 'short' in 3 of 3 samples" in caught.value.message
    assert "classes are not predicted" in str(caught.value.hint)
    assert "coded 0 and 1" in str(caught.value.hint)


@pytest.mark.parametrize("label", ["1_0", "١", "2.5", "one", ""])
def test_a_fold_is_a_whole_number_in_plain_digits(label: str) -> None:
    with pytest.raises(TrainingTableError, match="is not a whole number"):
        folds_from_column(["1", "2", label])


@pytest.mark.parametrize("position", ["1_0", "²", "١", "-1", "1.5"])
def test_a_position_is_a_whole_number_in_plain_digits(tmp_path: Path, position: str) -> None:
    (tmp_path / "snps.tsv").write_text(f"snp\tchrom\tpos\nm1\t1\t{position}\n", encoding="utf-8")
    with pytest.raises(TrainingTableError, match="expected a whole number"):
        info_from_table(tmp_path / "snps.tsv", ["m1"])
