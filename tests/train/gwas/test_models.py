"""The three models of a GWAS: by hand, by other programs, and what must hold of each."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra 'train'")

from scipy import stats

from snpredict.formulas.genotypes import Genotypes
from snpredict.genotypes.variants import Variant
from tests.formats import plink
from tests.simulated import read_table
from tests.soynam import FOLDER, needs_soynam
from train.data.snpinfo import SnpInfo
from train.gwas import scan, tails
from train.gwas.kinship import components
from train.gwas.result import Associations
from train.gwas.study import KeptGenotypes, Study

N, SNPS = 400, 90


def study(codes, y, covariates=None, chromosomes=3):
    """One in memory."""
    n_snps = codes.shape[1]
    info = SnpInfo(
        [str(1 + chromosomes * at // n_snps) for at in range(n_snps)],
        [1000 * (at + 1) for at in range(n_snps)],
        ["A"] * n_snps,
        ["G"] * n_snps,
    )
    covariates = np.empty((len(y), 0)) if covariates is None else covariates
    names = [f"c{at}" for at in range(covariates.shape[1])]
    source = KeptGenotypes(Genotypes(codes), [f"snp{at}" for at in range(n_snps)], info)
    return Study(None, "y", np.asarray(y, float), covariates, names, source, 0)


def population(seed=1, missing=0.03):
    random = np.random.default_rng(seed)
    family = random.integers(0, 8, N)
    frequency = random.uniform(0.05, 0.95, (8, SNPS))
    codes = random.binomial(2, frequency[family]).astype(np.int8)
    covariates = random.normal(size=(N, 2)) + np.array([40.0, 0.0])
    y = codes[:, 5] + 0.3 * family + covariates[:, 1] + random.normal(size=N)
    codes[random.random(codes.shape) < missing] = -1
    return codes, y, covariates


def soynam():
    """Height of every eighth SoyNAM line on the real genotypes, with two invented covariates."""
    table = read_table(FOLDER / "height_chip.tsv.gz", trait="height")
    random = np.random.default_rng(1)
    rows = slice(None, None, 8)
    codes, y = table.codes[rows], table.phenotype[rows]
    return codes, y, random.normal(size=(len(y), 2)) + np.array([40.0, 0.0])


#: What other programs are compared on.
POPULATIONS = pytest.mark.parametrize(
    "lines", [population, pytest.param(soynam, marks=needs_soynam)]
)


def nothing(snps):
    pass


def neg_log10_p(tested):
    info = SnpInfo([], [], [], [])
    return Associations([], info, tested).neg_log10_p


def test_p_values_are_those_of_scipy_and_go_on_where_it_ends():
    t = np.array([0.0, 0.5, -2.0, 8.0, 30.0])
    for df in (3, 50, 5000):
        np.testing.assert_allclose(
            tails.of_t(t, df), -np.log10(2 * stats.t.sf(np.abs(t), df)), rtol=1e-9, atol=1e-12
        )
    np.testing.assert_allclose(
        tails.of_normal(t), -np.log10(2 * stats.norm.sf(np.abs(t))), rtol=1e-9
    )
    assert tails.of_normal(np.array([100.0]))[0] == pytest.approx(2173.5705, abs=1e-3)
    # With many degrees of freedom t is all but normal.
    far = tails.of_t(np.array([45.0, 100.0]), 1e12)
    np.testing.assert_allclose(far, tails.of_normal(np.array([45.0, 100.0])), rtol=1e-6)
    # On both sides of the border between the two ways to it.
    near = tails.of_t(np.linspace(60, 90, 301), 400.0)
    assert (np.diff(near) > 0).all()
    assert np.abs(np.diff(near, 2)).max() < 0.01


@pytest.mark.parametrize("missing", [0.0, 0.03])
def test_linear_is_the_regression_of_each_snp(missing):
    codes, y, covariates = population(missing=missing)
    tested = scan.linear(study(codes, y, covariates), covariates, nothing)
    for at in range(0, SNPS, 7):
        kept = codes[:, at] >= 0
        design = np.column_stack([np.ones(kept.sum()), covariates[kept], codes[kept, at]])
        b, rss, *_ = np.linalg.lstsq(design, y[kept])
        df = kept.sum() - 4
        se = np.sqrt(rss[0] / df * np.linalg.inv(design.T @ design)[3, 3])
        assert tested.n[at] == kept.sum()
        assert tested.beta[at] == pytest.approx(b[3], rel=1e-5, abs=1e-6)
        assert tested.se[at] == pytest.approx(se, rel=1e-5)
        assert tested.statistic[at] == pytest.approx(b[3] / se, rel=1e-5, abs=1e-6)
        assert tested.df[at] == df


def test_dosages_are_numbers():
    codes, y, _ = population(missing=0.0)
    fractions = np.zeros(codes.shape, np.float32)
    fractions[:, 0] = np.where(codes[:, 0] < 2, 0.25, 0)
    whole = study(codes, y)
    source = KeptGenotypes(Genotypes(codes, fractions), whole.source.snps, whole.source.info)
    tested = scan.linear(
        Study(None, "y", y, whole.covariates, [], source, 0), whole.covariates, nothing
    )
    found = stats.linregress(codes[:, 0] + fractions[:, 0], y)
    assert tested.beta[0] == pytest.approx(found.slope, rel=1e-5)
    assert tested.se[0] == pytest.approx(found.stderr, rel=1e-5)


@pytest.mark.parametrize("model", ["linear", "logistic", "mixed"])
def test_a_snp_that_tells_nothing_is_not_tested(model):
    codes, y, _ = population(missing=0.0)
    codes[:, 0] = 2
    codes[:, 1] = -1
    codes[1:, 2] = -1
    if model == "logistic":
        y = (y > np.median(y)).astype(float)
    one = study(codes, y)
    tested = run(model, one)
    assert np.isnan(tested.statistic[:3]).all()
    assert np.isfinite(tested.statistic[3:]).all()


def run(model, one, covariates=None):
    covariates = one.covariates if covariates is None else covariates
    if model == "linear":
        return scan.linear(one, covariates, nothing)
    if model == "logistic":
        return scan.logistic(one, covariates, nothing)[0]
    return scan.mixed(one, covariates, "loco", nothing)[0]


@pytest.mark.parametrize("model", ["linear", "logistic", "mixed"])
def test_shuffled_phenotypes_show_nothing(model):
    found = []
    for seed in range(3):
        codes, y, covariates = population(seed)
        y = np.random.default_rng(seed).permutation(y)
        if model == "logistic":
            y = (y > np.quantile(y, 0.7)).astype(float)
        found.append(run(model, study(codes, y), covariates).statistic ** 2)
    inflation = np.median(np.concatenate(found)) / 0.4549
    assert 0.7 < inflation < 1.4


def test_the_mixed_model_takes_families_out():
    random = np.random.default_rng(3)
    family = random.integers(0, 10, N)
    frequency = random.uniform(0.05, 0.95, (10, 900))
    codes = random.binomial(2, frequency[family]).astype(np.int8)
    y = random.normal(size=10)[family] * 1.5 + random.normal(size=N)
    one = study(codes, y)
    plain, mixed = (np.median(run(m, one).statistic ** 2) / 0.4549 for m in ("linear", "mixed"))
    adjusted = run("linear", one, components(one, 9, 1)).statistic ** 2
    assert plain > 3
    assert 0.6 < mixed < 1.5
    assert 0.6 < np.median(adjusted) / 0.4549 < 1.5


def test_a_singular_kinship_is_no_obstacle():
    codes, y, covariates = population(missing=0.0)
    doubled = np.concatenate([codes[:200], codes[:200]])
    tested = run("mixed", study(doubled, y), covariates)
    assert np.isfinite(tested.statistic).all()


def test_a_snp_that_separates_the_classes_has_a_penalised_estimate():
    """Firth's estimate of a 2 × 2 table adds a half to each cell (Firth 1993)."""
    codes = np.zeros((40, 2), np.int8)
    y = np.zeros(40)
    y[:12] = 1
    codes[:8, 0] = 1
    codes[::2, 1] = 1
    tested, n_firth = scan.logistic(study(codes, y), np.empty((40, 0)), nothing)
    cells = np.log((8.5 / 0.5) / (4.5 / 28.5))
    assert n_firth == 1
    assert tested.beta[0] == pytest.approx(cells, rel=1e-6)


