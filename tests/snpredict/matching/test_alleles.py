import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snpredict.bundle.tables import SnpTable
from snpredict.genotypes.chromosomes import ChromosomeNames
from snpredict.genotypes.variants import Variant, Variants
from snpredict.matching.alleles import (
    ALLELES,
    Alleles,
    MatchRules,
    compare_all,
    compare_alleles,
)
from snpredict.matching.match import (
    FOUND_BY,
    STATES,
    Match,
    State,
    effect_weights,
    match_variants,
    wanted_of,
)
from snpredict.matching.report import log_columns, report_match


def snp_table(*rows: tuple) -> SnpTable:
    """Rows of id, chromosome, position, counted allele, other allele."""
    ids, chromosomes, positions, counted, other = zip(*rows, strict=True)
    frequencies = np.full((len(rows), 4), 0.25)
    return SnpTable.of(ids, chromosomes, positions, counted, other, frequencies)


def match(snps: SnpTable, *candidates: Variant, **rules: str) -> Match:
    weights = np.full(len(snps), 1 / len(snps))
    return match_variants(snps, candidates, weights=weights, rules=MatchRules(**rules))


ONE = snp_table(("m1", "Gm01", 100, "A", "G"))

# --- alleles -----------------------------------------------------------------------------------

TRUTH = [
    # model counted, other; file counted, other; outcome
    pytest.param("A", "G", "A", "G", Alleles.SAME, id="same"),
    pytest.param("A", "G", "G", "A", Alleles.SWAPPED, id="swapped"),
    pytest.param("A", "G", "T", "C", Alleles.FLIPPED, id="flipped"),
    pytest.param("A", "G", "C", "T", Alleles.FLIPPED_SWAPPED, id="flipped-and-swapped"),
    pytest.param("A", "G", "a", "g", Alleles.SAME, id="lower-case"),
    pytest.param("a", "g", "G", "A", Alleles.SWAPPED, id="lower-case-in-the-model"),
    pytest.param("A", "T", "A", "T", Alleles.AMBIGUOUS, id="A/T-in-order"),
    pytest.param("A", "T", "T", "A", Alleles.AMBIGUOUS_SWAPPED, id="A/T-reversed"),
    pytest.param("C", "G", "C", "G", Alleles.AMBIGUOUS, id="C/G-in-order"),
    pytest.param("G", "C", "C", "G", Alleles.AMBIGUOUS_SWAPPED, id="C/G-reversed"),
    pytest.param("A", "T", "A", "G", Alleles.MISMATCHING, id="A/T-against-A/G"),
    pytest.param("A", "G", "A", "T", Alleles.MISMATCHING, id="A/G-against-A/T"),
    pytest.param("A", "G", "A", "C", Alleles.MISMATCHING, id="one-allele-differs"),
    pytest.param("A", "G", "1", "2", Alleles.MISMATCHING, id="alleles-coded-1-and-2"),
    pytest.param("A", "G", "A", "A", Alleles.MISMATCHING, id="twice-the-same-letter"),
    pytest.param("A", "G", None, None, Alleles.NOT_IN_FILE, id="bare-codes"),
    pytest.param(None, None, None, None, Alleles.NOT_IN_FILE, id="bare-codes-on-both-sides"),
    pytest.param(None, None, "A", "G", Alleles.NOT_IN_MODEL, id="model-without-alleles"),
    pytest.param("A", None, "A", "G", Alleles.SAME, id="model-with-one-allele"),
    pytest.param("A", None, "G", "A", Alleles.SWAPPED, id="model-with-one-allele-swapped"),
    pytest.param("A", None, "T", "C", Alleles.FLIPPED, id="model-with-one-allele-flipped"),
    pytest.param("A", None, "T", "A", Alleles.AMBIGUOUS_SWAPPED, id="model-with-one-allele-of-A/T"),
    pytest.param("A", None, "C", "G", Alleles.MISMATCHING, id="model-with-one-allele-not-there"),
    pytest.param("A", None, "A", None, Alleles.SAME, id="one-allele-on-both-sides"),
    pytest.param("A", None, None, "A", Alleles.SWAPPED, id="one-allele-on-both-sides-swapped"),
    pytest.param("A", None, "T", None, Alleles.MISMATCHING, id="one-allele-each-strand-unknown"),
    pytest.param("A", None, None, "T", Alleles.MISMATCHING, id="one-allele-each-not-the-same"),
    pytest.param("A", "G", "0", None, Alleles.MISMATCHING, id="counted-allele-without-a-name"),
    pytest.param("A", "G", None, "G", Alleles.SAME, id="only-the-other-allele-seen"),
    pytest.param("A", "G", "A", None, Alleles.SAME, id="only-the-counted-allele-seen"),
    pytest.param("A", "G", None, "A", Alleles.SWAPPED, id="only-the-counted-as-the-other"),
    pytest.param("A", "G", "G", None, Alleles.SWAPPED, id="only-the-other-as-the-counted"),
    pytest.param("A", "G", None, "C", Alleles.FLIPPED, id="one-allele-flipped"),
    pytest.param("A", "G", None, "T", Alleles.FLIPPED_SWAPPED, id="one-allele-flipped-swapped"),
    pytest.param("A", "T", None, "T", Alleles.AMBIGUOUS, id="one-allele-of-A/T"),
    pytest.param("A", "T", None, "A", Alleles.AMBIGUOUS_SWAPPED, id="one-allele-of-A/T-reversed"),
    pytest.param("A", "T", None, "G", Alleles.MISMATCHING, id="one-allele-that-A/T-lacks"),
    pytest.param("AT", "A", "AT", "A", Alleles.SAME, id="insertion"),
    pytest.param("AT", "A", "A", "AT", Alleles.SWAPPED, id="insertion-swapped"),
    pytest.param("AT", "A", "TA", "T", Alleles.MISMATCHING, id="insertion-has-one-strand"),
    pytest.param("A", "-", "T", "-", Alleles.MISMATCHING, id="deletion-has-one-strand"),
]


