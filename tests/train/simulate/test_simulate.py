"""Made-up genotypes and traits: what the designs promise, by counts and hand-checked values."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from snpredict.errors import UsageError
from snpredict.genotypes.variants import Variant, Wanted
from tests.formats import plink
from tests.reading import read_all
from train.cli import app
from train.errors import SimulationError, TrainingTableError
from train.simulate.lines import Lines, even_sites, recombination, sample_names
from train.simulate.pedigrees import Families, Outbred
from train.simulate.structured import Structured, structured_trait
from train.simulate.traits import APART_CM, Design, simulate_trait

DESIGNS = {
    "structured": lambda seed=1: Structured(60, 40, a=0.1, reading="code", seed=seed),
    "families": lambda seed=1: Families(3, 20, 40, n_chromosomes=4, seed=seed),
    "outbred": lambda seed=1: Outbred(60, 40, seed=seed),
}


@pytest.mark.parametrize("design", DESIGNS)
def test_seeds_and_blocks(design):
    lines = DESIGNS[design]()
    whole = lines.codes()
    assert whole.shape == (60, 40)
    assert np.isin(whole, (0, 1, 2)).all()
    for size in (1, 7, 100):
        blocks = np.concatenate([block for _, block in lines.blocks(size)]).T
        np.testing.assert_array_equal(blocks, whole)
    np.testing.assert_array_equal(DESIGNS[design]().codes(), whole)
    assert not np.array_equal(DESIGNS[design](2).codes(), whole)


def test_frequencies_of_both_readings():
    """Mean of π: 0.225 + 0.05 and 0.25 + 0.5, each population axis counting half on average."""
    for reading, low, high in (("code", 0.25, 0.31), ("written", 0.68, 0.78)):
        lines = Structured(300, 400, a=1.0, reading=reading, seed=3)
        assert low < lines.codes().mean() / 2 < high


def test_a_small_a_makes_populations():
    near = [Structured(200, 10, a=a, reading="code", seed=1).ancestry for a in (0.01, 1.0)]
    at_ends = [(np.minimum(s, 1 - s) < 0.01).mean() for s in near]
    assert at_ends[0] > 0.9 > 0.1 > at_ends[1]


def test_the_published_trait():
    lines = Structured(400, 20, a=0.1, reading="code", seed=5)
    causal = lines.codes()[:, :10]
    one = structured_trait(causal, lines.ancestry, seed=5, centred=True)
    assert set(one.y) == {0.0, 1.0}
    assert 0.35 < one.y.mean() < 0.65
    assert set(one.cluster) == {0, 1, 2}
    plain = structured_trait(causal, lines.ancestry, seed=5, centred=False)
    np.testing.assert_array_equal(one.effects, plain.effects)


def test_haldane():
    np.testing.assert_allclose(
        recombination(np.array([0.0, 50.0, np.inf])), [0, 0.31606, 0.5], atol=1e-5
    )


@pytest.mark.parametrize("generations", [1, 2, 5])
def test_heterozygosity_after_selfing(generations):
    lines = Families(2, 400, 200, generations=generations, seed=1)
    codes = lines.codes()
    for family in (slice(0, 400), slice(400, 800)):
        segregating = codes[family].std(axis=0) > 0
        found = (codes[family][:, segregating] == 1).mean()
        assert found == pytest.approx(0.5**generations, rel=0.08)


def test_recombinants_of_an_f2_and_of_inbreds():
    """Between neighbours inbreds of many generations have R = 2r / (1 + 2r) (Haldane 1931)."""
    lines = Families(1, 4000, 40, generations=12, n_chromosomes=2, seed=2)
    codes = lines.codes()
    segregating = np.flatnonzero(codes.std(axis=0) > 0)
    pairs = [
        (a, b)
        for a, b in pairwise(segregating)
        if lines.sites.chromosome[a] == lines.sites.chromosome[b]
    ]
    for a, b in pairs[:8]:
        r = recombination(lines.sites.centimorgan[b] - lines.sites.centimorgan[a])
        both = (codes[:, a] != 1) & (codes[:, b] != 1)
        same = (codes[both, a] == codes[both, b]).mean()
        share = min(same, 1 - same)  # whichever phase the parents have
        assert share == pytest.approx(2 * r / (1 + 2 * r), abs=0.04)


def test_neighbours_go_together_and_chromosomes_do_not():
    codes = Outbred(400, 2000, seed=3).codes()
    codes = codes + np.random.default_rng(1).normal(0, 1e-3, codes.shape)  # where one is fixed
    r = np.corrcoef(codes.T) ** 2
    assert np.mean(np.diag(r, 1)) > 10 * np.mean(r[:200, 400:])


class Independent(Lines):
    """SNPs of their own, with some missing genotypes."""

    def __init__(self, n=2000, n_snps=300, chromosomes=10):
        self.samples, self.sites = sample_names(n), even_sites(n_snps, chromosomes)
        random = np.random.default_rng(1)
        self._codes = random.binomial(2, random.uniform(0.2, 0.8, (n_snps, 1)), (n_snps, n))
        self._codes[random.random(self._codes.shape) < 0.01] = -1
        self._codes = self._codes.astype(np.int8)

    def snps(self):
        yield from self._codes


@pytest.mark.parametrize("heritability", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("background", [0.0, 0.5])
def test_heritability_is_exact(heritability, background):
    design = Design({"additive": 5, "epistatic": 2}, heritability, background)
    trait = simulate_trait(Independent(), design, seed=1)
    assert trait.y.std() == pytest.approx(1)
    assert trait.genetic.var() == pytest.approx(heritability, abs=1e-12)
    if 0 < heritability < 1:
        assert np.corrcoef(trait.y, trait.genetic)[0, 1] ** 2 == pytest.approx(heritability)


def test_pairs_have_no_effect_of_their_own_and_singles_have():
    lines = Independent()
    design = Design({"additive": 2, "recessive": 2, "epistatic": 3}, 1.0, equal=True)
    trait = simulate_trait(lines, design, seed=4)
    codes = lines.codes().astype(float)
    codes[codes < 0] = np.nan
    for locus in trait.loci:
        x = np.nan_to_num(codes[:, locus.snp], nan=np.nanmean(codes[:, locus.snp]))
        groups = [trait.y[x == g].mean() for g in (0, 1, 2)]
        if locus.kind == "epistatic":
            assert np.ptp(groups) < 0.25
            assert locus.partner is not None
        elif locus.kind == "additive":
            assert np.ptp(groups) > 0.4
            assert locus.partner is None
    shares = {
        (locus.kind, min(locus.snp, locus.partner or locus.snp)): locus.variance_share
        for locus in trait.loci
        if locus.kind != "decoy"
    }
    assert sum(shares.values()) == pytest.approx(1, abs=0.15)  # but for covariances by chance


def test_decoys_are_far_and_as_frequent():
    lines = Independent()
    trait = simulate_trait(lines, Design({"additive": 8}, 0.5), seed=2)
    loci = [locus.snp for locus in trait.loci if locus.kind != "decoy"]
    decoys = [locus.snp for locus in trait.loci if locus.kind == "decoy"]
    assert len(decoys) == 8
    frequency = np.abs(np.where(lines.codes() < 0, 0, lines.codes()).mean(axis=0) / 2 - 0.5)
    for locus, decoy in zip(loci, decoys, strict=True):
        assert abs(frequency[locus] - frequency[decoy]) < 0.05
    every = [*loci, *decoys]
    for one in every:
        for other in every:
            same = lines.sites.chromosome[one] == lines.sites.chromosome[other]
            near = abs(lines.sites.centimorgan[one] - lines.sites.centimorgan[other]) < APART_CM
            assert one == other or not (same and near)


def test_prevalence():
    trait = simulate_trait(Independent(), Design({"additive": 5}, 0.5, prevalence=0.05), seed=2)
    assert trait.y.mean() == pytest.approx(0.05, abs=1e-3)
    assert trait.genetic[trait.y == 1].mean() > trait.genetic[trait.y == 0].mean() + 0.5


@pytest.mark.parametrize(
    ("design", "told"),
    [
        (Design({"additive": 5}, 1.2), "heritability is 1.2"),
        (Design({"additive": 5}, 0.5, background=-1), "background is -1"),
        (Design({"additive": 5}, 0.5, prevalence=2), "prevalence is 2"),
        (Design({"epigenetic": 5}, 0.5), "kind 'epigenetic'"),
        (Design({"additive": 500}, 0.5), "expected 500"),
    ],
)
def test_what_cannot_be(design, told):
    with pytest.raises(SimulationError, match=told):
        simulate_trait(Independent(100), design, 1)


# --- the command -------------------------------------------------------------------------------


def simulate(*words):
    app(["simulate", *words], standalone_mode=False)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("format", ["bed", "vcf", "table"])
def test_files_are_read_back(design, format, folder):
    size = ["--samples", "40", "--snps", "60", "--families", "4", "--loci", "additive=3"]
    simulate(design, *size, "--out", "x", "--format", format)
    (path,) = [p for p in Path("x").glob("genotypes.*") if p.suffix not in (".bim", ".fam")]
    _, variants, samples, codes, _ = read_all(path, Wanted.everything())
    made = {
        "structured": lambda: Structured(40, 60, a=0.1, reading="code", seed=1),
        "families": lambda: Families(4, 10, 60, seed=1),
        "outbred": lambda: Outbred(40, 60, seed=1),
    }[design]()
    assert samples == made.samples
    assert [v.id for v in variants.candidates] == made.sites.names
    np.testing.assert_array_equal(codes, made.codes())
    header, *rows = Path("x/phenotypes.tsv").read_text().splitlines()
    assert header.split("\t")[:2] == ["sample", "trait"]
    assert len(rows) == 40
    header, *truth = Path("x/truth.tsv").read_text().splitlines()
    assert header == "trait\tsnp\tchromosome\tposition\tkind\teffect\tpartner\tvariance_share"
    assert len(truth) == (10 if design == "structured" else 6)
    record = json.loads(Path("x/simulation.json").read_text())
    assert (record["design"], record["seed"], record["snps"]) == (design, 1, 60)


def test_the_same_command_gives_the_same_bytes(folder):
    size = ["--samples", "40", "--snps", "60", "--format", "vcf", "--site", "1", "--h2", "0.4"]
    for name in ("one", "two"):
        simulate("outbred", *size, "--out", name)
    for path in Path("one").iterdir():
        assert path.read_bytes() == (Path("two") / path.name).read_bytes()
    header, *rows = Path("one/phenotypes.tsv").read_text().splitlines()
    assert header == "sample\ttrait\tsite"
    assert {row.split("\t")[2] for row in rows} == {"site1", "site2", "site3", "site4"}


def test_a_spike_in_leaves_the_genotypes_where_they_are(folder):
    random = np.random.default_rng(1)
    codes = random.binomial(2, 0.4, (80, 50)).astype(np.int8)
    names = [f"L{at}" for at in range(80)]
    variants = [
        Variant(f"v{at}", str(1 + at // 10), 10_000_000 * (at % 10 + 1), "A", "G")
        for at in range(50)
    ]
    bed = plink.write_bed(folder / "real", names, variants, codes)
    simulate("spike-in", "--genotypes", str(bed), "--loci", "additive=3,epistatic=1", "--out", "x")
    assert sorted(path.name for path in Path("x").iterdir()) == [
        "phenotypes.tsv",
        "simulation.json",
        "truth.tsv",
    ]
    truth = [row.split("\t") for row in Path("x/truth.tsv").read_text().splitlines()[1:]]
    assert [row[4] for row in truth] == ["additive"] * 3 + ["epistatic"] * 2 + ["decoy"] * 5
    assert {row[1] for row in truth} <= {f"v{at}" for at in range(50)}
    assert (truth[3][6], truth[4][6]) == (truth[4][1], truth[3][1])


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["outbred", "--genotypes", "x.vcf"], UsageError, "belongs to the design spike-in"),
        (["spike-in"], UsageError, "spike-in needs it"),
        (["structured", "--site", "1"], UsageError, "has its own trait"),
        (["structured", "--prevalence", "0.1"], UsageError, "has its own trait"),
        (["polyploid"], UsageError, "DESIGN"),
        (["outbred", "--loci", "additive"], UsageError, "expected KIND=N"),
        (["outbred", "--h2", "2"], SimulationError, "heritability is 2"),
        (["families", "--samples", "45", "--families", "4"], UsageError, "cannot be dealt"),
        (["outbred", "--samples", "30", "--snps", "5"], SimulationError, "expected 10"),
    ],
)
def test_what_is_refused(words, error, told, folder):
    with pytest.raises(error, match=told):
        simulate(*words, "--out", "new")
    assert not Path("new").exists()


def test_a_folder_with_files_is_left_alone(folder):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not an empty folder"):
        simulate("outbred", "--out", "full")
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]


def test_snps_without_places_are_refused(folder):
    Path("bare.tsv").write_text("sample\tm1\tm2\nA\t0\t1\nB\t1\t2\n")
    with pytest.raises(TrainingTableError, match="the place of 2 SNPs is not known"):
        simulate("spike-in", "--genotypes", "bare.tsv", "--snps-from", "m1", "--out", "x")
