"""Formats, matching and its report, as a person meets them on the command line."""

import csv
import io
import json

import numpy as np
import pytest

from snpredict import errors
from snpredict.genotypes.variants import Variant
from tests.bundles import with_columns
from tests.formats import plink, tables, vcf

SAMPLES = [f"s{n}" for n in range(60)]


def variants_of(tiny) -> list[Variant]:
    half = len(tiny.ids) // 2
    return [
        Variant(snp, f"chr{1 + (at >= half)}", 1000 * (at + 1), "A", "G")
        for at, snp in enumerate(tiny.ids)
    ]


@pytest.fixture
def genotypes(folder, tiny):
    """g.vcf with the lines of g.tsv; a function that writes further files of the same lines."""

    def write(name: str, variants: list[Variant], codes=None):
        codes = tiny.draw(60) if codes is None else codes
        return vcf.write(folder / name, SAMPLES, variants, codes)

    write("g.vcf", variants_of(tiny))
    return write


def column(outcome, name="prediction"):
    return [row[name] for row in csv.DictReader(io.StringIO(outcome.out), delimiter="\t")]


def test_vcf_and_bed_predict_what_the_table_predicts(run, genotypes, tiny, folder):
    plink.write_bed(folder / "set", SAMPLES, variants_of(tiny), tiny.draw(60))
    table = run("predict", "g.tsv")
    for name in ("g.vcf", "set.bed", "set"):
        outcome = run("predict", name)
        assert outcome.code == 0, outcome.err
        assert outcome.out == table.out
        assert "assumed to count" not in outcome.err
    assert "(bed), SHA-256" in outcome.err


def test_swapped_and_flipped_alleles_are_recoded_and_told(run, genotypes, tiny):
    variants, codes = variants_of(tiny), tiny.draw(60)
    for at in range(5):
        variants[at] = variants[at]._replace(counted="G", other="A")
        codes[:, at] = np.where(codes[:, at] < 0, -1, 2 - codes[:, at])
    for at in range(5, 8):
        variants[at] = variants[at]._replace(counted="T", other="C")
    genotypes("other.vcf", variants, codes)
    outcome = run("predict", "other.vcf")
    assert outcome.out == run("predict", "g.tsv").out
    assert "32 same, 5 swapped, 3 other strand" in outcome.err
    strict = run("predict", "other.vcf", "--strand", "strict")
    assert "3 other strand (--strand strict)" in strict.err
    assert column(strict) != column(outcome)


def test_a_scaffold_is_not_a_chromosome(run, genotypes, tiny):
    # The last SNP lies on Gm02; a scaffold's record at its position has the same alleles.
    variants, codes = variants_of(tiny), tiny.draw(60)
    genotypes("without.vcf", variants[:-1], codes[:, :-1])
    for name in ("sc_2", "un_2", "NC_2"):
        variants[-1] = variants[-1]._replace(id=None, chromosome=name)
        genotypes("scaffold.vcf", variants, codes)
        outcome = run("predict", "scaffold.vcf")
        assert outcome.out == run("predict", "without.vcf").out
        assert "1 not in the file" in outcome.err


def test_a_model_without_alleles_refuses_a_vcf_and_names_the_cure(run, genotypes, tiny, folder):
    unknown = (None,) * len(tiny.ids)
    snps = with_columns(tiny.snps(), counted_allele=unknown, other_allele=unknown)
    tiny.write(folder / "bare", snps=snps)
    outcome = run("predict", "g.vcf", "--model", "bare")
    assert outcome.code == errors.NoSnpMatched.exit_code
    told = " ".join(outcome.err.split())
    assert "no alleles in the model" in told
    assert "train it again with --snp-info, or export the file as a table of codes" in told
    # The model's own codes are scored.
    assert run("predict", "g.tsv", "--model", "bare").out == run("predict", "g.tsv").out


def test_chromosomes_named_otherwise_are_told(run, genotypes, tiny):
    variants = [v._replace(id=None, chromosome=f"Zm0{v.chromosome[3]}") for v in variants_of(tiny)]
    genotypes("maize.vcf", variants)
    outcome = run("predict", "maize.vcf")
    assert outcome.code == 20
    told = "chromosomes are named Zm01, Zm02 in the file and Gm01, Gm02 in the model"
    assert told in " ".join(outcome.err.split())