@pytest.mark.parametrize(("counted", "other", "file_counted", "file_other", "expected"), TRUTH)
def test_alleles(counted, other, file_counted, file_other, expected):
    found = compare_alleles(
        counted=counted, other=other, file_counted=file_counted, file_other=file_other
    )
    assert found is expected


def test_alleles_of_many_rows():
    rows = [parameters.values for parameters in TRUTH] * 2
    *alleles, expected = map(list, zip(*rows, strict=True))
    one, two, three, four = (pa.chunked_array([column], pa.string()) for column in alleles)
    found = compare_all((one, two), (three, four))
    assert [ALLELES[at] for at in found] == expected


@pytest.mark.parametrize(
    ("alleles", "rules", "allowed"),
    [
        (Alleles.SAME, {}, True),
        (Alleles.SWAPPED, {}, True),
        (Alleles.FLIPPED, {}, True),
        (Alleles.FLIPPED_SWAPPED, {}, True),
        (Alleles.AMBIGUOUS, {}, True),
        (Alleles.AMBIGUOUS_SWAPPED, {}, False),
        (Alleles.MISMATCHING, {}, False),
        (Alleles.NOT_IN_FILE, {}, True),
        (Alleles.NOT_IN_MODEL, {}, False),
        (Alleles.FLIPPED, {"strand": "strict"}, False),
        (Alleles.FLIPPED_SWAPPED, {"strand": "strict"}, False),
        (Alleles.SWAPPED, {"strand": "strict"}, True),
        (Alleles.AMBIGUOUS_SWAPPED, {"ambiguous": "keep"}, True),
        (Alleles.AMBIGUOUS, {"ambiguous": "drop"}, False),
    ],
)
def test_rules(alleles, rules, allowed):
    assert MatchRules(**rules).allow(alleles) is allowed


@given(*[st.sampled_from("ACGT")] * 4)
def test_exchanging_the_files_alleles_exchanges_the_outcome(counted, other, first, second):
    """A file that counts the other allele is recoded or refused, never read as it is."""
    swapped_of = {
        Alleles.SAME: Alleles.SWAPPED,
        Alleles.FLIPPED: Alleles.FLIPPED_SWAPPED,
        Alleles.AMBIGUOUS: Alleles.AMBIGUOUS_SWAPPED,
    }
    swapped_of |= {v: k for k, v in swapped_of.items()} | {Alleles.MISMATCHING: Alleles.MISMATCHING}
    if counted == other or first == second:
        return
    model = {"counted": counted, "other": other}
    found = compare_alleles(**model, file_counted=first, file_other=second)
    exchanged = compare_alleles(**model, file_counted=second, file_other=first)
    assert exchanged is swapped_of[found]