def test_covariates_that_separate_the_classes_leave_no_plain_fit():
    codes, y, _ = population(missing=0.0)
    y = (y > np.median(y)).astype(float)
    tested, n_firth = scan.logistic(study(codes, y), y[:, None] * 2 - 1, nothing)
    assert n_firth == SNPS
    assert (np.abs(tested.statistic) < 2).all()


def test_repeated_covariates_count_once():
    codes, y, covariates = population()
    twice = np.concatenate([covariates, covariates[:, :1] * 3 - 1], axis=1)
    one, other = (run("linear", study(codes, y), c) for c in (covariates, twice))
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-7)


# --- other programs ----------------------------------------------------------------------------


def needs(program):
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not installed (a Debian package)"
    )


def run_plink2(folder: Path, codes, y, covariates, *, binary: bool):
    variants = [Variant(f"snp{at}", "1", 10 * (at + 1), "A", "G") for at in range(codes.shape[1])]
    names = [f"s{at}" for at in range(len(y))]
    bed = plink.write_bed(folder / "lines", names, variants, codes)
    phenotype = [f"{n}\t{v + 1 if binary else v:.12g}" for n, v in zip(names, y, strict=True)]
    (folder / "y.txt").write_text("\n".join(["#IID\ty", *phenotype]) + "\n")
    lines = [
        "\t".join([n, *(f"{v:.12g}" for v in row)])
        for n, row in zip(names, covariates, strict=True)
    ]
    (folder / "c.txt").write_text("\n".join(["#IID\ta\tb", *lines]) + "\n")
    words = ["plink2", "--bfile", bed.with_suffix(""), "--pheno", "y.txt", "--covar", "c.txt"]
    words += [
        "--glm",
        "hide-covar",
        "log10",
        "omit-ref",
        "cols=+beta,+a1freq",
        "--covar-variance-standardize",
    ]
    done = subprocess.run([*words, "--out", "found"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (table,) = folder.glob("found.y.glm.*")
    header, *rows = table.read_text().splitlines()
    columns = {name: at for at, name in enumerate(header.lstrip("#").split("\t"))}
    cells = [row.split("\t") for row in rows]
    return cells, columns


@needs("plink2")
@POPULATIONS
def test_linear_agrees_with_plink2(lines, tmp_path):
    codes, y, covariates = lines()
    cells, columns = run_plink2(tmp_path, codes, y, covariates, binary=False)
    tested = run("linear", study(codes, y), covariates)
    found = neg_log10_p(tested)
    assert len(cells) == codes.shape[1]
    for at, cell in enumerate(cells):
        if cell[columns["LOG10_P"]] == "NA":
            assert np.isnan(found[at])
            continue
        sign = 1 if cell[columns["A1"]] == "A" else -1
        assert found[at] == pytest.approx(float(cell[columns["LOG10_P"]]), abs=1e-4)
        assert tested.beta[at] * sign == pytest.approx(
            float(cell[columns["BETA"]]), rel=1e-4, abs=1e-6
        )
        assert tested.n[at] == int(cell[columns["OBS_CT"]])


@needs("plink2")
def test_logistic_agrees_with_plink2_also_where_classes_are_separated(tmp_path):
    codes, y, covariates = population()
    y = (y > np.quantile(y, 0.8)).astype(float)
    # Rare alleles, some of them in one class alone.
    random = np.random.default_rng(2)
    for at, share in enumerate((0.004, 0.01, 0.02)):
        codes[:, at] = random.random(N) < share
    codes[:, 3] = 0
    codes[np.flatnonzero(y == 1)[:4], 3] = 1
    cells, columns = run_plink2(tmp_path, codes, y, covariates, binary=True)
    tested, n_firth = scan.logistic(study(codes, y), covariates, nothing)
    found = neg_log10_p(tested)
    assert n_firth == sum(cell[columns["FIRTH?"]] == "Y" for cell in cells)
    assert n_firth >= 1
    others = np.array([float(cell[columns["LOG10_P"]]) for cell in cells])
    differing = np.flatnonzero(np.abs(found - others) > 1e-4)
    # plink2 may take a standard error from the step before its last one: such SNPs by hand.
    assert len(differing) <= 2
    for at in differing:
        assert cells[at][columns["FIRTH?"]] == "N"
        assert tested.se[at] == pytest.approx(error_by_hand(codes[:, at], y, covariates), rel=1e-7)


def error_by_hand(codes, y, covariates):
    """Standard error of a SNP's log odds ratio, where Newton's steps end."""
    kept = codes >= 0
    design = np.column_stack([codes[kept], np.ones(kept.sum()), covariates[kept] - [40, 0]])
    b = np.zeros(4)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ b))
        information = design.T @ (design * (p * (1 - p))[:, None])
        b += np.linalg.solve(information, design.T @ (y[kept] - p))
    return np.sqrt(np.linalg.inv(information)[0, 0])


