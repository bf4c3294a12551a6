import csv
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from snpredict import __version__, errors
from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import MANIFEST

ROOT = Path(__file__).resolve().parents[2]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


# --- results -----------------------------------------------------------------------------------


def test_piped_results_are_a_plain_table(run, tiny):
    outcome = run("predict", "g.tsv")
    assert outcome.code == 0
    rows = rows_of(outcome.out)
    expected = tiny.expected(tiny.draw(60))
    assert list(rows[0]) == ["sample", "prediction", "spread", "predicted_by", "low_call_rate"]
    assert [row["sample"] for row in rows] == [f"s{n}" for n in range(60)]
    np.testing.assert_allclose(
        [float(row["prediction"]) for row in rows], expected.mean(axis=1), rtol=1e-5
    )
    np.testing.assert_allclose(
        [float(row["spread"]) for row in rows], expected.std(axis=1, ddof=1), rtol=1e-4
    )


def test_summary_on_stderr(run, folder):
    err = run("predict", "g.tsv").err
    bundle = load_bundle("tiny")
    for fact in (
        f"tiny (manifest {bundle.digest[:12]}), cross-validated PCC 0.700",
        "height (cm)",
        "60, ids from column 'sample'",
        "40 of 40 found (40 by id) among 40 variants, 100.0% of the model's effects",
        "% of the genotypes of these SNPs",
        "assumed to count the model's counted alleles",
        "SHA-256 ",
        __version__,
    ):
        assert fact in err
    assert "warning" not in err


def test_quiet(run):
    assert run("predict", "g.tsv", "--quiet").err == ""


def test_few_snps_are_warned_of_even_when_quiet(run, folder):
    lines = (folder / "g.tsv").read_text().splitlines()
    short = "".join("\t".join(line.split("\t")[:35]) + "\n" for line in lines)
    (folder / "short.tsv").write_text(short)
    outcome = run("predict", "short.tsv", "-q")
    assert outcome.code == 0
    assert outcome.err.startswith("warning: the file has 85.0% of the model's SNPs, with ")


def test_per_fold_and_top(run, tiny):
    rows = rows_of(run("predict", "g.tsv", "--per-fold", "--top", "2").out)
    assert list(rows[0]) == [
        *("sample", "prediction", "spread", "predicted_by", "low_call_rate"),
        *("fold_01", "fold_02", "fold_03"),
        *("top1_snp", "top1_contribution", "top2_snp", "top2_contribution"),
    ]
    folds = [[float(row[f"fold_0{f}"]) for f in (1, 2, 3)] for row in rows]
    np.testing.assert_allclose(folds, tiny.expected(tiny.draw(60)), rtol=1e-5)
    for row in rows:
        first, second = (abs(float(row[f"top{k}_contribution"])) for k in (1, 2))
        assert first >= second > 0


def test_top_of_more_snps_than_there_are(run):
    assert "top40_snp" in run("predict", "g.tsv", "--top", "99").out.splitlines()[0]


@pytest.mark.parametrize("name", ["p.tsv", "p.csv", "p.json", "p.parquet"])
def test_out(run, folder, name):
    outcome = run("predict", "g.tsv", "--out", name)
    assert (outcome.code, outcome.out) == (0, "")
    content = (folder / name).read_bytes()
    match name.partition(".")[2]:
        case "json":
            value = json.loads(content)
            samples = [row["sample"] for row in value["results"]]
            metadata = value
        case "parquet":
            table = pq.read_table(folder / name)
            samples = table["sample"].to_pylist()
            metadata = json.loads(table.schema.metadata[b"snpredict"])
        case _:
            samples = [
                line.replace(",", "\t").split("\t")[0] for line in content.decode().splitlines()
            ]
            samples, metadata = samples[1:], None
    assert samples == [f"s{n}" for n in range(60)]
    if metadata:
        assert metadata["manifest_sha256"] == load_bundle("tiny").digest
        assert (metadata["model"], metadata["trait"], metadata["unit"]) == ("tiny", "height", "cm")
        assert metadata["snpredict_version"] == __version__
        assert len(metadata["input_sha256"]) == 64


def test_json_lists_top_snps_as_objects(run):
    value = json.loads(run("predict", "g.tsv", "--format", "json", "--top", "3").out)
    assert [list(pair) for pair in value["results"][0]["top"]] == [["snp", "contribution"]] * 3


def test_format_overrides_the_suffix(run, folder):
    run("predict", "g.tsv", "--out", "p.txt", "--format", "csv")
    assert (folder / "p.txt").read_text().startswith("sample,prediction,spread,predicted_by,")


def test_table_on_a_terminal(run, terminal):
    out = run("predict", "g.tsv").out
    assert "prediction (cm)" in out
    assert "s0 " in out
    assert "s19 " in out
    assert "s59 " in out
    assert "s30 " not in out
    assert "25 of 60 samples; all of them with --out" in out
    assert "\x1b" not in out