# --- which variant -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variants", "state", "by", "variant"),
    [
        pytest.param([], State.ABSENT, "", -1, id="nothing"),
        pytest.param([Variant("m1", None, None, "A", "G")], State.MATCHED, "id", 0, id="id"),
        pytest.param(
            [Variant("m1", "9", 5, "A", "G")], State.MATCHED, "id", 0, id="id-at-another-place"
        ),
        pytest.param(
            [Variant(None, "chr1", 100, "G", "A")], State.MATCHED, "position", 0, id="position"
        ),
        pytest.param(
            [Variant("rs9", "1", 100, "A", "G")], State.MATCHED, "position", 0, id="another-id"
        ),
        pytest.param(
            [Variant(None, "1", 100, "A", "G"), Variant("m1", "9", 5, "A", "G")],
            State.MATCHED,
            "id",
            1,
            id="id-before-position",
        ),
        pytest.param(
            [Variant("m1", "9", 5, "A", "C"), Variant(None, "1", 100, "A", "G")],
            State.REFUSED,
            "id",
            0,
            id="id-with-other-alleles-is-not-replaced-by-position",
        ),
        pytest.param(
            [Variant(None, "1", 100, "C", "G"), Variant(None, "1", 100, "A", "G")],
            State.MATCHED,
            "position",
            1,
            id="the-record-of-a-split-site-that-fits",
        ),
        pytest.param(
            [Variant("m1", "1", 100, "A", "G"), Variant("m1", "1", 100, "G", "A")],
            State.DUPLICATE,
            "id",
            0,
            id="two-fit",
        ),
        pytest.param(
            [Variant("m1", None, None, None, None)] * 2, State.DUPLICATE, "id", 0, id="bare-twice"
        ),
        pytest.param([Variant("m1", "1", 100, "T", "G")], State.REFUSED, "id", 0, id="mismatch"),
    ],
)
def test_one_snp(variants, state, by, variant):
    found = match(ONE, *variants)
    assert STATES[found.state[0]] is state
    assert FOUND_BY[found.by[0]] == by
    assert found.variant.tolist() == [variant]