def test_too_few_snps(run, genotypes, tiny, folder):
    genotypes("few.vcf", variants_of(tiny)[:20], tiny.draw(60)[:, :20])
    outcome = run("predict", "few.vcf", "--out", "out.tsv", "--match-log", "log.tsv")
    assert outcome.code == errors.TooFewSnps.exit_code
    assert "found 50.0% of the model's SNPs" in outcome.err
    assert "20 not in the file" in outcome.err
    assert "--min-match" in outcome.err
    assert not (folder / "out.tsv").exists()
    states = [line.split("\t")[6] for line in (folder / "log.tsv").read_text().splitlines()]
    assert states == ["state"] + ["matched"] * 20 + ["not in the file"] * 20
    assert run("predict", "few.vcf", "--min-match", "0.3").code == 0


def test_effects_count_as_well_as_snps(run, genotypes, tiny):
    """Without its strongest SNP the file has 39 of 40 SNPs and clearly less of the effects."""
    effects = np.abs((tiny.weights * tiny.scale).mean(axis=2))
    strongest = int((tiny.frequencies * effects).sum(axis=1).argmax())
    kept = [at for at in range(40) if at != strongest]
    variants = variants_of(tiny)
    genotypes("g39.vcf", [variants[at] for at in kept], tiny.draw(60)[:, kept])
    match = json.loads(run("check", "g39.vcf", "--json").out)["match"]
    assert match["rate"] == pytest.approx(39 / 40)
    assert match["weighted_rate"] < match["rate"]
    outcome = run("predict", "g39.vcf", "--min-match", "0.97")
    assert outcome.code == errors.TooFewSnps.exit_code


def test_check_reports_and_predicts_nothing(run, genotypes, tiny):
    outcome = run("check", "g.vcf")
    assert outcome.code == 0
    for fact in (
        "g.vcf (vcf), SHA-256",
        "samples    60",
        "40 of 40 found (40 by id) among 40 variants, 100.0% of the model's effects",
        "40 same",
    ):
        assert fact in outcome.out
    assert outcome.err == ""


def test_check_prints_the_report_also_of_a_file_that_fails(run, genotypes, tiny):
    variants = [v._replace(id=None, chromosome="NC_1.1") for v in variants_of(tiny)]
    genotypes("named.vcf", variants)
    outcome = run("check", "named.vcf")
    assert outcome.code == errors.NoSnpMatched.exit_code
    assert "40 not in the file" in outcome.out
    assert "chromosomes are named NC_1.1 in the file and Gm01, Gm02 in the model" in outcome.out
    assert "likely cause: chromosomes are named" in outcome.err


def test_check_finds_a_bad_genotype_at_the_end(run, genotypes, folder):
    text = (folder / "g.vcf").read_text()
    (folder / "bad.vcf").write_text(text[: text.rindex("\t")] + "\t0/7\n")
    outcome = run("check", "bad.vcf")
    assert outcome.code == errors.BadGenotype.exit_code
    assert outcome.out == ""


def test_positions_match_where_ids_do_not(run, genotypes, tiny):
    genotypes("places.vcf", [v._replace(id=None) for v in variants_of(tiny)])
    outcome = run("predict", "places.vcf")
    assert "40 of 40 found (40 by position)" in outcome.err
    assert outcome.out == run("predict", "g.tsv").out


def test_match_log_names_both_sides(run, genotypes, folder):
    assert run("check", "g.vcf", "--match-log", "log.json").code == 0
    log = json.loads((folder / "log.json").read_text())
    assert log["model"] == "tiny"
    first = log["results"][0]
    assert first["snp"] == first["file_id"] == "Gm01_1000_A_G"
    assert (first["chromosome"], first["file_chromosome"]) == ("Gm01", "chr1")
    assert first["alleles"] == "same"
    assert len(log["results"]) == 40


@pytest.mark.parametrize(
    "option",
    [
        ["--strand", "both"],
        ["--ambiguous", "yes"],
        ["--dosages", "all"],
        ["--snps-in", "cells"],
        ["--input-format", "xlsx"],
        ["--min-match", "1.5"],
        ["--match-log", "log"],
    ],
)
def test_options_are_checked(run, genotypes, option):
    outcome = run("predict", "g.vcf", *option)
    assert outcome.code == errors.UsageError.exit_code
    assert outcome.out == ""


def test_input_format_overrides_the_content(run, genotypes):
    outcome = run("predict", "g.vcf", "--input-format", "table")
    assert outcome.code == errors.NotATable.exit_code
    outcome = run("predict", "g.tsv", "--input-format", "vcf")
    assert 0 < outcome.code < 40
    assert "g.tsv" in outcome.err