def test_no_color_is_respected(run, terminal, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[31m" in run("explain", "g.tsv", "--sample", "s0").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in run("explain", "g.tsv", "--sample", "s0").out


def test_control_characters_do_not_reach_the_terminal(run, terminal, folder, tiny):
    text = tiny.table(tiny.draw(2), ["\x1b[31mred", "[bold]x"])
    (folder / "odd.tsv").write_text(text)
    out = run("predict", "odd.tsv", "-q").out
    assert "\x1b" not in out
    assert "[bold]x" in out


def test_id_column(run, folder):
    text = (folder / "g.tsv").read_text().replace("sample", "who", 1)
    lines = [f"{line}\tplot{n}" for n, line in enumerate(text.splitlines())]
    (folder / "two.tsv").write_text("\n".join(lines) + "\n")
    outcome = run("predict", "two.tsv", "--id-column", "who")
    assert "ids from column 'who'" in outcome.err
    assert rows_of(outcome.out)[0]["sample"] == "s0"


def test_threads_and_model_path_change_nothing(run, tiny_bundle):
    expected = run("predict", "g.tsv").out
    assert run("predict", "g.tsv", "--threads", "1", "--model", str(tiny_bundle)).out == expected


def test_a_link_and_a_device_as_output(run, folder):
    (folder / "link.tsv").symlink_to("real.tsv")
    assert run("predict", "g.tsv", "-o", "link.tsv").code == 0
    assert (folder / "real.tsv").is_file()
    assert (folder / "link.tsv").is_symlink()


# --- no file, wrong usage ----------------------------------------------------------------------


def test_no_file_gives_an_example(run):
    outcome = run("predict")
    assert outcome.code == 2
    assert "needs a file" in outcome.err
    assert "hint: for example" in outcome.err
    assert "snpredict predict " in outcome.err


def test_without_a_command_the_help_is_shown(run):
    outcome = run()
    assert outcome.code == 2
    assert "Usage: snpredict" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bogus"], "No such option: --bogus"),
        (["--top", "-1"], "--top"),
        (["--top", "many"], "--top"),
        (["--threads", "-1"], "--threads"),
        (["--format", "xlsx"], "unknown format 'xlsx', expected one of tsv, csv, parquet, json"),
        (["--out", "p.xlsx"], "'.xlsx' says no format"),
        (["--out", "g.tsv"], "g.tsv is the input file"),
        (["second.tsv"], "second.tsv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(run, folder, arguments, words):
    before = (folder / "g.tsv").read_bytes()
    outcome = run("predict", "g.tsv", *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert words in outcome.err
    assert "\n\nhint: " in outcome.err
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]
    assert (folder / "g.tsv").read_bytes() == before


def test_parquet_is_not_printed_to_a_terminal(run, terminal):
    outcome = run("predict", "g.tsv", "--format", "parquet")
    assert outcome.code == 2
    assert "--out" in outcome.err
    assert outcome.out == ""


# --- bad input ---------------------------------------------------------------------------------

HEADER = "sample\tGm01_1000_A_G\tGm01_2000_A_G\n"

BAD_FILES = {
    "empty": (b"", errors.EmptyFile, ["bad.tsv is empty"]),
    "header without rows": (HEADER.encode(), errors.NoRows, ["no rows"]),
    "no SNP of the model": (
        b"sample\tx\ty\na\t0\t1\n",
        errors.NoSnpMatched,
        ["none of the model's 40 SNPs", "40 not in the file", "x, y in the file", "Gm01_1000_A_G"],
    ),
    "duplicate sample ids": (
        (HEADER + "a\t0\t1\nb\t1\t1\na\t2\t2\n").encode(),
        errors.DuplicateSample,
        ["'a' (lines 2 and 4)"],
    ),
    "duplicate SNP columns": (
        b"sample\tGm01_1000_A_G\tGm01_1000_A_G\na\t0\t1\n",
        errors.DuplicateColumn,
        ["'Gm01_1000_A_G'"],
    ),
    "cell that is no genotype": (
        (HEADER + "a\t0\t1\nb\t0\tA/G\n").encode(),
        errors.BadGenotype,
        ["line 3", "'Gm01_2000_A_G'", "'A/G'", "expected 0, 1, 2"],
    ),
    "row with too few columns": (
        (HEADER + "a\t0\t1\nb\t0\n").encode(),
        errors.RaggedRow,
        ["line 3", "found 2 columns, expected 3"],
    ),
    "truncated gzip": (
        gzip.compress((HEADER + "a\t0\t1\n" * 1).encode())[:-9],
        errors.TruncatedFile,
        ["ends before the end of its gzip data"],
    ),
    "binary": (
        HEADER.encode() + b"a\t0\t\0\x01\x02\n",
        errors.NotATable,
        ["binary file"],
    ),
    "no id column": (b"Gm01_1000_A_G\tp\tq\n0\t1\t2\n", errors.NoSampleColumn, ["--id-column"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("command", ["predict", "explain"])
def test_bad_file(run, folder, command, case):
    content, error, words = BAD_FILES[case]
    (folder / "bad.tsv").write_bytes(content)
    sample = ["--sample", "a"] if command == "explain" else []
    outcome = run(command, "bad.tsv", *sample, "--out", "out.tsv", "--min-match", "0")
    assert outcome.code == error.exit_code
    assert outcome.out == ""
    assert outcome.err.startswith("error: bad.tsv")
    for word in words:
        assert word in outcome.err
    assert sorted(path.name for path in folder.iterdir()) == ["bad.tsv", "g.tsv"]


def test_file_not_found(run, folder):
    outcome = run("predict", "absent.tsv", "--out", "out.tsv")
    assert outcome.code == errors.FileNotFound.exit_code
    assert outcome.err == "error: absent.tsv does not exist\n"
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


def test_output_folder_not_found(run, folder):
    outcome = run("predict", "g.tsv", "--out", "no/out.tsv")
    assert outcome.code == errors.OutputError.exit_code
    assert "does not exist" in outcome.err


def test_an_old_result_survives_a_mistake(run, folder):
    (folder / "out.tsv").write_text("old")
    (folder / "bad.tsv").write_bytes(BAD_FILES["cell that is no genotype"][0])
    outcome = run("predict", "bad.tsv", "--out", "out.tsv", "--min-match", "0")
    assert outcome.code == errors.BadGenotype.exit_code
    assert (folder / "out.tsv").read_text() == "old"


def remove(bundle: Path) -> None:
    (bundle / "ensemble.onnx").unlink()


def alter(bundle: Path) -> None:
    with (bundle / "snps.parquet").open("ab") as file:
        file.write(b"x")


def new_schema(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text()) | {"schema_version": 3}
    (bundle / MANIFEST).write_text(json.dumps(manifest))


def no_json(bundle: Path) -> None:
    (bundle / MANIFEST).write_text("schema_version: 1")


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (remove, errors.BundleFileMissing, ["ensemble.onnx is missing"]),
        (
            alter,
            errors.BundleFileAltered,
            ["snps.parquet was altered", "found SHA-256", "expected"],
        ),
        (new_schema, errors.UnknownSchema, ["found schema version 3, expected 1 or 2"]),
        (no_json, errors.InvalidBundle, ["manifest.json is not valid JSON"]),
    ],
    ids=["missing bundle file", "altered bundle file", "unknown schema version", "no JSON"],
)
@pytest.mark.parametrize(
    "command", [["predict", "g.tsv"], ["explain", "--snp", "x"], ["models", "show", "tiny"]]
)
def test_bad_bundle(run, folder, command, damage, error, words):
    damage(folder.parent / "package" / "models" / "tiny")
    out = [] if command[0] == "models" else ["--out", "out.json"]
    outcome = run(*command, *out)
    assert outcome.code == error.exit_code
    assert outcome.out == ""
    for word in words:
        assert word in outcome.err
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


def test_unknown_model(run):
    outcome = run("predict", "g.tsv", "--model", "tyny")
    assert outcome.code == errors.UnknownModel.exit_code
    assert "no model 'tyny'" in outcome.err
    assert "hint: did you mean tiny?" in outcome.err


# --- interrupted and unexpected ----------------------------------------------------------------


def raising(exception):
    def stand_in(*_, **__):
        raise exception

    return stand_in


def test_ctrl_c_leaves_no_file(run, folder, monkeypatch):
    from snpredict.scoring.scorer import Scorer

    monkeypatch.setattr(Scorer, "_score", raising(KeyboardInterrupt()))
    assert run("predict", "g.tsv", "--out", "out.tsv").code == 130
    assert [path.name for path in folder.iterdir()] == ["g.tsv"]


def test_an_unexpected_error_is_one_line(run, monkeypatch):
    from snpredict import predicting

    monkeypatch.setattr(predicting, "predict_models", raising(ZeroDivisionError("a\nb")))
    outcome = run("predict", "g.tsv")
    assert outcome.code == 1
    first, *rest = outcome.err.splitlines()
    assert first == "error: unexpected ZeroDivisionError: a b"
    assert any("SNPREDICT_DEBUG=1" in line for line in rest)


def test_the_traceback_is_there_when_asked_for(run, monkeypatch):
    from snpredict import predicting

    monkeypatch.setattr(predicting, "predict_models", raising(ZeroDivisionError()))
    monkeypatch.setenv("SNPREDICT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("predict", "g.tsv")


@pytest.mark.skipif(os.name == "nt", reason="pipes end in another way on Windows")
def test_a_reader_that_leaves_early_is_no_error(folder, tiny, tiny_bundle):
    (folder / "long.tsv").write_text(tiny.table(tiny.draw(20_000).clip(0)))
    process = subprocess.Popen(
        [sys.executable, "-m", "snpredict", "predict", "long.tsv", "-q", "-m", str(tiny_bundle)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline().startswith(b"sample\tprediction\tspread\tpredicted_by\t")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()