def test_selection_reads_what_was_matched_and_recodes_what_is_swapped():
    snps = snp_table(
        ("same", "1", 1, "A", "G"),
        ("swapped", "1", 2, "A", "G"),
        ("absent", "1", 3, "A", "G"),
        ("flipped", "1", 4, "A", "G"),
        ("other", "1", 5, "A", "G"),
        ("flipswap", "1", 6, "A", "G"),
        ("bare", "1", 7, "A", "T"),
        ("reversed", "1", 8, "A", "T"),
    )
    file = [
        Variant("flipped", None, None, "T", "C"),
        Variant("other", None, None, "A", "C"),
        Variant("same", None, None, "A", "G"),
        Variant("swapped", None, None, "G", "A"),
        Variant("flipswap", None, None, "C", "T"),
        Variant("bare", None, None, None, None),
        Variant("reversed", None, None, "T", "A"),
    ]
    found = match(snps, *file)
    assert found.selection.variants.tolist() == [2, 3, -1, 0, -1, 4, 5, -1]
    assert found.selection.swapped.tolist() == [
        False,
        True,
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert found.matched.tolist() == [True, True, False, True, False, True, True, False]
    assert found.rate == 5 / 8
    assert found.by_what() == {"id": 5}
    strict = match(snps, *file, strand="strict")
    assert strict.selection.variants.tolist() == [2, 3, -1, -1, -1, -1, 5, -1]
    kept = match(snps, *file, ambiguous="keep")
    assert kept.selection.variants.tolist() == [2, 3, -1, 0, -1, 4, 5, 6]
    assert kept.selection.swapped.tolist() == [False, True, False, False, False, True, False, True]


def test_one_variant_may_serve_two_snps_of_one_place():
    snps = snp_table(("m1", "1", 100, "A", "G"), ("m2", "1", 100, "G", "A"))
    found = match(snps, Variant(None, "Chr01", 100, "A", "G"))
    assert found.selection.variants.tolist() == [0, 0]
    assert found.selection.swapped.tolist() == [False, True]


def found_one_by_one(
    snps: SnpTable, file: list[Variant], rules: MatchRules
) -> list[tuple[State, str, int]]:
    """The rule of `match_variants`, SNP by SNP."""
    found = []
    key = snps.chromosome_names.key
    for at in range(len(snps)):
        place = (key(snps.chromosome[at]), snps.position[at])
        fits_id = [n for n, v in enumerate(file) if v.id == snps.ids[at]]
        here = [n for n, v in enumerate(file) if (v.position, v.chromosome and 1) == (place[1], 1)]
        here = [n for n in here if key(file[n].chromosome) == place[0]]
        variants, by = (fits_id, "id") if fits_id else (here, "position")
        fitting = []
        for n in variants:
            alleles = compare_alleles(
                counted=snps.counted_allele[at],
                other=snps.other_allele[at],
                file_counted=file[n].counted,
                file_other=file[n].other,
            )
            fitting += [n] if rules.allow(alleles) else []
        if not variants:
            found.append((State.ABSENT, "", -1))
        elif not fitting:
            found.append((State.REFUSED, by, variants[0]))
        else:
            state = State.MATCHED if len(fitting) == 1 else State.DUPLICATE
            found.append((state, by, fitting[0]))
    return found


ALLELE = st.sampled_from(["A", "C", "G", "T", "AT", None])


@given(
    st.lists(
        st.tuples(st.sampled_from(["Gm01", "Gm02"]), st.integers(1, 4), ALLELE, ALLELE),
        min_size=1,
        max_size=6,
    ),
    st.lists(
        st.builds(
            Variant,
            st.sampled_from([None, "m0", "m1", "m2", "x"]),
            st.sampled_from([None, "1", "chr2", "Gm02", "3"]),
            st.sampled_from([None, 1, 2, 3, 4]),
            ALLELE,
            ALLELE,
        ),
        max_size=12,
    ),
    st.sampled_from(["flip", "strict"]),
    st.sampled_from(["order", "keep", "drop"]),
)
def test_all_snps_are_found_as_one_by_one(rows, file, strand, ambiguous):
    snps = snp_table(*((f"m{at}", *row) for at, row in enumerate(rows)))
    rules = {"strand": strand, "ambiguous": ambiguous}
    found = match(snps, *file, **rules)
    told = zip(found.state, found.by, found.variant, strict=True)
    told = [(STATES[state], FOUND_BY[by], at) for state, by, at in told]
    assert told == found_one_by_one(snps, file, MatchRules(**rules))


@given(st.permutations(range(6)))
def test_the_files_order_does_not_matter(order):
    snps = snp_table(*((f"m{n}", f"Gm{n + 1:02d}", n + 1, "A", "G") for n in range(6)))
    file = [
        Variant(f"m{n}", None, None, "A", "G")
        if n % 2
        else Variant(None, f"chr{n + 1}", n + 1, "G", "A")
        for n in range(6)
    ]
    found = match(snps, *(file[n] for n in order)).selection
    assert [order[at] for at in found.variants] == [0, 1, 2, 3, 4, 5]
    assert found.swapped.tolist() == [True, False] * 3


GM = ["Gm01", "Gm10", "Gm20"]
WHEAT = ["1A", "1B", "7D"]
OILSEED_RAPE = ["A01", "A02", "C01", "C02"]

CHROMOSOMES = [
    # names of the model, name in the file, the model's name that it is
    *(pytest.param(GM, name, "Gm01", id=name) for name in ("Gm01", "GM1", "gm_01", "Gm-1")),
    *(pytest.param(GM, name, "Gm01", id=name) for name in ("1", "01", " 1 ")),
    *(pytest.param(GM, f"{word}1", "Gm01", id=f"{word}1") for word in ("chr", "Chr0", "CHROM")),
    *(pytest.param(GM, f"{word}1", "Gm01", id=f"{word}1") for word in ("chromosome_", "chrGm0")),
    *(pytest.param(GM, name, None, id=f"Gm-{name}") for name in ("sc_1", "un_1", "NC_1", "Zm01")),
    *(pytest.param(GM, name, None, id=f"Gm-{name}") for name in ("sc1", "ch1", "scaffold_1")),
    *(pytest.param(GM, name, None, id=f"Gm-{name}") for name in ("Gm1A", "0", "100", "Gm", "chr")),
    pytest.param(GM, "NC_038241.2", None, id="accession"),
    pytest.param(WHEAT, "chr1A", "1A", id="wheat-chr1A"),
    pytest.param(WHEAT, "Chr07d", "7D", id="wheat-Chr07d"),
    pytest.param(WHEAT, "1", None, id="wheat-1"),
    pytest.param(WHEAT, "chr1D", None, id="wheat-other-genome"),
    pytest.param(["chr1A"], "1a", "chr1A", id="wheat-with-chr"),
    pytest.param(["1", "2"], "Gm01", None, id="a-model-of-numbers-shows-no-prefix"),
    pytest.param(["1", "2"], "chr02", "2", id="a-model-of-numbers-knows-chr"),
    pytest.param(["1", "X", "MT"], "chrX", "X", id="X"),
    pytest.param(["1", "X", "MT"], "CHRMT", "MT", id="MT"),
    pytest.param(OILSEED_RAPE, "C1", "C01", id="two-prefixes-C1"),
    pytest.param(OILSEED_RAPE, "chrA02", "A02", id="two-prefixes-chrA02"),
    pytest.param(OILSEED_RAPE, "1", None, id="two-prefixes-1"),
    pytest.param(OILSEED_RAPE, "chr2", None, id="two-prefixes-chr2"),
    pytest.param(["SL4.0ch01", "SL4.0ch12"], "chr12", "SL4.0ch12", id="tomato"),
    pytest.param(["Arahy.01", "Arahy.20"], "20", "Arahy.20", id="groundnut"),
    pytest.param([*GM, "sc_1"], "sc_1", "sc_1", id="a-scaffold-of-the-model"),
    pytest.param([*GM, "sc_1"], "chr1", "Gm01", id="sc_1-beside-Gm01"),
    pytest.param([*GM, "scaffold_20"], "20", "Gm20", id="scaffold_20-beside-Gm20"),
    pytest.param([*GM, "contig20"], "contig20", "contig20", id="contig20-beside-Gm20"),
    pytest.param(["scaffold_1", "scaffold_2"], "chr1", None, id="scaffolds-only"),
    pytest.param(["scaffold1", "scaffold2"], "1", None, id="scaffolds-only-without-underline"),
    pytest.param([], "chr1", None, id="a-model-without-places"),
]


@pytest.mark.parametrize(("names", "name", "meant"), CHROMOSOMES)
def test_chromosome_names(names, name, meant):
    chromosomes = ChromosomeNames(names)
    same = [own for own in names if chromosomes.key(own) == chromosomes.key(name)]
    assert same == ([meant] if meant else [])


@given(st.sets(st.sampled_from([*GM, *WHEAT, *OILSEED_RAPE, "sc_1", "un1", "chr3", "X", "Gm1A"])))
def test_two_chromosomes_of_a_model_stay_two(names):
    # Apart from Gm1A and 1A, which a soybean's model cannot both have.
    names -= {"Gm1A"} if "1A" in names else set()
    chromosomes = ChromosomeNames(sorted(names))
    assert len({chromosomes.key(name) for name in names}) == len(names)


def test_one_prefix_may_be_rarer_than_scaffolds_but_not_than_another_prefix():
    assert ChromosomeNames(["Gm01", "sc_1", "sc_2", "un1", "contig3", None]).prefix == "gm"
    assert ChromosomeNames(["Gm01"] * 9 + ["U1"]).prefix == "gm"
    assert ChromosomeNames(["Gm01"] * 8 + ["U1"]).prefix == ""


def test_wanted_takes_ids_and_places():
    wanted = wanted_of(ONE)
    assert wanted("m1", None, None)
    assert wanted(None, "chr1", 100)
    assert not wanted("m2", "chr2", 100)
    assert not wanted(None, "chr1", 101)
    assert not wanted(None, None, 100)


# --- weights -----------------------------------------------------------------------------------


def test_weights_are_mean_absolute_effects():
    frequencies = np.array([[0.0, 0.5, 0.25, 0.25], [0.0, 0.0, 0.5, 0.5]])
    effects = np.array([[9.0, 0.0, 4.0, -4.0], [9.0, 9.0, 1.0, -3.0]])
    assert effect_weights(frequencies, effects, np.ones(2)).tolist() == [0.5, 0.5]
    assert effect_weights(frequencies, None, np.array([1.0, 3.0])).tolist() == [0.25, 0.75]


def test_weighted_rate_is_the_share_of_the_effects():
    snps = snp_table(("m1", "1", 1, "A", "G"), ("m2", "1", 2, "A", "G"))
    weights = np.array([0.9, 0.1])
    found = match_variants(snps, [Variant("m2", None, None, "A", "G")], weights=weights)
    assert found.rate == 0.5
    assert found.weighted_rate == pytest.approx(0.1)


def test_all_snps_carry_all_effects_to_the_last_bit():
    names = [f"m{at}" for at in range(7)]
    snps = snp_table(*((name, "1", at + 1, "A", "G") for at, name in enumerate(names)))
    weights = np.full(7, 1 / 7)
    assert weights.sum() < 1
    found = match_variants(
        snps, [Variant(name, None, None, "A", "G") for name in names], weights=weights
    )
    assert found.weighted_rate == 1


# --- the report --------------------------------------------------------------------------------


def ten(**changed) -> SnpTable:
    return snp_table(*((f"m{n}", "Gm01", 100 * (n + 1), "A", "G") for n in range(10)))


def report(snps: SnpTable, records: list[Variant], has_alleles: bool = True, **rules: str):
    file = Variants(has_alleles=has_alleles)
    wanted = wanted_of(snps)
    for record in records:
        file.see(record)
        if wanted(record.id, record.chromosome, record.position):
            file.candidates.append(record)
    found = match(snps, *file.candidates, **rules)
    return report_match(snps, file, found, MatchRules(**rules))


def test_report_groups_by_reason():
    records = [Variant(f"m{n}", "chr1", 100 * (n + 1), "A", "G") for n in range(4)]
    records += [Variant("m4", "chr1", 500, "G", "A"), Variant("m5", "chr1", 600, "A", "C")]
    records += [Variant("m6", "chr1", 700, "T", "C"), Variant(None, "chr1", 800, "A", "G")]
    found = report(ten(), [*records, Variant("x", "chr2", 1, "A", "G")], strand="strict")
    assert (found.model_snps, found.variants, found.matched) == (10, 9, 6)
    assert (found.by_id, found.by_position) == (5, 1)
    assert found.used == {"same": 5, "swapped": 1}
    assert found.unused == {
        "not in the file": 2,
        "other alleles": 1,
        "other strand (--strand strict)": 1,
    }
    assert found.moved == 0


def named(*names: str) -> list[Variant]:
    return [Variant(name, None, None, None, None) for name in names]


def placed(chromosome: str, offset: int = 0, alleles: tuple[str, str] = ("A", "G")):
    return [Variant(None, chromosome, 100 * (n + 1) + offset, *alleles) for n in range(10)]


@pytest.mark.parametrize(
    ("records", "rules", "words"),
    [
        pytest.param([], {}, "no variants", id="empty"),
        pytest.param(
            placed("NC_016088.4"), {}, "named NC_016088.4 in the file", id="chromosome-names"
        ),
        pytest.param(placed("Zm01"), {}, "named Zm01 in the file and Gm01", id="another-species"),
        pytest.param(placed("chr1", 7), {}, "another build of the genome", id="another-build"),
        pytest.param(named(*(f"M{n}" for n in range(10))), {}, "upper and lower case", id="case"),
        pytest.param(named(*(f"m{n}_A" for n in range(10))), {}, "--recode A", id="plink-raw"),
        pytest.param(
            named(*(f"1_{n}0000_A_G" for n in range(1, 11))), {}, "ids are positions", id="places"
        ),
        pytest.param(named(*"abcdefghij"), {}, "named otherwise", id="other-names"),
        pytest.param(named("m0", "m1"), {}, "only 2 variants", id="few"),
        pytest.param(
            placed("1", alleles=("T", "C")), {"strand": "strict"}, "--strand flip", id="strand"
        ),
        pytest.param(placed("1", alleles=("1", "2")), {}, "as bases: m0 is A/G", id="coded-1-2"),
        pytest.param(placed("1", alleles=("A", "C")), {}, "other variants", id="other-variants"),
        pytest.param(placed("1") * 2, {}, "more than once", id="duplicates"),
        pytest.param(placed("1")[:9], {}, None, id="nine-of-ten-is-fine"),
    ],
)
def test_likely_cause(records, rules, words):
    causes = report(ten(), records, **rules).causes
    assert (words in causes[0]) if words else not causes


def test_found_by_id_at_other_places_is_told():
    records = [Variant(f"m{n}", "1", 5000 + n, "A", "G") for n in range(10)]
    assert report(ten(), records).moved == 10


def test_log_has_a_row_for_every_snp():
    snps = snp_table(("m1", "Gm01", 100, "A", "G"), ("m2", "Gm01", 200, "A", "G"))
    file = [Variant("m1", "1", 100, "G", "A")]
    columns = log_columns(snps, file, match(snps, *file))
    assert columns["snp"] == ["m1", "m2"]
    assert columns["state"] == ["matched", "not in the file"]
    assert columns["alleles"] == ["swapped", None]
    assert columns["recoded"] == [True, None]
    assert columns["file_counted_allele"] == ["G", None]
    assert {len(values) for values in columns.values()} == {2}
