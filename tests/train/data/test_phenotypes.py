"""What a cell of a phenotype may hold, and what is said about one that it may not."""

import math
from pathlib import Path

import numpy as np
import pytest

from train.data.folds import folds_from_column
from train.data.phenotypes import number_of, numbers, stand_in
from train.data.snpinfo import info_from_table
from train.errors import NonNumericPhenotype, TrainingTableError


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
    assert value is not None
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1_000", "digits 0 to 9"),
        ("١٢", "digits 0 to 9"),
        ("12,5", "with a point"),
        ("-inf", "finite"),
        ("1e999", "rescale"),
        ("tall", "write NA"),
        ("12 cm", "number alone"),
        ("4.1%", "number alone"),
        ("12cm", "number alone"),
        ("5,052.9", "between the thousands"),
        ("1.234,5", "between the thousands"),
        ("1 000", "between the thousands"),
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


@pytest.mark.parametrize("cells", [["4.1%", "5.2%", "6%"], ["5,052.9", "6,234.6", "7,000.1"]])
def test_a_column_of_numbers_with_signs_is_not_told_to_name_another(cells: list[str]) -> None:
    with pytest.raises(NonNumericPhenotype) as caught:
        numbers(Path("p.tsv"), "height", list("abc"), cells)
    assert "(2 more are not numbers either)" in caught.value.message
    assert "--trait" not in str(caught.value.hint)


def test_a_trait_of_ordered_classes_is_told_what_can_be_done() -> None:
    with pytest.raises(NonNumericPhenotype) as caught:
        numbers(Path("p.tsv"), "rust", list("abcd"), ["R", "MR", "S", "NA"])
    assert "ordered classes can be coded 1, 2, 3" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([-9, 12, -9, 14], "is -9 in 2 of 4 rows and nowhere else below 0"),
        ([-999, 12, 13, np.nan], "is -999 in 1 of 4 rows and nowhere else below 0"),
        ([-9, 12, -3, 14], ""),
        ([-2, 12, 13, 14], ""),
        ([1, 12, 13, np.nan], ""),
    ],
)
def test_a_number_that_may_stand_for_missing_is_told(values: list[float], told: str) -> None:
    note = stand_in("height", np.array(values, np.float64))
    assert told in note
    assert bool(note) == bool(told)


@pytest.mark.parametrize("label", ["1_0", "١", "2.5", "one", ""])
def test_a_fold_is_a_whole_number_in_plain_digits(label: str) -> None:
    with pytest.raises(TrainingTableError, match="is not a whole number"):
        folds_from_column(["1", "2", label])


@pytest.mark.parametrize("position", ["1_0", "²", "١", "-1", "1.5"])
def test_a_position_is_a_whole_number_in_plain_digits(tmp_path: Path, position: str) -> None:
    (tmp_path / "snps.tsv").write_text(f"snp\tchrom\tpos\nm1\t1\t{position}\n", encoding="utf-8")
    with pytest.raises(TrainingTableError, match="expected a whole number"):
        info_from_table(tmp_path / "snps.tsv", ["m1"])


def test_a_snp_with_two_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snps.tsv").write_text("snp\tchrom\tpos\nm1\t1\t5\nm1\t1\t5\nm2\t1\t7\nm2\t1\t8\n")
    assert info_from_table(tmp_path / "snps.tsv", ["m1"]).position == [5]
    with pytest.raises(TrainingTableError, match="not alike: 'm2'"):
        info_from_table(tmp_path / "snps.tsv", ["m1", "m2"])