def test_explain_from_a_vcf(run, genotypes):
    from_table = run("explain", "g.tsv", "--sample", "s7")
    from_vcf = run("explain", "g.vcf", "--sample", "s7")
    assert from_vcf.out == from_table.out


def test_json_says_how_the_file_was_matched(run, genotypes, folder):
    result = json.loads(run("predict", "g.vcf", "--format", "json").out)
    assert result["input_format"] == "vcf"
    assert result["match"]["by_id"] == 40
    assert list(result["input_files"]) == ["g.vcf"]


def test_every_file_of_a_set_has_a_digest(run, tiny, folder):
    plink.write_bed(folder / "set", SAMPLES, variants_of(tiny), tiny.draw(60))
    result = json.loads(run("predict", "set", "--format", "json").out)
    assert list(result["input_files"]) == ["set.bed", "set.bim", "set.fam"]


@pytest.mark.parametrize("writer", [tables.write_wide, tables.write_snp_rows])
def test_codes_of_minus_one_to_one_are_refused(run, folder, tiny, writer):
    """Read as codes they would be missing, 0 and 1: a prediction that only looks right."""
    variants = [Variant(snp, None, None, None, None) for snp in tiny.ids]
    codes = np.random.default_rng(1).integers(0, 3, (60, 40)).astype(np.int8)
    path = writer(folder / "rrblup", SAMPLES, variants, codes)
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    for line in lines[1:]:
        line[1:] = [{"0": "-1", "1": "0", "2": "1"}.get(cell, cell) for cell in line[1:]]
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    outcome = run("predict", path.name, "--out", "out.tsv")
    assert outcome.code == errors.UnclearCoding.exit_code
    assert "looks like the coding -1, 0, 1" in outcome.err
    assert not (folder / "out.tsv").exists()


@pytest.fixture
def rrblup(folder, tiny):
    """The genotypes of g.tsv in the coding -1, 0, 1."""
    header, *rows = tiny.table(tiny.draw(60)).splitlines()
    spelt = {"0": "-1", "1": "0", "2": "1"}
    lines = [[spelt.get(cell, cell) for cell in row.split("\t")] for row in rows]
    (folder / "rrblup.tsv").write_text("\n".join([header, *map("\t".join, lines)]) + "\n")


def test_the_coding_minus_one_to_one_gives_the_same(run, rrblup):
    outcome = run("predict", "rrblup.tsv", "--coding", "-101")
    assert outcome.out == run("predict", "g.tsv").out
    assert "coding     -1, 0, 1 read as 0, 1, 2 (--coding -101); codes 0, 1, 2" in outcome.err
    result = json.loads(run("predict", "rrblup.tsv", "--coding", "-101", "--format", "json").out)
    assert result["coding"] == "-101"
    assert json.loads(run("predict", "g.tsv", "--format", "json").out)["coding"] == "012"
    assert json.loads(run("check", "rrblup.tsv", "--coding", "-101", "--json").out)["coding"]
    explained = run("explain", "rrblup.tsv", "--sample", "s7", "--coding", "-101")
    assert explained.out == run("explain", "g.tsv", "--sample", "s7").out


def test_a_raw_of_the_models_ids(run, tiny, folder):
    """Ids such as Gm01_1000_A_G end in an allele, before PLINK adds one."""
    codes = tiny.draw(60)
    swapped = np.where(codes < 0, codes, 2 - codes)
    ours = [v._replace(counted=v.other, other=v.counted) for v in variants_of(tiny)]
    plink.write_raw(folder / "g.raw", SAMPLES, ours, swapped)
    outcome = run("predict", "g.raw")
    assert outcome.out == run("predict", "g.tsv").out
    assert "40 swapped" in outcome.err
    result = json.loads(run("predict", "g.raw", "--format", "json").out)
    assert (result["input_format"], result["coding"], result["id_column"]) == ("raw", "012", "IID")


@pytest.mark.parametrize("command", [["predict"], ["check"], ["explain", "--sample", "s1"]])
def test_a_vcf_has_no_coding(run, genotypes, command):
    outcome = run(*command, "g.vcf", "--coding", "-101")
    assert outcome.code == errors.UsageError.exit_code
    assert "--coding says what stands for the genotypes in a file of bare codes" in outcome.err


def test_minus_one_for_missing_is_counted(run, folder, tiny):
    text = tiny.table(tiny.draw(60)).replace("NA", "-1")
    (folder / "minus.tsv").write_text(text)
    outcome = run("predict", "minus.tsv")
    assert outcome.out == run("predict", "g.tsv").out
    assert f"{text.count('-1'):,} cells of -1, taken as missing" in outcome.err