@needs("gemma")
@POPULATIONS
def test_mixed_agrees_with_gemma(lines, tmp_path):
    codes, y, covariates = lines()
    one = study(codes, y)
    first = [at for at, name in enumerate(one.source.info.chromosome) if name == "1"]
    from train.gwas.kinship import products

    total, count = products(one, np.arange(len(first), codes.shape[1]))
    kinship = (np.tril(total) + np.tril(total, -1).T) / count
    np.savetxt(tmp_path / "k.txt", kinship, fmt="%.15g")
    np.savetxt(tmp_path / "y.txt", y, fmt="%.15g")
    np.savetxt(tmp_path / "c.txt", np.column_stack([np.ones(len(y)), covariates]), fmt="%.15g")
    with (tmp_path / "g.txt").open("w") as file:
        for at in first:
            cells = ", ".join("NA" if code < 0 else str(code) for code in codes[:, at])
            file.write(f"snp{at}, A, G, {cells}\n")
    words = "gemma -g g.txt -p y.txt -c c.txt -k k.txt -lmm 1 -miss 1 -maf 0 -r2 1 -notsnp -o found"
    done = subprocess.run(words.split(), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header, *rows = (tmp_path / "output" / "found.assoc.txt").read_text().splitlines()
    columns = {name: at for at, name in enumerate(header.split("\t"))}
    tested = run("mixed", one, covariates)
    found = neg_log10_p(tested)
    # GEMMA leaves SNPs out that do not vary.
    assert len(rows) >= 0.95 * len(first)
    for row in rows:
        cell = row.split("\t")
        at = int(cell[columns["rs"]].removeprefix("snp"))
        assert found[at] == pytest.approx(-np.log10(float(cell[columns["p_wald"]])), abs=1e-4)
        assert tested.beta[at] == pytest.approx(float(cell[columns["beta"]]), rel=1e-4, abs=1e-6)
