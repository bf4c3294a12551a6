"""Scoring files of the PGS Catalog and of plink2, from file to prediction, by hand."""

import gzip
import json
from pathlib import Path

import pytest

from snpredict import errors
from snpredict.bundle.load import load_bundle
from snpredict.cli import main
from snpredict.scoring_files.read import read_weights
from snpredict.terminal.messages import decimals

HEADER = """\
###PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/
#format_version=2.0
##POLYGENIC SCORE (PGS) INFORMATION
#pgs_id=PGS000009
#trait_reported=Height
#genome_build=GRCh37
#weight_type=beta
"""
COLUMNS = "rsID chr_name chr_position effect_allele other_allele effect_weight"
ROWS = ["rs1 1 100 A G 0.5", "rs2 1 200 C . -1", ". 2 300 t C 2e0"]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes a file: spaces become tabs, a dot an empty cell."""
    monkeypatch.chdir(tmp_path)

    def write(columns: str = COLUMNS, rows: list[str] = ROWS, header: str = HEADER):
        cells = [columns.split(), *(row.split(" ") for row in rows)]
        lines = ["\t".join("" if c == "." else c for c in row) + "\n" for row in cells]
        path = tmp_path / "score.txt"
        path.write_text(header + "".join(lines))
        return path

    return write


def predicted(model, capsys) -> dict[str, float]:
    """Of four lines: none, one and two copies of every effect allele, and nothing called."""
    table = "id\trs1\trs2\t2:300:T:C\n" + "".join(
        f"{name}\t{code}\t{code}\t{code}\n"
        for name, code in zip("abcd", (0, 1, 2, "NA"), strict=True)
    )
    model.parent.joinpath("g.tsv").write_text(table)
    words = ["predict", "g.tsv", "--model", str(model), "--min-match", "0", "--format", "json"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)["results"]
    return {row["sample"]: row["prediction"] for row in rows}


def imported(path, *options: str):
    assert main(["import", str(path), "--out", "model", *options]) == 0
    return path.parent / "model"


def test_the_sum_of_weights_times_copies(file, capsys):
    model = imported(file())
    assert predicted(model, capsys) == {"a": 0, "b": 1.5, "c": 3, "d": 0}
    manifest = load_bundle(model).manifest
    assert (manifest.name, manifest.trait, manifest.unit) == ("PGS000009", "Height", "beta")
    about = manifest.scoring_file
    assert about is not None
    assert (about.genome_build, about.with_frequency, about.without_other_allele) == (
        "GRCh37",
        0,
        1,
    )


def test_a_missing_genotype_counts_as_twice_the_frequency_where_it_is_known(file, capsys):
    rows = [f"{row} {p}" for row, p in zip(ROWS, ("0.25", "NA", "0.5"), strict=True)]
    model = imported(file(f"{COLUMNS} allelefrequency_effect", rows))
    assert predicted(model, capsys) == {"a": 0, "b": 1.5, "c": 3, "d": 0.5 * 0.5 + 2 * 1}
    assert main(["check", "g.tsv", "--model", "model"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "frequency of 2 SNPs, no copy of the effect allele of the other 1" in told
    assert "positions are those of GRCh37; they are not lifted" in told
    assert main(["models", "show", "model"]) == 0
    assert "are not lifted" in " ".join(capsys.readouterr().out.split())


def test_all_that_a_kind_without_training_set_can_say(file, capsys):
    model = str(imported(file()))
    predicted(file().parent / "model", capsys)
    assert main(["explain", "g.tsv", "--sample", "c", "--model", model, "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert explained["reference"] == 0
    assert {r["snp"]: r["contribution"] for r in explained["results"]} == {
        "rs1": 1, "rs2": -2, "2:300:T:C": 4,
    }  # fmt: skip
    assert explained["scoring_file"]["missing_genotype_counts_as"] == "no copy of the effect allele"
    assert main(["explain", "--snp", "rs2", "--model", model, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["effects"] == {"0": 0, "1": -1, "2": -2, "missing": 0}
    assert set(report["frequencies"].values()) == {None}
    # Shares of the effects are those of the weights where no frequencies are known.
    assert main(["predict", "g.tsv", "--model", model, "--match-log", "log.json"]) == 0
    log = json.loads((file().parent / "log.json").read_text())["results"]
    assert [row["weight"] for row in log] == pytest.approx([0.5 / 3.5, 1 / 3.5, 2 / 3.5])


def test_one_model_has_no_spread_and_no_folds_to_show(file, capsys):
    model = imported(file())
    predicted(model, capsys)
    assert main(["predict", "g.tsv", "--model", "model", "-q"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split("\t")[:3] == ["a", "0", "NA"]
    assert main(["models", "show", "model"]) == 0
    assert "fold" not in capsys.readouterr().out.replace("folder", "")


def test_codes_without_alleles_are_scored_with_a_warning(file, capsys):
    model = imported(file())
    predicted(model, capsys)
    assert main(["predict", "g.tsv", "--model", "model", "-q"]) == 0
    assert "g.tsv names no alleles" in " ".join(capsys.readouterr().err.split())


def test_weights_come_back_out_of_a_model(file, capsys):
    """Also those of alleles that are nowhere or everywhere, or whose frequency is not known."""
    rows = [f"{row} {p}" for row, p in zip(ROWS, ("0", "1", "."), strict=True)]
    model = imported(file(f"{COLUMNS} allelefrequency_effect", rows))
    before = predicted(model, capsys)
    assert before == {"a": 0, "b": 1.5, "c": 3, "d": -2}
    assert main(["effects", "model", "--pgs", "again.txt"]) == 0
    assert "correlation 1.000000" in (model.parent / "again.txt").read_text()
    assert main(["import", "again.txt", "--out", "second", "-q"]) == 0
    capsys.readouterr()
    assert predicted(model.parent / "second", capsys) == before


def test_small_scores_are_shown_on_a_terminal(file, capsys):
    rows = [
        row.rpartition(" ")[0] + f" {w}" for row, w in zip(ROWS, (1e-6, 2e-6, 3e-6), strict=True)
    ]
    bundle = load_bundle(imported(file(rows=rows)))
    assert f"{1e-6:.{decimals(bundle)}f}" == "0.00000100"


def test_a_harmonised_file_has_the_places_of_its_build(file):
    header = HEADER + "##HARMONIZATION DETAILS\n#HmPOS_build=GRCh38\n"
    columns = f"{COLUMNS} hm_source hm_rsID hm_chr hm_pos hm_inferOtherAllele"
    rows = [
        "rs1 1 100 A G 0.5 ENSEMBL rs1 1 1100 .",
        "1:200 1 200 C . -1 liftover . 1 1200 T",
        "rs3 2 300 T C 2 Unknown . . . .",
        "1:400 1 400 C G 2 Unknown . . . .",
    ]
    weights = read_weights(file(columns, rows, header))
    assert weights.id.to_pylist() == ["rs1", "1:1200:C:T", "rs3", "line 14, without a place"]
    assert weights.position.to_pylist() == [1100, 1200, None, None]
    assert weights.other_allele.to_pylist() == ["G", "T", "C", "G"]
    assert weights.about.genome_build == "GRCh38"


def test_two_alleles_of_one_site_are_two_snps(file):
    weights = read_weights(file(rows=["rs1 1 100 A G 0.5", "rs1 1 100 T G 0.25"]))
    assert weights.id.to_pylist() == ["rs1", "rs1:T:G"]


def test_gzip(file, capsys):
    path = file()
    packed = path.with_suffix(".txt.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert predicted(imported(packed), capsys)["c"] == 3


SCORE = "#ID A1 BETA\nrs1 A 0.5\nrs2 C -1\n2:300:T:C T 2\n"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param(SCORE, [], id="header with #"),
        pytest.param(SCORE[1:], [], id="header without #"),
        pytest.param(SCORE.partition("\n")[2], [], id="no header"),
        pytest.param(SCORE.replace(" ", "\t"), ["--columns", "ID,A1,BETA"], id="names"),
        pytest.param(
            "n ID other A1 BETA\n1 rs1 9 A 0.5\n2 rs2 9  C -1 \n3 2:300:T:C 9 T\t2\n",
            ["--columns", "2,4,5"],
            id="numbers",
        ),
    ],
)
def test_score_files_of_plink2(text, options, file, capsys):
    path = file().with_name("score")
    path.write_text(text)
    assert predicted(imported(path, *options), capsys) == {"a": 0, "b": 1.5, "c": 3, "d": 0}


# --- what is refused ---------------------------------------------------------------------------


def flagged(name: str, value: str = "True") -> tuple[str, list[str]]:
    return f"{COLUMNS} {name}", [f"{ROWS[0]} False", f"{ROWS[1]} {value}"]


REFUSED = [
    (
        COLUMNS,
        ["rs1 1 100 A G nan"],
        errors.BadWeights,
        "line 9, column 'effect_weight': found 'nan'",
    ),
    (COLUMNS, ["rs1 1 100 A G inf"], errors.BadWeights, "'inf'"),
    (COLUMNS, ["rs1 1 100 A G 1e999"], errors.BadWeights, "'1e999'"),
    (COLUMNS, ["rs1 1 100 A G x"], errors.BadWeights, "'x', expected a finite number"),
    (COLUMNS, ["rs1 1 100 A G 1_0"], errors.BadWeights, "'1_0', expected a finite number"),
    (COLUMNS, ["rs1 1 100 A G ."], errors.BadWeights, "found ''"),
    (COLUMNS, ROWS + ROWS[:1], errors.BadWeights, "line 12: rs1 is there twice, first in line 9"),
    (COLUMNS, [*ROWS, "rs9 1 100 G A 1"], errors.BadWeights, "line 12: 1:100 is there twice"),
    (COLUMNS, [*ROWS, "rs9 chr01 100 G A 1"], errors.BadWeights, "1:100 is there twice"),
    (COLUMNS, [*ROWS, "rs2 1 200 C T 1"], errors.BadWeights, "rs2 is there twice"),
    (COLUMNS, ["rs1 1 100 A A 1"], errors.BadWeights, "found the allele A twice"),
    (COLUMNS, ["rs1 1 100 P N 1"], errors.BadWeights, "column 'effect_allele': found 'P'"),
    (COLUMNS, ["rs1 1 1e5 A G 1"], errors.BadWeights, "column 'chr_position': found '1e5'"),
    (COLUMNS, [". 1 . A G 1"], errors.BadWeights, "found neither rsID nor chr_name"),
    (COLUMNS, ["rs1_x_rs2 1 100 A G 1"], errors.BadWeights, "several variants"),
    (COLUMNS, ["rs1 1 100 A G"], errors.RaggedRow, "line 9: found 5 columns, expected 6"),
    (
        COLUMNS,
        ["rs1 1 100 A G 1", ".", "rs2 1 1 A G 1"],
        errors.RaggedRow,
        "line 10: the line is blank",
    ),
    (COLUMNS, [], errors.NoRows, "no variants"),
    (COLUMNS.replace("effect_weight", "OR"), ROWS, errors.NotATable, "no column 'effect_weight'"),
    (COLUMNS.replace("other_allele", "rsID"), ROWS, errors.NotATable, "the column 'rsID' twice"),
    (*flagged("is_haplotype"), errors.BadWeights, "line 10: found a haplotype"),
    (*flagged("is_diplotype"), errors.BadWeights, "a diplotype"),
    (*flagged("is_interaction"), errors.BadWeights, "an interaction"),
    (*flagged("is_dominant", "TRUE"), errors.BadWeights, "a dominant effect (is_dominant)"),
    (*flagged("is_recessive", "1"), errors.BadWeights, "a recessive effect"),
    (*flagged("dosage_2_weight", "0.1"), errors.BadWeights, "a weight per genotype"),
    (*flagged("weight_type", "OR"), errors.BadWeights, "the weight type OR"),
    (*flagged("allelefrequency_effect", "1.5"), errors.BadWeights, "'False'"),
]


@pytest.mark.parametrize(("columns", "rows", "error", "words"), REFUSED)
def test_refused_with_the_line(columns, rows, error, words, file, capsys):
    path = file(columns, rows)
    assert main(["import", str(path), "--out", "model"]) == error.exit_code
    assert words in capsys.readouterr().err
    assert not (path.parent / "model").exists()


def test_ratios_and_other_versions_are_refused(file, capsys):
    for old, new, error in (
        ("weight_type=beta", "weight_type=OR", errors.BadWeights),
        ("format_version=2.0", "format_version=1.0", errors.UnsupportedFile),
    ):
        path = file(header=HEADER.replace(old, new))
        assert main(["import", str(path), "--out", "model"]) == error.exit_code
        assert new.partition("=")[2] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        pytest.param("rs1 A\n", [], "found 2 columns", id="two columns"),
        pytest.param("ID A1 0.05\nrs1 A 1\n", [], "line 1, column 'allele'", id="number as a name"),
        pytest.param("rs1 A 1\nrs1 A 2\n", [], "line 2: rs1 is there twice", id="twice"),
        pytest.param("rs1 A 1\nrs1 C 2\n", [], "line 2: rs1 is there twice", id="two alleles"),
        pytest.param("rs1 A 1\nrs2 A NA\n", [], "line 2, column 'weight'", id="NA"),
        pytest.param(SCORE, ["--columns", "ID,A1,OR"], "expected one called 'OR'", id="name"),
        pytest.param(SCORE, ["--columns", "1,2"], "expected three columns", id="two"),
        pytest.param(SCORE, ["--columns", "0,1,2"], "counts from 1", id="zero"),
    ],
)
def test_refused_of_plink2(text, options, words, file, capsys):
    path = file().with_name("score")
    path.write_text(text)
    assert main(["import", str(path), "--out", "model", *options]) != 0
    told = " ".join(capsys.readouterr().err.split())
    assert words in told
    assert "unexpected" not in told


@pytest.mark.parametrize("kind", ["dominant", "Recessive", "genotypic weights", "overdominance"])
def test_types_that_are_not_per_copy_are_refused_by_name(kind, file, capsys):
    path = file(header=HEADER.replace("weight_type=beta", f"weight_type={kind}"))
    assert main(["import", str(path), "--out", "model"]) == errors.BadWeights.exit_code
    assert f"found the weight type {kind}" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("kind", ["beta", "log(OR)", "NR", "shrunken"])
def test_a_type_that_is_not_known_is_said(kind, file, capsys):
    imported(file(header=HEADER.replace("weight_type=beta", f"weight_type={kind}")))
    told = " ".join(capsys.readouterr().err.split())
    assert ("'shrunken' is not known" in told) == (kind == "shrunken")


def test_genotypes_are_not_weights(capsys, tmp_path):
    vcf = Path(__file__).parents[3] / "examples" / "lines.vcf.gz"
    assert main(["import", str(vcf), "--out", str(tmp_path / "m")]) == errors.NotATable.exit_code
    assert "is a file of genotypes (vcf), expected a file of weights" in " ".join(
        capsys.readouterr().err.split()
    )


def test_columns_are_those_of_plink2_alone(file, capsys):
    words = ["import", str(file()), "--out", "model", "--columns", "1,4,6"]
    assert main(words) == errors.UsageError.exit_code
    assert "leave it out" in capsys.readouterr().err


def test_needs_a_file_and_a_folder(capsys):
    assert main(["import"]) == errors.UsageError.exit_code
    assert "--out" in capsys.readouterr().err


def test_weights_are_not_genotypes(file, capsys):
    assert main(["predict", str(file())]) == errors.NotATable.exit_code
    assert "to make a model of it: snpredict import" in capsys.readouterr().err
