"""What is taken for a place on a genome."""

import pytest

from snpredict.genotypes.places import (
    is_off_the_map,
    looks_like_a_place,
    place_in_name,
    typed_place,
)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Gm01_3321482_T_C", ("Gm01", 3321482)),
        ("chr1:12345", ("chr1", 12345)),
        ("X-77", ("X", 77)),
        ("rs123", None),
        ("Gm01_3321482T", None),
        ("Gm01", None),
    ],
)
def test_a_place_in_a_name(name, place):
    assert place_in_name(name) == place


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("10:44669893", ("10", 44669893)),
        ("chr10:44,669,893", ("chr10", 44669893)),
        ("scaffold_12_300", ("scaffold_12", 300)),
        ("10:44,66", None),
        ("rs123", None),
    ],
)
def test_a_place_that_is_typed(typed, place):
    assert typed_place(typed) == place


def test_a_guess_at_what_names_are():
    assert all(map(looks_like_a_place, ["1A_12345", "Gm01_3321482_T_C", "chr2:1000"]))
    assert not any(map(looks_like_a_place, ["rs123456", "BARC-012345", "1_12"]))


def test_off_the_numbered_chromosomes():
    assert all(map(is_off_the_map, ["scaffold_12", "chrUn_5", "MT:100", "X_9", "Contig3:8"]))
    assert not any(map(is_off_the_map, ["Gm01_12", "1:100", "yield"]))
